// SPDX-License-Identifier: Apache-2.0
// Task<T>: a coroutine of the service, net and front floors. Lane: one thread for work that
// blocks; on_lane() runs a closure there and comes home to the caller's core.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rollcall {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

/// Threads for work that blocks. Join it before the io_contexts of its callers die.
class Lane {
public:
    explicit Lane(std::size_t threads) : pool_(threads) {}
    asio::thread_pool::executor_type executor() { return pool_.get_executor(); }
    void join() { pool_.join(); }

private:
    asio::thread_pool pool_;
};

/// Runs `f` on the lane and resumes the caller on its own executor. Cannot be cancelled.
/// `f` must capture by reference (see HACKING.md, "await names, not temporaries") and must not
/// throw: refusals are Results.
template <class F>
Task<std::invoke_result_t<F&>> on_lane(Lane& lane, F f) {
    static_assert(std::is_trivially_destructible_v<F>, "capture by reference");
    using Value = std::invoke_result_t<F&>;
    std::optional<Value> value;
    auto start = [&lane, &value, &f](auto handler) {
        auto home = asio::get_associated_executor(handler);
        auto work = asio::prefer(home, asio::execution::outstanding_work.tracked);
        asio::post(lane.executor(), [&value, &f, work, handler = std::move(handler)]() mutable {
            value.emplace(f());
            asio::post(work, [handler = std::move(handler)]() mutable { handler(); });
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    co_return *std::move(value);
}

}  // namespace rollcall
