// SPDX-License-Identifier: Apache-2.0
// Against a provider that does as it is told; against a real one: tests/device/oidc.test.mjs.
#include "service/openid.hpp"

#include "base/limits.hpp"
#include "support/jwt_maker.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;
using domain::Role;
using test::JwtKey;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* issuer = "https://login.example";

std::string parameter(const std::string& url, const std::string& name) {
    const auto at = url.find("&" + name + "=");
    const auto from = at + name.size() + 2;
    return at == std::string::npos ? "" : url.substr(from, url.find('&', from) - from);
}

/// Answers from texts; notes what it was asked.
class ScriptedProvider final : public WebClient {
public:
    Task<Result<WebReply>> ask(const WebQuestion& question) override {
        asked.push_back(question);
        if (down) {
            co_return Error{ErrorKind::unavailable, "away", "provider-away"};
        }
        const std::string path = question.url.substr(std::string{issuer}.size());
        if (path == "/.well-known/openid-configuration") {
            co_return WebReply{200, json::serialize(document)};
        }
        if (path == "/keys") {
            co_return WebReply{200, test::key_set(keys)};
        }
        if (path == "/userinfo") {
            co_return WebReply{200, json::serialize(userinfo)};
        }
        if (token_status != 200) {
            co_return WebReply{token_status, R"({"error":"invalid_grant"})"};
        }
        json::object answer{{"id_token", signing.token(claims)}, {"access_token", "at"}};
        co_return WebReply{200, json::serialize(answer)};
    }
    std::size_t times(const std::string& path) const {
        std::size_t count = 0;
        for (const auto& question : asked) {
            count += question.url == issuer + path ? 1 : 0;
        }
        return count;
    }

    JwtKey signing = JwtKey::p256("one");
    std::vector<JwtKey> keys{signing};
    json::object document{{"issuer", issuer},
                          {"authorization_endpoint", "https://login.example/authorize?x=1"},
                          {"token_endpoint", "https://login.example/token"},
                          {"jwks_uri", "https://login.example/keys"},
                          {"userinfo_endpoint", "https://login.example/userinfo"}};
    json::object claims{};
    json::object userinfo{};
    unsigned token_status = 200;
    bool down = false;
    std::vector<WebQuestion> asked{};
};

class OpenidTest : public ::testing::Test {
protected:
    OpenidTest() {
        settings.issuer = issuer;
        settings.client_id = "rollcall";
        settings.client_secret = "s3cret +/";
    }
    /// Made at the first use, so that a test can set things before.
    Openid& openid() {
        if (!openid_) {
            openid_.emplace(settings, provider, desk.store, desk.store, desk.sign_in, desk.clock,
                            desk.entropy, desk.audit_key);
        }
        return *openid_;
    }
    Departure depart(const std::string& return_to = "/ui/groups") {
        return run(openid().depart(return_to, "https://ops.example/auth/oidc/callback")).value();
    }
    /// What the provider says of Ann for this sign-in.
    json::object ann(const Departure& departure) {
        const auto now = std::chrono::floor<std::chrono::seconds>(desk.clock.now());
        return {{"iss", issuer},
                {"sub", "ann-1"},
                {"aud", "rollcall"},
                {"exp", (now + 5min).time_since_epoch().count()},
                {"iat", now.time_since_epoch().count()},
                {"nonce", parameter(departure.url, "nonce")},
                {"email", "ann@example.com"},
                {"email_verified", true}};
    }
    static Homecoming home(const Departure& departure) {
        return {departure.cookie, parameter(departure.url, "state"), "code"};
    }
    Result<Arrival> arrive(const Homecoming& home) { return run(openid().arrive(home, browser)); }
    /// Leaves and comes back with claims that `change` has been at.
    template <class Change>
    std::string sign_in(Change change) {
        const auto departure = depart();
        provider.claims = ann(departure);
        change(provider.claims);
        const auto arrived = arrive(home(departure));
        return arrived ? "user:" + arrived->session.signed_in.user.name : arrived.error().reason;
    }
    std::string sign_in() {
        return sign_in([](json::object&) {});
    }
    domain::User let_in(const std::string& email, Role role = Role::operator_) {
        NewUser asked;
        asked.name = email;
        asked.kind = domain::UserKind::openid;
        asked.role = role;
        return run(desk.users.create(OperatorDesk::order(), asked)).value();
    }

