// SPDX-License-Identifier: Apache-2.0
#include "service/openid.hpp"

#include "base/limits.hpp"
#include "service/audit_detail.hpp"
#include "x509/digest.hpp"

#include <algorithm>
#include <array>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::service {
namespace {

using domain::OpenidIdentity;
using domain::User;

constexpr std::string_view sealed_for = "openid journey";
constexpr std::size_t random_bytes = 32;

Error off() {
    return {ErrorKind::unsupported, "this server knows no OpenID provider", "openid-off"};
}

Error away(std::string note) {
    return {ErrorKind::unavailable,
            "the OpenID provider does not answer as it should; try again, or sign in as a local "
            "user",
            "provider-away", std::move(note), 5};
}

Error not_begun(std::string note) {
    return {ErrorKind::malformed,
            "this sign-in was not begun in this browser, or too long ago; begin again",
            "openid-not-begun", std::move(note)};
}

Error refused(std::string note) {
    return {ErrorKind::unauthenticated, "the OpenID provider did not sign you in; begin again",
            "openid-refused", std::move(note)};
}

std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

/// RFC 3986 section 2.3: everything but letters, digits and - . _ ~ is escaped.
std::string escaped(std::string_view text) {
    constexpr std::string_view also = "-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || also.find(c) != std::string_view::npos;
        if (plain) {
            out.push_back(c);
        } else {
            const std::array<std::uint8_t, 1> one{byte};
            out.append("%").append(to_upper_hex(one));
        }
    }
    return out;
}

bool is_address(const std::string& url, bool loopback_http) {
    return url.starts_with("https://") || (loopback_http && domain::is_loopback_http(url));
}

}  // namespace

Openid::Openid(OpenidSettings settings, WebClient& web, store::StoreReader& reader,
               store::Ledger& ledger, SignIn& sign_in, const Clock& clock, Entropy& entropy,
               const Digest& secret)
    : settings_(std::move(settings)),
      web_(web),
      reader_(reader),
      ledger_(ledger),
      sign_in_(sign_in),
      clock_(clock),
      entropy_(entropy),
      box_(secret) {}

// --- The provider ---------------------------------------------------------------------------

/// As it was read within limits::openid_document_life.
Task<Result<Openid::Provider>> Openid::provider() {
    {
        const std::scoped_lock lock{mutex_};
        if (provider_ && clock_.now() - provider_->read < limits::openid_document_life) {
            co_return *provider_;
        }
    }
    CO_TRY(const auto fresh, co_await read_provider());
    const std::scoped_lock lock{mutex_};
    provider_ = fresh;
    co_return fresh;
}

Task<Result<json::object>> Openid::read_document(const WebQuestion& question) {
    CO_TRY(const auto reply, co_await web_.ask(question));
    if (reply.status != 200) {
        co_return away(question.url + " answered " + std::to_string(reply.status));
    }
    json::error_code error;
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    auto value = json::parse(reply.body, error, {}, options);
    if (error || !value.is_object()) {
        co_return away(question.url + " answered no JSON object");
    }
    co_return std::move(value.as_object());
}

Task<Result<Openid::Provider>> Openid::read_provider() {
    WebQuestion question;
    question.url = settings_.issuer;
    if (question.url.ends_with('/')) {
        question.url.pop_back();
    }
    question.url += "/.well-known/openid-configuration";
    CO_TRY(const auto document, co_await read_document(question));
    if (text_in(document, "issuer") != settings_.issuer) {
        co_return away("its document is of another issuer");
    }
    Provider provider;
    provider.authorization = text_in(document, "authorization_endpoint");
    provider.token = text_in(document, "token_endpoint");
    provider.keys_url = text_in(document, "jwks_uri");
    provider.userinfo = text_in(document, "userinfo_endpoint");
    for (const auto& url : {provider.authorization, provider.token, provider.keys_url}) {
        if (!is_address(url, settings_.loopback_http)) {
            co_return away("an address of its document is not https: " + url);
        }
    }
    if (!is_address(provider.userinfo, settings_.loopback_http)) {
        provider.userinfo.clear();
    }
    const auto* const methods = document.if_contains("token_endpoint_auth_methods_supported");
    if (methods != nullptr && methods->is_array()) {
        const auto& all = methods->as_array();
        provider.secret_in_form =
            std::find(all.begin(), all.end(), json::value("client_secret_basic")) == all.end();
    }
    CO_TRY(provider.keys, co_await read_keys(provider.keys_url));
    provider.read = clock_.now();
    co_return provider;
}

