// SPDX-License-Identifier: Apache-2.0
// What the enroller's use cases share, for enroller*.cpp only: what is read, what is planned, and
// helpers that make the one from the other.
#pragma once

#include "service/audit_detail.hpp"
#include "service/enroller.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::service {

/// What a use case reads beside the TrustView.
struct Enroller::Subject {
    std::optional<RegistrationId> individual{};  ///< its enrollment and its registration
    std::optional<DeviceId> device{};            ///< the device and its registration
    bool device_notes = false;                   ///< what is said of it, too
};

struct Enroller::Snapshot {
    std::shared_ptr<const domain::TrustView> trust;
    std::optional<domain::IndividualEnrollment> individual{};
    std::optional<domain::Registration> registration{};
    std::optional<domain::Device> device{};
    domain::DeviceNotes device_notes{};
};

struct Enroller::Plan {
    domain::Changes changes{};
    std::string action{};  ///< of the audit event: "group.certificate.set"
    std::string object{};  ///< "group/fleet-a"
    AuditDetail detail{};
    std::vector<x509::Finding> findings{};
    std::vector<std::string> warnings{};
    Preview preview{};
    /// Nothing is written, and the audit log tells of it all the same: secrets were shown.
    bool audited_alone = false;
    /// Registrations that rest on what goes, disjoint; counted for previews only.
    std::vector<store::RegistrationFilter> rests{};
    /// Those have a hub, not trust, that goes.
    bool rests_on_hub = false;

    /// Takes over what the domain worked out.
    void take(domain::SlotOutcome outcome);
    template <class Write>
    const Write* written() const {
        for (const auto& write : changes.writes) {
            if (const auto* const found = std::get_if<Write>(&write)) {
                return found;
            }
        }
        return nullptr;
    }
};

/// What a reader of the slot is shown: what waits in it, else what stands there.
const std::optional<CaId>& shown_in(const domain::GroupSlot& slot);
/// The certificates of a wish, read.
Result<domain::SlotWishes> read_wishes(const EntryWish& wish);

/// An entry that is asked for as a whole, read once.
struct Enroller::Put {
    const Order& order;
    const EntryWish& wish;
    PutMode mode;
    std::string id;
    std::string instance;  ///< of a new entry
    domain::SlotWishes slots;
};

std::string shown(const x509::Certificate& certificate);
std::string shown(domain::Slot slot);
/// Changes the rule as the settings say; malformed where it could never work then.
Result<Done> apply(domain::AllocationRule& rule, const AllocationSettings& settings);
/// Changes the entry as the settings say.
Result<Done> apply(domain::EnrollmentGroup& group, const GroupSettings& settings);
Result<Done> apply(domain::IndividualEnrollment& enrollment, const IndividualSettings& settings);
/// malformed "attestation-type": an entry that attests by `kind` goes on to.
Error other_kind(domain::AttestationKind kind);
/// The keys that stand in the entry then: those given, else those it has, else new ones. malformed
/// "attestation-type" where it attests by certificate.
template <class Entry>
Result<Done> apply_keys(Entry& entry, const std::optional<KeyUploads>& keys, bool is_new,
                        Entropy& entropy);
/// What an audit event tells of them.
template <class Entry>
void tell_keys(AuditDetail& detail, const Entry& before, const Entry& after);
/// Facades take what could never attest, as the cloud does; the audit log says what was found.
void tell_findings(AuditDetail& detail, const std::vector<x509::Finding>& findings);
/// May an entry be made, or changed? `before`: nullptr where there is none; `exists` and `missing`
/// are what to say then. stale where If-Match asks for another.
template <class Entry>
Result<Done> may_put(const Order& order, PutMode mode, const Entry* before, const Error& exists,
                     const Error& missing) {
    if (before == nullptr) {
        if (mode == PutMode::change) {
            return missing;
        }
        if (!order.if_match.one_of.empty()) {
            return Error{ErrorKind::stale,
                         "If-Match asks for a record that is there already, and there is none",
                         "stale"};
        }
        return Done{};
    }
    if (mode == PutMode::make) {
        return exists;
    }
    return order.if_match.check(before->etag);
}
/// The settings of a wish; not its slots, keys and device id.
template <class Entry>
Result<Done> apply_wish(Entry& entry, const EntryWish& wish) {
    entry.enabled = wish.enabled;
    entry.reprovision = wish.reprovision;
    entry.initial_twin = wish.initial_twin;
    const std::string name = std::move(entry.notes.display_name);  // DPS has no word for it
    entry.notes = wish.notes;
    entry.notes.display_name = name;
    AllocationSettings allocation;
    allocation.policy.emplace(wish.policy);
    allocation.hubs = wish.hubs;
    allocation.custom.emplace();
    if (wish.policy == domain::AllocationPolicy::custom) {
        *allocation.custom = wish.custom;
    }
    return apply(entry.allocation, allocation);
}
/// What an audit event tells of an entry's settings, and of an individual's certificates.
AuditDetail difference(const domain::EnrollmentGroup& before, const domain::EnrollmentGroup& after);
AuditDetail difference(const domain::IndividualEnrollment& before,
                       const domain::IndividualEnrollment& after);
/// The certificate of a CA as it is once the changes are made.
std::optional<x509::Certificate> certificate_of(const domain::TrustView& trust,
                                                const domain::Changes& changes,
                                                const std::optional<CaId>& id);
Error no_enrollment(const std::string& id);
/// malformed "reason-too-long".
Result<Done> check_reason(const Order& order);
/// "others change the same records faster than this change could be made"
Error too_busy();
/// "static: a.example", with the webhook's key hidden; "" where it says nothing.
std::string shown(const domain::AllocationRule& rule);
/// Warns of hubs it names that are not linked, or take no devices.
void check_hubs(std::vector<std::string>& warnings, const domain::AllocationRule& rule,
                const domain::TrustView& trust);
std::string_view word_of(domain::Removal removal);
std::string_view word_of(domain::Replacement replacement);
/// The keys of a new entry. `group_instance`: see domain::check_key().
Result<domain::SymmetricKeys> new_keys(const KeyUploads& uploads, const domain::TrustView& trust,
                                       const std::string& group_instance, Entropy& entropy);
/// The key, or one that is made up.
Result<domain::SymmetricKey> given_or_new(const std::optional<std::string>& given,
                                          Entropy& entropy);
/// conflict "too-many-key-groups".
Result<Done> check_room_for_keys(const domain::TrustView& trust);
/// conflict "reason-required" where the operator gave none.
Result<Done> want_reason(const Order& order);

/// An Outcome without its record: the preview on a dry run, findings and warnings always.
template <class Record, class Plan>
Outcome<Record> told(const Order& order, const Plan& plan) {
    Outcome<Record> outcome;
    if (order.dry_run) {
        outcome.preview = plan.preview;
    }
    outcome.pending = plan.preview.pending;
    outcome.findings = plan.findings;
    outcome.warnings = plan.warnings;
    return outcome;
}

}  // namespace rollcall::service