    OperatorDesk desk;
    ScriptedProvider provider;
    OpenidSettings settings;
    Browser browser{"192.0.2.7", "a browser"};

private:
    std::optional<Openid> openid_;
};

TEST_F(OpenidTest, TheWholeWay) {
    (void)let_in("ann@example.com");
    const auto departure = depart();
    EXPECT_THAT(departure.url,
                StartsWith("https://login.example/authorize?x=1&response_type=code&"));
    EXPECT_EQ(parameter(departure.url, "client_id"), "rollcall");
    EXPECT_EQ(parameter(departure.url, "redirect_uri"),
              "https%3A%2F%2Fops.example%2Fauth%2Foidc%2Fcallback");
    EXPECT_EQ(parameter(departure.url, "scope"), "openid%20email%20profile");
    EXPECT_EQ(parameter(departure.url, "code_challenge_method"), "S256");
    EXPECT_THAT(departure.cookie, Not(HasSubstr(parameter(departure.url, "nonce"))));
    provider.claims = ann(departure);
    const auto arrival = arrive(home(departure)).value();
    EXPECT_EQ(arrival.return_to, "/ui/groups");
    const auto& user = arrival.session.signed_in.user;
    EXPECT_EQ(user.name, "ann@example.com");
    EXPECT_EQ(user.role, Role::operator_);
    EXPECT_EQ(user.identity, (domain::OpenidIdentity{issuer, "ann-1"}));
    EXPECT_TRUE(run(desk.sign_in.recognise(arrival.session.secret, "192.0.2.7")));

    const auto& asked = provider.asked.back();
    EXPECT_EQ(asked.url, "https://login.example/token");
    EXPECT_EQ(asked.basic_user, "rollcall");
    EXPECT_EQ(asked.basic_password, "s3cret%20%2B%2F");
    std::map<std::string, std::string> form{asked.form.begin(), asked.form.end()};
    EXPECT_EQ(form["code"], "code");
    EXPECT_EQ(form["redirect_uri"], "https://ops.example/auth/oidc/callback");
    EXPECT_EQ(to_base64url(x509::sha256(as_bytes(form["code_verifier"])).bytes),
              parameter(departure.url, "code_challenge"));
    EXPECT_EQ(form.count("client_secret"), 0U);
}

TEST_F(OpenidTest, TheIdentityCountsOnceItIsKnown) {
    (void)let_in("ann@example.com");
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(desk.last_event().action, "user.bind");
    EXPECT_EQ(sign_in([](auto& claims) { claims["email"] = "married@example.com"; }),
              "user:ann@example.com");
    EXPECT_EQ(sign_in([](auto& claims) { claims["sub"] = "somebody-else"; }), "openid-unknown-user")
        << "whoever gets her old address later is not she";
}

TEST_F(OpenidTest, StrangersStayOut) {
    EXPECT_EQ(sign_in(), "openid-unknown-user");
    (void)let_in("ann@example.com");
    EXPECT_EQ(sign_in([](auto& claims) { claims["email_verified"] = false; }),
              "openid-unknown-user");
    EXPECT_EQ(sign_in([](auto& claims) { claims.erase("email_verified"); }), "openid-unknown-user");
    NewUser local;
    local.name = "bob@example.com";
    local.password = "a long enough password";
    (void)run(desk.users.create(OperatorDesk::order(), local)).value();
    EXPECT_EQ(sign_in([](auto& claims) { claims["email"] = "bob@example.com"; }),
              "openid-unknown-user")
        << "a local user is not taken over";
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    const auto ann = run(desk.users.named("ann@example.com")).value();
    const UserChange off{.enabled = false};
    (void)run(desk.users.change(OperatorDesk::order(), ann, off)).value();
    EXPECT_EQ(sign_in(), "user-disabled");
}

