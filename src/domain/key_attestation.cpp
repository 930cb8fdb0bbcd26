// SPDX-License-Identifier: Apache-2.0
#include "domain/key_attestation.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

constexpr const char* token_fix =
    "have the device make its token from its key, for its own registration and a time to come";

Refusal refusal(RefusalCause cause, std::string explanation, std::string fix,
                std::optional<EntryRef> entry = std::nullopt) {
    return {cause, std::move(explanation), std::move(fix), {}, std::move(entry)};
}

/// What is wrong with the token whatever key it was made with. None: nothing.
std::optional<Refusal> judge_token(const Result<Sas>& sas, const RegistrationRequest& request,
                                   TimePoint now, const std::optional<EntryRef>& entry) {
    if (!sas) {
        return refusal(RefusalCause::token_malformed, sas.error().detail, token_fix, entry);
    }
    if (!names_registration(*sas, request.scope, request.id)) {
        return refusal(RefusalCause::token_resource,
                       "the token is not for '" + request.scope.str() + "/registrations/" +
                           request.id.original() + "' with skn=registration, but for '" +
                           sas->resource + "'" +
                           (sas->key_name.empty() ? "" : " with skn=" + sas->key_name),
                       token_fix, entry);
    }
    if (is_expired(*sas, now)) {
        return refusal(
            RefusalCause::token_expired,
            "the token ended " + to_iso8601_seconds(sas->expires) + ", more than the tolerated " +
                std::to_string(limits::clock_skew.count() / 60) + " minutes before it came at " +
                to_iso8601_seconds(now),
            "have the device make a fresh token for each registration, and set its clock", entry);
    }
    return std::nullopt;
}

std::optional<Refusal> judge_distrust(const TrustView& trust, const KeyProof& proof,
                                      const EntryRef& entry) {
    const auto& distrusted = trust.distrusted();
    if (!distrusted.contains(proof.slot_key) && !distrusted.contains(proof.device_key)) {
        return std::nullopt;
    }
    return refusal(RefusalCause::distrusted,
                   "the token was made with a key that is on the distrust list",
                   "give the device a key that is not, or lift the distrust", entry);
}

template <class Entry>
Attested attested_by(const Entry& entry, const KeyProof& proof) {
    Attested attested;
    attested.entry = entry_of(entry);
    attested.slot = proof.slot;
    attested.kind = AttestationKind::symmetric_key;
    attested.ca_sha256 = proof.slot_key;
    attested.ca = {Digest{}, proof.slot_key};
    attested.credential = proof.device_key;
    attested.reprovision = entry.reprovision;
    attested.initial_twin = entry.initial_twin;
    attested.allocation = entry.allocation;
    attested.entry_trust_version = entry.trust_version;
    return attested;
}

Attestation attest_individual(const TrustView& trust, const IndividualEnrollment& enrollment,
                              const RegistrationRequest& request, TimePoint now) {
    const EntryRef entry = entry_of(enrollment);
    const std::string named = "individual enrollment '" + enrollment.id.original() + "'";
    if (!enrollment.enabled) {
        return refusal(RefusalCause::individual_disabled, "the " + named + " is disabled",
                       "enable it, or delete it so that a group may decide", entry);
    }
    if (!enrollment.keys) {
        return refusal(RefusalCause::wrong_attestation,
                       "the " + named + " attests by certificate, and the device sent a token",
                       "give the device's TLS client its certificate and key, or make the "
                       "enrollment anew with a symmetric key",
                       entry);
    }
    if (request.sas.empty()) {
        return refusal(RefusalCause::token_missing,
                       "the " + named + " attests by symmetric key, and the device sent no token" +
                           (request.peer.empty() ? "" : " but a certificate"),
                       "give the device its key, or make the enrollment anew for certificates",
                       entry);
    }
    const auto sas = parse_sas(request.sas);
    if (auto fault = judge_token(sas, request, now, entry)) {
        return *std::move(fault);
    }
    const auto proof = proof_of(*sas, *enrollment.keys, false, request.id);
    if (!proof) {
        return refusal(RefusalCause::token_wrong_key,
                       "the token was made with neither key of the " + named,
                       "give the device a key that is in a slot", entry);
    }
    if (auto fault = judge_distrust(trust, *proof, entry)) {
        return *std::move(fault);
    }
    return attested_by(enrollment, *proof);
}

