// SPDX-License-Identifier: Apache-2.0
// The part of attest() for devices that bring a token: which entry and slot do they prove by their
// symmetric key? Pure. Used by attestation.cpp, and by hub_access.cpp for the same question at the
// hub.
#pragma once

#include "domain/attestation.hpp"
#include "domain/sas.hpp"

#include <optional>

namespace rollcall::domain {

/// The slot whose key a token was made with, by ids: an individual entry's key is the device's own.
struct KeyProof {
    Slot slot = Slot::primary;
    Digest slot_key{};
    Digest device_key{};
};

/// `group`: the device's keys are derived from `keys`. Both slots are tried, whichever fits.
std::optional<KeyProof> proof_of(const Sas& sas, const SymmetricKeys& keys, bool group,
                                 const RegistrationId& id);

/// What an adoption by key says of the keys.
void rest_on_key(Adoption& adoption, const KeyProof& proof);

/// Does a certificate decide, or a token? An individual entry says; else what the device brought.
bool is_judged_by_key(const RegistrationContext& context, const RegistrationRequest& request);

/// Of requests that is_judged_by_key().
Attestation attest_by_key(const TrustView& trust, const RegistrationContext& context,
                          const RegistrationRequest& request, TimePoint now);

/// The part of is_who_registered() for adoptions by key.
bool is_key_that_registered(const TrustView& trust, const RegistrationContext& context,
                            const RegistrationRequest& request, const Adoption& adoption,
                            TimePoint now);

/// The keys an adoption rests on, where its entry is there still and has keys.
const SymmetricKeys* keys_of(const TrustView& trust, const RegistrationContext& context,
                             const EntryRef& entry);

}  // namespace rollcall::domain
