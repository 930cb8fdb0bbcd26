// SPDX-License-Identifier: Apache-2.0
// may_connect(): may a device speak with its hub (PRODUCT section 3.13)? Pure. What a session rests
// on afterwards is its adoption record; whether that trust still stands, attestation.hpp says.
#pragma once

#include "domain/attestation.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace rollcall::domain {

enum class HubRefusal : std::uint8_t {
    no_certificate,  ///< or no token, of a device that registered with a key
    unknown_device,  ///< or one that never registered
    blocked,
    waiting_for_approval,
    other_certificate,  ///< not the leaf it registered with last
    expired,            ///< the leaf is past its end
    trust_withdrawn,
    at_another_hub,  ///< it was assigned to a linked hub that is not ours
    not_in_a_slot,   ///< what it proved was plainly removed or replaced: it has to register again
    token_malformed,
    token_expired,
    token_resource,   ///< for another hub or device
    token_wrong_key,  ///< by a key of neither slot
};
std::string_view to_string(HubRefusal refusal);

/// What a device shows its hub, and which hub that is.
struct HubCredentials {
    const x509::PeerChain& peer;
    std::string_view sas{};  ///< empty: none
    std::string_view hub{};  ///< the own name; a token may also say the one the device was told
};

/// It may: what its session rests on, and until when (the end of its token; none: as long as the
/// session lasts).
struct HubAdmission {
    RegistrationId registration;
    Adoption basis;
    std::optional<TimePoint> until{};
};

/// `context` is that of the device's registration. A device that registered with a leaf shows that
/// leaf. One that registered with a key may use the key of either slot of the same entry: both are
/// its own, and the hub sees them as well as provisioning does.
std::variant<HubAdmission, HubRefusal> may_connect(const TrustView& trust,
                                                   const RegistrationContext& context,
                                                   const HubCredentials& shown, TimePoint now);

}  // namespace rollcall::domain
