// SPDX-License-Identifier: Apache-2.0
// Runs tasks to their end in a test.
#pragma once

#include "base/task.hpp"

#include <exception>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace rollcall::test {

/// co_spawn wants values that can be made of nothing; Results cannot.
template <class T>
Task<void> keep(Task<T> task, std::optional<T>& value) {
    value.emplace(co_await std::move(task));
}

/// Many at once on one io_context; their values in the order of the tasks.
template <class T>
std::vector<T> run_together(std::vector<Task<T>> tasks) {
    asio::io_context context;
    std::vector<std::optional<T>> values(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        asio::co_spawn(context, keep(std::move(tasks[i]), values[i]),
                       [](const std::exception_ptr& failure) {
                           if (failure) {
                               std::rethrow_exception(failure);
                           }
                       });
    }
    context.run();
    std::vector<T> all;
    for (auto& value : values) {
        INVARIANT(value.has_value());
        all.push_back(*std::move(value));
    }
    return all;
}

template <class T>
T run(Task<T> task) {
    std::vector<Task<T>> one;
    one.push_back(std::move(task));
    return std::move(run_together(std::move(one)).front());
}

}  // namespace rollcall::test
