// SPDX-License-Identifier: Apache-2.0
// GroupQueue: where callers wait for one writer thread, which takes as many as there are and wakes
// each on its own executor. No timer holds a batch back: a caller's executor first goes through
// what is ready on it, and as long as that brings more callers, they share the batch; on an idle
// server that is nobody, and no wait. Used by the ledger (ledger.hpp) and the telemetry log.
#pragma once

#include "base/task.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace rollcall::store {

/// `Entry`: what a caller hands over, with a place for the answer. Shared with what still gathers
/// when the writer has ended.
template <class Entry>
class GroupQueue : public std::enable_shared_from_this<GroupQueue<Entry>> {
public:
    /// In the caller's measure: number of entries, or their bytes.
    struct Bounds {
        std::size_t batch_max;    ///< but a single entry goes whatever its weight
        std::size_t waiting_max;  ///< all that wait
    };
    enum class Place { given, full, closed };

    /// A suspended caller, whatever its handler's type.
    class Waiter {
    public:
        Waiter(Entry what, std::size_t how_much, asio::any_io_executor where)
            : entry(what), weight(how_much), home(std::move(where)) {}
        virtual ~Waiter() = default;
        /// Resumes the caller on its own executor. The entry is the caller's: not to be touched
        /// after.
        virtual void wake() = 0;

        Entry entry;
        std::size_t weight;
        asio::any_io_executor home;
    };
    using Waiters = std::vector<std::unique_ptr<Waiter>>;

    explicit GroupQueue(Bounds bounds) : bounds_(bounds) {}

    /// Before enqueue() with the same weight.
    Place reserve(std::size_t weight);
    template <class Handler>
    void enqueue(Entry entry, std::size_t weight, Handler handler) {
        add(std::make_unique<WaiterOf<Handler>>(std::move(entry), weight, std::move(handler)));
    }
    /// For the writer: the next batch, in order; empty when stopped and nobody waits any more.
    Waiters next_batch();
    /// No more places; what waits is still taken.
    void stop();
    std::size_t waiting() const;

private:
    /// Rounds of an executor's ready work that bring no caller before a batch is closed. On an idle
    /// server a round is empty and costs a microsecond; on a busy one the next caller is often a
    /// handshake away, and shares a sync.
    static constexpr int quiet_rounds_max = 4;

    template <class Handler>
    class WaiterOf final : public Waiter {
    public:
        WaiterOf(Entry what, std::size_t how_much, Handler&& caller)
            : Waiter(std::move(what), how_much,
                     asio::prefer(asio::get_associated_executor(caller),
                                  asio::execution::outstanding_work.tracked)),
              handler_(std::move(caller)) {}
        void wake() override {
            asio::post(this->home, [resumed = std::move(handler_)]() mutable { resumed(); });
        }

    private:
        Handler handler_;
    };

    void add(std::unique_ptr<Waiter> waiter);
    /// Lets the executor go through what is ready on it, and again until that brings no more
    /// callers.
    void gather(const asio::any_io_executor& home, std::size_t seen, int quiet_rounds);

    const Bounds bounds_;
    mutable std::mutex mutex_;
    std::condition_variable ready_for_writer_;
    std::deque<std::unique_ptr<Waiter>> waiters_;
    std::size_t reserved_ = 0;  ///< weight of the places given out, filled or about to be
    std::size_t filled_ = 0;    ///< of those in waiters_
    bool gathering_ = false;
    bool ready_ = false;  ///< gathered: the writer may take them
    bool stopping_ = false;
};

template <class Entry>
typename GroupQueue<Entry>::Place GroupQueue<Entry>::reserve(std::size_t weight) {
    const std::scoped_lock lock{mutex_};
    if (stopping_) {
        return Place::closed;
    }
    if (weight > bounds_.waiting_max - reserved_) {
        return Place::full;
    }
    reserved_ += weight;
    return Place::given;
}

template <class Entry>
void GroupQueue<Entry>::add(std::unique_ptr<Waiter> waiter) {
    const auto home = waiter->home;
    bool first = false;
    {
        const std::scoped_lock lock{mutex_};
        filled_ += waiter->weight;
        waiters_.push_back(std::move(waiter));
        first = !std::exchange(gathering_, true);
        if (stopping_) {
            ready_for_writer_.notify_one();
        }
    }
    if (first) {
        asio::post(home, [self = this->shared_from_this(), home] { self->gather(home, 1, 0); });
    }
}

template <class Entry>
void GroupQueue<Entry>::gather(const asio::any_io_executor& home, std::size_t seen,
                               int quiet_rounds) {
    std::size_t found = 0;
    {
        const std::scoped_lock lock{mutex_};
        found = waiters_.size();
        quiet_rounds = found <= seen ? quiet_rounds + 1 : 0;
        if (quiet_rounds >= quiet_rounds_max || filled_ >= bounds_.batch_max) {
            gathering_ = false;
            ready_ = true;
            ready_for_writer_.notify_one();
            return;
        }
    }
    asio::post(home, [self = this->shared_from_this(), home, found, quiet_rounds] {
        self->gather(home, found, quiet_rounds);
    });
}

template <class Entry>
typename GroupQueue<Entry>::Waiters GroupQueue<Entry>::next_batch() {
    std::unique_lock lock{mutex_};
    ready_for_writer_.wait(lock, [this] {
        return !waiters_.empty() ? ready_ || stopping_ : stopping_ && reserved_ == 0;
    });
    Waiters batch;
    std::size_t taken = 0;
    while (!waiters_.empty()) {
        const std::size_t weight = waiters_.front()->weight;
        if (!batch.empty() && taken + weight > bounds_.batch_max) {
            break;
        }
        taken += weight;
        batch.push_back(std::move(waiters_.front()));
        waiters_.pop_front();
    }
    reserved_ -= taken;
    filled_ -= taken;
    ready_ = !waiters_.empty();
    return batch;
}

template <class Entry>
void GroupQueue<Entry>::stop() {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
    ready_for_writer_.notify_one();
}

template <class Entry>
std::size_t GroupQueue<Entry>::waiting() const {
    const std::scoped_lock lock{mutex_};
    return reserved_;
}

}  // namespace rollcall::store
