// SPDX-License-Identifier: Apache-2.0
#include "domain/group_edit.hpp"

#include "domain/key_slots.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

using x509::Certificate;

void warn_of_twins(const EnrollmentGroup& group, SlotOutcome& outcome) {
    if (group.slots[0].current && group.slots[0].current == group.slots[1].current) {
        outcome.warnings.emplace_back(
            "the same CA stands in both slots, which gives no overlap for a roll");
    }
}

/// Does any slot refer to the record, with `edited` in the place of its earlier self?
bool is_referenced(const TrustView& trust, const EnrollmentGroup& edited, const CaId& id) {
    const auto refers = [&id](const EnrollmentGroup& group) {
        return std::any_of(group.slots.begin(), group.slots.end(), [&id](const GroupSlot& slot) {
            return slot.current == id || slot.pending == id;
        });
    };
    if (refers(edited)) {
        return true;
    }
    const CaCertificate* const ca = trust.ca(id);
    if (ca == nullptr) {
        return false;
    }
    const auto places = trust.places_of(ca->certificate.ca_key());
    return std::any_of(places.begin(), places.end(), [&](const auto& place) {
        return place.ca->id == id && place.group->instance != edited.instance;
    });
}

}  // namespace

Result<Done> GroupEdit::put(Slot slot, const Certificate& certificate, Replacement replacement,
                            bool vouch, bool force) {
    if (group_.keys) {
        return attests_by_key("the group '" + group_.id.str() + "'");
    }
    TRY([[maybe_unused]] const Done examined, examine(certificate, force));
    TRY([[maybe_unused]] const Done free, check_free(certificate));
    const auto& current = group_.at(slot).current;
    const CaCertificate* const old = current ? trust_.ca(*current) : nullptr;
    if (replacement == Replacement::breach && old != nullptr &&
        old->certificate.spki_sha256() == certificate.spki_sha256()) {
        return Error{ErrorKind::conflict,
                     "the new certificate has the key that is being given up as lost; make a new "
                     "CA with a new key",
                     "key-distrusted"};
    }
    settle(slot, record_for(certificate, slot, vouch), replacement);
    return Done{};
}

/// What waits to be verified stands beside what it shall replace; all else takes its place.
void GroupEdit::settle(Slot slot, const CaCertificate& record, Replacement replacement) {
    GroupSlot& place = group_.at(slot);
    const CaCertificate* const old = place.current ? trust_.ca(*place.current) : nullptr;
    const bool stays = place.current == record.id;
    const bool attests = slot_attests(trust_, record, writing_.now);
    if (replacement == Replacement::staged && old != nullptr && !stays && !attests) {
        place.pending = record.id;
        outcome_.pending = true;
        return;
    }
    place = {record.id, std::nullopt};
    std::erase(group_.withdrawn, record.certificate.ca_key());
    if (old != nullptr && !stays && replacement != Replacement::staged) {
        withdraw(*old, replacement == Replacement::breach);
    }
    if (!attests) {
        outcome_.warnings.emplace_back(
            "the CA attests only once it is verified: ask for its code and upload the proof");
    }
}

Result<Done> GroupEdit::remove(Slot slot, Removal removal, bool pending_only) {
    GroupSlot& place = group_.at(slot);
    if (pending_only ? !place.pending : !place.current && !place.pending) {
        return Error{ErrorKind::not_found,
                     std::string{pending_only ? "nothing is pending in the " : "the "} +
                         std::string{to_string(slot)} +
                         (pending_only ? " slot" : " slot is empty already"),
                     "slot-empty"};
    }
    if (pending_only) {
        place.pending.reset();
        return Done{};
    }
    const CaCertificate* const old = place.current ? find(*place.current) : nullptr;
    const std::optional<CaCertificate> removed =
        old != nullptr ? std::optional{*old} : std::nullopt;
    place = {};
    if (removed && removal != Removal::plain) {
        withdraw(*removed, removal == Removal::breach);
    }
    return Done{};
}

Result<Done> GroupEdit::swap() {
    std::swap(group_.slots[0], group_.slots[1]);
    if (group_.keys) {
        std::swap(group_.keys->front(), group_.keys->back());
    }
    return Done{};
}

namespace {

using Stored = std::array<std::vector<Certificate>, 2>;

/// What a client may have read of each slot; a dangling reference is nothing.
Stored stored_in(const TrustView& trust, const EnrollmentGroup& group) {
    Stored stored;
    for (const Slot slot : both_slots) {
        for (const auto& id : {group.at(slot).current, group.at(slot).pending}) {
            if (const CaCertificate* const ca = id ? trust.ca(*id) : nullptr) {
                stored.at(index(slot)).push_back(ca->certificate);
            }
        }
    }
    return stored;
}

}  // namespace

