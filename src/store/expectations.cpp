// SPDX-License-Identifier: Apache-2.0
#include "store/expectations.hpp"

namespace rollcall::store {
namespace {

std::string_view word(domain::RecordKind kind) {
    switch (kind) {
        case domain::RecordKind::ca: return "CA certificate";
        case domain::RecordKind::group: return "enrollment group";
        case domain::RecordKind::individual: return "individual enrollment";
        case domain::RecordKind::registration: return "registration";
        case domain::RecordKind::device: return "device";
        case domain::RecordKind::token: return "token";
        case domain::RecordKind::twin: return "twin";
        case domain::RecordKind::hub: return "linked hub";
        case domain::RecordKind::policy: return "policy";
        case domain::RecordKind::device_group: return "device group";
        case domain::RecordKind::job: return "job";
        case domain::RecordKind::user:
        case domain::RecordKind::user_name: return "user";
        case domain::RecordKind::session: return "session";
    }
    return "record";
}

}  // namespace

Error etag_moved(const domain::ExpectEtag& expected) {
    const std::string record = std::string{word(expected.kind)} + " " + expected.id;
    if (expected.etag.empty()) {
        return {ErrorKind::stale, "there is already a record: " + record, "already-exists"};
    }
    return {ErrorKind::stale, record + " was changed by somebody else", "etag-moved"};
}

Error trust_moved(std::string_view what) {
    return {ErrorKind::conflict, "the trust this was decided under has changed", "trust-moved",
            std::string{what}};
}

Error config_moved() {
    return {ErrorKind::stale, "other changes were made at the same time", "config-moved"};
}

Error queue_full(const domain::ExpectQueueRoom& expected) {
    return {ErrorKind::conflict,
            std::to_string(expected.max) + " messages wait for device " + expected.device.str(),
            "queue-full"};
}

Error last_administrator(const domain::ExpectAdministrator& expected) {
    return {ErrorKind::conflict,
            "no administrator would be left without the user '" + expected.except_user +
                "'; make another one first",
            "last-administrator"};
}

Error identity_taken() {
    return {ErrorKind::conflict, "another user has this identity at the OpenID provider",
            "identity-taken"};
}

Error ca_already_known() {
    return {ErrorKind::conflict, "there is already a record of this CA certificate",
            "ca-already-known"};
}

Error token_already_known() {
    return {ErrorKind::conflict, "another token has this secret", "token-already-known"};
}

Error too_many_device_groups(const domain::ExpectDeviceGroupRoom& expected) {
    return {
        ErrorKind::conflict,
        "there are " + std::to_string(expected.max) + " device groups already, which is the bound",
        "too-many-device-groups"};
}

std::optional<Error> too_many_jobs(const domain::ExpectJobRoom& expected, std::size_t under_way,
                                   std::size_t kept) {
    if (under_way >= expected.under_way) {
        return Error{ErrorKind::conflict,
                     std::to_string(expected.under_way) +
                         " jobs are under way already, which is the bound: wait for one, or stop "
                         "one",
                     "too-many-jobs-under-way"};
    }
    if (kept >= expected.kept) {
        return Error{ErrorKind::conflict,
                     "there are " + std::to_string(expected.kept) +
                         " jobs already, which is the bound: old ones go when they are past their "
                         "time",
                     "too-many-jobs"};
    }
    return std::nullopt;
}

Error no_such_audit_record(std::uint64_t sequence) {
    return {ErrorKind::conflict,
            "the audit log has no record number " + std::to_string(sequence) + " to prune up to",
            "no-such-audit-record"};
}

}  // namespace rollcall::store
