// SPDX-License-Identifier: Apache-2.0
#include "domain/hub_access.hpp"

#include "domain/key_attestation.hpp"

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

/// A hub that is not linked any more was a name of ours.
bool is_at_another_hub(const TrustView& trust, const Registration& registration) {
    const auto* const hub = find_hub(trust.records().hubs, registration.assigned_hub);
    return hub != nullptr && !hub->own;
}

std::variant<HubAdmission, HubRefusal> judge_leaf(const TrustView& trust,
                                                  const RegistrationContext& context,
                                                  const x509::PeerChain& peer, TimePoint now) {
    if (peer.empty()) {
        return HubRefusal::no_certificate;
    }
    const x509::Certificate& leaf = peer.end_entity();
    if (leaf.sha256() != *context.device->leaf_sha256) {
        return HubRefusal::other_certificate;
    }
    if (now > leaf.not_after()) {
        return HubRefusal::expired;
    }
    if (is_at_another_hub(trust, *context.registration)) {
        return HubRefusal::at_another_hub;
    }
    const Adoption& adoption = context.registration->last;
    if (adoption.leaf_sha256 != leaf.sha256()) {
        return HubRefusal::other_certificate;
    }
    if (trust_is_withdrawn(trust, context.individual, context.registration->id, adoption)) {
        return HubRefusal::trust_withdrawn;
    }
    if (!stands_in_a_slot(trust, context, adoption)) {
        return HubRefusal::not_in_a_slot;
    }
    return HubAdmission{context.registration->id, adoption, std::nullopt};
}

std::variant<HubAdmission, HubRefusal> judge_key(const TrustView& trust,
                                                 const RegistrationContext& context,
                                                 const HubCredentials& shown, TimePoint now) {
    if (shown.sas.empty()) {
        return HubRefusal::no_certificate;
    }
    const auto sas = parse_sas(shown.sas);
    if (!sas) {
        return HubRefusal::token_malformed;
    }
    if (!names_device(*sas, shown.hub, context.device->id) &&
        !names_device(*sas, context.registration->assigned_hub, context.device->id)) {
        return HubRefusal::token_resource;
    }
    if (is_expired(*sas, now)) {
        return HubRefusal::token_expired;
    }
    HubAdmission admission{context.registration->id, context.registration->last, end_of(*sas)};
    Adoption& basis = admission.basis;
    const RegistrationId& id = context.registration->id;
    const auto* const keys = keys_of(trust, context, basis.entry);
    if (keys == nullptr) {
        return HubRefusal::trust_withdrawn;
    }
    const auto proof = proof_of(*sas, *keys, basis.entry.kind == EntryRef::Kind::group, id);
    if (!proof) {
        return HubRefusal::token_wrong_key;
    }
    basis.slot = proof->slot;
    if (is_at_another_hub(trust, *context.registration)) {
        return HubRefusal::at_another_hub;
    }
    rest_on_key(basis, *proof);
    if (trust_is_withdrawn(trust, context.individual, id, basis)) {
        return HubRefusal::trust_withdrawn;
    }
    return admission;
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
        case HubRefusal::token_malformed: return "token-malformed";
        case HubRefusal::token_expired: return "token-expired";
        case HubRefusal::token_resource: return "token-resource";
        case HubRefusal::token_wrong_key: return "token-wrong-key";
        case HubRefusal::not_in_a_slot: break;
    }
    return "not-in-a-slot";
}

std::variant<HubAdmission, HubRefusal> may_connect(const TrustView& trust,
                                                   const RegistrationContext& context,
                                                   const HubCredentials& shown, TimePoint now) {
    if (shown.peer.empty() && shown.sas.empty()) {
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
    return registration->last.attestation == AttestationKind::symmetric_key
               ? judge_key(trust, context, shown, now)
               : judge_leaf(trust, context, shown.peer, now);
}

}  // namespace rollcall::domain
