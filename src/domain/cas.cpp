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

}  // namespace
}  // namespace rollcall::domain
