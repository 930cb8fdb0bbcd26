// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include "base/limits.hpp"
#include "store/group_queue.hpp"

#include <pthread.h>
#include <utility>

namespace rollcall::store {

GroupCommit::GroupCommit(Writer& writer)
    : writer_(writer),
      queue_(std::make_shared<Queue>(
          Queue::Bounds{limits::ledger_batch_max, limits::ledger_queue_max})),
      thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "ledger");
}

GroupCommit::~GroupCommit() {
    stop();
}

Task<Result<Receipt>> GroupCommit::commit(const domain::Changes& changes) {
    const auto place = queue_->reserve(1);
    if (place == Queue::Place::closed) {
        co_return Error{ErrorKind::unavailable, "the server is stopping", "ledger-closed"};
    }
    if (place == Queue::Place::full) {
        co_return Error{ErrorKind::unavailable,
                        "too many changes wait to be written (" +
                            std::to_string(limits::ledger_queue_max) + ")",
                        "ledger-full"};
    }
    std::optional<Result<Receipt>> answer;
    auto start = [this, &changes, &answer](auto handler) {
        queue_->enqueue(Entry{changes, answer}, 1, std::move(handler));
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

}  // namespace rollcall::store
