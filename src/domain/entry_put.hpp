// SPDX-License-Identifier: Apache-2.0
// An entry written as a whole, "make it so", as the clients of DPS do: what becomes of its slots
// (spec/dps-service-api.md 2.4, PRODUCT sections 3.10, 3.11, 3.13 and 3.17). Such a client never
// gets a certificate back, only `info` about it; writing that `info` keeps what is stored. There is
// no word for breach: what goes at once withdraws trust, and no key is distrusted. Pure, as
// slots.hpp.
#pragma once

#include "domain/slots.hpp"

#include <array>
#include <string>
#include <variant>

namespace rollcall::domain {

/// `info` without a certificate: the stored certificate with this thumbprint.
struct KeptCertificate {
    std::string sha256{};  ///< hex, in any case; empty: `sha1` counts
    std::string sha1{};
};
/// A CA record by its name.
struct CaReference {
    std::string name;
};
/// What shall stand in a slot; monostate: nothing.
using SlotWish = std::variant<std::monostate, x509::Certificate, KeptCertificate, CaReference>;
using SlotWishes = std::array<SlotWish, 2>;

/// Where a kept certificate comes from: a slot, or none where `info` only mirrors the primary of
/// an entry without a secondary. `stored`: what may be meant in each slot. It is looked for in the
/// other slot only where both hold one (a swap). malformed "unknown-info".
Result<std::optional<Slot>> source_of(const KeptCertificate& kept, Slot slot,
                                      const std::array<std::vector<x509::Certificate>, 2>& stored);

/// malformed "no-certificate": the last one of an entry cannot be removed.
Error no_certificate();

/// A group's certificates. `edited`: `before` with its settings changed; a new group has no ETag.
/// What attests replaces at once. What does not attest yet waits beside what it replaces, which
/// attests on (section 3.10). Refusals: set_group_slot()'s, with nothing forced but the shape of
/// the certificate; malformed "no-certificate", "unknown-info", "no-such-ca".
Result<SlotOutcome> put_group(const TrustView& trust, const EnrollmentGroup& before,
                              const EnrollmentGroup& edited, const SlotWishes& wishes,
                              const Writing& writing);
/// An individual enrollment's; malformed "reference-to-ca" beside the above.
Result<SlotOutcome> put_individual(const TrustView& trust, const IndividualEnrollment& before,
                                   const IndividualEnrollment& edited, const SlotWishes& wishes,
                                   const Writing& writing);

/// What a group's slots get beside what `edited` changes of its settings; others stay, and a new
/// group may be without any. Refusals: set_group_slot()'s.
struct SlotChange {
    Slot slot = Slot::primary;
    x509::Certificate certificate;
    Replacement replacement = Replacement::staged;
    bool vouch = false;
    bool force = false;
};
Result<SlotOutcome> edit_group(const TrustView& trust, const EnrollmentGroup& before,
                               const EnrollmentGroup& edited,
                               const std::vector<SlotChange>& changes, const Writing& writing);

/// The same where they attest by symmetric key: `edited` has the keys it shall have. Refusals:
/// check_key()'s of key_slots.hpp.
Result<SlotOutcome> put_group_keys(const TrustView& trust, const EnrollmentGroup& before,
                                   const EnrollmentGroup& edited, const Writing& writing);
Result<SlotOutcome> put_individual_keys(const TrustView& trust, const IndividualEnrollment& before,
                                        const IndividualEnrollment& edited, const Writing& writing);

}  // namespace rollcall::domain
