// SPDX-License-Identifier: Apache-2.0
#include "net/runtime.hpp"

#include <csignal>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Task<void> count_ticks(Core& core, std::atomic<int>& ticks, std::atomic<bool>& ended) {
    constexpr milliseconds pause{1};
    while (co_await core.sleep(pause)) {
        ++ticks;
    }
    ended = true;
}

void wait_for(const std::atomic<int>& ticks, int wanted) {
    while (ticks < wanted) {
        std::this_thread::yield();
    }
}

TEST(RuntimeTest, RunsTasksAndWaitsForThemAtTheEnd) {
    Runtime runtime(2);
    std::atomic<int> ticks{0};
    std::atomic<bool> ended[2] = {false, false};
    runtime.core(0).spawn("first", count_ticks(runtime.core(0), ticks, ended[0]));
    runtime.start();
    runtime.core(1).spawn("second", count_ticks(runtime.core(1), ticks, ended[1]));
    wait_for(ticks, 10);
    runtime.stop(hours{1});
    runtime.wait();
    EXPECT_TRUE(ended[0]);
    EXPECT_TRUE(ended[1]);
}

Task<void> sleep_long(Core& core, std::atomic<int>& awake, std::atomic<bool>& whole) {
    constexpr hours long_time{1};
    ++awake;
    whole = co_await core.sleep(long_time);
}

TEST(RuntimeTest, WakesSleepersToEnd) {
    Runtime runtime(1);
    std::atomic<int> awake{0};
    std::atomic<bool> whole{true};
    runtime.core(0).spawn("sleeper", sleep_long(runtime.core(0), awake, whole));
    runtime.start();
    wait_for(awake, 1);
    runtime.stop(hours{1});
    runtime.wait();
    EXPECT_FALSE(whole);
}

/// Does not care for drain(), only for close().
class Stubborn final : public Resident {
public:
    Stubborn(Core& core, std::atomic<int>& told) : Resident(core), core_(core), told_(told) {}
    void drain() override { ++told_; }
    void close() override { closed_ = true; }
    Task<void> live() {
        while (!closed_) {
            co_await asio::post(core_.context(), asio::use_awaitable);
        }
    }

private:
    Core& core_;
    std::atomic<int>& told_;
    bool closed_ = false;
};

Task<void> live(Core& core, std::atomic<int>& told, std::atomic<int>& alive) {
    Stubborn stubborn(core, told);
    ++alive;
    co_await stubborn.live();
    --alive;
}

TEST(RuntimeTest, ClosesWhatOutlivesTheDrainTime) {
    Runtime runtime(1);
    std::atomic<int> told{0};
    std::atomic<int> alive{0};
    runtime.core(0).spawn("stubborn", live(runtime.core(0), told, alive));
    runtime.start();
    wait_for(alive, 1);
    runtime.stop(milliseconds{10});
    runtime.wait();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(told, 1);
}

TEST(RuntimeTest, CanBeHurried) {
    Runtime runtime(1);
    std::atomic<int> told{0};
    std::atomic<int> alive{0};
    runtime.core(0).spawn("stubborn", live(runtime.core(0), told, alive));
    runtime.start();
    wait_for(alive, 1);
    runtime.stop(hours{1});
    wait_for(told, 1);
    runtime.stop(milliseconds{0});
    runtime.wait();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(told, 1);
}

TEST(RuntimeTest, ClosesWhatComesToLiveWhileItDrains) {
    Runtime runtime(1);
    std::atomic<int> told{0};
    std::atomic<int> alive{0};
    runtime.core(0).spawn("first", live(runtime.core(0), told, alive));
    runtime.start();
    wait_for(alive, 1);
    runtime.stop(milliseconds{50});
    wait_for(told, 1);
    runtime.core(0).spawn("second", live(runtime.core(0), told, alive));
    runtime.wait();
    EXPECT_EQ(alive, 0);
}

Task<void> fail() {
    throw std::runtime_error("as asked");
    co_return;
}

TEST(RuntimeTest, OutlivesATaskThatThrows) {
    Runtime runtime(1);
    std::atomic<int> ticks{0};
    std::atomic<bool> ended{false};
    runtime.core(0).spawn("failing", fail());
    runtime.core(0).spawn("ticking", count_ticks(runtime.core(0), ticks, ended));
    runtime.start();
    wait_for(ticks, 2);
    runtime.stop(hours{1});
    runtime.wait();
    EXPECT_TRUE(ended);
}

TEST(RuntimeTest, StopsOnASignal) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Runtime runtime(2);
        std::atomic<int> ticks{0};
        std::atomic<bool> ended{false};
        runtime.core(1).spawn("ticking", count_ticks(runtime.core(1), ticks, ended));
        runtime.stop_on_signals(hours{1});
        runtime.start();
        wait_for(ticks, 1);
        std::raise(signal);
        runtime.wait();
        EXPECT_TRUE(ended);
    }
}

TEST(RuntimeTest, ClosesOnASecondSignal) {
    Runtime runtime(1);
    std::atomic<int> told{0};
    std::atomic<int> alive{0};
    runtime.core(0).spawn("stubborn", live(runtime.core(0), told, alive));
    runtime.stop_on_signals(hours{1});
    runtime.start();
    wait_for(alive, 1);
    std::raise(SIGTERM);
    wait_for(told, 1);
    std::raise(SIGTERM);
    runtime.wait();
    EXPECT_EQ(alive, 0);
}

TEST(RuntimeTest, EndsThoughItWasNeverStarted) {
    Runtime runtime(1);
    std::atomic<int> ticks{0};
    std::atomic<bool> ended{false};
    runtime.core(0).spawn("ticking", count_ticks(runtime.core(0), ticks, ended));
}

}  // namespace
}  // namespace rollcall::net
