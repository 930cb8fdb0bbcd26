// SPDX-License-Identifier: Apache-2.0
// A host of jobs for tests.
#pragma once

#include "base/world.hpp"
#include "service/job_host.hpp"

#include <exception>
#include <functional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace rollcall::test {

/// Runs everything on one io_context; a pause takes no time but on the clock.
class DeskHost final : public service::JobHost {
public:
    explicit DeskHost(ManualClock& clock) : clock_(clock) {}

    void spawn(std::string_view, Task<void> task) override {
        asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
        if (on_spawn) {
            on_spawn();
        }
    }
    Task<bool> pause(std::chrono::milliseconds time) override {
        clock_.advance(time);
        if (on_pause) {
            on_pause();
        }
        co_await asio::post(context_, asio::use_awaitable);
        co_return pauses_left<0 || pauses_left--> 0;
    }
    /// Until nothing is left to do.
    void run() {
        context_.restart();
        context_.run();
    }

    int pauses_left = -1;  ///< then the program ends; -1: it does not
    std::function<void()> on_pause{};
    std::function<void()> on_spawn{};

private:
    ManualClock& clock_;
    asio::io_context context_;
};

}  // namespace rollcall::test
