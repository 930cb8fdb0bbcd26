// SPDX-License-Identifier: Apache-2.0
#include "domain/slots.hpp"

#include "base/limits.hpp"
#include "domain/key_slots.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

using x509::Certificate;

/// A group under change. Collects what is put, what loses its last reference and what is
/// withdrawn, and turns it into one SlotOutcome.
class GroupEdit {
public:
    GroupEdit(const TrustView& trust, const EnrollmentGroup& group, const Writing& writing)
        : trust_(trust), before_(group), group_(group), writing_(writing) {}

    Result<Done> put(Slot slot, const Certificate& certificate, Replacement replacement, bool vouch,
                     bool force);
    Result<Done> remove(Slot slot, Removal removal, bool pending_only);
    Result<Done> swap();
    SlotOutcome finish();

private:
    Result<Done> examine(const Certificate& certificate, bool force);
    Result<Done> check_free(const Certificate& certificate) const;
    CaCertificate& record_for(const Certificate& certificate, Slot slot, bool vouch);
    CaCertificate* find(const CaId& id);
    void withdraw(const CaCertificate& ca, bool breach);

    const TrustView& trust_;
    const EnrollmentGroup& before_;
    EnrollmentGroup group_;
    const Writing& writing_;
    /// Records made or changed here; they shadow the view's.
    std::vector<CaCertificate> records_;
    std::vector<Distrusted> distrusted_;
    SlotOutcome outcome_;
};

Error could_never_attest(const std::vector<x509::Finding>& findings);
bool has_fatal(const std::vector<x509::Finding>& findings);
void warn_of_twins(const EnrollmentGroup& group, SlotOutcome& outcome);
bool is_referenced(const TrustView& trust, const EnrollmentGroup& edited, const CaId& id);
void collect_garbage(const TrustView& trust, const EnrollmentGroup& before,
                     const EnrollmentGroup& after, SlotOutcome& outcome);
void bump(EnrollmentGroup& group, const Writing& writing);

}  // namespace

Result<SlotOutcome> set_group_slot(const TrustView& trust, const EnrollmentGroup& group, Slot slot,
                                   const Certificate& certificate, Replacement replacement,
                                   bool vouch, bool force, const Writing& writing) {
    GroupEdit edit{trust, group, writing};
    TRY([[maybe_unused]] const Done done, edit.put(slot, certificate, replacement, vouch, force));
    return edit.finish();
}

Result<SlotOutcome> set_both_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                         const Certificate& primary, const Certificate& secondary,
                                         Replacement replacement, bool vouch, bool force,
                                         const Writing& writing) {
    GroupEdit edit{trust, group, writing};
    TRY([[maybe_unused]] const Done first,
        edit.put(Slot::primary, primary, replacement, vouch, force));
    TRY([[maybe_unused]] const Done second,
        edit.put(Slot::secondary, secondary, replacement, vouch, force));
    return edit.finish();
}

Result<SlotOutcome> remove_group_slot(const TrustView& trust, const EnrollmentGroup& group,
                                      Slot slot, Removal removal, bool pending_only,
                                      const Writing& writing) {
    GroupEdit edit{trust, group, writing};
    TRY([[maybe_unused]] const Done done, edit.remove(slot, removal, pending_only));
    return edit.finish();
}

Result<SlotOutcome> swap_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                     const Writing& writing) {
    GroupEdit edit{trust, group, writing};
    TRY([[maybe_unused]] const Done done, edit.swap());
    return edit.finish();
}

SlotOutcome delete_group(const TrustView& trust, const EnrollmentGroup& group) {
    SlotOutcome outcome;
    outcome.changes.expects.push_back(ExpectEtag{RecordKind::group, group.id.str(), group.etag});
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    outcome.changes.writes.push_back(DeleteGroup{group.id});
    outcome.changes.moves_config = true;
    EnrollmentGroup emptied = group;
    emptied.slots = {};
    collect_garbage(trust, group, emptied, outcome);
    return outcome;
}

