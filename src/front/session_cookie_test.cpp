// SPDX-License-Identifier: Apache-2.0
#include "front/session_cookie.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

net::HttpRequest with(net::HttpHeaders headers) {
    static const net::ConnectionFacts tls = [] {
        net::ConnectionFacts facts;
        facts.tls_version = "TLSv1.3";
        return facts;
    }();
    net::HttpRequest request;
    request.headers = std::move(headers);
    request.connection = &tls;
    return request;
}

TEST(Cookies, OneIsFoundByItsWholeName) {
    const auto value = [](std::string header) {
        return cookie_in(with({{"Cookie", std::move(header)}}), "__Host-rollcall").value_or("none");
    };
    EXPECT_EQ(value("__Host-rollcall=abc"), "abc");
    EXPECT_EQ(value("a=b; __Host-rollcall=abc; c"), "abc");
    EXPECT_EQ(value("a=b;__Host-rollcall=a=b"), "a=b");
    EXPECT_EQ(value("__Host-rollcall="), "");
    EXPECT_EQ(value("__host-rollcall=abc"), "none") << "names have case";
    EXPECT_EQ(value("x__Host-rollcall=abc"), "none");
    EXPECT_EQ(value("__Host-rollcall-openid=abc"), "none");
    EXPECT_EQ(value("__Host-rollcall"), "none");
    EXPECT_EQ(value(""), "none");
    EXPECT_EQ(value(";;="), "none");
    EXPECT_EQ(value("__Host-rollcall=a; __Host-rollcall=b"), "none") << "which one?";
    const auto twice = with({{"cookie", "__Host-rollcall=a"}, {"Cookie", "__Host-rollcall=b"}});
    EXPECT_EQ(cookie_in(twice, "__Host-rollcall"), std::nullopt);
}

TEST(Cookies, AreForThisHostOverTlsAndNotForScripts) {
    EXPECT_EQ(set_cookie(session_cookie, "abc", SameSite::strict),
              "__Host-rollcall=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
    EXPECT_EQ(set_cookie("x", "y", SameSite::lax, std::chrono::minutes{1}),
              "x=y; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
    EXPECT_EQ(clear_cookie("x", SameSite::lax),
              "x=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
}

TEST(Origins, OnlyOurOwnPagesAndProgramsPass) {
    const auto passes = [](net::HttpHeaders headers) {
        return check_origin(with(std::move(headers))).has_value();
    };
    EXPECT_TRUE(passes({{"Host", "ops.example:9443"}}));
    EXPECT_TRUE(passes({{"Host", "ops.example:9443"}, {"Origin", "https://ops.example:9443"}}));
    EXPECT_TRUE(passes({{"Host", "OPS.example"}, {"Origin", "https://ops.example"}}));
    for (const char* foreign : {"null", "", "http://ops.example:9443", "https://ops.example",
                                "https://ops.example:9443.evil.example", "https://evil.example",
                                "https://ops.example:9443/"}) {
        EXPECT_FALSE(passes({{"Host", "ops.example:9443"}, {"Origin", foreign}})) << foreign;
    }
    EXPECT_FALSE(passes({{"Origin", "https://"}})) << "no Host";
}

TEST(Csrf, TheValueIsRepeatedWhole) {
    const auto reason = [](net::HttpHeaders headers, std::string_view expected) {
        const auto checked = check_csrf(with(std::move(headers)), expected);
        return checked ? std::string{} : checked.error().reason;
    };
    EXPECT_EQ(reason({{"x-rollcall-csrf", "abc"}}, "abc"), "");
    EXPECT_EQ(reason({}, "abc"), "csrf-missing");
    EXPECT_EQ(reason({{"X-Rollcall-CSRF", ""}}, "abc"), "csrf-wrong");
    EXPECT_EQ(reason({{"X-Rollcall-CSRF", "ab"}}, "abc"), "csrf-wrong");
    EXPECT_EQ(reason({{"X-Rollcall-CSRF", ""}}, ""), "csrf-wrong") << "no value is no proof";
}

}  // namespace
}  // namespace rollcall::front
