// SPDX-License-Identifier: Apache-2.0
// Rows and values of settings, access tokens, shared access policies, the audit log and the global
// versions. See rows.hpp.
#pragma once

#include "store/database.hpp"
#include "store/fleet.hpp"

namespace rollcall::store {

Result<Done> put_setting(Database& database, const std::string& key, const std::string& value);
Result<std::optional<std::string>> get_setting(Database& database, const std::string& key);

Result<Done> put_token(Database& database, const domain::AccessToken& token);
Result<Done> touch_token(Database& database, const std::string& name, TimePoint at);
Result<Done> delete_token(Database& database, const std::string& name);
Result<std::optional<domain::AccessToken>> get_token(Database& database,
                                                     const Digest& secret_sha256);
Result<std::vector<domain::AccessToken>> list_tokens(Database& database);

Result<Done> put_policy(Database& database, const domain::SasPolicy& policy);
Result<Done> delete_policy(Database& database, const std::string& name);
Result<std::optional<domain::SasPolicy>> get_policy(Database& database, const std::string& name);
Result<std::vector<domain::SasPolicy>> list_policies(Database& database);

Result<Done> append_audit(Database& database, const AuditRecord& record);
Result<std::vector<AuditRecord>> list_audit(Database& database, std::uint64_t after,
                                            std::size_t count);
/// The newest first, from the one before `before` on; 0: from the newest.
Result<std::vector<AuditRecord>> list_audit_backwards(Database& database, std::uint64_t before,
                                                      const AuditFilter& filter, std::size_t count);
/// Takes records up to `up_to` away and keeps the last of them as a checkpoint signed with `key`.
/// Nothing where a checkpoint stands there or behind already; conflict where there is no such
/// record.
Result<Done> prune_audit(Database& database, std::uint64_t up_to, const Digest& key);
Result<Done> put_audit_head(Database& database, const AuditHead& head);
/// None: no head was ever written, which only a new store has.
Result<std::optional<AuditHead>> get_audit_head(Database& database);

/// config_version and anchors_version.
Result<Receipt> get_versions(Database& database);
Result<Done> put_versions(Database& database, const Receipt& versions);

}  // namespace rollcall::store