Task<Result<std::vector<SetKey>>> Openid::read_keys(const std::string& url) {
    WebQuestion question;
    question.url = url;
    CO_TRY(const auto reply, co_await web_.ask(question));
    auto keys = reply.status == 200 ? parse_key_set(reply.body)
                                    : Result<std::vector<SetKey>>{away("no keys")};
    if (!keys) {
        co_return away(url + ": " + keys.error().detail);
    }
    co_return keys;
}

// --- Leaving --------------------------------------------------------------------------------

std::string Openid::random_text() {
    std::array<std::uint8_t, random_bytes> random{};
    entropy_.fill(random);
    return to_base64url(random);
}

Task<Result<Departure>> Openid::depart(const std::string& return_to,
                                       const std::string& redirect_uri) {
    if (!settings_.on()) {
        co_return off();
    }
    if (!is_local_path(return_to)) {
        co_return Error{ErrorKind::malformed, "after signing in you can only go to a path of here",
                        "foreign-return"};
    }
    CO_TRY(const Provider known, co_await provider());
    Journey journey;
    journey.state = random_text();
    journey.nonce = random_text();
    journey.verifier = random_text();  // 43 characters, RFC 7636 section 4.1
    journey.return_to = return_to;
    journey.redirect_uri = redirect_uri;
    journey.begun = clock_.now();
    std::string scopes;
    for (const auto& scope : settings_.scopes) {
        scopes += (scopes.empty() ? "" : " ") + scope;
    }
    const Digest challenge = x509::sha256(as_bytes(journey.verifier));
    std::string url = known.authorization;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += "response_type=code&client_id=" + escaped(settings_.client_id) +
           "&redirect_uri=" + escaped(redirect_uri) + "&scope=" + escaped(scopes) +
           "&state=" + journey.state + "&nonce=" + journey.nonce +
           "&code_challenge=" + to_base64url(challenge.bytes) + "&code_challenge_method=S256";
    co_return Departure{url, seal(journey)};
}

std::string Openid::seal(const Journey& journey) const {
    const json::array parts{journey.state,        journey.nonce,
                            journey.verifier,     journey.return_to,
                            journey.redirect_uri, journey.begun.time_since_epoch().count()};
    const std::string text = json::serialize(parts);
    return to_base64url(box_.seal(as_bytes(text), sealed_for));
}

Result<Openid::Journey> Openid::unseal(const std::string& cookie) const {
    const auto sealed = parse_base64url(cookie);
    const auto opened = sealed ? box_.open(*sealed, sealed_for) : sealed;
    if (!opened || cookie.empty()) {
        return not_begun("no cookie of ours");
    }
    // Sealed by us: it is what seal() wrote.
    const auto parts = json::parse({as_text(*opened).data(), opened->size()}).as_array();
    const auto text = [&parts](std::size_t at) { return std::string{parts.at(at).as_string()}; };
    Journey journey{text(0), text(1), text(2), text(3), text(4)};
    journey.begun = TimePoint{std::chrono::microseconds{parts.at(5).as_int64()}};
    const auto age = clock_.now() - journey.begun;
    if (age >= limits::openid_sign_in_time || age < -limits::openid_clock_skew) {
        return not_begun("too long ago");
    }
    return journey;
}

// --- Coming back ----------------------------------------------------------------------------