TEST_F(OpenidTest, ATokenHasToBeForThisSignIn) {
    (void)let_in("ann@example.com");
    const auto seconds = [this](std::chrono::seconds offset) {
        const auto at = std::chrono::floor<std::chrono::seconds>(desk.clock.now()) + offset;
        return at.time_since_epoch().count();
    };
    const auto with = [this](const char* name, const json::value& value) {
        return sign_in([&](json::object& claims) { claims[name] = value; });
    };
    const auto without = [this](const char* name) {
        return sign_in([&](json::object& claims) { claims.erase(name); });
    };
    for (const char* name : {"iss", "sub", "aud", "exp", "iat", "nonce"}) {
        EXPECT_EQ(without(name), "token-claims") << name;
        EXPECT_EQ(with(name, json::object{}), "token-claims") << name;
    }
    const auto text = [](const char* value) { return json::value(value); };
    const std::vector<std::pair<const char*, json::value>> bad{
        {"iss", text("https://other.example")},
        {"iss", text("https://login.example/")},
        {"aud", text("another")},
        {"aud", json::value(json::array{"another"})},
        {"aud", json::value(json::array{"another", "rollcall"})},  // and no azp
        {"azp", text("another")},
        {"exp", json::value(seconds(-60s))},
        {"exp", text("later")},
        {"exp", json::value(-1)},
        {"exp", json::value(1e300)},
        {"iat", json::value(seconds(61s))},
        {"nbf", json::value(seconds(61s))},
        {"nonce", text("another")},
        {"nonce", text("")},
        {"sub", text("")},
        {"sub", json::value(std::string(256, 's'))}};
    for (const auto& [name, value] : bad) {
        EXPECT_EQ(with(name, value), "token-claims") << name << " " << json::serialize(value);
    }
    const std::vector<std::pair<const char*, json::value>> good{
        {"aud", json::value(json::array{"rollcall"})},
        {"azp", text("rollcall")},
        {"exp", json::value(seconds(-59s))},
        {"iat", json::value(seconds(60s))},
        {"nbf", json::value(seconds(60s))}};
    for (const auto& [name, value] : good) {
        EXPECT_EQ(with(name, value), "user:ann@example.com") << name;
    }
    EXPECT_EQ(sign_in([](json::object& claims) {
                  claims["aud"] = json::array{"another", "rollcall"};
                  claims["azp"] = "rollcall";
              }),
              "user:ann@example.com");
}

TEST_F(OpenidTest, OnlyTheBrowserThatBeganCanEnd) {
    (void)let_in("ann@example.com");
    const auto mine = depart();
    const auto theirs = depart();
    provider.claims = ann(mine);
    const auto reason = [this](Homecoming home) { return arrive(home).error().reason; };
    auto home_with = home(mine);
    home_with.cookie = theirs.cookie;
    EXPECT_EQ(reason(home_with), "openid-state");
    home_with.cookie = "";
    EXPECT_EQ(reason(home_with), "openid-not-begun");
    home_with.cookie = mine.cookie.substr(2);
    EXPECT_EQ(reason(home_with), "openid-not-begun");
    home_with = home(mine);
    home_with.state = "";
    EXPECT_EQ(reason(home_with), "openid-state");
    home_with = home(mine);
    home_with.issuer = "https://other.example";
    EXPECT_EQ(reason(home_with), "openid-refused");
    home_with = home(mine);
    home_with.error = "access_denied";
    EXPECT_EQ(reason(home_with), "openid-refused");
    home_with = home(mine);
    home_with.code = "";
    EXPECT_EQ(reason(home_with), "openid-refused");
    EXPECT_EQ(provider.times("/token"), 0U) << "the provider was not even asked";
    home_with = home(mine);
    home_with.issuer = issuer;
    desk.clock.advance(limits::openid_sign_in_time - 1us);
    provider.claims = ann(mine);
    EXPECT_TRUE(arrive(home_with));
    desk.clock.advance(1us);
    EXPECT_EQ(reason(home_with), "openid-not-begun") << "too long ago";
}

TEST_F(OpenidTest, TheProvidersNoAndItsTroublesAreTold) {
    (void)let_in("ann@example.com");
    provider.down = true;
    EXPECT_EQ(run(openid().depart("/ui/", "x")).error().reason, "provider-away");
    provider.down = false;
    const auto departure = depart();
    provider.claims = ann(departure);
    for (const unsigned status : {400U, 401U}) {
        provider.token_status = status;
        const auto refused = arrive(home(departure));
        EXPECT_EQ(refused.error().reason, "openid-refused");
        EXPECT_THAT(refused.error().note, HasSubstr("invalid_grant"));
    }
    for (const unsigned status : {500U, 302U, 404U}) {
        provider.token_status = status;
        EXPECT_EQ(arrive(home(departure)).error().kind, ErrorKind::unavailable) << status;
    }
    provider.token_status = 200;
    EXPECT_TRUE(arrive(home(departure)));
}

