// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include "base/limits.hpp"
#include "support/run_task.hpp"

#include <algorithm>
#include <condition_variable>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using test::keep;
using test::run;
using test::run_together;

/// A writer that can be held up, and remembers what it was given.
class HeldWriter final : public GroupCommit::Writer {
public:
    void write(std::span<const GroupCommit::Entry> batch) override {
        std::unique_lock lock{mutex_};
        batches.push_back(batch.size());
        arrived_.notify_all();
        arrived_.wait(lock, [this] { return !held_; });
        for (const auto& entry : batch) {
            const auto* setting = std::get_if<domain::PutSetting>(&entry.changes.writes.front());
            order.push_back(setting->key);
            entry.answer = Receipt{order.size(), 0};
        }
    }
    void rest() override { ++rests; }

    void hold() {
        const std::scoped_lock lock{mutex_};
        held_ = true;
    }
    void release() {
        {
            const std::scoped_lock lock{mutex_};
            held_ = false;
        }
        arrived_.notify_all();
    }
    void await_batch() {
        std::unique_lock lock{mutex_};
        arrived_.wait(lock, [this] { return !batches.empty(); });
    }

    std::vector<std::size_t> batches;
    std::vector<std::string> order;
    std::atomic<int> rests{0};

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    bool held_ = false;
};

std::vector<domain::Changes> numbered(std::size_t count) {
    std::vector<domain::Changes> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        all[i].writes = {domain::PutSetting{std::to_string(i), ""}};
    }
    return all;
}

TEST(GroupCommit, WhatWaitsGoesTogetherUpToTheBoundAndInOrder) {
    const auto all = numbered(1 + limits::ledger_batch_max + 1);
    HeldWriter writer;
    GroupCommit ledger{writer};
    writer.hold();
    std::vector<Task<Result<Receipt>>> tasks;
    for (const auto& changes : all) {
        tasks.push_back(ledger.commit(changes));
    }
    std::thread opener{[&] {
        writer.await_batch();
        while (ledger.waiting() < all.size() - writer.batches.front()) {
            std::this_thread::yield();
        }
        writer.release();
    }};
    const auto answers = run_together(std::move(tasks));
    opener.join();
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(answers[i].value().config_version, i + 1) << "first come, first written";
    }
    EXPECT_EQ(*std::max_element(writer.batches.begin(), writer.batches.end()),
              limits::ledger_batch_max);
    ledger.stop();
    EXPECT_EQ(static_cast<std::size_t>(writer.rests), writer.batches.size());
}

TEST(GroupCommit, CallersThatAreReadyTogetherShareABatch) {
    const auto all = numbered(200);
    HeldWriter writer;
    GroupCommit ledger{writer};
    // Each is ready a round of the executor after the one before.
    const auto later = [&](std::size_t i) -> Task<Result<Receipt>> {
        for (std::size_t round = 0; round < i; ++round) {
            co_await asio::post(asio::use_awaitable);
        }
        co_return co_await ledger.commit(all[i]);
    };
    const std::size_t rounds = limits::ledger_batch_max / all.size() + 2;
    for (std::size_t i = 0; i < rounds; ++i) {
        std::vector<Task<Result<Receipt>>> tasks;
        for (std::size_t each = 0; each < all.size(); ++each) {
            tasks.push_back(later(each));
        }
        run_together(std::move(tasks));
    }
    ledger.stop();
    EXPECT_EQ(writer.batches, std::vector<std::size_t>(rounds, all.size()))
        << "however many there were before";
}

TEST(GroupCommit, TheQueueHasABound) {
    const auto all = numbered(1 + limits::ledger_queue_max + 1);
    HeldWriter writer;
    GroupCommit ledger{writer};
    writer.hold();
    asio::io_context context;
    std::vector<std::optional<Result<Receipt>>> answers(all.size());
    const auto start = [&](std::size_t i) {
        asio::co_spawn(context, keep(ledger.commit(all[i]), answers[i]),
                       [](const std::exception_ptr&) {});
        context.poll();
    };
    start(0);
    writer.await_batch();  // the writer has it; the queue is empty
    for (std::size_t i = 1; i <= limits::ledger_queue_max; ++i) {
        start(i);
    }
    EXPECT_EQ(ledger.waiting(), limits::ledger_queue_max);
    start(all.size() - 1);
    ASSERT_TRUE(answers.back().has_value()) << "refused at once";
    EXPECT_EQ(answers.back()->error().reason, "ledger-full");
    EXPECT_EQ(answers.back()->error().kind, ErrorKind::unavailable);
    writer.release();
    context.run();
    answers.pop_back();
    for (const auto& answer : answers) {
        ASSERT_TRUE(answer.has_value());
        EXPECT_TRUE(answer->has_value());
    }
}

TEST(GroupCommit, StoppingCarriesOutWhatWaits) {
    const auto all = numbered(10);
    HeldWriter writer;
    GroupCommit ledger{writer};
    writer.hold();
    asio::io_context context;
    std::vector<std::optional<Result<Receipt>>> answers(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        asio::co_spawn(context, keep(ledger.commit(all[i]), answers[i]),
                       [](const std::exception_ptr&) {});
    }
    context.poll();
    std::thread stopper{[&] { ledger.stop(); }};
    writer.release();
    stopper.join();
    context.restart();
    context.run();
    for (const auto& answer : answers) {
        EXPECT_TRUE(answer && answer->has_value());
    }
    EXPECT_EQ(run(ledger.commit(all[0])).error().reason, "ledger-closed");
}

TEST(GroupCommit, CallersAreWokenOnTheirOwnThread) {
    const auto all = numbered(1);
    HeldWriter writer;
    GroupCommit ledger{writer};
    const auto ask = [&]() -> Task<Result<std::thread::id>> {
        CO_TRY([[maybe_unused]] const auto receipt, co_await ledger.commit(all[0]));
        co_return std::this_thread::get_id();
    };
    EXPECT_EQ(run(ask()).value(), std::this_thread::get_id());
}

}  // namespace
}  // namespace rollcall::store
