// SPDX-License-Identifier: Apache-2.0
// Access: who calls at the operator door, and what they may do. Bearer tokens of 256 random bits,
// kept as SHA-256, named, with an optional end, revocable at once. Whoever can open the data
// directory's socket is the local administrator.
#pragma once

#include "base/task.hpp"
#include "base/world.hpp"
#include "domain/access_token.hpp"
#include "service/caller.hpp"
#include "store/store.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::service {

/// What a route needs. `none`: anyone may ask.
enum class Permission : std::uint8_t {
    none,
    server_read,
    hub_write,
    ca_read,
    ca_write,
    group_read,
    group_write,
    enrollment_read,
    enrollment_write,
    device_read,
    device_write,
    registration_read,
    distrust_read,
    distrust_write,
    audit_read,
    token_read,
    token_write,
    key_show,  ///< symmetric keys in clear
};
/// "group.write".
std::string_view to_string(Permission permission);
bool may(domain::Role role, Permission permission);

struct NewToken {
    domain::AccessToken token;
    std::string secret;  ///< shown once, never kept
};

class Access {
public:
    Access(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock, Entropy& entropy);

    /// The caller behind an Authorization header's value. unauthenticated "token-missing",
    /// "token-unknown" (also where revoked), "token-expired". `source`: the peer's address.
    Task<Result<Caller>> authenticate(const std::optional<std::string>& authorization,
                                      const std::string& source);
    static Caller local_administrator();

    /// conflict "token-exists", "too-many-tokens"; malformed for a name that is none or an end in
    /// the past.
    Task<Result<NewToken>> create(const Order& order, const std::string& name, domain::Role role,
                                  const std::optional<TimePoint>& expires);
    /// not_found "token-not-found".
    Task<Result<domain::AccessToken>> revoke(const Order& order, const std::string& name);
    Task<Result<std::vector<domain::AccessToken>>> list();

    /// At the first start makes the token "admin": `keep` stores the secret (a file, 0600) before
    /// the token becomes valid, so that none is ever lost. Answers whether one was made; later
    /// starts make none, even after it was revoked.
    Task<Result<bool>> ensure_admin_token(
        const std::function<Result<Done>(const std::string& secret)>& keep);

private:
    Task<Result<NewToken>> commit_new(const Order& order, NewToken& fresh, bool first);
    NewToken draw(const Order& order, const std::string& name, domain::Role role);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::service
