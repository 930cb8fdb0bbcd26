// SPDX-License-Identifier: Apache-2.0
// The tables of the main store, as numbered migrations. `PRAGMA user_version` says which of them a
// file has had.
#pragma once

#include "store/database.hpp"
#include "store/store.hpp"

namespace rollcall::store {

/// "RCal" in every file's header: tells ours from other programs' (file(1) shows it too).
inline constexpr std::int64_t store_application_id = 0x5243'616c;

/// The schema this program reads and writes.
int newest_schema();
/// unsupported "schema-newer".
Error written_by_newer(std::int64_t schema);

/// Brings the file to the newest schema, each step in one transaction. `first_head` becomes the
/// head of the audit log together with the first tables, so that a store without a head was
/// altered. unsupported with reason "schema-newer" for a file that a later program wrote,
/// "not-our-store" for another program's.
Result<Done> migrate(Database& database, const AuditHead& first_head);

}  // namespace rollcall::store
