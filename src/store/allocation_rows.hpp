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

/// An entry's rule, in its column.
domain::AllocationRule read_rule(Query& row);
/// The server's, among the settings.
Result<domain::AllocationRule> get_server_rule(Database& database);

}  // namespace rollcall::store
