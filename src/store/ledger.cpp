// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

namespace rollcall::store {
namespace {

/// Rounds of an executor's ready work that bring no caller before a batch is closed. On an idle
/// server a round is empty and costs a microsecond; on a busy one the next caller is often a
/// handshake away, and shares a sync.
constexpr int quiet_rounds_max = 4;

}  // namespace

/// A suspended caller, whatever its handler's type.
struct GroupCommit::Waiter {
    Waiter(Entry what, asio::any_io_executor where) : entry(what), home(std::move(where)) {}
    virtual ~Waiter() = default;
    /// Resumes the caller on its own executor. The entry is the caller's: not to be touched after.
    virtual void wake() = 0;

    Entry entry;
    asio::any_io_executor home;
};

template <class Handler>
struct GroupCommit::WaiterOf final : Waiter {
    WaiterOf(Entry what, Handler&& caller)
        : Waiter(what, asio::prefer(asio::get_associated_executor(caller),
                                    asio::execution::outstanding_work.tracked)),
          handler(std::move(caller)) {}
    void wake() override {
        asio::post(home, [resumed = std::move(handler)]() mutable { resumed(); });
    }

    Handler handler;
};

/// Where callers wait for the writer.
struct GroupCommit::Queue : std::enable_shared_from_this<Queue> {
    using Waiters = std::vector<std::unique_ptr<Waiter>>;

    Result<Done> reserve();
    void enqueue(std::unique_ptr<Waiter> waiter);
    /// For the writer: the next batch; empty when stopped and nobody waits any more.
    Waiters next_batch();
    void stop();
    std::size_t waiting() const;

private:
    /// Lets the executor go through what is ready on it, and again until that brings no more
    /// callers.
    void gather(const asio::any_io_executor& home, std::size_t seen, int quiet_rounds);

    mutable std::mutex mutex_;
    std::condition_variable ready_for_writer_;
    std::deque<std::unique_ptr<Waiter>> waiters_;
    std::size_t reserved_ = 0;  ///< places given out, filled or about to be
    bool gathering_ = false;
    bool ready_ = false;  ///< gathered: the writer may take them
    bool stopping_ = false;
};

GroupCommit::GroupCommit(Writer& writer)
    : writer_(writer), queue_(std::make_shared<Queue>()), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "ledger");
}

GroupCommit::~GroupCommit() {
    stop();
}

Task<Result<Receipt>> GroupCommit::commit(const domain::Changes& changes) {
    CO_TRY([[maybe_unused]] const auto place, queue_->reserve());
    std::optional<Result<Receipt>> answer;
    auto start = [this, &changes, &answer](auto handler) {
        using Handler = std::decay_t<decltype(handler)>;
        queue_->enqueue(
            std::make_unique<WaiterOf<Handler>>(Entry{changes, answer}, std::move(handler)));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    INVARIANT(answer.has_value());
    co_return *std::move(answer);
}

void GroupCommit::run() {
    std::vector<Entry> entries;
    while (true) {
        auto batch = queue_->next_batch();
        if (batch.empty()) {
            return;
        }
        entries.clear();
        for (const auto& waiter : batch) {
            entries.push_back(waiter->entry);
        }
        writer_.write(entries);
        for (const auto& waiter : batch) {
            waiter->wake();
        }
        batch.clear();  // lets go of the callers' io_contexts
        writer_.rest();
    }
}

void GroupCommit::stop() {
    queue_->stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

std::size_t GroupCommit::waiting() const {
    return queue_->waiting();
}

Result<Done> GroupCommit::Queue::reserve() {
    const std::scoped_lock lock{mutex_};
    if (stopping_) {
        return Error{ErrorKind::unavailable, "the server is stopping", "ledger-closed"};
    }
    if (reserved_ >= limits::ledger_queue_max) {
        return Error{ErrorKind::unavailable,
                     "too many changes wait to be written (" +
                         std::to_string(limits::ledger_queue_max) + ")",
                     "ledger-full"};
    }
    ++reserved_;
    return Done{};
}

void GroupCommit::Queue::enqueue(std::unique_ptr<Waiter> waiter) {
    const auto home = waiter->home;
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        waiters_.push_back(std::move(waiter));
        first = !std::exchange(gathering_, true);
        if (stopping_) {
            ready_for_writer_.notify_one();
        }
    }
    if (first) {
        asio::post(home, [self = shared_from_this(), home] { self->gather(home, 1, 0); });
    }
}

void GroupCommit::Queue::gather(const asio::any_io_executor& home, std::size_t seen,
                                int quiet_rounds) {
    std::size_t found = 0;
    {
        const std::scoped_lock lock{mutex_};
        found = waiters_.size();
        quiet_rounds = found <= seen ? quiet_rounds + 1 : 0;
        if (quiet_rounds >= quiet_rounds_max || found >= limits::ledger_batch_max) {
            gathering_ = false;
            ready_ = true;
            ready_for_writer_.notify_one();
            return;
        }
    }
    asio::post(home, [self = shared_from_this(), home, found, quiet_rounds] {
        self->gather(home, found, quiet_rounds);
    });
}

GroupCommit::Queue::Waiters GroupCommit::Queue::next_batch() {
    std::unique_lock lock{mutex_};
    ready_for_writer_.wait(lock, [this] {
        return !waiters_.empty() ? ready_ || stopping_ : stopping_ && reserved_ == 0;
    });
    const std::size_t count = std::min(waiters_.size(), limits::ledger_batch_max);
    Waiters batch;
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(std::move(waiters_.front()));
        waiters_.pop_front();
    }
    reserved_ -= count;
    ready_ = !waiters_.empty();
    return batch;
}

void GroupCommit::Queue::stop() {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
    ready_for_writer_.notify_one();
}

std::size_t GroupCommit::Queue::waiting() const {
    const std::scoped_lock lock{mutex_};
    return reserved_;
}

}  // namespace rollcall::store
