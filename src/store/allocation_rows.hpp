// SPDX-License-Identifier: Apache-2.0
// Rows and values of linked hubs and of allocation rules. See rows.hpp.
#pragma once

#include "domain/allocation.hpp"
#include "store/database.hpp"

#include <string>
#include <vector>

namespace rollcall::store {

Result<Done> put_hub(Database& database, const domain::LinkedHub& hub);
Result<Done> delete_hub(Database& database, const std::string& name);
/// In the order of sort_hubs().
Result<std::vector<domain::LinkedHub>> list_hubs(Database& database);

/// An entry's rule for its column, sealed, since a webhook's address may hold a key. Empty for
/// none, which a query binds as NULL. `instance`: the entry's own.
Bytes sealed_rule(const x509::SecretBox& box, const domain::AllocationRule& rule,
                  const std::string& instance);
/// Reads the column. internal for a rule that was sealed elsewhere.
Result<domain::AllocationRule> read_rule(Query& row, const x509::SecretBox& box,
                                         const std::string& instance);
/// The server's, among the settings.
Result<domain::AllocationRule> get_server_rule(Database& database);

}  // namespace rollcall::store