Result<Done> GroupEdit::arrange(const SlotWishes& wishes) {
    const auto was = group_.slots;
    const Stored stored = stored_in(trust_, group_);
    for (const Slot slot : both_slots) {
        const SlotWish& wish = wishes.at(index(slot));
        if (const auto* const kept = std::get_if<KeptCertificate>(&wish)) {
            TRY(const auto source, source_of(*kept, slot, stored));
            group_.at(slot) = source ? was.at(index(*source)) : GroupSlot{};
        } else if (std::holds_alternative<std::monostate>(wish)) {
            group_.at(slot) = {};
        }
    }
    for (const Slot slot : both_slots) {
        const SlotWish& wish = wishes.at(index(slot));
        if (const auto* const certificate = std::get_if<Certificate>(&wish)) {
            TRY([[maybe_unused]] const Done examined, examine(*certificate, true));
            TRY([[maybe_unused]] const Done free, check_free(*certificate));
            const CaCertificate record = record_for(*certificate, slot, false);
            settle(slot, record, in_time(record));
        } else if (const auto* const reference = std::get_if<CaReference>(&wish)) {
            TRY([[maybe_unused]] const Done referred, refer(slot, *reference));
        }
    }
    const bool holds = group_.slots != std::array<GroupSlot, 2>{};
    if (!holds && (before_.etag.empty() || !stored[0].empty() || !stored[1].empty())) {
        return no_certificate();
    }
    if (!holds) {
        group_.slots = was;  // nothing but references to CAs that were deleted: nobody saw them
    }
    for (const auto& each : was) {
        const auto stands = [&](const GroupSlot& slot) { return slot.current == each.current; };
        const CaCertificate* const old = each.current ? trust_.ca(*each.current) : nullptr;
        if (old != nullptr && std::none_of(group_.slots.begin(), group_.slots.end(), stands)) {
            withdraw(*old, false);
        }
    }
    return Done{};
}

Result<Done> GroupEdit::refer(Slot slot, const CaReference& reference) {
    const auto& cas = trust_.records().cas;
    const auto ca = std::find_if(cas.begin(), cas.end(), [&](const CaCertificate& each) {
        return !each.name.empty() && equal_ignoring_case(each.name, reference.name);
    });
    if (ca == cas.end()) {
        return Error{ErrorKind::malformed,
                     "there is no CA certificate '" + reference.name +
                         "': upload it under certificates first",
                     "no-such-ca"};
    }
    if (group_.at(slot).pending == ca->id) {
        return Done{};  // it waits there already
    }
    TRY([[maybe_unused]] const Done free, check_free(ca->certificate));
    settle(slot, *ca, in_time(*ca));
    return Done{};
}

/// Section 3.10: at once where it attests already, else it waits to be verified.
Replacement GroupEdit::in_time(const CaCertificate& record) const {
    return slot_attests(trust_, record, writing_.now) ? Replacement::immediate
                                                      : Replacement::staged;
}

Result<Done> GroupEdit::examine(const Certificate& certificate, bool force) {
    TRY(const auto findings, acceptable_ca(certificate, force, writing_.now));
    outcome_.findings.insert(outcome_.findings.end(), findings.begin(), findings.end());
    return Done{};
}

/// PRODUCT section 3.2: the same CA in two groups is refused; a distrusted key everywhere.
Result<Done> GroupEdit::check_free(const Certificate& certificate) const {
    if (trust_.distrusted().contains(certificate.spki_sha256())) {
        return Error{ErrorKind::conflict,
                     "the key of '" + certificate.subject() +
                         "' is on the distrust list; make a CA with a new key, or lift the "
                         "distrust first",
                     "key-distrusted"};
    }
    for (const auto& place : trust_.places_of(certificate.ca_key())) {
        if (place.group->instance != group_.instance) {
            return Error{ErrorKind::conflict,
                         "the same CA already stands in the " + std::string{to_string(place.slot)} +
                             " slot of the group '" + place.group->id.str() +
                             "'; a CA may vouch for one group only",
                         "ca-in-other-group"};
        }
    }
    return Done{};
}

