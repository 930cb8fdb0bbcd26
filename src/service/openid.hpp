// SPDX-License-Identifier: Apache-2.0
// Openid: users sign in at an OpenID provider (OpenID Connect Core 1.0, authorization code flow
// with PKCE, RFC 7636). The provider says who somebody is; what that may is ours: users that an
// administrator made, or a claim that the configuration maps to roles.
//
// What has to be remembered between leaving and coming back is sealed into a cookie, so that
// strangers who begin and never come back cost no memory, and only the browser that began can end.
#pragma once

#include "domain/user.hpp"
#include "service/jwt.hpp"
#include "service/sign_in.hpp"
#include "service/web_client.hpp"
#include "x509/secret_box.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::service {

struct OpenidSettings {
    std::string issuer{};  ///< empty: nobody signs in this way
    std::string client_id{};
    std::string client_secret{};  ///< empty: a public client
    std::vector<std::string> scopes{"openid", "email", "profile"};
    /// What browsers call this server: "https://ops.example:9443". Empty: what the request says.
    std::string public_url{};
    /// A claim whose values give roles, also to those whom no administrator made; empty: none.
    std::string role_claim{};
    std::map<domain::Role, std::vector<std::string>> roles{};
    /// An email without `email_verified` is believed, too.
    bool trust_email = false;
    /// http to this machine itself is allowed.
    bool loopback_http = false;

    bool operator==(const OpenidSettings&) const = default;
    bool on() const { return !issuer.empty(); }
};

/// Where the browser goes, and what it shall keep until it comes back.
struct Departure {
    std::string url;
    std::string cookie;
};

/// What the browser brought back.
struct Homecoming {
    std::string cookie{};
    std::string state{};
    std::string code{};
    std::optional<std::string> issuer{};  ///< `iss` (RFC 9207)
    std::optional<std::string> error{};
};

struct Arrival {
    OpenedSession session;
    std::string return_to;
};

class Openid {
public:
    /// `secret`: of the data directory, for the cookie.
    Openid(OpenidSettings settings, WebClient& web, store::StoreReader& reader,
           store::Ledger& ledger, SignIn& sign_in, const Clock& clock, Entropy& entropy,
           const Digest& secret);

    const OpenidSettings& settings() const { return settings_; }

    /// `return_to`: where the browser shall be afterwards, see is_local_path(). `redirect_uri`: our
    /// own address for its return. unsupported "openid-off"; malformed "foreign-return";
    /// unavailable where the provider is away.
    Task<Result<Departure>> depart(const std::string& return_to, const std::string& redirect_uri);

    /// malformed "openid-not-begun" (no cookie of ours, or too old), "openid-state";
    /// unauthenticated "openid-refused" (by the provider), "token-malformed", "token-forged",
    /// "token-claims"; forbidden "openid-unknown-user", "openid-no-role", "user-disabled";
    /// unavailable.
    Task<Result<Arrival>> arrive(const Homecoming& home, const Browser& browser);

private:
    struct Provider {
        std::string authorization{};
        std::string token{};
        std::string keys_url{};
        std::string userinfo{};  ///< may be empty
        bool secret_in_form = false;
        std::vector<SetKey> keys{};
        TimePoint read{};
    };
    struct Journey {
        std::string state{};
        std::string nonce{};
        std::string verifier{};
        std::string return_to{};
        std::string redirect_uri{};
        TimePoint begun{};
    };
    /// What a token answer has that we want.
    struct Tokens {
        std::string id_token{};
        std::string access_token{};
    };

    Task<Result<Provider>> provider();
    Task<Result<Provider>> read_provider();
    Task<Result<std::vector<SetKey>>> read_keys(const std::string& url);
    Task<Result<json::object>> read_document(const WebQuestion& question);
    std::string random_text();
    std::string seal(const Journey& journey) const;
    Result<Journey> unseal(const std::string& cookie) const;
    Task<Result<Tokens>> exchange(const Provider& provider, const Journey& journey,
                                  const std::string& code);
    Task<Result<json::object>> claims_of(Provider& provider, const Tokens& tokens,
                                         const std::string& nonce);
    Task<Result<Done>> add_userinfo(const Provider& provider, const Tokens& tokens,
                                    json::object& claims);
    Task<Result<domain::User>> user_for(const json::object& claims, const Browser& browser);
    Task<Result<domain::User>> follow_claim(const domain::User& user, const json::object& claims,
                                            const Browser& browser);
    Task<Result<domain::User>> bind(const domain::User& user,
                                    const domain::OpenidIdentity& identity, const Browser& browser);
    Task<Result<domain::User>> make(const domain::OpenidIdentity& identity,
                                    const std::string& email, domain::Role role,
                                    const Browser& browser);
    std::optional<domain::Role> role_of(const json::object& claims) const;
    std::string believed_email(const json::object& claims) const;

    const OpenidSettings settings_;
    WebClient& web_;
    store::StoreReader& reader_;
    store::Ledger& ledger_;
    SignIn& sign_in_;
    const Clock& clock_;
    Entropy& entropy_;
    const x509::SecretBox box_;
    std::mutex mutex_;
    std::optional<Provider> provider_{};
};

/// A path of this server, safe to send a browser to: "/ui/groups?x=1". Not "//host", nothing with a
/// backslash, and bounded.
bool is_local_path(std::string_view text);

/// Checks of an ID token beyond its signature (OpenID Connect Core section 3.1.3.7).
/// unauthenticated "token-claims"; the note says which.
Result<Done> check_id_claims(const json::object& claims, const OpenidSettings& settings,
                             const std::string& nonce, TimePoint now);

}  // namespace rollcall::service
