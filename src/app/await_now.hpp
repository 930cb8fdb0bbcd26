// SPDX-License-Identifier: Apache-2.0
// await_now(): runs one task to its end on the calling thread. For start-up, before there is a
// runtime; never on a core.
#pragma once

#include "base/task.hpp"

#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace rollcall::app {

template <class T>
Task<void> await_into(Task<T> task, std::optional<T>& value) {
    value.emplace(co_await std::move(task));
}

/// What the task returns; what it throws is thrown on.
template <class T>
T await_now(Task<T> task) {
    asio::io_context context{1};
    std::optional<T> value;
    std::exception_ptr failure;
    asio::co_spawn(context, await_into(std::move(task), value),
                   [&failure](std::exception_ptr thrown) { failure = thrown; });
    context.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    return *std::move(value);
}

}  // namespace rollcall::app
