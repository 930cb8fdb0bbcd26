// SPDX-License-Identifier: Apache-2.0
// Changes: writes that become true together or not at all, with the versions they assume and the
// audit events that tell of them. Built by domain and service, carried out by store/ledger.
#pragma once

#include "domain/access_token.hpp"
#include "domain/device_group.hpp"
#include "domain/device_notes.hpp"
#include "domain/enrollment.hpp"
#include "domain/job.hpp"
#include "domain/registration.hpp"
#include "domain/sas_policy.hpp"
#include "domain/twin.hpp"
#include "domain/user.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::domain {

// --- What must still hold when the changes are committed -----------------------------------

enum class RecordKind : std::uint8_t {
    ca,
    group,
    individual,
    registration,
    device,
    token,
    twin,
    hub,
    policy,
    device_group,
    job,
    user,       ///< by its id
    user_name,  ///< the same record by its name
    session,    ///< its etag is the SHA-256 of its secret, as hex
};

/// The record has this etag; an empty one means that there is no such record. Refused as `stale`.
struct ExpectEtag {
    RecordKind kind;
    std::string id;  ///< as the record's id prints (registration ids folded)
    ETag etag;

    bool operator==(const ExpectEtag&) const = default;
};
/// The entry still gives the trust a decision was made under. version 0 with an empty instance:
/// there is no such entry. Refused as `conflict` with reason "trust-moved".
struct ExpectTrust {
    EntryRef entry;
    TrustVersion version = 0;

    bool operator==(const ExpectTrust&) const = default;
};
/// No change since that could change verdicts under other entries. "trust-moved" otherwise.
struct ExpectAnchors {
    std::uint64_t version = 0;

    bool operator==(const ExpectAnchors&) const = default;
};
/// The leaf stands in no slot of a disabled individual enrollment. "trust-moved" otherwise.
struct ExpectLeafNotDisabled {
    Digest leaf_sha256;

    bool operator==(const ExpectLeafNotDisabled&) const = default;
};
/// No change of CAs, groups or the distrust list since. Refused as `stale` with reason
/// "config-moved": the operator's use case reads again and retries by itself.
struct ExpectConfig {
    std::uint64_t version = 0;

    bool operator==(const ExpectConfig&) const = default;
};
/// Fewer than `max` messages wait for the device, those not counted that expire by `now`. Refused
/// as `conflict` with reason "queue-full".
struct ExpectQueueRoom {
    DeviceId device;
    std::size_t max = 0;
    TimePoint now{};

    bool operator==(const ExpectQueueRoom&) const = default;
};
/// There are fewer than `max` device groups. `conflict`, "too-many-device-groups".
struct ExpectDeviceGroupRoom {
    std::size_t max = 0;

    bool operator==(const ExpectDeviceGroupRoom&) const = default;
};
/// Fewer than `under_way` jobs are pending or running, and there are fewer than `kept` in all.
/// `conflict`, "too-many-jobs-under-way" or "too-many-jobs".
struct ExpectJobRoom {
    std::size_t under_way = 0;
    std::size_t kept = 0;

    bool operator==(const ExpectJobRoom&) const = default;
};
/// Without this user there is an administrator left: another enabled user, or a bearer token that
/// has not ended. Refused as `conflict` with reason "last-administrator".
struct ExpectAdministrator {
    std::string except_user;  ///< its id
    bool count_tokens = true;
    TimePoint now{};

    bool operator==(const ExpectAdministrator&) const = default;
};
using Expectation =
    std::variant<ExpectEtag, ExpectTrust, ExpectAnchors, ExpectLeafNotDisabled, ExpectConfig,
                 ExpectQueueRoom, ExpectDeviceGroupRoom, ExpectJobRoom, ExpectAdministrator>;

// --- What becomes true ----------------------------------------------------------------------

