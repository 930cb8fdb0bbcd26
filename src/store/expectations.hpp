// SPDX-License-Identifier: Apache-2.0
// The refusals of Changes whose expectations do not hold: one wording for both stores.
#pragma once

#include "domain/changes.hpp"

namespace rollcall::store {

/// A record's etag is not the expected one; `stale`.
Error etag_moved(const domain::ExpectEtag& expected);
/// The trust a decision was made under is not there any more; `conflict`, "trust-moved".
Error trust_moved(std::string_view what);
/// Operator changes came in between; `stale`, "config-moved".
Error config_moved();
/// No room for one more message to the device; `conflict`, "queue-full".
Error queue_full(const domain::ExpectQueueRoom& expected);
/// Two CA records for one certificate; `conflict`, "ca-already-known".
Error ca_already_known();
/// Two tokens with one secret; `conflict`, "token-already-known".
Error token_already_known();
/// `conflict`, "last-administrator".
Error last_administrator(const domain::ExpectAdministrator& expected);
/// Two users with one identity; `conflict`, "identity-taken".
Error identity_taken();

/// There are as many device groups as there may be; `conflict`, "too-many-device-groups".
Error too_many_device_groups(const domain::ExpectDeviceGroupRoom& expected);
/// `conflict`, "too-many-jobs-under-way" or "too-many-jobs"; none: there is room.
std::optional<Error> too_many_jobs(const domain::ExpectJobRoom& expected, std::size_t under_way,
                                   std::size_t kept);
/// A PruneAudit up to what is not in the log; `conflict`, "no-such-audit-record".
Error no_such_audit_record(std::uint64_t sequence);

}  // namespace rollcall::store