Result<std::vector<x509::Finding>> acceptable_ca(const Certificate& certificate, bool force,
                                                 TimePoint now) {
    auto findings = x509::examine_ca(certificate, now);
    if (!force && has_fatal(findings)) {
        return could_never_attest(findings);
    }
    return findings;
}

SlotOutcome complete_verification(const TrustView& trust, const CaCertificate& ca,
                                  CaVerification::How how, const Writing& writing) {
    SlotOutcome outcome;
    CaCertificate verified = ca;
    verified.verified = CaVerification{how, writing.now, writing.by};
    verified.pending_code.clear();
    verified.etag = writing.ca_etag;
    verified.updated = writing.now;
    outcome.changes.expects.push_back(ExpectEtag{RecordKind::ca, ca.id.str(), ca.etag});
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    outcome.changes.writes.push_back(PutCa{verified});
    outcome.changes.moves_config = true;
    outcome.changes.moves_anchors = true;
    for (const auto& before : trust.records().groups) {
        EnrollmentGroup group = before;
        bool completes = false;
        for (const Slot slot : both_slots) {
            if (group.at(slot).pending == ca.id) {
                group.at(slot) = {ca.id, std::nullopt};
                completes = true;
            }
        }
        if (completes) {
            std::erase(group.withdrawn, ca.certificate.ca_key());
            bump(group, writing);
            outcome.changes.expects.push_back(
                ExpectEtag{RecordKind::group, before.id.str(), before.etag});
            outcome.changes.writes.push_back(PutGroup{group});
            collect_garbage(trust, before, group, outcome);
        }
    }
    return outcome;
}

Result<SlotOutcome> change_individual_slots(const TrustView& trust,
                                            const IndividualEnrollment& enrollment,
                                            const std::vector<LeafChange>& changes, Removal removal,
                                            bool force, const Writing& writing) {
    SlotOutcome outcome;
    IndividualEnrollment after = enrollment;
    std::vector<Certificate> gone;
    for (const auto& change : changes) {
        auto& held = after.at(change.slot);
        if (!change.certificate && !held) {
            return Error{ErrorKind::not_found,
                         "the " + std::string{to_string(change.slot)} + " slot is empty already",
                         "slot-empty"};
        }
        if (change.certificate && enrollment.keys) {
            return attests_by_key("the enrollment '" + enrollment.id.original() + "'");
        }
        if (change.certificate) {
            const Certificate& leaf = *change.certificate;
            auto findings = x509::examine_leaf(leaf, enrollment.id.str(), writing.now);
            if (!force && has_fatal(findings)) {
                return could_never_attest(findings);
            }
            if (trust.distrusted().contains(leaf.spki_sha256())) {
                return Error{ErrorKind::conflict,
                             "the key of '" + leaf.subject() +
                                 "' is on the distrust list; make the "
                                 "device a new key, or lift the distrust first",
                             "key-distrusted"};
            }
            outcome.findings.insert(outcome.findings.end(), findings.begin(), findings.end());
            std::erase(after.withdrawn, leaf.sha256());
        }
        if (held && held != change.certificate) {
            gone.push_back(*held);
        }
        held = change.certificate;
    }
    for (const auto& leaf : gone) {
        const bool still_there = after.slots[0] == leaf || after.slots[1] == leaf;
        if (removal == Removal::breach) {
            for (const auto& held : after.slots) {
                if (held && held->spki_sha256() == leaf.spki_sha256()) {
                    return Error{ErrorKind::conflict,
                                 "after this breach a slot would still hold the lost key of '" +
                                     leaf.subject() + "'; replace that certificate too",
                                 "key-distrusted"};
                }
            }
            outcome.changes.writes.push_back(
                PutDistrusted{{leaf.spki_sha256(), leaf.subject(), writing.reason, writing.by,
                               writing.now, leaf}});
            outcome.changes.moves_config = true;
            outcome.changes.moves_anchors = true;
        }
        const bool known = std::find(after.withdrawn.begin(), after.withdrawn.end(),
                                     leaf.sha256()) != after.withdrawn.end();
        if (removal != Removal::plain && !still_there && !known) {
            after.withdrawn.push_back(leaf.sha256());
        }
    }
    if (after.slots[0] && after.slots[0] == after.slots[1]) {
        outcome.warnings.emplace_back(
            "the same certificate stands in both slots, which gives no overlap for a roll");
    }
    after.trust_version += 1;
    after.etag = writing.entry_etag;
    after.updated = writing.now;
    outcome.changes.expects.push_back(
        ExpectEtag{RecordKind::individual, enrollment.id.str(), enrollment.etag});
    outcome.changes.writes.push_back(PutIndividual{after});
    return outcome;
}

