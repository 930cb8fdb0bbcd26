// SPDX-License-Identifier: Apache-2.0
// The tables of the main store, as numbered migrations. `PRAGMA user_version` says which of them a
// file has had.
#pragma once

#include "store/database.hpp"

namespace rollcall::store {

/// The schema this program reads and writes.
int newest_schema();

/// Brings the file to the newest schema, each step in one transaction. unsupported with reason
/// "schema-newer" for a file that a later program wrote, "not-our-store" for another program's.
Result<Done> migrate(Database& database);

}  // namespace rollcall::store
