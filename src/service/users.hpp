// SPDX-License-Identifier: Apache-2.0
// Users: who may sign in, and with which role. An administrator's use cases; signing in itself is
// service/sign_in. No user exists until somebody makes one: the first start makes a token
// (service/access), and whoever can open the data directory's socket needs neither.
#pragma once

#include "base/task.hpp"
#include "base/world.hpp"
#include "domain/user.hpp"
#include "service/caller.hpp"
#include "service/passwords.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::service {

struct NewUser {
    std::string name{};  ///< empty for those that have an object id: that is their name
    domain::UserKind kind = domain::UserKind::local;
    domain::Role role = domain::Role::administrator;
    std::string id{};        ///< empty: made up
    std::string password{};  ///< of a local user
    std::string tenant_id{};
    std::string object_id{};
};

/// What shall be different; the rest stays.
struct UserChange {
    std::optional<domain::Role> role{};
    std::optional<bool> enabled{};
    std::optional<std::string> password{};
};

/// Who has to be left when an administrator goes or becomes less. The local administrator may take
/// away even the last one of `users_and_tokens`: the socket remains.
enum class AdministratorLeft {
    users_and_tokens,  ///< somebody who signs in, or a bearer token
    users,             ///< somebody who signs in: the cloud's rule, for everybody
};

class Users {
public:
    Users(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock, Entropy& entropy,
          Passwords& passwords);

    /// malformed for names, ids and passwords that are none ("password-missing" for a local user
    /// without); conflict "user-exists", "too-many-users"; throttled "sign-in-busy".
    Task<Result<domain::User>> create(const Order& order, const NewUser& asked);

    /// not_found "user-not-found".
    Task<Result<domain::User>> named(const std::string& name);
    Task<Result<domain::User>> with_id(const std::string& id);
    /// In order of name.
    Task<Result<std::vector<domain::User>>> list();

    /// `before` as it was read. A new password, and being disabled, end the user's sessions; a new
    /// role is in force with the next request. stale; conflict "last-administrator",
    /// "no-password-here" for users without passwords; malformed for a bad password.
    Task<Result<domain::User>> change(const Order& order, const domain::User& before,
                                      const UserChange& asked,
                                      AdministratorLeft left = AdministratorLeft::users_and_tokens);
    /// Ends its sessions. stale; conflict "last-administrator".
    Task<Result<domain::User>> remove(const Order& order, const domain::User& before,
                                      AdministratorLeft left = AdministratorLeft::users_and_tokens);
    /// Signs the user out in every browser.
    Task<Result<Done>> end_sessions(const Order& order, const domain::User& user);

private:
    Task<Result<domain::User>> checked(const NewUser& asked);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    Entropy& entropy_;
    Passwords& passwords_;
};

}  // namespace rollcall::service
