// SPDX-License-Identifier: Apache-2.0
// The native API's users and their sessions.
#include "base/limits.hpp"
#include "support/native_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::NativeDoor;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* password = "a long enough password";

/// A browser: keeps the cookie, repeats the csrf value.
struct Browser {
    explicit Browser(NativeDoor& the_door) : door(the_door) {}

    NativeDoor::Reply send(const std::string& method, const std::string& target,
                           const json::value& body = nullptr) {
        auto request =
            NativeDoor::request(method, target, body.is_null() ? "" : json::serialize(body));
        request.connection = &door.remote;
        request.headers.emplace_back("Host", "ops.example");
        if (!origin.empty()) {
            request.headers.emplace_back("Origin", origin);
        }
        if (!cookie.empty()) {
            request.headers.emplace_back("Cookie", cookie);
        }
        if (!csrf.empty()) {
            request.headers.emplace_back("X-Rollcall-CSRF", csrf);
        }
        auto reply = door.send(request);
        if (const auto set = reply.header("Set-Cookie"); !set.empty()) {
            cookie = set.substr(0, set.find(';'));
        }
        if (const auto* const said =
                reply.body.is_object() ? reply.body.as_object().if_contains("csrf") : nullptr;
            said != nullptr && said->is_string()) {
            csrf = said->as_string();
        }
        return reply;
    }
    NativeDoor::Reply sign_in(const std::string& name, const std::string& with = password) {
        return send("POST", "/session", {{"name", name}, {"password", with}});
    }

    NativeDoor& door;
    std::string cookie{};
    std::string csrf{};
    std::string origin = "https://ops.example";
};

class NativeUsers : public ::testing::Test {
protected:
    NativeDoor::Reply make(const std::string& name, const std::string& role) {
        return door.send("POST", "/users",
                         {{"name", name}, {"role", role}, {"password", password}});
    }

    NativeDoor door;
    Browser browser{door};
};

TEST_F(NativeUsers, AUserIsMadeChangedAndDeleted) {
    const auto made = make("Ann", "viewer");
    EXPECT_EQ(made.status, 201u);
    EXPECT_EQ(made.header("Location"), "/api/v1/users/Ann");
    EXPECT_EQ(made.text("/kind"), "local");
    EXPECT_EQ(made.text("/role"), "viewer");
    EXPECT_THAT(json::serialize(made.body), Not(HasSubstr("argon2")));
    EXPECT_EQ(make("ann", "viewer").code(), "user-exists");
    EXPECT_EQ(door.send("GET", "/users/ANN").text("/name"), "Ann");
    EXPECT_EQ(door.send("GET", "/users").text("/items/0/name"), "Ann");
    EXPECT_EQ(door.send("PATCH", "/users/ann", {{"role", "builder"}}).text("/role"), "builder");
    auto stale = NativeDoor::request("DELETE", "/users/ann");
    stale.headers.emplace_back("If-Match", made.header("ETag"));
    EXPECT_EQ(door.send(stale).status, 412u);
    EXPECT_EQ(door.send("DELETE", "/users/ann").text("/deleted"), "user/Ann");
    EXPECT_EQ(door.send("GET", "/users/ann").code(), "user-not-found");

    const auto openid = door.send(
        "POST", "/users", {{"name", "b@example.com"}, {"kind", "openid"}, {"role", "operator"}});
    EXPECT_EQ(openid.status, 201u);
    EXPECT_TRUE(openid.at("/identity").is_null());
}

