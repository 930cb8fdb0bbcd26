// SPDX-License-Identifier: Apache-2.0
// What an operator keeps: CA certificates as records, enrollment groups and individual
// enrollments with two slots each, and the distrust list (PRODUCT sections 3.1, 3.10, 3.11).
// Values only; what they mean for a device is attestation.hpp, how they change is slots.hpp.
#pragma once

#include "base/ids.hpp"
#include "base/world.hpp"
#include "domain/allocation.hpp"
#include "domain/client_notes.hpp"
#include "domain/symmetric_key.hpp"
#include "x509/certificate.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

/// The two places a credential can stand so that it can be rolled. Both attest; their order has
/// no meaning to a device.
enum class Slot : std::uint8_t { primary = 0, secondary = 1 };
inline constexpr std::array<Slot, 2> both_slots{Slot::primary, Slot::secondary};
inline constexpr std::size_t index(Slot slot) {
    return static_cast<std::size_t>(slot);
}
inline constexpr Slot other(Slot slot) {
    return slot == Slot::primary ? Slot::secondary : Slot::primary;
}
std::string_view to_string(Slot slot);
Result<Slot> parse_slot(std::string_view text);

/// How an entry's devices prove themselves.
enum class AttestationKind : std::uint8_t { x509 = 0, symmetric_key = 1 };
/// DPS' own words: "x509", "symmetricKey".
std::string_view to_string(AttestationKind kind);

/// How an operator showed that a CA is its own.
struct CaVerification {
    enum class How : std::uint8_t { proof, vouched } how = How::proof;
    TimePoint at{};
    std::string by{};

    bool operator==(const CaVerification&) const = default;
};

/// A CA certificate known to the server. Slots refer to it; an inline upload makes an unnamed one
/// that goes when no slot refers to it any more. One record for one certificate (by SHA-256).
struct CaCertificate {
    CaId id;
    std::string name;  ///< empty: unnamed
    x509::Certificate certificate;
    std::optional<CaVerification> verified{};
    std::string pending_code{};  ///< of proof of possession; empty: none asked for
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    bool operator==(const CaCertificate&) const = default;
};

/// A group's slot: what attests now and what waits to be verified in its place. References may
/// dangle; a dangling one never attests.
struct GroupSlot {
    std::optional<CaId> current{};
    std::optional<CaId> pending{};

    bool operator==(const GroupSlot&) const = default;
};

/// May a returning device change its hub, and does its data follow (spec/dps-device-api.md 1.10)?
struct ReprovisionPolicy {
    bool update_hub_assignment = true;
    bool migrate_device_data = true;

    bool operator==(const ReprovisionPolicy&) const = default;
};

/// Counts how often the trust an entry gives has changed. Decisions are committed only under the
/// version they were made under; counters and texts never bump it (PRODUCT section 3.16).
using TrustVersion = std::uint64_t;

struct EnrollmentGroup {
    GroupId id;
    /// Tells this group from an earlier one of the same name; random, never reused.
    std::string instance;
    bool enabled = true;
    std::array<GroupSlot, 2> slots{};
    /// Set where the group attests by symmetric key: its slots then hold these and no CAs, and
    /// each device has a key derived from them.
    std::optional<SymmetricKeys> keys{};
    ReprovisionPolicy reprovision{};
    /// Unknown devices under a valid chain are let in at once; else they wait for approval.
    bool auto_approve = true;
    /// Refuse a device that returns with a leaf older than its last (PRODUCT section 3.14).
    bool refuse_older_leaf = false;
    std::string initial_twin{};  ///< JSON text; empty: none
    AllocationRule allocation{};
    ClientNotes notes{};
    /// CAs whose trust was withdrawn from this group (not plainly removed) and not put back; keys
    /// by their id, as a CaKey of key_as_ca().
    std::vector<x509::CaKey> withdrawn{};
    TrustVersion trust_version = 1;
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    GroupSlot& at(Slot slot) { return slots[index(slot)]; }
    const GroupSlot& at(Slot slot) const { return slots[index(slot)]; }
    bool operator==(const EnrollmentGroup&) const = default;
};

/// One device by its registration id, with up to two leaf certificates.
struct IndividualEnrollment {
    RegistrationId id;
    std::string instance;
    std::optional<DeviceId> device_id{};  ///< else the registration id's own spelling
    bool enabled = true;
    std::array<std::optional<x509::Certificate>, 2> slots{};
    /// Set where it attests by symmetric key: its slots then hold these and no certificates.
    std::optional<SymmetricKeys> keys{};
    ReprovisionPolicy reprovision{};
    std::string initial_twin{};
    AllocationRule allocation{};
    ClientNotes notes{};
    /// Leaves (SHA-256) and keys (id) whose trust was withdrawn and that were not put back.
    std::vector<Digest> withdrawn{};
    TrustVersion trust_version = 1;
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    std::optional<x509::Certificate>& at(Slot slot) { return slots[index(slot)]; }
    const std::optional<x509::Certificate>& at(Slot slot) const { return slots[index(slot)]; }
    bool operator==(const IndividualEnrollment&) const = default;
};

/// A key that nobody may use again: no path that contains it is valid under any entry.
struct Distrusted {
    Digest spki;            ///< or the id of a symmetric key
    std::string subject{};  ///< of the certificate it was taken from, for people
    std::string reason{};
    std::string by{};
    TimePoint at{};
    /// The certificate itself, where it was at hand: devices rarely send their root, and a refusal
    /// that names the lost one helps more than one that misses it.
    std::optional<x509::Certificate> certificate{};

    bool operator==(const Distrusted&) const = default;
};

/// Which enrollment a registration rests on.
struct EntryRef {
    enum class Kind : std::uint8_t { individual, group } kind = Kind::group;
    std::string id{};        ///< registration id (folded) or group id
    std::string instance{};  ///< the record's own, so that a namesake made later is another

    bool operator==(const EntryRef&) const = default;
};
std::string_view to_string(EntryRef::Kind kind);

template <class Entry>
AttestationKind kind_of(const Entry& entry) {
    return entry.keys ? AttestationKind::symmetric_key : AttestationKind::x509;
}

/// A group's key where records of proofs have the CA: it withdraws, counts and is distrusted alike.
inline x509::CaKey key_as_ca(const SymmetricKey& key) {
    return {Digest{}, key.id()};
}

EntryRef entry_of(const EnrollmentGroup& group);
EntryRef entry_of(const IndividualEnrollment& enrollment);

}  // namespace rollcall::domain
