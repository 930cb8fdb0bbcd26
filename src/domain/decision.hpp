// SPDX-License-Identifier: Apache-2.0
// decide(): the one decision of the program. From what was attested and what was known, makes the
// registration that the device is answered and the changes that must be durable first.
#pragma once

#include "domain/attestation.hpp"
#include "domain/changes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::domain {

/// Fresh names for the records a decision makes; drawn by the caller, so that deciding is pure.
struct FreshIds {
    OperationId operation;
    ETag registration_etag;
    ETag device_etag;
    ETag twin_etag{};
};

/// What has to be asked of a webhook before anything can be decided.
struct AskWebhook {
    CustomAllocation custom;
    std::vector<std::string> hubs;  ///< it may choose from these
    std::string current_hub{};      ///< empty: this is the first assignment
    std::string current_device{};

    bool operator==(const AskWebhook&) const = default;
};

/// What a webhook answered, read but not yet believed.
struct WebhookReply {
    Failure failure{};  ///< code 0: it did answer
    std::string hub{};
    std::optional<TwinContents> initial_twin{};
    std::string payload{};  ///< JSON text for the device; empty: none
};

/// What a decision takes from outside beside what was attested and known.
struct DecisionInputs {
    TimePoint now{};
    FreshIds fresh{};
    /// The entry's initial twin; looked at where resets_twin().
    TwinContents initial_twin{};
    /// Of the question a first decide() had; none: not asked.
    std::optional<WebhookReply> reply{};
};

/// 400207 with DPS' text, and why in a few words of ours. `status`: what the webhook answered, or
/// what a gateway would say of it.
Failure webhook_failure(unsigned status, std::string_view why = {});
inline constexpr unsigned webhook_lied = 502;  ///< or was not reached
inline constexpr unsigned webhook_silent = 504;

/// A twin may have to be begun anew with the entry's initial one.
bool resets_twin(const Attested& attested);

struct Decision {
    Registration registration;
    /// Empty where nothing has to be written: the same leaf asked again in limits::repeat_window.
    Changes changes;
    bool repeated = false;
    /// It was at a hub of ours and is at another's now: its session with us ends.
    bool left_us = false;
};

/// A refusal for the older leaf comes as Refusal. AskWebhook: ask, then decide again with the
/// reply; it never comes where there is one. No hub, or a webhook that failed or named a hub it may
/// not, make a registration that failed (400208, 400207) and keeps what it had.
using Verdict = std::variant<Decision, Refusal, AskWebhook>;
Verdict decide(const Attested& attested, const TrustView& trust, const RegistrationContext& context,
               const RegistrationRequest& request, const DecisionInputs& inputs);

}  // namespace rollcall::domain
