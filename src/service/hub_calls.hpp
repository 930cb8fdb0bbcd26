// SPDX-License-Identifier: Apache-2.0
// Direct methods that wait for their device's answer. For hub*.cpp only.
#pragma once

#include "base/invariant.hpp"
#include "base/limits.hpp"
#include "service/hub.hpp"

#include <map>
#include <mutex>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace rollcall::service {

/// How often a change of a twin reads again after its version moved under it. A device that reports
/// without a pause wins about every second time; nobody loses this often in a row.
inline constexpr int twin_attempts_max = 64;
static_assert(twin_attempts_max > limits::change_attempts_max);

/// Each caller waits on a timer of its own executor; whoever has an answer posts it there.
struct Hub::Calls {
    struct Pending {
        Pending(DeviceId device_, asio::any_io_executor executor)
            : device(std::move(device_)), timer(executor) {}
        const DeviceId device;
        asio::steady_timer timer;  ///< touched on its executor only
        std::optional<Result<MethodAnswer>> answer{};
    };

    /// none: too many wait already.
    std::optional<std::uint64_t> add(std::shared_ptr<Pending> pending) {
        const std::lock_guard lock(mutex);
        if (waiting.size() >= limits::method_calls_max) {
            return std::nullopt;
        }
        waiting.emplace(++last_id, std::move(pending));
        return last_id;
    }
    void drop(std::uint64_t id) {
        const std::lock_guard lock(mutex);
        waiting.erase(id);
    }
    void answered(const DeviceId& device, std::uint64_t id, MethodAnswer answer) {
        std::shared_ptr<Pending> pending;
        {
            const std::lock_guard lock(mutex);
            const auto found = waiting.find(id);
            if (found == waiting.end() || found->second->device != device) {
                return;
            }
            pending = std::move(found->second);
            waiting.erase(found);
        }
        finish(std::move(pending), std::move(answer));
    }
    void device_left(const DeviceId& device) {
        std::vector<std::shared_ptr<Pending>> left;
        {
            const std::lock_guard lock(mutex);
            std::erase_if(waiting, [&](auto& each) {
                const bool gone = each.second->device == device;
                if (gone) {
                    left.push_back(std::move(each.second));
                }
                return gone;
            });
        }
        for (auto& pending : left) {
            finish(std::move(pending), Error{ErrorKind::unavailable,
                                             "the device left before it answered", "device-left"});
        }
    }

private:
    static void finish(std::shared_ptr<Pending> pending, Result<MethodAnswer> answer) {
        auto executor = pending->timer.get_executor();
        asio::post(executor, [pending = std::move(pending), answer = std::move(answer)]() mutable {
            pending->answer.emplace(std::move(answer));
            pending->timer.cancel();
        });
    }

    std::mutex mutex;
    std::map<std::uint64_t, std::shared_ptr<Pending>> waiting;
    std::uint64_t last_id = 0;
};

}  // namespace rollcall::service
