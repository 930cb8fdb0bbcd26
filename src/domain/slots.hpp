// SPDX-License-Identifier: Apache-2.0
// How slots change: staged, plain, immediate, breach (PRODUCT sections 3.9 to 3.12). Pure
// functions from records and an operator's wish to Changes; service/enroller reads the records,
// commits the Changes and writes the audit events' actor and source.
#pragma once

#include "domain/attestation.hpp"
#include "domain/changes.hpp"
#include "x509/verdict.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::domain {

/// How an occupied slot gives up what it holds.
enum class Replacement : std::uint8_t {
    staged,     ///< the old one attests until the new one is verified; plain when it completes
    immediate,  ///< at once (`--replace-now`, facades with verified:true); trust is withdrawn
    breach,     ///< at once, and the old key is distrusted
};
enum class Removal : std::uint8_t {
    plain,      ///< refuses new registrations, closes nothing
    immediate,  ///< a facade's removal: trust is withdrawn, the key is not distrusted
    breach,     ///< withdrawn and distrusted
};

/// What the operator is told about a change beside that it was done.
struct SlotOutcome {
    Changes changes;
    bool pending = false;                   ///< staged and waiting to be verified
    std::vector<x509::Finding> findings{};  ///< what is odd about the certificate
    std::vector<std::string> warnings{};    ///< "the same CA stands in both slots"
};

/// Ids and times for records to be made; drawn by the caller.
struct Writing {
    TimePoint now{};
    std::array<CaId, 2> ca_ids{};  ///< for CA records, should any be made; one for each slot
    ETag ca_etag{};
    ETag entry_etag{};
    std::string by{};  ///< who; for verification records
    std::string reason{};
};

/// Puts `certificate` into a group's slot. Uses `trust` to find records by fingerprint and by
/// authority. Refusals: conflict "ca-in-other-group", conflict "key-distrusted" (a distrusted key,
/// or under breach the key that is being replaced), malformed "could-never-attest" unless `force`
/// (the findings are in the detail).
/// `vouch`: the operator vouches, no proof needed.
Result<SlotOutcome> set_group_slot(const TrustView& trust, const EnrollmentGroup& group, Slot slot,
                                   const x509::Certificate& certificate, Replacement replacement,
                                   bool vouch, bool force, const Writing& writing);

/// Both slots in one change (breach of both, PRODUCT mission). Each replaced at once.
Result<SlotOutcome> set_both_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                         const x509::Certificate& primary,
                                         const x509::Certificate& secondary,
                                         Replacement replacement, bool vouch, bool force,
                                         const Writing& writing);

/// Empties a slot, the pending certificate first when there is one and `pending_only`.
/// not_found "slot-empty" when there is nothing.
Result<SlotOutcome> remove_group_slot(const TrustView& trust, const EnrollmentGroup& group,
                                      Slot slot, Removal removal, bool pending_only,
                                      const Writing& writing);

/// Exchanges the two slots; changes nothing for any device.
Result<SlotOutcome> swap_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                     const Writing& writing);

/// Deletes a group; unnamed CAs that no slot refers to any more go with it. Registrations and
/// devices stay and no longer attest (PRODUCT section 3.15).
SlotOutcome delete_group(const TrustView& trust, const EnrollmentGroup& group);

/// What is odd about a certificate that is to become a CA. malformed "could-never-attest" when a
/// finding is fatal, unless `force`.
Result<std::vector<x509::Finding>> acceptable_ca(const x509::Certificate& certificate, bool force,
                                                 TimePoint now);

/// Marks a CA verified and completes every staged replacement that waited for it.
SlotOutcome complete_verification(const TrustView& trust, const CaCertificate& ca,
                                  CaVerification::How how, const Writing& writing);

/// Puts leaves into an individual enrollment's slots; only those given change. Several at once are
/// one change. `breach`: the leaf that stood there is distrusted (its key) and a replacement with
/// that key refused.
struct LeafChange {
    Slot slot;
    std::optional<x509::Certificate> certificate;  ///< none: remove
};
Result<SlotOutcome> change_individual_slots(const TrustView& trust,
                                            const IndividualEnrollment& enrollment,
                                            const std::vector<LeafChange>& changes, Removal removal,
                                            bool force, const Writing& writing);

/// Does this slot's CA attest: verified itself, or with a path of its own to a verified CA
/// (PRODUCT section 3.1)?
bool slot_attests(const TrustView& trust, const CaCertificate& ca, TimePoint now);

}  // namespace rollcall::domain
