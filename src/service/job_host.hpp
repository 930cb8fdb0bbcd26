// SPDX-License-Identifier: Apache-2.0
// Where jobs run: one core of the program, which this floor does not know.
#pragma once

#include "base/task.hpp"

#include <chrono>
#include <string_view>

namespace rollcall::service {

class JobHost {
public:
    virtual ~JobHost() = default;
    /// Runs `task` beside others, all on one thread. Any thread may ask; whoever made the host
    /// waits for the task before anything the task uses goes.
    virtual void spawn(std::string_view name, Task<void> task) = 0;
    /// On that thread. false, at once or early: the program is about to end.
    virtual Task<bool> pause(std::chrono::milliseconds time) = 0;
};

}  // namespace rollcall::service
