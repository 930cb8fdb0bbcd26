// SPDX-License-Identifier: Apache-2.0
// Do the expectations of Changes hold in the database as it stands in this transaction? See
// rows.hpp.
#pragma once

#include "domain/changes.hpp"
#include "store/database.hpp"
#include "store/store.hpp"

namespace rollcall::store {

/// None: they hold. The inner Error is the refusal; the outer one says that the store failed.
Result<std::optional<Error>> find_broken(Database& database,
                                         const std::vector<domain::Expectation>& expectations,
                                         const Receipt& versions);

}  // namespace rollcall::store
