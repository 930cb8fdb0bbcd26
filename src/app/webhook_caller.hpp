// SPDX-License-Identifier: Apache-2.0
// Calls allocation webhooks: libcurl's multi interface on a thread of its own, so that no core and
// no lane waits for somebody else's server. https only, certificates verified, redirects not
// followed, answers bounded.
#pragma once

#include "base/limits.hpp"
#include "service/webhook.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace rollcall::app {

struct WebhookSettings {
    std::string ca_file{};       ///< empty: the system's certificates
    bool loopback_http = false;  ///< http to this machine itself is allowed
    std::size_t calls_max = limits::webhook_calls_max;
    std::chrono::milliseconds call_time_max = limits::webhook_call_time_max;

    bool operator==(const WebhookSettings&) const = default;
};

class WebhookCaller final : public service::AllocationHook {
public:
    explicit WebhookCaller(const WebhookSettings& settings);
    ~WebhookCaller() override;

    Task<Result<service::WebhookAnswer>> call_webhook(const service::WebhookCall& call) override;

    /// Ends the thread when the calls under way are over; before the io_contexts of callers die.
    void close();

private:
    class Loop;
    struct Job;

    const WebhookSettings settings_;
    std::unique_ptr<Loop> loop_;
};

}  // namespace rollcall::app
