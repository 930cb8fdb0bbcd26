// SPDX-License-Identifier: Apache-2.0
#include "domain/slots.hpp"

#include "base/limits.hpp"
#include "domain/group_edit.hpp"
#include "domain/key_slots.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

using x509::Certificate;

Error could_never_attest(const std::vector<x509::Finding>& findings);
bool has_fatal(const std::vector<x509::Finding>& findings);

}  // namespace

Result<SlotOutcome> set_group_slot(const TrustView& trust, const EnrollmentGroup& group, Slot slot,
                                   const Certificate& certificate, Replacement replacement,
                                   bool vouch, bool force, const Writing& writing) {
    GroupEdit edit{trust, group, group, writing};
    TRY([[maybe_unused]] const Done done, edit.put(slot, certificate, replacement, vouch, force));
    return edit.finish();
}

Result<SlotOutcome> set_both_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                         const Certificate& primary, const Certificate& secondary,
                                         Replacement replacement, bool vouch, bool force,
                                         const Writing& writing) {
    GroupEdit edit{trust, group, group, writing};
    TRY([[maybe_unused]] const Done first,
        edit.put(Slot::primary, primary, replacement, vouch, force));
    TRY([[maybe_unused]] const Done second,
        edit.put(Slot::secondary, secondary, replacement, vouch, force));
    return edit.finish();
}

Result<SlotOutcome> remove_group_slot(const TrustView& trust, const EnrollmentGroup& group,
                                      Slot slot, Removal removal, bool pending_only,
                                      const Writing& writing) {
    GroupEdit edit{trust, group, group, writing};
    TRY([[maybe_unused]] const Done done, edit.remove(slot, removal, pending_only));
    return edit.finish();
}

Result<SlotOutcome> swap_group_slots(const TrustView& trust, const EnrollmentGroup& group,
                                     const Writing& writing) {
    GroupEdit edit{trust, group, group, writing};
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

}  // namespace
}  // namespace rollcall::domain
