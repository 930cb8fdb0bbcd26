// SPDX-License-Identifier: Apache-2.0
// The column in which an entry's symmetric keys stand: both, sealed together for that very record.
#pragma once

#include "domain/symmetric_key.hpp"
#include "store/database.hpp"

#include <optional>

namespace rollcall::store {

/// Empty for none, which a query binds as NULL. `instance`: the entry's own.
Bytes sealed_keys(const x509::SecretBox& box, const std::optional<domain::SymmetricKeys>& keys,
                  const std::string& instance);
/// Reads the column. internal for keys that were sealed elsewhere.
Result<std::optional<domain::SymmetricKeys>> read_keys(Query& row, const x509::SecretBox& box,
                                                       const std::string& instance);

}  // namespace rollcall::store
