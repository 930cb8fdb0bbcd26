// SPDX-License-Identifier: Apache-2.0
// Users of the operator door, and the sessions they sign in to. Made and judged by service/users
// and service/sign_in; pure.
#pragma once

#include "domain/access_token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::domain {

/// How somebody proves to be this user. The last two are known to the IoT Central API only
/// (spec/iot-central-api.md 3.4): they are kept with their role and do not sign in here.
enum class UserKind : std::uint8_t {
    local,              ///< by a password that we keep hashed
    openid,             ///< at the OpenID provider; Central's "email"
    service_principal,  ///< an application of a directory
    directory_group,    ///< a group of a directory
};
/// "local", "openid", "servicePrincipal", "adGroup".
std::string_view to_string(UserKind kind);
/// malformed "unknown-user-kind".
Result<UserKind> parse_user_kind(std::string_view text);

/// Who somebody is at an OpenID provider: its issuer and the `sub` claim, which never changes
/// (OpenID Connect Core section 2).
struct OpenidIdentity {
    std::string issuer{};
    std::string subject{};

    bool operator==(const OpenidIdentity&) const = default;
};

struct User {
    std::string id;    ///< a key that never changes; unique without case
    std::string name;  ///< to sign in by, an email for `openid`; unique without case
    UserKind kind = UserKind::local;
    Role role = Role::administrator;
    bool enabled = true;
    /// Argon2id in its own encoding; empty: none was set, and nobody signs in by one.
    std::string password_hash{};
    /// Unset until this user first came from the provider; afterwards the email has no meaning.
    std::optional<OpenidIdentity> identity{};
    /// Made at sign-in for somebody the provider's role claim lets in: the claim decides the role
    /// at each sign-in.
    bool role_by_claim = false;
    std::string tenant_id{};  ///< of a service principal or directory group
    std::string object_id{};
    std::string created_by{};
    TimePoint created{};
    TimePoint updated{};
    ETag etag{};

    bool operator==(const User&) const = default;
    bool may_sign_in() const {
        return enabled && (kind == UserKind::local || kind == UserKind::openid);
    }
};

/// A user's name: letters, digits and - . _ @ + : ' of ASCII, beginning and ending with a letter or
/// digit, 1 to limits::user_name_chars_max. malformed "malformed-name".
Result<std::string> parse_user_name(std::string_view text);
/// A name with one '@' that has something on both sides. malformed "malformed-email".
Result<std::string> parse_email(std::string_view text);
/// A user's id: letters, digits, '-', '_' and '.', 1 to 128. malformed "malformed-id".
Result<std::string> parse_user_id(std::string_view text);

/// One browser in which a user is signed in. The cookie holds a secret of 256 random bits, of which
/// we keep the SHA-256; it is replaced from time to time (see service/sign_in).
struct Session {
    std::string id;  ///< for lists and logs; opens nothing
    std::string user_id;
    Digest secret_sha256{};
    /// The secret before. It works until the browser has shown that it got the new one, and a short
    /// while longer for what was under way.
    std::optional<Digest> previous_sha256{};
    /// The browser has used `secret_sha256`.
    bool confirmed = true;
    /// What unsafe requests have to repeat in a header; told to whoever has the cookie.
    std::string csrf{};
    std::string source{};      ///< address that signed in
    std::string user_agent{};  ///< as it said, bounded
    TimePoint created{};
    TimePoint used{};     ///< to about a minute
    TimePoint rotated{};  ///< since when `secret_sha256`, or since when it is confirmed

    bool operator==(const Session&) const = default;
};

/// A session and its user as they are now, in one snapshot.
struct SignedIn {
    Session session;
    User user;

    bool operator==(const SignedIn&) const = default;
};

}  // namespace rollcall::domain
