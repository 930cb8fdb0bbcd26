// SPDX-License-Identifier: Apache-2.0
// Enroller: an operator's changes, each one use case: read what it needs, let domain/ make the
// Changes, commit them with their audit event, tell what became of it. The one model under the
// native API and, later, the facades of existing tools, which translate words only.
//
// Every use case takes an Order (who, why, under which ETag, or only as a preview) and answers an
// Outcome. A version that moved under it is read again and tried again by itself; `stale` comes
// out only where the caller's If-Match does not fit. Other errors: malformed, not_found, conflict
// with the reasons domain/slots.hpp and domain/cas.hpp name; the store's own.
#pragma once

#include "base/task.hpp"
#include "domain/cas.hpp"
#include "domain/entry_put.hpp"
#include "service/caller.hpp"
#include "service/preview.hpp"
#include "service/trust_book.hpp"
#include "service/views.hpp"
#include "store/store.hpp"

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::service {

struct NewCa {
    std::string name{};
    std::string certificate{};  ///< as uploaded (x509::read_one_certificate)
    bool vouch = false;
    bool force = false;
};

/// Shows that a CA is the operator's own: by proof, or by vouching for it.
struct CaProof {
    std::string certificate{};
    bool vouch = false;
};

/// A code to be signed, and who has to sign it.
struct PossessionCode {
    std::string code;
    CaId ca;
    Digest sha256{};
    ETag etag;  ///< of the record that was asked: the CA, or the group
};

/// Symmetric keys as given, in base64; none: one is made up.
struct KeyUploads {
    std::array<std::optional<std::string>, 2> slots{};
};
struct KeyUpload {
    std::optional<std::string> key{};
    domain::Removal removal = domain::Removal::plain;
};

/// An allocation rule; members that are not set stay. A webhook's address as it is shown (its key
/// hidden) stands for the one that is there.
struct AllocationSettings {
    std::optional<std::optional<domain::AllocationPolicy>> policy{};  ///< inner none: the server's
    std::optional<std::vector<std::string>> hubs{};
    std::optional<std::optional<domain::CustomAllocation>> custom{};
};

/// A hub to be linked, or what changes of one.
struct HubSettings {
    std::optional<bool> own{};  ///< a name of this server; when it is linked only
    std::optional<std::uint32_t> weight{};
    std::optional<bool> allocate{};
};

/// Settings of an entry; members that are not set stay.
struct EntrySettings {
    std::optional<bool> enabled{};
    std::optional<bool> update_hub_assignment{};
    std::optional<bool> migrate_device_data{};
    std::optional<std::string> initial_twin{};  ///< JSON text; empty: none
    /// Of a new entry: it attests by symmetric key. An update does not look at them.
    std::optional<KeyUploads> keys{};
    AllocationSettings allocation{};
};
struct GroupSettings : EntrySettings {
    std::optional<bool> auto_approve{};
    std::optional<bool> refuse_older_leaf{};
    /// Of IoT Central (domain::ClientNotes).
    std::optional<std::string> display_name{};
    std::optional<bool> iot_edge{};
};
struct IndividualSettings : EntrySettings {
    /// Empty text: the registration id.
    std::optional<std::string> device_id{};
};

struct SlotUpload {
    std::string certificate{};
    domain::Replacement replacement = domain::Replacement::staged;
    bool vouch = false;
    bool force = false;
};

/// What becomes of an individual enrollment's slots: outer none = stays, inner none = emptied.
struct LeafUploads {
    std::array<std::optional<std::optional<std::string>>, 2> slots{};
    domain::Removal removal = domain::Removal::plain;
    bool force = false;
};

/// A certificate as uploaded, in any spelling; of several the first counts.
struct UploadedCertificate {
    std::string text{};
};
using WishedSlot =
    std::variant<std::monostate, UploadedCertificate, domain::KeptCertificate, domain::CaReference>;

/// An entry written as a whole: what is not said is as in a new one.
struct EntryWish {
    bool enabled = true;
    domain::ReprovisionPolicy reprovision{};
    std::string initial_twin{};  ///< JSON text; empty: none
    std::string device_id{};     ///< of an individual enrollment; empty: the registration id
    std::optional<domain::AllocationPolicy> policy{};
    std::vector<std::string> hubs{};
    /// Counts with the custom policy only.
    std::optional<domain::CustomAllocation> custom{};
    domain::ClientNotes notes{};
    /// Given: it attests by symmetric key, and a key that is not given stays, or is made up.
    std::optional<KeyUploads> keys{};
    std::array<WishedSlot, 2> slots{};
};

/// A group as the clients of IoT Central write it: settings and slots that are not given stay.
struct GroupWrite {
    /// Of a new one: by certificate, unless said.
    std::optional<domain::AttestationKind> attestation{};
    /// With `keys`: it attests by them; one that is not given stays, or is made up.
    GroupSettings settings{};
    std::array<std::optional<SlotUpload>, 2> slots{};
};
/// The same of an individual enrollment.
struct IndividualWrite {
    std::optional<domain::AttestationKind> attestation{};
    IndividualSettings settings{};
    LeafUploads leaves{};
};
/// What an operator says of a device; members that are not set stay.
struct DeviceWrite {
    /// May it come in: true approves and unblocks it, false blocks it.
    std::optional<bool> enabled{};
    std::optional<std::string> display_name{};  ///< empty: its id
    std::optional<std::string> template_id{};   ///< empty: none
    std::optional<bool> simulated{};
    std::optional<std::vector<std::string>> organizations{};
};

/// What a whole entry may find in its place.
enum class PutMode : std::uint8_t {
    make_or_change,
    make,    ///< conflict "group-exists", "enrollment-exists"
    change,  ///< not_found "group-not-found", "enrollment-not-found"
};

/// An entry of an import: as another service had it, under its id.
struct ImportEntry {
    std::string id;
    EntryWish wish;
};

/// A device as another service had it.
struct ImportDevice {
    std::string id;
    DeviceWrite write;
};

/// What became of it.
struct Imported {
    enum class What : std::uint8_t {
        made,
        completed,  ///< it was there without a certificate, or words, and has them now
        there,      ///< as it should be
        differs,    ///< it is there, otherwise: left alone
        refused,
    } what = What::refused;
    std::optional<Error> refusal{};
    std::vector<std::string> differences{};  ///< in what, as audit events call it
    std::vector<x509::Finding> findings{};
    std::vector<std::string> warnings{};
};

/// Which key nobody may use again: of a certificate, or by its digest.
struct DistrustRequest {
    std::string certificate{};
    std::optional<Digest> spki{};
};

class Enroller {
public:
    Enroller(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
             const Clock& clock, Entropy& entropy);

    // CA certificates (enroller_cas.cpp). `ca`: id, name or SHA-256.
    Task<Result<Outcome<CaView>>> add_ca(const Order& order, const NewCa& request);
    /// "Make it so", for facades: a record of that name with the first certificate of the file,
    /// made or replaced at once (domain::replace_ca), whatever the findings. An existing one is
    /// replaced under an If-Match only ("if-match-missing"); with one there has to be one
    /// (`stale`).
    Task<Result<Outcome<CaView>>> put_ca(const Order& order, const NewCa& request);
    Task<Result<Outcome<std::string>>> delete_ca(const Order& order, const std::string& ca,
                                                 domain::Removal removal);
    /// A fresh code; one asked for before is void. conflict "already-verified".
    Task<Result<PossessionCode>> ask_ca_code(const Order& order, const std::string& ca);
    /// conflict with x509::check_possession's reasons, "no-code", "already-verified".
    Task<Result<Outcome<CaView>>> verify_ca(const Order& order, const std::string& ca,
                                            const CaProof& proof);

    // Groups (enroller_groups.cpp) and their slots (enroller_slots.cpp).
    /// conflict "group-exists".
    Task<Result<Outcome<GroupView>>> create_group(const Order& order, const std::string& id,
                                                  const GroupSettings& settings);
    Task<Result<Outcome<GroupView>>> update_group(const Order& order, const std::string& id,
                                                  const GroupSettings& settings);
    Task<Result<Outcome<std::string>>> delete_group(const Order& order, const std::string& id);
    Task<Result<Outcome<GroupView>>> set_group_slot(const Order& order, const std::string& id,
                                                    domain::Slot slot, const SlotUpload& upload);
    /// Both slots in one change; `secondary`'s own replacement, vouch and force are not looked at.
    Task<Result<Outcome<GroupView>>> set_both_group_slots(const Order& order, const std::string& id,
                                                          const SlotUpload& primary,
                                                          const std::string& secondary);
    Task<Result<Outcome<GroupView>>> remove_group_slot(const Order& order, const std::string& id,
                                                       domain::Slot slot, domain::Removal removal,
                                                       bool pending_only);
    Task<Result<Outcome<GroupView>>> swap_group_slots(const Order& order, const std::string& id);
    /// For what waits to be verified in the slot. not_found "slot-empty".
    Task<Result<PossessionCode>> ask_slot_code(const Order& order, const std::string& id,
                                               domain::Slot slot);
    Task<Result<Outcome<GroupView>>> verify_group_slot(const Order& order, const std::string& id,
                                                       domain::Slot slot, const CaProof& proof);

    // Individual enrollments (enroller_individuals.cpp).
    /// conflict "enrollment-exists".
    Task<Result<Outcome<domain::IndividualEnrollment>>> create_individual(
        const Order& order, const std::string& id, const IndividualSettings& settings,
        const LeafUploads& uploads);
    Task<Result<Outcome<domain::IndividualEnrollment>>> update_individual(
        const Order& order, const std::string& id, const IndividualSettings& settings,
        const LeafUploads& uploads);
    Task<Result<Outcome<domain::IndividualEnrollment>>> swap_individual_slots(
        const Order& order, const std::string& id);
    Task<Result<Outcome<std::string>>> delete_individual(const Order& order, const std::string& id);

    // Both, written as wholes (enroller_put.cpp). Errors beside domain/entry_put.hpp's and
    // domain/key_slots.hpp's: stale where If-Match asks for a record that is not there; malformed
    // "attestation-type" (certificates stay certificates, keys keys).
    Task<Result<Outcome<GroupView>>> put_group(const Order& order, const std::string& id,
                                               const EntryWish& wish, PutMode mode);
    Task<Result<Outcome<domain::IndividualEnrollment>>> put_individual(const Order& order,
                                                                       const std::string& id,
                                                                       const EntryWish& wish,
                                                                       PutMode mode);

    // What the clients of IoT Central write, one commit each (enroller_write.cpp). Errors as those
    // of put_group() and put_individual(), and of domain/slots.hpp.
    /// A new group may be without any certificate: it attests nothing until it has one.
    Task<Result<Outcome<GroupView>>> write_group(const Order& order, const std::string& id,
                                                 const GroupWrite& write, PutMode mode);
    Task<Result<Outcome<domain::IndividualEnrollment>>> write_individual(
        const Order& order, const std::string& id, const IndividualWrite& write, PutMode mode);
    /// A new device is registered: it may come, and has not come yet. Errors beside
    /// domain::check_notes()'s: malformed where the id is no registration id, conflict
    /// "device-exists" (under another spelling), not_found "device-not-found", stale.
    Task<Result<Outcome<domain::NotedDevice>>> write_device(const Order& order,
                                                            const std::string& id,
                                                            const DeviceWrite& write, PutMode mode);

    // What another service had (enroller_import.cpp). What is there is left alone, so that the same
    // import twice changes nothing the second time. A dry run tells the same and changes nothing.
    /// In the order of `entries`, which are written together: all that can be made, in one commit.
    /// A disabled entry may be without a certificate. Beside put_individual()'s refusals: malformed
    /// "repeated-entry", "key-missing" (an import makes up no keys). Errors concern all of them.
    Task<Result<std::vector<Imported>>> import_individuals(const Order& order,
                                                           const std::vector<ImportEntry>& entries);
    /// A group may be without certificates.
    Task<Result<Imported>> import_group(const Order& order, const ImportEntry& entry);
    /// Devices that may come, or must not, before they come; together, as individuals are. One
    /// that is there of which nothing was said gets what is said here.
    Task<Result<std::vector<Imported>>> import_devices(const Order& order,
                                                       const std::vector<ImportDevice>& devices);

    // Symmetric keys of both (enroller_keys.cpp). Errors beside domain/key_slots.hpp's: conflict
    // "attests-by-certificate", malformed "malformed-key".
    Task<Result<Outcome<GroupView>>> set_group_key(const Order& order, const std::string& id,
                                                   domain::Slot slot, const KeyUpload& upload);
    Task<Result<Outcome<domain::IndividualEnrollment>>> set_individual_key(const Order& order,
                                                                           const std::string& id,
                                                                           domain::Slot slot,
                                                                           const KeyUpload& upload);
    /// The group's own keys, or those a device of it has. Audited, without the keys.
    Task<Result<domain::SymmetricKeys>> show_group_keys(
        const Order& order, const std::string& id,
        const std::optional<RegistrationId>& derived_for);
    Task<Result<domain::SymmetricKeys>> show_individual_keys(const Order& order,
                                                             const std::string& id);

    // Linked hubs and the server's own allocation rule (enroller_hubs.cpp).
    /// conflict "hub-exists", "too-many-hubs".
    Task<Result<Outcome<domain::LinkedHub>>> add_hub(const Order& order, const std::string& name,
                                                     const HubSettings& settings);
    /// not_found "hub-not-found".
    Task<Result<Outcome<domain::LinkedHub>>> update_hub(const Order& order, const std::string& name,
                                                        const HubSettings& settings);
    /// Its devices keep what they were told until they register again. conflict "own-hub": the
    /// name this server runs under.
    Task<Result<Outcome<std::string>>> remove_hub(const Order& order, const std::string& name);
    /// For entries without a policy of their own; custom is not for all.
    Task<Result<Outcome<domain::AllocationRule>>> set_server_rule(
        const Order& order, const AllocationSettings& settings);

    // Devices (enroller_devices.cpp).
    Task<Result<Outcome<domain::Device>>> approve_device(const Order& order, const std::string& id);
    Task<Result<Outcome<domain::Device>>> block_device(const Order& order, const std::string& id);
    Task<Result<Outcome<domain::Device>>> unblock_device(const Order& order, const std::string& id);
    /// With its registration and its history; `entry`: with its individual enrollment too.
    enum class DeviceEntry : std::uint8_t { stays, goes };
    Task<Result<Outcome<std::string>>> delete_device(const Order& order, const std::string& id,
                                                     DeviceEntry entry = DeviceEntry::stays);

    /// Forgets what the device was answered and proved; the device itself stays, and has to
    /// register before its hub lets it in again. not_found "registration-not-found".
    Task<Result<Outcome<std::string>>> delete_registration(const Order& order,
                                                           const std::string& id);

    // The distrust list (enroller_distrust.cpp). Both want a reason.
    /// conflict "already-distrusted".
    Task<Result<Outcome<domain::Distrusted>>> distrust(const Order& order,
                                                       const DistrustRequest& request);
    Task<Result<Outcome<std::string>>> lift_distrust(const Order& order, const Digest& spki);

private:
    struct Snapshot;
    struct Subject;
    struct Plan;
    struct Put;
    using Planner = std::function<Result<Plan>(const Snapshot&, const domain::Writing&)>;

    /// The loop of every use case: read, plan, then preview or commit.
    Task<Result<Plan>> change(const Order& order, const Subject& subject, const Planner& planner);
    Task<Result<Snapshot>> look(const Subject& subject);
    Task<Result<Done>> measure(Plan& plan);
    domain::Writing draw(const Order& order);

    Task<Result<Outcome<GroupView>>> change_group(const Order& order, const std::string& id,
                                                  const Planner& planner);
    Task<Result<Outcome<CaView>>> show_ca(const Order& order, const Plan& plan,
                                          const Digest& sha256);
    static Result<Plan> plan_code(const domain::TrustView& trust, const domain::CaCertificate& ca,
                                  const std::string& code, const domain::Writing& writing);
    static Result<Plan> plan_verification(const domain::TrustView& trust,
                                          const domain::CaCertificate& ca, const CaProof& proof,
                                          const domain::Writing& writing);
    static Result<Plan> plan_slots(const domain::TrustView& trust,
                                   const domain::EnrollmentGroup& before,
                                   domain::SlotOutcome outcome);
    static Result<Plan> plan_individual(const Snapshot& snapshot,
                                        const domain::IndividualEnrollment& before,
                                        const domain::IndividualEnrollment& edited,
                                        const std::vector<domain::LeafChange>& leaves,
                                        const LeafUploads& uploads, const domain::Writing& writing);
    Result<Plan> plan_put(const Put& put, const Snapshot& snapshot,
                          const domain::EnrollmentGroup* before, const domain::Writing& writing);
    Result<Plan> plan_put(const Put& put, const Snapshot& snapshot,
                          const domain::IndividualEnrollment* before,
                          const domain::Writing& writing);
    Result<Plan> plan_write(const Snapshot& snapshot, const domain::EnrollmentGroup& before,
                            const GroupWrite& write, const domain::Writing& writing);
    Result<Plan> plan_write(const Snapshot& snapshot, const domain::IndividualEnrollment& before,
                            const IndividualWrite& write, const domain::Writing& writing);
    static Result<Plan> plan_write(const Snapshot& snapshot, const std::string& id,
                                   const DeviceWrite& write, const domain::Writing& writing);
    struct Import;
    /// Plans many things to be done in one commit.
    using BatchPlanner = std::function<Task<Result<Done>>(domain::Changes&)>;
    Task<Result<Done>> change_together(const Order& order, const BatchPlanner& planner);
    Task<Result<Done>> plan_imports(const Order& order, std::vector<Import>& imports,
                                    domain::Changes& changes);
    Task<Result<Imported>> plan_device_import(const Order& order, const ImportDevice& device,
                                              domain::Changes& changes);
    Result<Plan> plan_import(Import& import, const Snapshot& snapshot,
                             const domain::Writing& writing);
    Result<Plan> plan_group_import(Import& import, const Snapshot& snapshot,
                                   const domain::Writing& writing);
    static Result<Plan> plan_switch(const Order& order, const Snapshot& snapshot,
                                    const std::string& id, bool domain::Device::*which, bool value,
                                    const domain::Writing& writing);

    Task<Result<Outcome<domain::IndividualEnrollment>>> change_individual(const Order& order,
                                                                          const std::string& id,
                                                                          const Planner& planner);
    Task<Result<Outcome<domain::LinkedHub>>> change_hub(const Order& order, const std::string& name,
                                                        const Planner& planner);
    Task<Result<Outcome<domain::Device>>> change_device(const Order& order, const std::string& id,
                                                        const Planner& planner);
    Task<Result<Outcome<std::string>>> erase(const Order& order, const Subject& subject,
                                             const Planner& planner);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    TrustBook& trust_book_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::service
