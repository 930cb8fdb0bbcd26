// SPDX-License-Identifier: Apache-2.0
// decide(): the one decision of the program. From what was attested and what was known, makes the
// registration that the device is answered and the changes that must be durable first.
#pragma once

#include "domain/attestation.hpp"
#include "domain/changes.hpp"

#include <optional>
#include <string>

namespace rollcall::domain {

/// Fresh names for the records a decision makes; drawn by the caller, so that deciding is pure.
struct FreshIds {
    OperationId operation;
    ETag registration_etag;
    ETag device_etag;
};

struct Decision {
    Registration registration;
    /// Empty where nothing has to be written: the same leaf asked again in limits::repeat_window.
    Changes changes;
    bool repeated = false;
};

/// `own_hub`: the name devices get as assignedHub. A refusal for the older leaf comes as Refusal.
std::variant<Decision, Refusal> decide(const Attested& attested, const TrustView& trust,
                                       const RegistrationContext& context,
                                       const RegistrationRequest& request,
                                       const std::string& own_hub, TimePoint now,
                                       const FreshIds& fresh);

}  // namespace rollcall::domain