TEST_F(NativeUsers, WhatIsNoUserIsRefused) {
    const std::vector<std::pair<json::object, const char*>> cases{
        {{{"name", "ann"}, {"role", "viewer"}}, "password-missing"},
        {{{"name", "ann"}, {"password", password}}, "missing-member"},
        {{{"name", "ann"}, {"role", "owner"}, {"password", password}}, "unknown-role"},
        {{{"name", "ann"}, {"role", "viewer"}, {"password", "short"}}, "password-too-short"},
        {{{"name", "a b"}, {"role", "viewer"}, {"password", password}}, "malformed-name"},
        {{{"name", "ann"}, {"role", "viewer"}, {"kind", "adGroup"}}, "malformed-member"}};
    for (const auto& [body, code] : cases) {
        const auto refused = door.send("POST", "/users", body);
        EXPECT_EQ(refused.status, 400u);
        EXPECT_EQ(refused.code(), code) << json::serialize(body);
    }
    EXPECT_EQ(door.send("PATCH", "/users/nobody", {{"enabled", true}}).code(), "user-not-found");
}

TEST_F(NativeUsers, AListHasPages) {
    for (const char* name : {"c", "A", "b"}) {
        (void)make(name, "viewer");
    }
    const auto first = door.send("GET", "/users?limit=2");
    EXPECT_EQ(first.text("/items/0/name"), "A");
    EXPECT_EQ(first.text("/items/1/name"), "b");
    EXPECT_EQ(first.text("/next"), "b");
    const auto second = door.send("GET", "/users?limit=2&after=b");
    EXPECT_EQ(second.text("/items/0/name"), "c");
    EXPECT_TRUE(second.at("/next").is_null());
}

