// SPDX-License-Identifier: Apache-2.0
#include "front/operator_reception.hpp"

#include "support/run_task.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

/// Says its name, and takes as many bytes as that has.
class Named final : public net::HttpHandler {
public:
    explicit Named(std::string name) : name_(std::move(name)) {}
    Task<net::HttpResponse> handle(const net::HttpRequest&) override {
        net::HttpResponse response;
        response.body = name_;
        co_return response;
    }
    net::HttpResponse refuse(unsigned status, const Error&, const net::HttpRequest&) override {
        net::HttpResponse response;
        response.status = status;
        response.body = name_;
        return response;
    }
    std::size_t body_bytes_max() const override { return name_.size(); }

private:
    std::string name_;
};

TEST(OperatorReception, TheBeginningOfThePathDecides) {
    Named service{"service"};
    Named native{"native"};
    Named central{"central-api"};
    Named root{"the root"};
    OperatorReception reception{{{"enrollments", service},
                                 {"enrollmentGroups", service},
                                 {"api/v1", native},
                                 {"api", central},
                                 {"", root}},
                                native};
    const std::vector<std::pair<std::string, std::string>> cases{
        {"/enrollments", "service"},
        {"/enrollments/", "service"},
        {"/ENROLLMENTS/a/b", "service"},
        {"/enrollmentgroups/g", "service"},
        {"/enrollmentsx", "native"},
        {"/api/v1/enrollments", "native"},
        {"/api/v1", "native"},
        {"/API/V1/", "native"},
        {"/api/v12", "central-api"},
        {"/api/v1x/devices", "central-api"},
        {"/api/enrollmentGroups/v1", "central-api"},
        {"/api", "central-api"},
        {"/Api/", "central-api"},
        {"/api//v1", "central-api"},
        {"/apis", "native"},
        {"/", "the root"},
        {"//", "native"},
        {"/x", "native"},
        {"", "native"},
        {"*", "native"},
        {"//enrollments", "native"},
    };
    for (const auto& [path, who] : cases) {
        net::HttpRequest request;
        request.path = path;
        EXPECT_EQ(test::run(reception.handle(request)).body, who) << path;
        EXPECT_EQ(reception.refuse(413, Error{}, request).body, who) << path;
        EXPECT_EQ(reception.body_bytes_max_of(path + "?api-version=1"), who.size()) << path;
    }
    EXPECT_EQ(reception.body_bytes_max_of("https://host.example/enrollments?x"), 7u);
    EXPECT_EQ(reception.body_bytes_max_of("https://host.example"), 6u);
    EXPECT_EQ(reception.body_bytes_max(), 6u);
}

}  // namespace
}  // namespace rollcall::front
