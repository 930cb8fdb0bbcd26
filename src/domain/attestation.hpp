// SPDX-License-Identifier: Apache-2.0
// attest(): which enrollment and slot does this chain prove? Pure; the one place where PRODUCT
// sections 3.2 to 3.8 are put together. TrustView is what it judges against: an immutable picture
// of all CAs, groups and distrusted keys, swapped whole when an operator changes one of them.
#pragma once

#include "domain/registration.hpp"
#include "x509/path.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace rollcall::domain {

/// The records a TrustView is made from, read from the store in one snapshot.
struct TrustRecords {
    std::vector<CaCertificate> cas;
    std::vector<EnrollmentGroup> groups;
    std::vector<Distrusted> distrusted;
    std::vector<x509::Certificate> seen_intermediates;
    std::vector<LinkedHub> hubs{};  ///< ours first, then as they were linked
    AllocationRule allocation{};    ///< the server's, for entries without one
    /// Moves with every change of a CA, a group, a hub or the distrust list.
    std::uint64_t config_version = 0;
    /// Moves when a change of one entry can change the verdict under others.
    std::uint64_t anchors_version = 0;
};

class TrustView {
public:
    explicit TrustView(TrustRecords records);
    TrustView(const TrustView&) = delete;
    TrustView& operator=(const TrustView&) = delete;

    /// A group's slot in which this CA stands, or waits to be verified.
    struct Place {
        const EnrollmentGroup* group;
        Slot slot;
        const CaCertificate* ca;
        bool pending;
    };
    /// All slots that hold this authority (PRODUCT section 3.3), disabled groups' too.
    std::vector<Place> places_of(const x509::CaKey& key) const;
    /// The group of that instance, or nullptr when it was deleted since.
    const EnrollmentGroup* group(const EntryRef& entry) const;
    /// Those that attest by symmetric key.
    const std::vector<const EnrollmentGroup*>& key_groups() const { return key_groups_; }
    const CaCertificate* ca(const CaId& id) const;
    const CaCertificate* ca_of(const x509::Certificate& certificate) const;

    /// Verified CAs: a path may end at these.
    const x509::AnchorSet& anchors() const { return anchors_; }
    /// Every CA with a record, verified or not, and those whose key is distrusted: for explaining
    /// refusals only.
    const x509::AnchorSet& known_cas() const { return known_cas_; }
    /// For completion (PRODUCT section 3.5).
    const x509::CertificateSet& stored() const { return stored_; }
    const std::unordered_set<Digest>& distrusted() const { return distrusted_; }
    bool remembers(const x509::Certificate& intermediate) const {
        return stored_.contains(intermediate.sha256());
    }
    std::size_t seen_count() const { return records_.seen_intermediates.size(); }
    std::uint64_t config_version() const { return records_.config_version; }
    std::uint64_t anchors_version() const { return records_.anchors_version; }
    const TrustRecords& records() const { return records_; }

private:
    struct CaKeyHash {
        std::size_t operator()(const x509::CaKey& key) const {
            return std::hash<Digest>{}(key.spki) ^ (std::hash<Digest>{}(key.subject) << 1);
        }
    };
    TrustRecords records_;
    std::unordered_map<CaId, const CaCertificate*> cas_by_id_;
    std::unordered_map<Digest, const CaCertificate*> cas_by_digest_;
    std::unordered_map<std::string, const EnrollmentGroup*> groups_by_instance_;
    std::vector<const EnrollmentGroup*> key_groups_;
    std::unordered_multimap<x509::CaKey, Place, CaKeyHash> places_;
    x509::AnchorSet anchors_;
    x509::AnchorSet known_cas_;
    x509::CertificateSet stored_;
    std::unordered_set<Digest> distrusted_;
};

/// What the store knows of one registration id when a request for it comes in.
struct RegistrationContext {
    std::optional<IndividualEnrollment> individual{};
    std::optional<Registration> registration{};
    std::optional<Device> device{};
    /// The leaf stands in a slot of some disabled individual enrollment.
    bool leaf_in_disabled_entry = false;
};

