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

Error ca_already_known() {
    return {ErrorKind::conflict, "there is already a record of this CA certificate",
            "ca-already-known"};
}

Error token_already_known() {
    return {ErrorKind::conflict, "another token has this secret", "token-already-known"};
}

Error no_such_audit_record(std::uint64_t sequence) {
    return {ErrorKind::conflict,
            "the audit log has no record number " + std::to_string(sequence) + " to prune up to",
            "no-such-audit-record"};
}

}  // namespace rollcall::store