Task<Result<Arrival>> Openid::arrive(const Homecoming& home, const Browser& browser) {
    if (!settings_.on()) {
        co_return off();
    }
    CO_TRY(const Journey journey, unseal(home.cookie));
    if (!equal_in_constant_time(as_bytes(home.state), as_bytes(journey.state))) {
        co_return Error{ErrorKind::malformed,
                        "this is the end of another sign-in than this browser began; begin again",
                        "openid-state"};
    }
    if (home.issuer && *home.issuer != settings_.issuer) {
        co_return refused("another provider answered");
    }
    if (home.error || home.code.empty()) {
        co_return refused("it says " + home.error.value_or("nothing"));
    }
    CO_TRY(Provider known, co_await provider());
    CO_TRY(const Tokens tokens, co_await exchange(known, journey, home.code));
    CO_TRY(json::object claims, co_await claims_of(known, tokens, journey.nonce));
    CO_TRY([[maybe_unused]] const Done more, co_await add_userinfo(known, tokens, claims));
    CO_TRY(const User user, co_await user_for(claims, browser));
    CO_TRY(const auto session, co_await sign_in_.open(user, browser));
    co_return Arrival{session, journey.return_to};
}

Task<Result<Openid::Tokens>> Openid::exchange(const Provider& provider, const Journey& journey,
                                              const std::string& code) {
    WebQuestion question;
    question.url = provider.token;
    question.form = {{"grant_type", "authorization_code"},
                     {"code", code},
                     {"redirect_uri", journey.redirect_uri},
                     {"code_verifier", journey.verifier}};
    if (settings_.client_secret.empty() || provider.secret_in_form) {
        question.form.emplace_back("client_id", settings_.client_id);
    }
    if (!settings_.client_secret.empty() && provider.secret_in_form) {
        question.form.emplace_back("client_secret", settings_.client_secret);
    } else if (!settings_.client_secret.empty()) {
        question.basic_user = escaped(settings_.client_id);  // RFC 6749 section 2.3.1
        question.basic_password = escaped(settings_.client_secret);
    }
    CO_TRY(const auto reply, co_await web_.ask(question));
    json::error_code error;
    const auto value = json::parse(reply.body, error);
    const auto* const answer = error ? nullptr : value.if_object();
    if (reply.status == 400 || reply.status == 401) {
        co_return refused("its token endpoint says " +
                          (answer != nullptr ? text_in(*answer, "error") : std::string{"no"}));
    }
    if (reply.status != 200 || answer == nullptr) {
        co_return away("its token endpoint answered " + std::to_string(reply.status));
    }
    Tokens tokens{text_in(*answer, "id_token"), text_in(*answer, "access_token")};
    if (tokens.id_token.empty()) {
        co_return refused("there is no ID token; is openid among the scopes?");
    }
    co_return tokens;
}

/// Keys are exchanged now and then: one that we do not know makes us ask for them again, once.
Task<Result<json::object>> Openid::claims_of(Provider& provider, const Tokens& tokens,
                                             const std::string& nonce) {
    if (!has_key(provider.keys, key_id_of(tokens.id_token))) {
        CO_TRY(provider.keys, co_await read_keys(provider.keys_url));
        const std::scoped_lock lock{mutex_};
        provider_ = provider;
    }
    CO_TRY(auto claims, verified_claims(tokens.id_token, provider.keys));
    CO_TRY([[maybe_unused]] const Done right,
           check_id_claims(claims, settings_, nonce, clock_.now()));
    co_return claims;
}

/// Providers may tell the email and groups there only (OpenID Connect Core section 5.3).
Task<Result<Done>> Openid::add_userinfo(const Provider& provider, const Tokens& tokens,
                                        json::object& claims) {
    const bool complete = claims.contains("email") &&
                          (settings_.role_claim.empty() || claims.contains(settings_.role_claim));
    if (complete || provider.userinfo.empty() || tokens.access_token.empty()) {
        co_return Done{};
    }
    WebQuestion question;
    question.url = provider.userinfo;
    question.bearer = tokens.access_token;
    CO_TRY(const auto more, co_await read_document(question));
    if (text_in(more, "sub") != text_in(claims, "sub")) {  // section 5.3.2
        co_return refused("its userinfo is of somebody else");
    }
    for (const auto& [name, value] : more) {
        if (!claims.contains(name)) {
            claims.emplace(name, value);
        }
    }
    co_return Done{};
}

}  // namespace rollcall::service
