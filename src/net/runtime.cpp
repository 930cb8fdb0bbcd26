// SPDX-License-Identifier: Apache-2.0
#include "net/runtime.hpp"

#include "base/invariant.hpp"
#include "base/telemetry.hpp"

#include <csignal>
#include <exception>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace rollcall::net {

using SteadyTime = asio::steady_timer::time_point;

struct Core::Shutdown {
    explicit Shutdown(asio::io_context& context)
        : keep_running(context.get_executor()), timer(context) {}

    asio::executor_work_guard<asio::io_context::executor_type> keep_running;
    asio::steady_timer timer;
    SteadyTime close_at = SteadyTime::max();
};

Core::Core(std::size_t index)
    : index_(index),
      // One thread runs it; others only post.
      context_(std::make_unique<asio::io_context>(1)),
      shutdown_(std::make_unique<Shutdown>(*context_)) {}

Core::~Core() {
    // Tasks that never came to run end with the context, and their residents sign off then.
    shutdown_.reset();
    context_.reset();
}

void Core::spawn(std::string_view name, Task<void> task) {
    auto ended = [name = std::string(name)](const std::exception_ptr& failure) {
        if (!failure) {
            return;
        }
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& exception) {
            log_event(Severity::error, "task-failed", {{"task", name}, {"note", exception.what()}});
        } catch (...) {
            log_event(Severity::error, "task-failed", {{"task", name}});
        }
    };
    asio::co_spawn(*context_, std::move(task), std::move(ended));
}

void Core::run() {
    context_->run();
}

void Core::begin_drain(std::chrono::milliseconds time) {
    draining_ = true;
    shutdown_->keep_running.reset();
    const auto close_at = asio::steady_timer::clock_type::now() + time;
    if (close_at >= shutdown_->close_at) {
        return;
    }
    const bool first_call = shutdown_->close_at == SteadyTime::max();
    shutdown_->close_at = close_at;
    if (first_call) {
        for (Resident* resident = first_; resident != nullptr;) {
            Resident* const next = resident->next_;
            resident->drain();
            resident = next;
        }
    }
    close_residents_later();
}

void Core::close_residents_later() {
    if (first_ == nullptr) {
        return;
    }
    shutdown_->timer.expires_at(shutdown_->close_at);
    shutdown_->timer.async_wait([this](const boost::system::error_code& aborted) {
        if (aborted) {
            return;
        }
        for (Resident* resident = first_; resident != nullptr;) {
            Resident* const next = resident->next_;
            resident->close();
            resident = next;
        }
    });
}

Resident::Resident(Core& core) : core_(core), next_(core.first_) {
    if (next_ != nullptr) {
        next_->previous_ = this;
    }
    core.first_ = this;
    if (core.draining_ && next_ == nullptr) {
        core.close_residents_later();
    }
}

Resident::~Resident() {
    (previous_ != nullptr ? previous_->next_ : core_.first_) = next_;
    if (next_ != nullptr) {
        next_->previous_ = previous_;
    }
    if (core_.draining_ && core_.first_ == nullptr && core_.shutdown_) {
        core_.shutdown_->timer.cancel();
    }
}

namespace {

/// A sleeping background task.
class Pause final : public Resident {
public:
    Pause(Core& core, std::chrono::milliseconds time) : Resident(core), timer(core.context()) {
        timer.expires_after(time);
    }
    void drain() override { timer.cancel(); }
    void close() override { timer.cancel(); }

    asio::steady_timer timer;
};

}  // namespace

Task<bool> Core::sleep(std::chrono::milliseconds time) {
    if (draining_) {
        co_return false;
    }
    Pause pause(*this, time);
    boost::system::error_code cancelled;
    co_await pause.timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_return !draining_;
}

/// A thread of its own, so that waiting for a second signal keeps no core from ending.
struct Runtime::Signals {
    Signals(Runtime& runtime, std::chrono::milliseconds drain_time)
        : set(context, SIGTERM, SIGINT) {
        listen(runtime, drain_time);
        thread = std::thread([this] { context.run(); });
    }
    /// Whoever ends a runtime ends the process: one more signal must not tear what it still does.
    ~Signals() {
        context.stop();
        thread.join();
        boost::system::error_code ignored;
        set.clear(ignored);
        std::signal(SIGTERM, SIG_IGN);
        std::signal(SIGINT, SIG_IGN);
    }
    void listen(Runtime& runtime, std::chrono::milliseconds time) {
        set.async_wait([this, &runtime, time](const boost::system::error_code& failed, int signal) {
            if (failed) {
                return;
            }
            log_event(Severity::info, "stopping", {{"signal", std::to_string(signal)}});
            runtime.stop(time);
            listen(runtime, std::chrono::milliseconds{0});
        });
    }

    asio::io_context context{1};
    asio::signal_set set;
    std::thread thread;
};

Runtime::Runtime(std::size_t cores) {
    INVARIANT(cores > 0);
    // SSL_write writes with write(), which has no MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    for (std::size_t i = 0; i < cores; ++i) {
        cores_.push_back(std::make_unique<Core>(i));
    }
}

Runtime::~Runtime() {
    stop(std::chrono::milliseconds{0});
    wait();
}

void Runtime::stop_on_signals(std::chrono::milliseconds drain_time) {
    INVARIANT(threads_.empty());
    signals_ = std::make_unique<Signals>(*this, drain_time);
}

void Runtime::start() {
    INVARIANT(threads_.empty());
    for (auto& core : cores_) {
        threads_.emplace_back([&core = *core] { core.run(); });
    }
}

void Runtime::stop(std::chrono::milliseconds drain_time) {
    for (auto& core : cores_) {
        asio::post(core->context(), [&core = *core, drain_time] { core.begin_drain(drain_time); });
    }
}

void Runtime::wait() {
    for (auto& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
    signals_.reset();
}

}  // namespace rollcall::net
