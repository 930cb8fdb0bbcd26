// SPDX-License-Identifier: Apache-2.0
#include "domain/cas.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

Result<Done> check_name(const TrustView& trust, const std::string& name, const CaCertificate* own);
Result<Done> check_key(const TrustView& trust, const x509::Certificate& certificate);
/// Of another certificate of the same authority.
std::optional<CaVerification> inherited_verification(const TrustView& trust,
                                                     const x509::Certificate& certificate);
void withdraw_from_groups(const TrustView& trust, const CaCertificate& ca, Removal removal,
                          const Writing& writing, SlotOutcome& outcome);
/// May `certificate` stand where `ca` does, in its slots too?
Result<Done> check_place(const TrustView& trust, const CaCertificate& ca,
                         const x509::Certificate& certificate);
/// Verified or not, as `record` says; no group is touched but those that waited for it.
SlotOutcome put_record(const TrustView& trust, const CaCertificate& record, const Writing& writing);
/// Groups whose slots held `before` and now hold `after`.
void settle_groups(const TrustView& trust, const CaCertificate& before, const CaCertificate& after,
                   const Writing& writing, SlotOutcome& outcome);

}  // namespace

Result<SlotOutcome> add_ca(const TrustView& trust, const std::string& name,
                           const x509::Certificate& certificate, bool vouch, bool force,
                           const Writing& writing) {
    TRY(auto findings, acceptable_ca(certificate, force, writing.now));
    TRY([[maybe_unused]] const Done key, check_key(trust, certificate));
    const CaCertificate* const known = trust.ca_of(certificate);
    if (known != nullptr && (!known->name.empty() || name.empty())) {
        return Error{ErrorKind::conflict,
                     "this certificate is stored already, as '" +
                         (known->name.empty() ? known->id.str() : known->name) + "'",
                     "ca-exists"};
    }
    TRY([[maybe_unused]] const Done free, check_name(trust, name, known));
    CaCertificate record =
        known != nullptr ? *known : CaCertificate{writing.ca_ids[0], "", certificate};
    record.name = name;
    if (known != nullptr && !known->verified && vouch) {
        SlotOutcome outcome =
            complete_verification(trust, record, CaVerification::How::vouched, writing);
        outcome.findings = std::move(findings);
        return outcome;
    }
    SlotOutcome outcome;
    if (known == nullptr) {
        record.created = writing.now;
        record.verified = inherited_verification(trust, certificate);
        if (!record.verified && vouch) {
            record.verified = CaVerification{CaVerification::How::vouched, writing.now, writing.by};
        }
        outcome.changes.moves_anchors = record.verified.has_value();
    }
    record.etag = writing.ca_etag;
    record.updated = writing.now;
    outcome.changes.expects.push_back(
        ExpectEtag{RecordKind::ca, record.id.str(), known != nullptr ? known->etag : ETag{}});
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    outcome.changes.writes.push_back(PutCa{record});
    outcome.changes.moves_config = true;
    outcome.findings = std::move(findings);
    return outcome;
}

Result<SlotOutcome> replace_ca(const TrustView& trust, const CaCertificate& ca,
                               const x509::Certificate& certificate, bool vouch,
                               const Writing& writing) {
    TRY(auto findings, acceptable_ca(certificate, true, writing.now));
    TRY([[maybe_unused]] const Done key, check_key(trust, certificate));
    TRY([[maybe_unused]] const Done place, check_place(trust, ca, certificate));
    CaCertificate record = ca;
    record.certificate = certificate;
    record.pending_code.clear();
    const bool renewed = ca.certificate.ca_key() == certificate.ca_key();
    if (!renewed || !record.verified) {
        record.verified = inherited_verification(trust, certificate);
    }
    if (!record.verified && vouch) {
        record.verified = CaVerification{CaVerification::How::vouched, writing.now, writing.by};
    }
    SlotOutcome outcome = put_record(trust, record, writing);
    settle_groups(trust, ca, record, writing, outcome);
    outcome.findings = std::move(findings);
    return outcome;
}

SlotOutcome delete_ca(const TrustView& trust, const CaCertificate& ca, Removal removal,
                      const Writing& writing) {
    SlotOutcome outcome;
    outcome.changes.expects.push_back(ExpectEtag{RecordKind::ca, ca.id.str(), ca.etag});
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    outcome.changes.writes.push_back(DeleteCa{ca.id});
    outcome.changes.moves_config = true;
    outcome.changes.moves_anchors = true;
    if (removal == Removal::breach) {
        outcome.changes.writes.push_back(
            PutDistrusted{{ca.certificate.spki_sha256(), ca.certificate.subject(), writing.reason,
                           writing.by, writing.now, ca.certificate}});
    }
    withdraw_from_groups(trust, ca, removal, writing, outcome);
    return outcome;
}

