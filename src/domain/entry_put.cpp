// SPDX-License-Identifier: Apache-2.0
#include "domain/entry_put.hpp"

#include "domain/group_edit.hpp"
#include "domain/key_slots.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

using x509::Certificate;

bool names(const KeptCertificate& kept, const std::vector<Certificate>& certificates) {
    return std::any_of(certificates.begin(), certificates.end(), [&](const Certificate& each) {
        return kept.sha256.empty() ? equal_ignoring_case(each.sha1_thumbprint(), kept.sha1)
                                   : equal_ignoring_case(each.sha256_thumbprint(), kept.sha256);
    });
}

/// What an entry remembers of a key whose trust was withdrawn.
x509::CaKey mark_of(const EnrollmentGroup&, const SymmetricKey& key) {
    return key_as_ca(key);
}
Digest mark_of(const IndividualEnrollment&, const SymmetricKey& key) {
    return key.id();
}

bool holds(const std::optional<SymmetricKeys>& keys, const SymmetricKey& key) {
    return keys && (keys->front() == key || keys->back() == key);
}

/// `edited` with its new keys trusted and the old ones, where they went, not any more.
template <class Entry>
Result<Entry> with_keys(const TrustView& trust, const Entry& before, const Entry& edited,
                        const std::string& group_instance, const Writing& writing) {
    Entry after = edited;
    for (const auto& key : *after.keys) {
        if (!holds(before.keys, key)) {
            TRY([[maybe_unused]] const Done free, check_key(trust, key, group_instance));
        }
        std::erase(after.withdrawn, mark_of(after, key));
    }
    if (before.keys) {
        for (const auto& key : *before.keys) {
            const auto mark = mark_of(after, key);
            const bool known = std::find(after.withdrawn.begin(), after.withdrawn.end(), mark) !=
                               after.withdrawn.end();
            if (!holds(after.keys, key) && !known) {
                after.withdrawn.push_back(mark);
            }
        }
    }
    after.trust_version += 1;
    after.etag = writing.entry_etag;
    after.updated = writing.now;
    return after;
}

/// What shall stand in a slot of an individual enrollment.
Result<std::optional<Certificate>> leaf_for(const SlotWish& wish, Slot slot,
                                            const IndividualEnrollment& before,
                                            const std::array<std::vector<Certificate>, 2>& stored) {
    if (std::holds_alternative<CaReference>(wish)) {
        return Error{ErrorKind::malformed,
                     "an individual enrollment holds its device's own certificates; caReferences "
                     "are for groups",
                     "reference-to-ca"};
    }
    if (const auto* const kept = std::get_if<KeptCertificate>(&wish)) {
        TRY(const auto source, source_of(*kept, slot, stored));
        return source ? before.at(*source) : std::nullopt;
    }
    const auto* const certificate = std::get_if<Certificate>(&wish);
    return certificate != nullptr ? std::optional{*certificate} : std::nullopt;
}

}  // namespace

Result<std::optional<Slot>> source_of(const KeptCertificate& kept, Slot slot,
                                      const std::array<std::vector<Certificate>, 2>& stored) {
    const auto& here = stored.at(index(slot));
    const auto& there = stored.at(index(other(slot)));
    if (names(kept, here)) {
        return std::optional{slot};
    }
    if (!here.empty() && names(kept, there)) {
        return std::optional{other(slot)};  // a swap
    }
    if (slot == Slot::secondary && here.empty() && names(kept, there)) {
        return std::optional<Slot>{};  // the mirror of the primary
    }
    return Error{ErrorKind::malformed,
                 "'info' of the " + std::string{to_string(slot)} +
                     " slot tells of a certificate that is not stored there: read the enrollment "
                     "again, or send the certificate itself",
                 "unknown-info"};
}

Error no_certificate() {
    return {ErrorKind::malformed,
            "an enrollment that attests by certificate needs one: the last one can be replaced, "
            "not removed",
            "no-certificate"};
}

Result<SlotOutcome> put_group(const TrustView& trust, const EnrollmentGroup& before,
                              const EnrollmentGroup& edited, const SlotWishes& wishes,
                              const Writing& writing) {
    GroupEdit edit{trust, before, edited, writing};
    TRY([[maybe_unused]] const Done arranged, edit.arrange(wishes));
    return edit.finish();
}

Result<SlotOutcome> edit_group(const TrustView& trust, const EnrollmentGroup& before,
                               const EnrollmentGroup& edited,
                               const std::vector<SlotChange>& changes, const Writing& writing) {
    GroupEdit edit{trust, before, edited, writing};
    for (const auto& change : changes) {
        TRY([[maybe_unused]] const Done put,
            edit.put(change.slot, change.certificate, change.replacement, change.vouch,
                     change.force));
    }
    return edit.finish();
}

Result<SlotOutcome> put_individual(const TrustView& trust, const IndividualEnrollment& before,
                                   const IndividualEnrollment& edited, const SlotWishes& wishes,
                                   const Writing& writing) {
    std::array<std::vector<Certificate>, 2> stored;
    for (const Slot slot : both_slots) {
        if (before.at(slot)) {
            stored.at(index(slot)).push_back(*before.at(slot));
        }
    }
    std::vector<LeafChange> changes;
    bool holds_one = false;
    for (const Slot slot : both_slots) {
        TRY(auto leaf, leaf_for(wishes.at(index(slot)), slot, before, stored));
        holds_one = holds_one || leaf;
        if (leaf != before.at(slot)) {
            changes.push_back({slot, std::move(leaf)});
        }
    }
    if (!holds_one && (before.etag.empty() || !changes.empty())) {
        return no_certificate();
    }
    return change_individual_slots(trust, edited, changes, Removal::immediate, true, writing);
}

Result<SlotOutcome> put_group_keys(const TrustView& trust, const EnrollmentGroup& before,
                                   const EnrollmentGroup& edited, const Writing& writing) {
    TRY(auto after, with_keys(trust, before, edited, before.instance, writing));
    SlotOutcome outcome;
    outcome.changes.expects = {ExpectEtag{RecordKind::group, before.id.str(), before.etag},
                               ExpectConfig{trust.config_version()}};
    outcome.changes.moves_config = true;
    outcome.changes.moves_anchors = before.enabled && !after.enabled;
    outcome.changes.writes.push_back(PutGroup{std::move(after)});
    return outcome;
}

Result<SlotOutcome> put_individual_keys(const TrustView& trust, const IndividualEnrollment& before,
                                        const IndividualEnrollment& edited,
                                        const Writing& writing) {
    TRY(auto after, with_keys(trust, before, edited, {}, writing));
    SlotOutcome outcome;
    outcome.changes.expects = {ExpectEtag{RecordKind::individual, before.id.str(), before.etag},
                               ExpectConfig{trust.config_version()}};
    outcome.changes.writes.push_back(PutIndividual{std::move(after)});
    return outcome;
}

}  // namespace rollcall::domain
