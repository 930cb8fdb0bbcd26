// SPDX-License-Identifier: Apache-2.0
#include "front/health.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

net::HttpResponse ask(Health& health, const std::string& method, const std::string& path) {
    net::HttpRequest request;
    request.method = method;
    request.path = path;
    asio::io_context context;
    auto answer = asio::co_spawn(context, health.handle(request), asio::use_future);
    context.run();
    return answer.get();
}

TEST(Health, TellsMetricsLifeAndReadiness) {
    Metrics metrics;
    metrics.counter("rollcall_tests_total", "Tests").add(3);
    bool ready = false;
    Health health{metrics, [&] { return ready; }};
    EXPECT_THAT(ask(health, "GET", "/metrics").body, testing::HasSubstr("rollcall_tests_total 3"));
    EXPECT_EQ(ask(health, "GET", "/healthz").status, 200U);
    EXPECT_EQ(ask(health, "GET", "/readyz").status, 503U);
    ready = true;
    EXPECT_EQ(ask(health, "HEAD", "/readyz").status, 200U);
    EXPECT_EQ(ask(health, "GET", "/").status, 404U);
    EXPECT_EQ(ask(health, "POST", "/metrics").status, 405U);
}

TEST(Health, NeverTellsInternals) {
    Metrics metrics;
    Health health{metrics, [] { return true; }};
    const Error error{.kind = ErrorKind::internal, .detail = "secret"};
    EXPECT_THAT(health.refuse(500, error, {}).body, testing::Not(testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace rollcall::front
