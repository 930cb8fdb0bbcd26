// SPDX-License-Identifier: Apache-2.0
#include "front/console.hpp"

#include "support/run_task.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

constexpr std::array files{
    ConsoleFile{"index.html", "text/html; charset=utf-8", "11", "<!doctype html>", ""},
    ConsoleFile{"assets/app-1.js", "text/javascript; charset=utf-8", "22", "let a = 1", "GZIP"},
};

class ConsoleTest : public ::testing::Test {
protected:
    net::HttpResponse ask(const std::string& method, const std::string& path,
                          net::HttpHeaders headers = {}) {
        net::HttpRequest request;
        request.method = method;
        request.target = path;
        request.path = path;
        request.host = "ops.example";
        request.headers = std::move(headers);
        request.connection = &remote;
        return test::run(console.handle(request));
    }

    net::ConnectionFacts remote{.tls_version = "TLSv1.3"};
    Console console{files};
};

TEST_F(ConsoleTest, AnswersThePageAtItsRootAndAtEveryDeepLink) {
    for (const std::string path : {"/", "/ui", "/ui/", "/ui/groups/plant%2Fa", "/ui/assets/x.js"}) {
        const auto response = ask("GET", path);
        EXPECT_EQ(response.status, 200U) << path;
        EXPECT_EQ(response.body, "<!doctype html>") << path;
        EXPECT_THAT(response.headers, Contains(Pair("Cache-Control", "no-cache"))) << path;
        EXPECT_THAT(response.headers, Contains(Pair("ETag", "\"11\""))) << path;
    }
}

TEST_F(ConsoleTest, LetsAssetsBeKeptForGood) {
    const auto response = ask("GET", "/assets/app-1.js");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "let a = 1");
    EXPECT_THAT(response.headers, Contains(Pair("Content-Type", "text/javascript; charset=utf-8")));
    EXPECT_THAT(response.headers,
                Contains(Pair("Cache-Control", "public, max-age=31536000, immutable")));
    EXPECT_THAT(response.headers, Contains(Pair("Vary", "Accept-Encoding")));
}

TEST_F(ConsoleTest, HasNothingElse) {
    for (const std::string path : {"/assets/app-2.js", "/assets/", "/assets", "/index.html", "/uix",
                                   "/assets/../index.html", "//", "/assets/%61pp-1.js"}) {
        const auto response = ask("GET", path);
        EXPECT_EQ(response.status, 404U) << path;
        EXPECT_THAT(response.headers, Contains(Pair("Cache-Control", "no-store"))) << path;
    }
}

TEST_F(ConsoleTest, CompressesForWhoTakesIt) {
    const std::pair<std::string, bool> rows[] = {
        {"gzip", true},
        {"GZIP", true},
        {"br, gzip;q=0.5", true},
        {"gzip;q=0", false},
        {"br", false},
        {"gzip; q=0.000, *", false},
        {"*", true},
        {"*;q=0", false},
        {"", false},
        {"br ,\tgzip ; q=1", true},
        {"x-gzip", false},
        {"*;q=0, gzip", true},
    };
    for (const auto& [accepted, compressed] : rows) {
        const auto response = ask("GET", "/assets/app-1.js", {{"Accept-Encoding", accepted}});
        EXPECT_EQ(response.body, compressed ? "GZIP" : "let a = 1") << accepted;
        const auto expected = Contains(Pair("Content-Encoding", "gzip"));
        EXPECT_EQ(testing::Value(response.headers, expected), compressed) << accepted;
    }
    EXPECT_EQ(ask("GET", "/", {{"Accept-Encoding", "gzip"}}).body, "<!doctype html>");
}

TEST_F(ConsoleTest, SendsNothingAgainThatTheBrowserHas) {
    const std::pair<std::string, unsigned> rows[] = {
        {"\"22-gzip\"", 304}, {"W/\"22-gzip\"", 304}, {"\"1\", \"22-gzip\"", 304},
        {"*", 304},           {"\"22\"", 200},        {"22-gzip", 200},
    };
    for (const auto& [held, status] : rows) {
        const auto response =
            ask("GET", "/assets/app-1.js", {{"Accept-Encoding", "gzip"}, {"If-None-Match", held}});
        EXPECT_EQ(response.status, status) << held;
        EXPECT_EQ(response.body.empty(), status == 304) << held;
        EXPECT_THAT(response.headers, Contains(Pair("ETag", "\"22-gzip\""))) << held;
    }
    EXPECT_EQ(ask("GET", "/", {{"If-None-Match", "\"11\""}}).status, 304U);
}

TEST_F(ConsoleTest, TakesGetAndHeadOnly) {
    EXPECT_EQ(ask("HEAD", "/").status, 200U);
    for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
        const auto response = ask(method, "/ui/groups");
        EXPECT_EQ(response.status, 405U) << method;
        EXPECT_THAT(response.headers, Contains(Pair("Allow", "GET, HEAD"))) << method;
    }
}

TEST_F(ConsoleTest, TellsTheBrowserToTrustNobodyElse) {
    for (const auto& response : {ask("GET", "/"), ask("GET", "/assets/app-1.js"),
                                 ask("GET", "/assets/none"), ask("POST", "/")}) {
        EXPECT_THAT(response.headers,
                    Contains(Pair("Content-Security-Policy",
                                  testing::AllOf(HasSubstr("default-src 'none'"),
                                                 HasSubstr("script-src 'self';"),
                                                 HasSubstr("frame-ancestors 'none'"),
                                                 testing::Not(HasSubstr("unsafe"))))));
        EXPECT_THAT(response.headers, Contains(Pair("X-Content-Type-Options", "nosniff")));
        EXPECT_THAT(response.headers, Contains(Pair("Referrer-Policy", "no-referrer")));
        EXPECT_THAT(response.headers, Contains(Pair("Cross-Origin-Opener-Policy", "same-origin")));
        EXPECT_THAT(response.headers,
                    Contains(Pair("Strict-Transport-Security", "max-age=31536000")));
    }
}

TEST_F(ConsoleTest, NeverTellsInternals) {
    const Error error{.kind = ErrorKind::internal, .detail = "secret"};
    net::HttpRequest so_far;
    so_far.connection = &remote;
    const auto response = console.refuse(500, error, so_far);
    EXPECT_THAT(response.body, testing::Not(HasSubstr("secret")));
    EXPECT_TRUE(response.close);
}

TEST_F(ConsoleTest, SaysSoWhenItWasNotBuilt) {
    Console none{{}};
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/";
    request.connection = &remote;
    const auto response = test::run(none.handle(request));
    EXPECT_EQ(response.status, 404U);
    EXPECT_THAT(response.body, HasSubstr("without its console"));
}

}  // namespace
}  // namespace rollcall::front