namespace {

Result<Done> check_name(const TrustView& trust, const std::string& name, const CaCertificate* own) {
    if (name.empty()) {
        return Done{};
    }
    for (const auto& ca : trust.records().cas) {
        if (&ca != own && equal_ignoring_case(ca.name, name)) {
            return Error{ErrorKind::conflict,
                         "another CA certificate is called '" + ca.name + "'; choose another name",
                         "name-taken"};
        }
    }
    return Done{};
}

Result<Done> check_key(const TrustView& trust, const x509::Certificate& certificate) {
    if (trust.distrusted().contains(certificate.spki_sha256())) {
        return Error{ErrorKind::conflict,
                     "the key of '" + certificate.subject() +
                         "' is on the distrust list; make a CA with a new key, or lift the "
                         "distrust first",
                     "key-distrusted"};
    }
    return Done{};
}

std::optional<CaVerification> inherited_verification(const TrustView& trust,
                                                     const x509::Certificate& certificate) {
    for (const auto& ca : trust.records().cas) {
        if (ca.verified && ca.certificate.ca_key() == certificate.ca_key()) {
            return ca.verified;
        }
    }
    return std::nullopt;
}

void withdraw_from_groups(const TrustView& trust, const CaCertificate& ca, Removal removal,
                          const Writing& writing, SlotOutcome& outcome) {
    const auto key = ca.certificate.ca_key();
    for (const auto& before : trust.records().groups) {
        bool loses_current = false;
        for (const Slot slot : both_slots) {
            if (before.at(slot).current != ca.id && before.at(slot).pending != ca.id) {
                continue;
            }
            loses_current = loses_current || before.at(slot).current == ca.id;
            outcome.warnings.push_back("the " + std::string{to_string(slot)} +
                                       " slot of the group '" + before.id.str() +
                                       "' refers to it and attests nothing with it any more");
        }
        const bool known = std::find(before.withdrawn.begin(), before.withdrawn.end(), key) !=
                           before.withdrawn.end();
        if (!loses_current || removal == Removal::plain || known) {
            continue;
        }
        EnrollmentGroup group = before;
        group.withdrawn.push_back(key);
        group.trust_version += 1;
        group.etag = writing.entry_etag;
        group.updated = writing.now;
        outcome.changes.expects.push_back(
            ExpectEtag{RecordKind::group, before.id.str(), before.etag});
        outcome.changes.writes.push_back(PutGroup{std::move(group)});
    }
}

Result<Done> check_place(const TrustView& trust, const CaCertificate& ca,
                         const x509::Certificate& certificate) {
    const CaCertificate* const known = trust.ca_of(certificate);
    if (known != nullptr && known->id != ca.id) {
        return Error{ErrorKind::conflict,
                     "this certificate is stored already, as '" +
                         (known->name.empty() ? known->id.str() : known->name) + "'",
                     "ca-exists"};
    }
    for (const auto& group : trust.records().groups) {
        const bool refers = std::any_of(group.slots.begin(), group.slots.end(), [&](auto& slot) {
            return slot.current == ca.id || slot.pending == ca.id;
        });
        for (const auto& place : trust.places_of(certificate.ca_key())) {
            if (refers && place.group->instance != group.instance) {
                return Error{ErrorKind::conflict,
                             "the same CA already stands in the " +
                                 std::string{to_string(place.slot)} + " slot of the group '" +
                                 place.group->id.str() + "'; a CA may vouch for one group only",
                             "ca-in-other-group"};
            }
        }
    }
    return Done{};
}

SlotOutcome put_record(const TrustView& trust, const CaCertificate& record,
                       const Writing& writing) {
    if (record.verified) {
        SlotOutcome outcome = complete_verification(trust, record, record.verified->how, writing);
        for (auto& write : outcome.changes.writes) {
            if (auto* const put = std::get_if<PutCa>(&write)) {
                put->ca.verified = record.verified;  // as it was verified, not as of now
            }
        }
        return outcome;
    }
    CaCertificate unverified = record;
    unverified.etag = writing.ca_etag;
    unverified.updated = writing.now;
    SlotOutcome outcome;
    outcome.changes.expects.push_back(ExpectEtag{RecordKind::ca, record.id.str(), record.etag});
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    outcome.changes.writes.push_back(PutCa{unverified});
    outcome.changes.moves_config = true;
    outcome.changes.moves_anchors = true;
    return outcome;
}

/// The group as the outcome leaves it; put among its writes where it is not yet.
EnrollmentGroup& edited(SlotOutcome& outcome, const EnrollmentGroup& before,
                        const Writing& writing) {
    for (auto& write : outcome.changes.writes) {
        auto* const put = std::get_if<PutGroup>(&write);
        if (put != nullptr && put->group.instance == before.instance) {
            return put->group;
        }
    }
    EnrollmentGroup group = before;
    group.trust_version += 1;
    group.etag = writing.entry_etag;
    group.updated = writing.now;
    outcome.changes.expects.push_back(ExpectEtag{RecordKind::group, before.id.str(), before.etag});
    outcome.changes.writes.push_back(PutGroup{std::move(group)});
    return std::get<PutGroup>(outcome.changes.writes.back()).group;
}

void settle_groups(const TrustView& trust, const CaCertificate& before, const CaCertificate& after,
                   const Writing& writing, SlotOutcome& outcome) {
    const auto lost = before.certificate.ca_key();
    const bool attests = slot_attests(trust, after, writing.now);
    for (const auto& group : trust.records().groups) {
        bool held = false;
        bool elsewhere = false;  // the authority also stands in the other slot, by another record
        for (const Slot slot : both_slots) {
            const auto& current = group.at(slot).current;
            const CaCertificate* const other = current ? trust.ca(*current) : nullptr;
            elsewhere = elsewhere || (other != nullptr && other->id != before.id &&
                                      other->certificate.ca_key() == lost);
            if (current != before.id) {
                continue;
            }
            held = true;
            if (!attests) {
                outcome.warnings.push_back("the " + std::string{to_string(slot)} +
                                           " slot of the group '" + group.id.str() +
                                           "' refers to it and attests only once it is verified");
            }
        }
        if (!held || after.certificate.ca_key() == lost) {
            continue;
        }
        EnrollmentGroup& now = edited(outcome, group, writing);
        std::erase(now.withdrawn, after.certificate.ca_key());
        if (!elsewhere &&
            std::find(now.withdrawn.begin(), now.withdrawn.end(), lost) == now.withdrawn.end()) {
            now.withdrawn.push_back(lost);
        }
    }
}

}  // namespace
}  // namespace rollcall::domain
