// SPDX-License-Identifier: Apache-2.0
// may_connect(): may a device speak with its hub (PRODUCT section 3.13)? Pure. What a session rests
// on afterwards is its adoption record; whether that trust still stands, attestation.hpp says.
#pragma once

#include "domain/attestation.hpp"

#include <optional>
#include <string_view>

namespace rollcall::domain {

enum class HubRefusal : std::uint8_t {
    no_certificate,
    unknown_device,  ///< or one that never registered
    blocked,
    waiting_for_approval,
    other_certificate,  ///< not the leaf it registered with last
    expired,            ///< the leaf is past its end
    trust_withdrawn,
    at_another_hub,  ///< it was assigned to a linked hub that is not ours
    not_in_a_slot,   ///< what it proved was plainly removed or replaced: it has to register again
};
std::string_view to_string(HubRefusal refusal);

/// `context` is that of the device's registration. none: it may.
std::optional<HubRefusal> may_connect(const TrustView& trust, const RegistrationContext& context,
                                      const x509::PeerChain& peer, TimePoint now);

}  // namespace rollcall::domain
