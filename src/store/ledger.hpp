// SPDX-License-Identifier: Apache-2.0
// GroupCommit: many callers, one writer thread. Whatever waits when the writer is free goes into
// one batch (never held back by a timer), and the callers are woken on their own executors after
// the batch is durable. Knows no database: sqlite_writer carries batches out, PostgreSQL will.
#pragma once

#include "store/store.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

namespace rollcall::store {

class GroupCommit {
public:
    /// One caller's changes and, after the batch, what became of them.
    struct Entry {
        const domain::Changes& changes;
        std::optional<Result<Receipt>>& answer;
    };

    /// Carries batches out; called on the writer thread only.
    class Writer {
    public:
        virtual ~Writer() = default;
        /// Answers every entry. When it returns, what it granted is durable.
        virtual void write(std::span<const Entry> batch) = 0;
        /// After the callers were woken: work that need not delay them.
        virtual void rest() = 0;
    };

    /// `writer` outlives this.
    explicit GroupCommit(Writer& writer);
    ~GroupCommit();
    GroupCommit(const GroupCommit&) = delete;
    GroupCommit& operator=(const GroupCommit&) = delete;

    /// See Ledger::commit. unavailable ("ledger-full") beyond limits::ledger_queue_max waiting, and
    /// ("ledger-closed") after stop().
    Task<Result<Receipt>> commit(const domain::Changes& changes);

    /// Carries out what waits, then ends the thread. Callers' io_contexts must still live.
    void stop();

    /// Callers that wait, for metrics.
    std::size_t waiting() const;

private:
    struct Waiter;
    template <class Handler>
    struct WaiterOf;

    Result<Done> reserve();
    void enqueue(std::unique_ptr<Waiter> waiter);
    void run();
    std::vector<std::unique_ptr<Waiter>> next_batch();

    Writer& writer_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::unique_ptr<Waiter>> queue_;
    std::size_t reserved_ = 0;  ///< places in the queue given out, filled or about to be
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace rollcall::store
