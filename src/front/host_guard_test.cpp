// SPDX-License-Identifier: Apache-2.0
#include "front/host_guard.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

class Greeter final : public net::HttpHandler {
public:
    Task<net::HttpResponse> handle(const net::HttpRequest&) override {
        net::HttpResponse response;
        response.body = "hello";
        co_return response;
    }
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest&) override {
        net::HttpResponse response;
        response.status = status;
        response.body = error.reason;
        return response;
    }
    std::size_t body_bytes_max() const override { return 7; }
};

net::HttpResponse ask(HostGuard& guard, const std::string& host) {
    net::HttpRequest request;
    request.host = host;
    asio::io_context context;
    auto answer = asio::co_spawn(context, guard.handle(request), asio::use_future);
    context.run();
    return answer.get();
}

TEST(HostGuard, AnswersItsOwnClassAndMisdirectsTheOther) {
    Greeter greeter;
    const std::set<std::string> names{"admin.example"};
    HostGuard operators{greeter, names, true};
    HostGuard devices{greeter, names, false};
    EXPECT_EQ(ask(operators, "admin.example").body, "hello");
    EXPECT_EQ(ask(operators, "dps.example").status, 421U);
    EXPECT_EQ(ask(operators, "").status, 421U);
    EXPECT_EQ(ask(devices, "dps.example").body, "hello");
    EXPECT_EQ(ask(devices, "").body, "hello");
    const auto misdirected = ask(devices, "admin.example");
    EXPECT_EQ(misdirected.status, 421U);
    EXPECT_EQ(misdirected.body, "misdirected-request");
    EXPECT_TRUE(misdirected.close);
    EXPECT_EQ(devices.body_bytes_max(), 7U);
}

}  // namespace
}  // namespace rollcall::front