/// No key of a group fits: the commonest mistakes have sentences of their own.
Refusal explain_no_group(const TrustView& trust, const Sas& sas) {
    if (trust.key_groups().empty()) {
        return refusal(RefusalCause::token_wrong_key,
                       "the device sent a token, and no enrollment group attests by symmetric key",
                       "make an enrollment group or an individual enrollment with a symmetric key");
    }
    for (const auto* const group : trust.key_groups()) {
        for (const auto& key : *group->keys) {
            if (is_signed_with(sas, key)) {
                return refusal(
                    RefusalCause::token_wrong_key,
                    "the token was made with the key of the group '" + group->id.str() + "' itself",
                    "give the device its own key: rollcall group key derive " + group->id.str() +
                        " REGISTRATION-ID",
                    entry_of(*group));
            }
        }
    }
    return refusal(RefusalCause::token_wrong_key,
                   "the token was made with a key that no enrollment group leads to",
                   "derive the device's key from its group's, for its registration id in lower "
                   "case");
}

/// A token names no group. The one the device came through last is tried first.
Attestation attest_group(const TrustView& trust, const RegistrationContext& context,
                         const RegistrationRequest& request, TimePoint now) {
    const auto sas = parse_sas(request.sas);
    if (auto fault = judge_token(sas, request, now, std::nullopt)) {
        return *std::move(fault);
    }
    auto groups = trust.key_groups();
    const auto came_through = [&](const EnrollmentGroup* group) {
        return context.registration && context.registration->last.entry.instance == group->instance;
    };
    std::partition(groups.begin(), groups.end(), came_through);
    for (const auto* const group : groups) {
        const auto proof = proof_of(*sas, *group->keys, true, request.id);
        if (!proof) {
            continue;
        }
        const EntryRef entry = entry_of(*group);
        if (!group->enabled) {
            return refusal(RefusalCause::group_disabled,
                           "the enrollment group '" + group->id.str() + "' decides and is disabled",
                           "enable the group '" + group->id.str() + "'", entry);
        }
        if (auto fault = judge_distrust(trust, *proof, entry)) {
            return *std::move(fault);
        }
        Attested attested = attested_by(*group, *proof);
        attested.auto_approve = group->auto_approve;
        return attested;
    }
    return explain_no_group(trust, *sas);
}

}  // namespace

std::optional<KeyProof> proof_of(const Sas& sas, const SymmetricKeys& keys, bool group,
                                 const RegistrationId& id) {
    for (const Slot slot : both_slots) {
        const SymmetricKey& held = keys.at(index(slot));
        const SymmetricKey own = group ? derived_device_key(held, id) : held;
        if (is_signed_with(sas, own)) {
            return KeyProof{slot, held.id(), own.id()};
        }
    }
    return std::nullopt;
}

void rest_on_key(Adoption& adoption, const KeyProof& proof) {
    adoption.attestation = AttestationKind::symmetric_key;
    adoption.ca_sha256 = proof.slot_key;
    adoption.ca = {Digest{}, proof.slot_key};
    adoption.leaf_sha256 = proof.device_key;
    adoption.leaf_spki = proof.device_key;
    adoption.key = "symmetric key";
    adoption.path_keys = {proof.device_key, proof.slot_key};
}

bool is_judged_by_key(const RegistrationContext& context, const RegistrationRequest& request) {
    const bool token_alone =
        !request.sas.empty() && request.peer.empty() && !request.peer_error.has_value();
    return context.individual ? context.individual->keys || token_alone : !request.sas.empty();
}

Attestation attest_by_key(const TrustView& trust, const RegistrationContext& context,
                          const RegistrationRequest& request, TimePoint now) {
    return context.individual ? attest_individual(trust, *context.individual, request, now)
                              : attest_group(trust, context, request, now);
}

const SymmetricKeys* keys_of(const TrustView& trust, const RegistrationContext& context,
                             const EntryRef& entry) {
    const std::optional<SymmetricKeys>* keys = nullptr;
    if (entry.kind == EntryRef::Kind::individual) {
        const auto& individual = context.individual;
        keys = individual && individual->instance == entry.instance ? &individual->keys : nullptr;
    } else if (const auto* const group = trust.group(entry)) {
        keys = &group->keys;
    }
    return keys != nullptr && keys->has_value() ? &**keys : nullptr;
}

bool is_key_that_registered(const TrustView& trust, const RegistrationContext& context,
                            const RegistrationRequest& request, const Adoption& adoption,
                            TimePoint now) {
    const auto* const keys = keys_of(trust, context, adoption.entry);
    const auto sas = parse_sas(request.sas);
    if (keys == nullptr || judge_token(sas, request, now, adoption.entry)) {
        return false;
    }
    const bool group = adoption.entry.kind == EntryRef::Kind::group;
    const auto proof = proof_of(*sas, *keys, group, request.id);
    return proof && proof->device_key == adoption.leaf_sha256;
}

}  // namespace rollcall::domain