struct PutCa {
    CaCertificate ca;
};
struct DeleteCa {
    CaId id;
};
struct PutGroup {
    EnrollmentGroup group;
};
struct DeleteGroup {
    GroupId id;
};
struct PutIndividual {
    IndividualEnrollment enrollment;
};
struct DeleteIndividual {
    RegistrationId id;
};
/// Writes the registration and puts `registration.last` into the device's adoption history.
struct PutRegistration {
    Registration registration;
};
struct DeleteRegistration {
    RegistrationId id;
};
struct PutDevice {
    Device device;
};
/// Its notes, its twin, its subscriptions and the messages that wait for it go with it.
struct DeleteDevice {
    DeviceId id;
};
struct PutDistrusted {
    Distrusted distrusted;
};
struct LiftDistrusted {
    Digest spki;
};
/// An intermediate seen on a valid path; beyond limits::seen_intermediates_max the oldest goes.
struct RememberIntermediate {
    x509::Certificate certificate;
    TimePoint at{};
};
struct PutSetting {
    std::string key;
    std::string value;
};
struct PutToken {
    AccessToken token;
};
/// That it was used; where it is gone, nothing. Its etag stays.
struct TouchToken {
    std::string name;
    TimePoint at{};
};
struct DeleteToken {
    std::string name;  ///< without case
};
struct PutPolicy {
    SasPolicy policy;
};
struct DeletePolicy {
    std::string name;  ///< without case
};
struct PutTwin {
    Twin twin;
};
/// At the end of the device's queue; what expired by `message.enqueued` goes from it.
struct QueueMessage {
    DeviceMessage message;  ///< `number` is the store's to give
};
/// The device has it, or it shall not get it any more. One that is gone already is no error.
struct RemoveMessage {
    DeviceId device;
    std::uint64_t number = 0;
};
/// Replaces what was kept; none at all is the same as no record.
struct PutSubscriptions {
    DeviceId device;
    Subscriptions subscriptions;
};
struct PutHub {
    LinkedHub hub;
};
struct DeleteHub {
    std::string name;  ///< without case
};
/// What operators say of a device; comes with a PutDevice, whose ETag moves.
struct PutDeviceNotes {
    DeviceId device;
    DeviceNotes notes;
};
struct PutDeviceGroup {
    DeviceGroup group;
};
struct DeleteDeviceGroup {
    std::string id;  ///< with case
};
struct PutJob {
    Job job;
};
/// Its devices' records have to be gone: DeleteJobDevices takes some at a time, so that a large job
/// keeps nobody waiting.
struct DeleteJob {
    std::string id;  ///< with case
};
/// By job and number; one that is there is replaced.
struct PutJobDevice {
    JobDevice device;
};
/// Those of a job with numbers from `from` to before `to`.
struct DeleteJobDevices {
    std::string job;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
};
/// Refused as `conflict` with reason "identity-taken" where another user has this identity.
struct PutUser {
    User user;
};
/// Its sessions go with it.
struct DeleteUser {
    std::string id;  ///< without case
};
/// Also drops sessions that nobody will use again: those last used, or begun, before the times.
struct PutSession {
    Session session;
    TimePoint used_after{};
    TimePoint created_after{};
};
/// One that is gone already is no error.
struct DeleteSession {
    std::string id;
};
struct DeleteSessionsOf {
    std::string user_id;  ///< without case
};
/// Takes the audit log's records up to a number away; the last of them stays as a signed
/// checkpoint. None where they are gone already.
struct PruneAudit {
    std::uint64_t up_to = 0;
};
using Write =
    std::variant<PutCa, DeleteCa, PutGroup, DeleteGroup, PutIndividual, DeleteIndividual,
                 PutRegistration, DeleteRegistration, PutDevice, DeleteDevice, PutDistrusted,
                 LiftDistrusted, RememberIntermediate, PutSetting, PutToken, DeleteToken, PutTwin,
                 QueueMessage, RemoveMessage, PutSubscriptions, ResetTwin, PutHub, DeleteHub,
                 PutPolicy, DeletePolicy, TouchToken, PutDeviceNotes, PutDeviceGroup,
                 DeleteDeviceGroup, PutJob, DeleteJob, PutJobDevice, DeleteJobDevices, PutUser,
                 DeleteUser, PutSession, DeleteSession, DeleteSessionsOf, PruneAudit>;

/// What an operator did. The ledger numbers it and chains it to the one before (PRODUCT
/// section 5). `detail` is JSON text without secrets.
struct AuditEvent {
    TimePoint at{};
    std::string actor{};   ///< "local administrator", "token:ci", "policy:ci", "user:ann"
    std::string source{};  ///< address, or "local"
    std::string action{};  ///< "group.cert.set"
    std::string object{};  ///< "group/fleet-a"
    std::string detail{};
    std::string reason{};  ///< the operator's own words

    bool operator==(const AuditEvent&) const = default;
};

struct Changes {
    std::vector<Expectation> expects{};
    std::vector<Write> writes{};
    std::vector<AuditEvent> audit{};
    /// Set by operator changes of CAs, groups, hubs and the distrust list: moves config_version.
    bool moves_config = false;
    /// Set where verdicts under other entries can change (a CA record's verification or removal,
    /// distrust, a group disabled or with a slot taken away while disabled): moves anchors_version.
    bool moves_anchors = false;

    bool empty() const { return writes.empty() && audit.empty(); }
};

}  // namespace rollcall::domain