TEST_F(OpenidTest, ADocumentThatIsNotTheIssuersIsNotBelieved) {
    const auto reason = [this] {
        const auto left = run(openid().depart("/ui/", "x"));
        return left ? std::string{} : left.error().note;
    };
    provider.document["issuer"] = "https://evil.example";
    EXPECT_THAT(reason(), HasSubstr("another issuer"));
    provider.document["issuer"] = issuer;
    provider.document["token_endpoint"] = "http://login.example/token";
    EXPECT_THAT(reason(), HasSubstr("not https"));
    provider.document.erase("token_endpoint");
    EXPECT_THAT(reason(), HasSubstr("not https"));
    provider.document["token_endpoint"] = "https://login.example/token";
    EXPECT_EQ(reason(), "");
}

TEST_F(OpenidTest, KeysMayChangeAndTheDocumentIsKeptAWhile) {
    (void)let_in("ann@example.com");
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(provider.times("/keys"), 1U);
    provider.signing = JwtKey::rsa("two");
    EXPECT_EQ(sign_in(), "token-forged") << "it is not among its keys";
    provider.keys = {provider.signing};
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(provider.times("/keys"), 3U);
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(provider.times("/keys"), 3U);
    EXPECT_EQ(provider.times("/.well-known/openid-configuration"), 1U);
    desk.clock.advance(limits::openid_document_life);
    EXPECT_EQ(sign_in(), "user:ann@example.com");
    EXPECT_EQ(provider.times("/.well-known/openid-configuration"), 2U);
}

TEST_F(OpenidTest, AClaimGivesRoles) {
    settings.role_claim = "groups";
    settings.roles = {{Role::administrator, {"admins"}}, {Role::viewer, {"staff", "guests"}}};
    const auto groups = [this](json::array values) {
        return sign_in([&](json::object& claims) { claims["groups"] = values; });
    };
    EXPECT_EQ(groups({"others"}), "openid-unknown-user");
    EXPECT_EQ(groups({"staff"}), "user:ann@example.com");
    const auto role = [this] { return run(desk.users.named("ann@example.com")).value().role; };
    EXPECT_EQ(role(), Role::viewer);
    EXPECT_EQ(groups({"guests", "admins"}), "user:ann@example.com");
    EXPECT_EQ(role(), Role::administrator) << "the greater one";
    EXPECT_EQ(groups({}), "openid-no-role");
    const auto ann = run(desk.users.named("ann@example.com")).value();
    const UserChange fixed{.role = Role::builder};
    (void)run(desk.users.change(OperatorDesk::order(), ann, fixed)).value();
    EXPECT_EQ(groups({"admins"}), "user:ann@example.com");
    EXPECT_EQ(role(), Role::builder) << "an administrator's word goes before the claim";
}

TEST_F(OpenidTest, UserinfoTellsWhatTheTokenLeavesOut) {
    (void)let_in("ann@example.com");
    const auto bare = [](json::object& claims) {
        claims.erase("email");
        claims.erase("email_verified");
    };
    provider.userinfo = {{"sub", "ann-1"}, {"email", "ann@example.com"}, {"email_verified", true}};
    EXPECT_EQ(sign_in(bare), "user:ann@example.com");
    EXPECT_EQ(provider.asked.back().bearer, "at");
    provider.userinfo["sub"] = "ann-2";
    EXPECT_EQ(sign_in(bare), "openid-refused");
    provider.userinfo = {{"sub", "ann-1"}, {"nonce", "x"}};
    EXPECT_EQ(sign_in(bare), "user:ann@example.com") << "known by then";
}

TEST_F(OpenidTest, WithoutAProviderNothingIsOffered) {
    settings.issuer = "";
    EXPECT_EQ(run(openid().depart("/ui/", "x")).error().reason, "openid-off");
    EXPECT_EQ(arrive({}).error().reason, "openid-off");
}

TEST(LocalPaths, OnlyPathsOfThisServer) {
    for (const char* good : {"/", "/ui/", "/ui/groups?x=1#y", "/ui/a%2Fb"}) {
        EXPECT_TRUE(is_local_path(good)) << good;
    }
    for (const char* bad : {"", "ui/", "//evil.example", "/\\evil.example", "https://evil.example",
                            "/ui/\r\nSet-Cookie: x", "/ui/ x", "/ui/\x7f", "/ui/\xc3\xa4"}) {
        EXPECT_FALSE(is_local_path(bad)) << bad;
    }
    EXPECT_TRUE(is_local_path("/" + std::string(limits::return_path_chars_max - 1, 'x')));
    EXPECT_FALSE(is_local_path("/" + std::string(limits::return_path_chars_max, 'x')));
}

}  // namespace
}  // namespace rollcall::service
