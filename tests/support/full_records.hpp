// SPDX-License-Identifier: Apache-2.0
// Records for tests, each with every member set to something that is not its default.
#pragma once

#include "domain/attestation.hpp"
#include "domain/changes.hpp"
#include "x509/authority.hpp"
#include "x509/digest.hpp"

#include <string>

namespace rollcall::test {

inline TimePoint day(std::string_view text) {
    return parse_iso8601(text).value();
}

inline Digest digest_of(std::string_view text) {
    return x509::sha256(as_bytes(text));
}

/// A self-signed certificate of that name; two calls give two certificates with one key.
inline x509::Certificate a_certificate(const std::string& name) {
    static const auto key = x509::PrivateKey::generate(x509::KeyType::p256).value();
    SystemEntropy entropy;
    const x509::IssuanceProfile profile{.common_name = name,
                                        .not_before = day("2020-01-01"),
                                        .not_after = day("2040-01-01"),
                                        .kind = x509::IssuanceProfile::Kind::root};
    return x509::issue_self_signed(profile, key, entropy).value().certificate;
}

/// Two keys of different sizes.
inline domain::SymmetricKeys keys_of(const std::string& name) {
    const std::string longer(64 - std::min<std::size_t>(name.size(), 64), '+');
    return {domain::derived_device_key(*domain::symmetric_key_of(Bytes(16, 7)),
                                       RegistrationId::trusted(name)),
            *domain::symmetric_key_of(Bytes{longer.begin(), longer.end()})};
}

inline domain::CaCertificate a_ca(const std::string& name) {
    return {.id = CaId::trusted("ca-" + name),
            .name = name,
            .certificate = a_certificate(name),
            .verified = domain::CaVerification{domain::CaVerification::How::vouched,
                                               day("2026-02-03"), "token:ci"},
            .pending_code = "0123ABCD",
            .etag = ETag::trusted("ca-etag-" + name),
            .created = day("2026-01-01"),
            .updated = day("2026-01-02")};
}

inline domain::EnrollmentGroup a_group(const std::string& name) {
    domain::EnrollmentGroup group;
    group.id = GroupId::trusted(name);
    group.instance = "instance-of-" + name;
    group.slots[0] = {CaId::trusted("ca-a"), CaId::trusted("ca-b")};
    group.slots[1] = {std::nullopt, CaId::trusted("ca-c")};
    group.keys = keys_of("group " + name);
    group.reprovision = {false, false};
    group.auto_approve = false;
    group.refuse_older_leaf = true;
    group.initial_twin = R"({"tags":{}})";
    group.allocation = {domain::AllocationPolicy::custom,
                        {"b.example", "a.example"},
                        {"https://hook.example/a?code=x", "2021-10-01"}};
    group.notes = {{}, false, true, true, true};
    group.withdrawn = {{digest_of("subject"), digest_of("key")}};
    group.trust_version = 3;
    group.etag = ETag::trusted("group-etag-" + name);
    group.created = day("2026-01-01");
    group.updated = day("2026-01-02");
    return group;
}

inline domain::IndividualEnrollment an_individual(const std::string& name) {
    domain::IndividualEnrollment enrollment;
    enrollment.id = RegistrationId::trusted(name);
    enrollment.instance = "instance-of-" + name;
    enrollment.device_id = DeviceId::trusted("Device-Of-" + name);
    enrollment.slots[0] = a_certificate(name + " 1");
    enrollment.slots[1] = a_certificate(name + " 2");
    enrollment.keys = keys_of("individual " + name);
    enrollment.reprovision = {false, true};
    enrollment.initial_twin = R"({"tags":{"a":1}})";
    enrollment.allocation = {domain::AllocationPolicy::static_hub, {"a.example"}};
    enrollment.notes = {R"({"a":"b\nc"})", true};
    enrollment.withdrawn = {digest_of("leaf 1"), digest_of("leaf 2")};
    enrollment.trust_version = 4;
    enrollment.etag = ETag::trusted("individual-etag-" + name);
    enrollment.created = day("2026-01-01");
    enrollment.updated = day("2026-01-02");
    return enrollment;
}

inline domain::EntryRef group_entry(const std::string& group) {
    return {domain::EntryRef::Kind::group, group, "instance-of-" + group};
}

inline domain::Adoption an_adoption(const std::string& group, const std::string& ca) {
    domain::Adoption adoption;
    adoption.operation = OperationId::trusted("5.0123456789abcdef.operation");
    adoption.at = day("2026-03-01");
    adoption.entry = group_entry(group);
    adoption.slot = domain::Slot::secondary;
    adoption.attestation = domain::AttestationKind::symmetric_key;
    adoption.ca_sha256 = digest_of("ca " + ca);
    adoption.ca = {digest_of("ca subject " + ca), digest_of("ca key " + ca)};
    adoption.leaf_sha256 = digest_of("leaf");
    adoption.leaf_spki = digest_of("leaf key");
    adoption.serial = "01AB";
    adoption.not_before = day("2026-01-01");
    adoption.not_after = day("2027-01-01");
    adoption.key = "P-256";
    adoption.signature_algorithm = "ecdsa-with-SHA256";
    adoption.chain_length = 2;
    adoption.path_keys = {digest_of("leaf key"), digest_of("ca key " + ca)};
    adoption.completed = true;
    adoption.went_back = true;
    adoption.protocol = domain::Protocol::mqtt_ws;
    adoption.api_version = "2021-06-01";
    adoption.user_agent = "device/1.0";
    adoption.tls_version = "TLSv1.3";
    adoption.tls_cipher = "TLS_AES_128_GCM_SHA256";
    adoption.status = domain::RegistrationStatus::failed;
    adoption.substatus = domain::Substatus::device_data_reset;
    adoption.failure = {400209, "blocked"};
    return adoption;
}

inline domain::Registration a_registration(const std::string& id, const std::string& group = "g",
                                           const std::string& ca = "a") {
    domain::Registration registration;
    registration.id = RegistrationId::trusted(id);
    registration.device_id = DeviceId::trusted(id);
    registration.assigned_hub = "hub.example";
    registration.payload = R"({"p":1})";
    registration.status = domain::RegistrationStatus::assigned;
    registration.substatus = domain::Substatus::initial_assignment;
    registration.failure = {1, "x"};
    registration.etag = ETag::trusted("registration-etag-" + id);
    registration.created = day("2026-03-01");
    registration.updated = day("2026-03-02");
    registration.adoptions = 1;
    registration.last = an_adoption(group, ca);
    return registration;
}

inline domain::Device a_device(const std::string& id) {
    domain::Device device;
    device.id = DeviceId::trusted(id);
    device.registration = RegistrationId::trusted(id);
    device.leaf_sha256 = digest_of("leaf");
    device.entry = group_entry("g");
    device.etag = ETag::trusted("device-etag-" + id);
    device.created = day("2026-03-01");
    device.updated = day("2026-03-02");
    return device;
}

inline domain::AccessToken a_token(const std::string& name) {
    return {.name = name,
            .secret_sha256 = digest_of("secret of " + name),
            .role = domain::Role::operator_,
            .form = domain::TokenForm::central,
            .expires = day("2027-01-01"),
            .created_by = "local administrator",
            .created = day("2026-01-01"),
            .last_used = day("2026-02-01"),
            .etag = ETag::trusted("token-etag-" + name)};
}

inline domain::SasPolicy a_policy(const std::string& name) {
    return {.name = name,
            .keys = keys_of("policy " + name),
            .rights = {domain::SasRight::enrollment_read, domain::SasRight::device_connect},
            .created_by = "local administrator",
            .created = day("2026-01-01"),
            .updated = day("2026-02-01"),
            .etag = ETag::trusted("policy-etag-" + name)};
}

inline domain::DeviceGroup a_device_group(const std::string& id) {
    return {.id = id,
            .display_name = "Group " + id,
            .description = "all of them",
            .filter = "SELECT * FROM devices WHERE $provisioned = true",
            .etag = ETag::trusted("device-group-etag-" + id),
            .created = day("2026-01-01"),
            .updated = day("2026-02-01")};
}

inline domain::Job a_job(const std::string& id) {
    domain::Job job;
    job.id = id;
    job.display_name = "Job " + id;
    job.description = "sets it";
    job.group = "floor_2";
    job.filter = "SELECT * FROM devices";
    job.batch = domain::JobShare{true, 12.5};
    job.threshold = domain::JobThreshold{{false, 3}, true};
    job.steps = {{domain::JobStep::Kind::property, "dtmi:a;1", "motor.speed", "2.5"},
                 {domain::JobStep::Kind::command, "", "reboot", R"({"in":5})"}};
    job.rerun_of = "job-0";
    job.status = domain::JobStatus::cancelled;
    job.chosen = true;
    job.progress = {10, 4, 3};
    job.fault = "too many failed";
    job.created_by = "token:ci";
    job.created = day("2026-03-01");
    job.started = day("2026-03-02");
    job.ended = day("2026-03-03");
    job.etag = ETag::trusted("job-etag-" + id);
    return job;
}

inline domain::JobDevice a_job_device(const std::string& job, std::uint64_t number) {
    return {.job = job,
            .number = number,
            .device = DeviceId::trusted("Dev-" + std::to_string(number)),
            .status = domain::JobDeviceStatus::failed,
            .done = 1,
            .calling = true,
            .fault = "it said no"};
}

inline domain::User a_user(const std::string& name) {
    return {.id = "id-" + name,
            .name = name,
            .kind = domain::UserKind::openid,
            .role = domain::Role::viewer,
            .enabled = false,
            .password_hash = "hash of " + name,
            .identity = domain::OpenidIdentity{"https://login.example", "subject of " + name},
            .role_by_claim = true,
            .tenant_id = "tenant",
            .object_id = "object",
            .created_by = "local administrator",
            .created = day("2026-01-01"),
            .updated = day("2026-02-01"),
            .etag = ETag::trusted("user-etag-" + name)};
}

inline domain::Session a_session(const std::string& id, const std::string& user_id) {
    return {.id = id,
            .user_id = user_id,
            .secret_sha256 = digest_of("secret of " + id),
            .previous_sha256 = digest_of("secret before of " + id),
            .confirmed = false,
            .csrf = "csrf of " + id,
            .source = "192.0.2.7",
            .user_agent = "a browser",
            .created = day("2026-01-01"),
            .used = day("2026-01-02"),
            .rotated = day("2026-01-03")};
}

inline domain::AuditEvent an_event(const std::string& action) {
    return {.at = day("2026-04-01"),
            .actor = "token:ci",
            .source = "127.0.0.1",
            .action = action,
            .object = "group/g",
            .detail = "{}",
            .reason = "because"};
}

}  // namespace rollcall::test
