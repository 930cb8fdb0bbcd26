// SPDX-License-Identifier: Apache-2.0
// GroupCommit: many callers, one writer thread. Whatever waits when the writer is free goes into
// one batch, and the callers are woken on their own executors after the batch is durable (how they
// gather: group_queue.hpp). Knows no database: sqlite_writer carries batches out, PostgreSQL will.
#pragma once

#include "store/store.hpp"

#include <memory>
#include <span>
#include <thread>

namespace rollcall::store {

template <class Entry>
class GroupQueue;

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
    using Queue = GroupQueue<Entry>;

    void run();

    Writer& writer_;
    std::shared_ptr<Queue> queue_;
    std::thread thread_;
};

}  // namespace rollcall::store
