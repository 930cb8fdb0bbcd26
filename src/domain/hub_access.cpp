// SPDX-License-Identifier: Apache-2.0
#include "domain/hub_access.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

/// Does the entry still hold what the adoption proved? The CA in the sense of PRODUCT 3.3, so that
/// a swap and a renewal with the same key change nothing.
bool stands_in_a_slot(const TrustView& trust, const RegistrationContext& context,
                      const Adoption& adoption) {
    if (adoption.entry.kind == EntryRef::Kind::individual) {
        const auto holds = [&](const std::optional<x509::Certificate>& slot) {
            return slot && slot->sha256() == adoption.leaf_sha256;
        };
        return context.individual && std::any_of(context.individual->slots.begin(),
                                                 context.individual->slots.end(), holds);
    }
    const auto places = trust.places_of(adoption.ca);
    return std::any_of(places.begin(), places.end(), [&](const TrustView::Place& place) {
        return !place.pending && place.group->instance == adoption.entry.instance;
    });
}

}  // namespace

std::string_view to_string(HubRefusal refusal) {
    switch (refusal) {
        case HubRefusal::no_certificate: return "no-certificate";
        case HubRefusal::unknown_device: return "unknown-device";
        case HubRefusal::blocked: return "blocked";
        case HubRefusal::waiting_for_approval: return "waiting-for-approval";
        case HubRefusal::other_certificate: return "other-certificate";
        case HubRefusal::expired: return "expired";
        case HubRefusal::trust_withdrawn: return "trust-withdrawn";
        case HubRefusal::at_another_hub: return "at-another-hub";
        case HubRefusal::not_in_a_slot: break;
    }
    return "not-in-a-slot";
}

std::optional<HubRefusal> may_connect(const TrustView& trust, const RegistrationContext& context,
                                      const x509::PeerChain& peer, TimePoint now) {
    if (peer.empty()) {
        return HubRefusal::no_certificate;
    }
    const auto& device = context.device;
    const auto& registration = context.registration;
    if (!device || !registration || registration->adoptions == 0 || !device->leaf_sha256) {
        return HubRefusal::unknown_device;
    }
    if (device->blocked) {
        return HubRefusal::blocked;
    }
    if (!device->approved) {
        return HubRefusal::waiting_for_approval;
    }
    const x509::Certificate& leaf = peer.end_entity();
    if (leaf.sha256() != *device->leaf_sha256) {
        return HubRefusal::other_certificate;
    }
    if (now > leaf.not_after()) {
        return HubRefusal::expired;
    }
    const auto* const hub = find_hub(trust.records().hubs, registration->assigned_hub);
    if (hub != nullptr && !hub->own) {
        return HubRefusal::at_another_hub;
    }
    const Adoption& adoption = registration->last;
    if (adoption.leaf_sha256 != leaf.sha256()) {
        return HubRefusal::other_certificate;
    }
    if (trust_is_withdrawn(trust, context.individual, registration->id, adoption)) {
        return HubRefusal::trust_withdrawn;
    }
    if (!stands_in_a_slot(trust, context, adoption)) {
        return HubRefusal::not_in_a_slot;
    }
    return std::nullopt;
}

}  // namespace rollcall::domain