bool slot_attests(const TrustView& trust, const CaCertificate& ca, TimePoint now) {
    if (ca.verified) {
        return true;
    }
    x509::PathRules rules;
    rules.at = now;
    rules.purpose = x509::Purpose::any;
    rules.not_before_tolerance = limits::clock_skew;
    rules.distrusted = &trust.distrusted();
    const x509::PathMaterial material{ca.certificate, {}, &trust.stored(), trust.anchors()};
    return x509::verify_path(material, rules).valid;
}

namespace {

Result<Done> GroupEdit::put(Slot slot, const Certificate& certificate, Replacement replacement,
                            bool vouch, bool force) {
    if (group_.keys) {
        return attests_by_key("the group '" + group_.id.str() + "'");
    }
    TRY([[maybe_unused]] const Done examined, examine(certificate, force));
    TRY([[maybe_unused]] const Done free, check_free(certificate));
    GroupSlot& place = group_.at(slot);
    const CaCertificate* const old = place.current ? find(*place.current) : nullptr;
    const std::optional<CaCertificate> replaced =
        old != nullptr ? std::optional{*old} : std::nullopt;
    if (replacement == Replacement::breach && replaced &&
        replaced->certificate.spki_sha256() == certificate.spki_sha256()) {
        return Error{ErrorKind::conflict,
                     "the new certificate has the key that is being given up as lost; make a new "
                     "CA with a new key",
                     "key-distrusted"};
    }
    const CaCertificate& record = record_for(certificate, slot, vouch);
    const bool stays = place.current == record.id;
    const bool attests = slot_attests(trust_, record, writing_.now);
    if (replacement == Replacement::staged && replaced && !stays && !attests) {
        place.pending = record.id;
        outcome_.pending = true;
        return Done{};
    }
    place = {record.id, std::nullopt};
    std::erase(group_.withdrawn, certificate.ca_key());
    if (replaced && !stays && replacement != Replacement::staged) {
        withdraw(*replaced, replacement == Replacement::breach);
    }
    if (!attests) {
        outcome_.warnings.emplace_back(
            "the CA attests only once it is verified: ask for its code and upload the proof");
    }
    return Done{};
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

Error could_never_attest(const std::vector<x509::Finding>& findings) {
    std::string detail = "this certificate could never attest: ";
    std::string separator;
    for (const auto& finding : findings) {
        if (finding.gravity == x509::Gravity::fatal) {
            detail += separator + finding.detail;
            detail += finding.fix.empty() ? "" : " (" + finding.fix + ")";
            separator = "; ";
        }
    }
    return {ErrorKind::malformed, detail, "could-never-attest"};
}

bool has_fatal(const std::vector<x509::Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const auto& finding) { return finding.gravity == x509::Gravity::fatal; });
}

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

/// Unnamed CA records go with the last slot that refers to them. A verified one that goes can end
/// paths of other groups that led through it.
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

}  // namespace
}  // namespace rollcall::domain
