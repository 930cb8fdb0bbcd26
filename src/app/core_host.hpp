// SPDX-License-Identifier: Apache-2.0
// The core that jobs run on: the last one, as the first has the other background tasks. With one
// core they share it, and pause often.
#pragma once

#include "net/runtime.hpp"
#include "service/job_host.hpp"

#include <utility>

namespace rollcall::app {

class CoreHost final : public service::JobHost {
public:
    /// Asked for its cores only once it runs.
    explicit CoreHost(net::Runtime& runtime) : runtime_(runtime) {}

    void spawn(std::string_view name, Task<void> task) override {
        core().spawn(name, std::move(task));
    }
    Task<bool> pause(std::chrono::milliseconds time) override { return core().sleep(time); }

private:
    net::Core& core() { return runtime_.core(runtime_.cores() - 1); }

    net::Runtime& runtime_;
};

}  // namespace rollcall::app
