// SPDX-License-Identifier: Apache-2.0
// Runtime: one io_context and one thread per core. A session lives and dies on its core, so what
// it touches needs no locks. Shutting down drains: doors close, sessions finish what is under way,
// and after a deadline they are closed; the threads end when nothing is left.
#pragma once

#include "base/task.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace rollcall::net {

class Core;

/// Something that lives on a core and must end before the core can: a door, a session, a pause.
/// Registered while it exists; made, used and destroyed on its core's thread (or before start()).
class Resident {
public:
    explicit Resident(Core& core);
    virtual ~Resident();
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;

    /// The core shuts down: end as soon as what is under way is done.
    virtual void drain() = 0;
    /// The drain time is over: end now.
    virtual void close() = 0;

private:
    friend class Core;
    Core& core_;
    Resident* previous_ = nullptr;
    Resident* next_ = nullptr;
};

/// One thread's world.
class Core {
public:
    explicit Core(std::size_t index);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    asio::io_context& context() { return *context_; }
    std::size_t index() const { return index_; }

    /// Runs a task here. Any thread may call it; the runtime waits for the task at shutdown. An
    /// exception that leaves it is logged under `name`.
    void spawn(std::string_view name, Task<void> task);

    /// Has shutting down begun? Asked on this core.
    bool draining() const { return draining_; }

    /// Waits; true when the time has passed, false at once when the core drains. The loop of a
    /// background task is `while (co_await core.sleep(pause)) { ... }`.
    Task<bool> sleep(std::chrono::milliseconds time);

private:
    friend class Resident;
    friend class Runtime;
    struct Shutdown;

    void run();
    void begin_drain(std::chrono::milliseconds time);
    void close_residents_later();

    std::size_t index_;
    std::unique_ptr<asio::io_context> context_;
    std::unique_ptr<Shutdown> shutdown_;
    Resident* first_ = nullptr;
    bool draining_ = false;
};

class Runtime {
public:
    /// `cores` threads, at least one. Ignores SIGPIPE for the process: SSL_write uses write().
    explicit Runtime(std::size_t cores);
    /// Stops without patience if nobody stopped it before.
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    std::size_t cores() const { return cores_.size(); }
    Core& core(std::size_t index) { return *cores_[index]; }

    /// The first SIGTERM or SIGINT drains for `drain_time`, the second closes at once. Before
    /// start().
    void stop_on_signals(std::chrono::milliseconds drain_time);

    void start();
    /// Begins to drain; returns at once. Any thread; a second call with less time hurries it.
    void stop(std::chrono::milliseconds drain_time);
    /// Until all threads have ended: after it no task of ours is left. Join lanes after this.
    void wait();

private:
    struct Signals;
    std::vector<std::unique_ptr<Core>> cores_;
    std::vector<std::thread> threads_;
    std::unique_ptr<Signals> signals_;
};

}  // namespace rollcall::net