/// The device id a registration of `id` has: what its individual enrollment says, else what it had
/// (a returning device keeps its spelling, since hubs tell ids apart by case), else the id's own
/// spelling. `context.device` is the device of that id: stores look it up by this function.
DeviceId device_id_of(const RegistrationContext& context, const RegistrationId& id);

/// The chain, or a token by a key, proved an enabled entry's slot.
struct Attested {
    EntryRef entry;
    Slot slot = Slot::primary;
    AttestationKind kind = AttestationKind::x509;
    Digest ca_sha256{};
    x509::CaKey ca{};
    /// What the device itself holds: the leaf's SHA-256, or the id of its key.
    Digest credential{};
    bool completed = false;
    /// End entity first; just the leaf for an individual entry; nothing by key.
    std::vector<x509::Certificate> path{};
    ReprovisionPolicy reprovision{};
    bool auto_approve = true;
    bool refuse_older_leaf = false;
    std::string initial_twin{};
    AllocationRule allocation{};
    /// Versions the decision must still find when it is committed.
    TrustVersion entry_trust_version = 0;
};

/// Why a device was refused, as a closed list; each has its sentence in explain().
enum class RefusalCause : std::uint8_t {
    no_certificate,
    unreadable_certificate,
    too_many_certificates,
    name_mismatch,      ///< CN is not the registration id
    not_in_a_slot,      ///< an individual entry decides and holds other leaves
    empty_enrollment,   ///< an individual entry decides and holds none
    certificate_fault,  ///< the verdict's decisive finding says it all
    unverified_ca,
    slot_expired,  ///< the slot's own certificate is outside its validity
    no_group,      ///< whole path to a CA we know, and no group has any of it
    older_leaf,    ///< went back, and the group refuses that
    distrusted,
    individual_disabled,
    group_disabled,
    in_disabled_entry,  ///< a certificate of the path is in a disabled entry
    search_budget,
    token_malformed,
    token_expired,
    token_resource,     ///< signed for another scope, registration or policy
    token_wrong_key,    ///< by none of the keys that could decide
    token_missing,      ///< the entry attests by key, and none came
    wrong_attestation,  ///< the entry attests by certificate, and a token came
};
std::string_view to_string(RefusalCause cause);

/// Everything an operator needs to understand a refusal (`registration explain`).
struct Refusal {
    RefusalCause cause = RefusalCause::certificate_fault;
    std::string explanation{};  ///< what happened, one sentence with the values
    std::string fix{};          ///< what would mend it
    x509::PathVerdict verdict{};
    std::optional<EntryRef> entry{};  ///< the entry that decided, where one did

    /// The entry said no to a device that is its own: answered as status `disabled` at 200, not
    /// as 401 (spec/dps-device-api.md 1.5).
    bool is_disabled() const {
        return cause == RefusalCause::individual_disabled ||
               cause == RefusalCause::group_disabled || cause == RefusalCause::in_disabled_entry;
    }
    /// DPS' code and text for the device.
    Failure for_device() const;
};

using Attestation = std::variant<Attested, Refusal>;

/// Judges what `request` brought. `signatures_max`: what the search may spend; beyond it the
/// refusal is search_budget and the caller may try again off the core.
Attestation attest(const TrustView& trust, const RegistrationContext& context,
                   const RegistrationRequest& request, TimePoint now, x509::SignatureMemory* memory,
                   std::size_t signatures_max);

/// Does what `adoption` rests on still stand (PRODUCT section 3.13)? Withdrawn: entry gone or
/// disabled, CA or leaf withdrawn or distrusted, or an individual entry made since that decides
/// differently. Plain removal and expiry are not withdrawal.
bool trust_is_withdrawn(const TrustView& trust,
                        const std::optional<IndividualEnrollment>& individual,
                        const RegistrationId& id, const Adoption& adoption);

/// Is it the same device that registered: the same leaf in the handshake, or a good token by the
/// same key, which stands in its entry still?
bool is_who_registered(const TrustView& trust, const RegistrationContext& context,
                       const RegistrationRequest& request, const Adoption& adoption, TimePoint now);

/// The part of it that any entry has: a key of the proved path is distrusted.
bool rests_on_distrusted_key(const TrustView& trust, const Adoption& adoption);

}  // namespace rollcall::domain
