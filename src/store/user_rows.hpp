// SPDX-License-Identifier: Apache-2.0
// Rows and values of users and their sessions. See rows.hpp.
#pragma once

#include "store/database.hpp"
#include "store/store.hpp"

namespace rollcall::store {

/// conflict where another user has the identity.
Result<Done> put_user(Database& database, const domain::User& user);
/// With its sessions.
Result<Done> delete_user(Database& database, const std::string& id);
Result<std::optional<domain::User>> get_user(Database& database, const std::string& id);
Result<std::optional<domain::User>> get_user_named(Database& database, const std::string& name);
Result<std::optional<domain::User>> get_user_of(Database& database,
                                                const domain::OpenidIdentity& identity);
Result<std::vector<domain::User>> list_users(Database& database);

Result<Done> put_session(Database& database, const domain::PutSession& write);
Result<Done> delete_session(Database& database, const std::string& id);
Result<Done> delete_sessions_of(Database& database, const std::string& user_id);
Result<std::optional<domain::SignedIn>> get_session(Database& database,
                                                    const Digest& secret_sha256);
Result<std::vector<domain::Session>> list_sessions(Database& database, const std::string& user_id);

/// Is there an administrator without that user?
Result<bool> has_other_administrator(Database& database,
                                     const domain::ExpectAdministrator& expected);

}  // namespace rollcall::store