/// The record of this very certificate, made where there is none. A certificate with the subject
/// and key of a verified CA is the same authority renewed, and needs no second proof.
CaCertificate& GroupEdit::record_for(const Certificate& certificate, Slot slot, bool vouch) {
    for (auto& record : records_) {
        if (record.certificate == certificate) {
            return record;
        }
    }
    const CaCertificate* const known = trust_.ca_of(certificate);
    CaCertificate record =
        known != nullptr ? *known : CaCertificate{writing_.ca_ids[index(slot)], "", certificate};
    if (known == nullptr) {
        record.created = writing_.now;
    }
    record.pending_code.clear();
    if (!record.verified && vouch) {
        record.verified = CaVerification{CaVerification::How::vouched, writing_.now, writing_.by};
    }
    if (!record.verified) {
        for (const auto& ca : trust_.records().cas) {
            if (ca.verified && ca.certificate.ca_key() == certificate.ca_key()) {
                record.verified = ca.verified;
                break;
            }
        }
    }
    if (known == nullptr || record != *known) {
        outcome_.changes.expects.push_back(
            ExpectEtag{RecordKind::ca, record.id.str(), known != nullptr ? known->etag : ETag{}});
        outcome_.changes.moves_anchors |= known != nullptr && known->verified != record.verified;
        record.etag = writing_.ca_etag;
        record.updated = writing_.now;
        outcome_.changes.writes.push_back(PutCa{record});
    }
    records_.push_back(std::move(record));
    return records_.back();
}

CaCertificate* GroupEdit::find(const CaId& id) {
    for (auto& record : records_) {
        if (record.id == id) {
            return &record;
        }
    }
    if (const auto* const known = trust_.ca(id)) {
        records_.push_back(*known);
        return &records_.back();
    }
    return nullptr;
}

void GroupEdit::withdraw(const CaCertificate& ca, bool breach) {
    const auto key = ca.certificate.ca_key();
    if (std::find(group_.withdrawn.begin(), group_.withdrawn.end(), key) ==
        group_.withdrawn.end()) {
        group_.withdrawn.push_back(key);
    }
    if (breach) {
        distrusted_.push_back({ca.certificate.spki_sha256(), ca.certificate.subject(),
                               writing_.reason, writing_.by, writing_.now, ca.certificate});
    }
}

SlotOutcome GroupEdit::finish() {
    // What still stands in a slot under the same authority was not withdrawn after all, unless its
    // key is lost: then the slot holds a CA that can attest no more.
    for (const Slot slot : both_slots) {
        const auto& current = group_.at(slot).current;
        const CaCertificate* const ca = current ? find(*current) : nullptr;
        if (ca == nullptr) {
            continue;
        }
        const bool lost = std::any_of(
            distrusted_.begin(), distrusted_.end(),
            [&](const Distrusted& each) { return each.spki == ca->certificate.spki_sha256(); });
        if (lost) {
            outcome_.warnings.emplace_back("the " + std::string{to_string(slot)} +
                                           " slot still holds a certificate with the lost key; it "
                                           "attests no more and should be replaced");
        } else {
            std::erase(group_.withdrawn, ca->certificate.ca_key());
        }
    }
    for (auto& distrusted : distrusted_) {
        outcome_.changes.writes.push_back(PutDistrusted{distrusted});
    }
    warn_of_twins(group_, outcome_);
    bump(group_, writing_);
    outcome_.changes.expects.push_back(
        ExpectEtag{RecordKind::group, before_.id.str(), before_.etag});
    outcome_.changes.expects.push_back(ExpectConfig{trust_.config_version()});
    outcome_.changes.writes.push_back(PutGroup{group_});
    outcome_.changes.moves_config = true;
    outcome_.changes.moves_anchors |= !distrusted_.empty() || !group_.enabled;
    collect_garbage(trust_, before_, group_, outcome_);
    return std::move(outcome_);
}

void collect_garbage(const TrustView& trust, const EnrollmentGroup& before,
                     const EnrollmentGroup& after, SlotOutcome& outcome) {
    std::vector<CaId> gone;
    for (const auto& slot : before.slots) {
        for (const auto& id : {slot.current, slot.pending}) {
            const CaCertificate* const ca = id ? trust.ca(*id) : nullptr;
            if (ca == nullptr || !ca->name.empty() || is_referenced(trust, after, *id) ||
                std::find(gone.begin(), gone.end(), *id) != gone.end()) {
                continue;
            }
            gone.push_back(*id);
            outcome.changes.writes.push_back(DeleteCa{*id});
            outcome.changes.moves_anchors |= ca->verified.has_value();
        }
    }
}

void bump(EnrollmentGroup& group, const Writing& writing) {
    group.trust_version += 1;
    group.etag = writing.entry_etag;
    group.updated = writing.now;
}

}  // namespace rollcall::domain
