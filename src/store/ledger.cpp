// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <pthread.h>

namespace rollcall::store {

/// A suspended caller, whatever its handler's type.
struct GroupCommit::Waiter {
    explicit Waiter(Entry what) : entry(what) {}
    virtual ~Waiter() = default;
    /// Resumes the caller on its own executor. The entry is the caller's: not to be touched after.
    virtual void wake() = 0;

    Entry entry;
};

template <class Handler>
struct GroupCommit::WaiterOf final : Waiter {
    WaiterOf(Entry what, Handler&& caller)
        : Waiter(what),
          handler(std::move(caller)),
          home(asio::prefer(asio::get_associated_executor(handler),
                            asio::execution::outstanding_work.tracked)) {}
    void wake() override {
        asio::post(home, [resumed = std::move(handler)]() mutable { resumed(); });
    }

    Handler handler;
    decltype(asio::prefer(asio::get_associated_executor(std::declval<Handler&>()),
                          asio::execution::outstanding_work.tracked)) home;
};

GroupCommit::GroupCommit(Writer& writer) : writer_(writer), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "ledger");
}

GroupCommit::~GroupCommit() {
    stop();
}

Task<Result<Receipt>> GroupCommit::commit(const domain::Changes& changes) {
    CO_TRY([[maybe_unused]] const auto place, reserve());
    std::optional<Result<Receipt>> answer;
    auto start = [this, &changes, &answer](auto handler) {
        using Handler = std::decay_t<decltype(handler)>;
        enqueue(std::make_unique<WaiterOf<Handler>>(Entry{changes, answer}, std::move(handler)));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    INVARIANT(answer.has_value());
    co_return *std::move(answer);
}

Result<Done> GroupCommit::reserve() {
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

void GroupCommit::enqueue(std::unique_ptr<Waiter> waiter) {
    {
        const std::scoped_lock lock{mutex_};
        queue_.push_back(std::move(waiter));
    }
    arrived_.notify_one();
}

void GroupCommit::run() {
    std::vector<Entry> entries;
    while (true) {
        auto batch = next_batch();
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

/// Empty: stopped, and nobody waits any more.
std::vector<std::unique_ptr<GroupCommit::Waiter>> GroupCommit::next_batch() {
    std::unique_lock lock{mutex_};
    arrived_.wait(lock, [this] { return !queue_.empty() || (stopping_ && reserved_ == 0); });
    const std::size_t count = std::min(queue_.size(), limits::ledger_batch_max);
    std::vector<std::unique_ptr<Waiter>> batch;
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    reserved_ -= count;
    return batch;
}

void GroupCommit::stop() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    arrived_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

std::size_t GroupCommit::waiting() const {
    const std::scoped_lock lock{mutex_};
    return reserved_;
}

}  // namespace rollcall::store