TEST_F(NativeUsers, ABrowserSignsInWorksAndSignsOut) {
    (void)make("ann", "operator");
    const auto opened = browser.sign_in("ann");
    EXPECT_EQ(opened.status, 201u);
    EXPECT_THAT(opened.header("Set-Cookie"), StartsWith("__Host-rollcall=rcs_"));
    EXPECT_THAT(opened.header("Set-Cookie"),
                HasSubstr("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(json::serialize(opened.body), Not(HasSubstr("rcs_")));
    EXPECT_EQ(opened.text("/caller"), "user:ann");
    const auto who = browser.send("GET", "/session");
    EXPECT_EQ(who.text("/role"), "operator");
    EXPECT_THAT(json::serialize(who.at("/permissions")), HasSubstr("device.write"));
    EXPECT_THAT(json::serialize(who.at("/permissions")), Not(HasSubstr("user.write")));
    EXPECT_EQ(browser.send("GET", "/devices").status, 200u);
    EXPECT_EQ(browser.send("DELETE", "/users/ann").code(), "permission-missing");

    Browser other{door};
    (void)other.sign_in("ann");
    EXPECT_EQ(browser.send("GET", "/sessions").at("/items").as_array().size(), 2u);
    const auto cookie = browser.cookie;
    const auto out = browser.send("DELETE", "/session");
    EXPECT_EQ(out.status, 200u);
    EXPECT_THAT(out.header("Set-Cookie"), HasSubstr("Max-Age=0"));
    browser.cookie = cookie;
    EXPECT_EQ(browser.send("GET", "/devices").code(), "session-unknown");
    EXPECT_EQ(other.send("GET", "/devices").status, 200u);
    EXPECT_EQ(other.send("DELETE", "/sessions").text("/deleted"), "user/ann/sessions");
}

TEST_F(NativeUsers, APageOfAnotherSiteChangesNothing) {
    (void)make("ann", "administrator");
    browser.origin = "https://evil.example";
    EXPECT_EQ(browser.sign_in("ann").code(), "foreign-origin");
    browser.origin = "https://ops.example";
    EXPECT_EQ(browser.sign_in("ann").status, 201u);
    const json::object group{{"id", "g"}};
    const auto csrf = browser.csrf;
    browser.csrf = "";
    EXPECT_EQ(browser.send("POST", "/groups", group).code(), "csrf-missing");
    browser.csrf = "00";
    EXPECT_EQ(browser.send("POST", "/groups", group).code(), "csrf-wrong");
    browser.csrf = csrf;
    browser.origin = "https://evil.example";
    EXPECT_EQ(browser.send("POST", "/groups", group).code(), "foreign-origin");
    EXPECT_EQ(browser.send("DELETE", "/session").code(), "foreign-origin");
    EXPECT_EQ(door.send("GET", "/groups").at("/items").as_array().size(), 0u);
    browser.origin = "";
    EXPECT_NE(browser.send("POST", "/groups", group).status, 403u);
    EXPECT_EQ(door.last_event().actor, "user:ann");
}

TEST_F(NativeUsers, ATokenGoesBeforeACookie) {
    (void)make("ann", "viewer");
    (void)browser.sign_in("ann");
    auto request = NativeDoor::request("GET", "/session");
    request.connection = &door.remote;
    request.headers.emplace_back("Cookie", browser.cookie);
    request.headers.emplace_back("Authorization", "Bearer rct_0");
    EXPECT_EQ(door.send(request).code(), "token-unknown");
    request.headers.pop_back();
    EXPECT_EQ(door.send(request).text("/caller"), "user:ann");
    EXPECT_EQ(door.send("GET", "/session").text("/caller"), "local administrator");
    EXPECT_EQ(door.send("DELETE", "/session").code(), "no-session");
    EXPECT_EQ(door.send("DELETE", "/sessions").code(), "no-session");
    EXPECT_EQ(
        door.send("PUT", "/session/password", {{"current", "x"}, {"password", password}}).code(),
        "no-session");
}

TEST_F(NativeUsers, TheCookieIsReplacedInTheMiddle) {
    (void)make("ann", "viewer");
    (void)browser.sign_in("ann");
    const auto first = browser.cookie;
    door.clock.advance(limits::session_secret_life);
    EXPECT_EQ(browser.send("GET", "/devices").status, 200u);
    EXPECT_NE(browser.cookie, first);
    const auto second = browser.cookie;
    EXPECT_EQ(browser.send("GET", "/users/nobody").status, 404u);
    EXPECT_EQ(browser.cookie, second);
    door.clock.advance(limits::session_secret_life);
    EXPECT_EQ(browser.send("GET", "/users/nobody").status, 404u) << "a refusal has one too";
    EXPECT_NE(browser.cookie, second);
}

TEST_F(NativeUsers, AUserChangesItsOwnPasswordAndAnAdministratorEndsSessions) {
    (void)make("ann", "viewer");
    (void)browser.sign_in("ann");
    const json::object wrong{{"current", "wrong"}, {"password", "another long password"}};
    EXPECT_EQ(browser.send("PUT", "/session/password", wrong).code(), "wrong-password");
    const json::object right{{"current", password}, {"password", "another long password"}};
    EXPECT_EQ(browser.send("PUT", "/session/password", right).status, 200u);
    EXPECT_EQ(browser.send("GET", "/session").text("/caller"), "user:ann") << "with a new cookie";
    EXPECT_EQ(door.send("DELETE", "/users/ann/sessions?reason=lost").status, 200u);
    EXPECT_EQ(browser.send("GET", "/session").code(), "session-unknown");
    EXPECT_EQ(door.last_event().reason, "lost");
}

TEST_F(NativeUsers, WrongPasswordsAreAnswered429WithAWait) {
    (void)make("ann", "viewer");
    for (int i = 0; i < static_cast<int>(limits::name_failures_burst); ++i) {
        EXPECT_EQ(browser.sign_in("ann", "a wrong password").code(), "sign-in-refused");
    }
    const auto refused = browser.sign_in("ann");
    EXPECT_EQ(refused.status, 429u);
    EXPECT_EQ(refused.code(), "name-throttled");
    EXPECT_EQ(refused.header("Retry-After"), "30");
    EXPECT_THAT(refused.text("/detail"), HasSubstr("30 seconds"));
    door.clock.advance(limits::name_failure_pause);
    EXPECT_EQ(browser.sign_in("ann").status, 201u);
}

}  // namespace
}  // namespace rollcall::front
