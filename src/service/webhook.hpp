// SPDX-License-Identifier: Apache-2.0
// The allocation webhook of an entry (spec/dps-device-api.md 1.10): what it is asked, what its
// answer means, and AllocationHook, by which it is called. Nothing it says is believed before
// domain/decision has looked at it.
#pragma once

#include "base/task.hpp"
#include "domain/decision.hpp"

#include <string>

namespace rollcall::service {

struct WebhookCall {
    std::string url{};
    std::string body{};  ///< JSON
};

struct WebhookAnswer {
    enum class Outcome : std::uint8_t {
        answered,     ///< with `status`, whatever it is
        silent,       ///< not in time
        unreachable,  ///< no connection, or one that broke
        untrusted,    ///< its certificate is not the one it should have
        too_large,
        not_allowed,  ///< http
    } outcome = Outcome::answered;
    unsigned status = 0;
    std::string body{};
    std::string note{};  ///< for the log
};
std::string_view to_string(WebhookAnswer::Outcome outcome);

/// Calls webhooks; implemented by app/webhook_caller, and by twins in tests. Safe from any thread.
class AllocationHook {
public:
    virtual ~AllocationHook() = default;
    /// POSTs; does not follow redirects, tries again where that can help, and is back within
    /// limits::webhook_time_max. unavailable "webhook-busy": too many calls wait already.
    /// `call` must outlive the await: pass a name.
    virtual Task<Result<WebhookAnswer>> call_webhook(const WebhookCall& call) = 0;
};

/// The documented AllocationRequest. Keys in URLs are not shown.
std::string webhook_request(const domain::AskWebhook& ask, const domain::Attested& attested,
                            const domain::TrustView& trust,
                            const domain::RegistrationContext& context,
                            const domain::RegistrationRequest& request);

/// The documented AllocationResponse {iotHubHostName, initialTwin, payload}; member names without
/// case, since the documentation spells the first in two ways. Anything else is a failure 400207.
domain::WebhookReply read_webhook_answer(const WebhookAnswer& answer);

}  // namespace rollcall::service
