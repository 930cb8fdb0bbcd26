// SPDX-License-Identifier: Apache-2.0
// The native API's shared access policies, and what their rights open.
#include "front/native_routes.hpp"
#include "support/native_door.hpp"
#include "support/sas_maker.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::NativeDoor;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class NativePolicies : public ::testing::Test {
protected:
    NativeDoor door;
};

/// Some place for each name of a path.
std::string somewhere(std::string_view path) {
    std::string target;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto part = path.substr(0, path.find('/'));
        path.remove_prefix(part.size());
        target += part == "{slot}"        ? "/primary"
                  : part == "{spki}"      ? "/" + std::string(64, 'A')
                  : part.starts_with('{') ? "/nobody"
                                          : "/" + std::string{part};
    }
    return target;
}

/// A request that is signed with a policy's key.
net::HttpRequest signed_with(const NativeDoor& door, const std::string& key,
                             const std::string& method, const std::string& target,
                             const std::string& name = "ci") {
    auto request = NativeDoor::request(method, target);
    request.connection = &door.remote;
    request.host = "ops.example";
    request.headers.emplace_back(
        "Authorization", test::sas_of(domain::parse_symmetric_key(key).value(), "ops.example",
                                      test::today + std::chrono::hours{1}, "&skn=" + name));
    return request;
}

TEST_F(NativePolicies, APolicyIsMadeUsedRotatedAndRevoked) {
    const json::array rights{"EnrollmentRead"};
    const auto made = door.send("POST", "/policies", {{"name", "ci"}, {"rights", rights}});
    EXPECT_EQ(made.status, 201u);
    EXPECT_EQ(made.header("Location"), "/api/v1/policies/ci");
    const std::string primary = made.text("/primaryKey");
    const std::string secondary = made.text("/secondaryKey");
    EXPECT_EQ(made.text("/primaryConnectionString"),
              "HostName=ops.example;SharedAccessKeyName=ci;SharedAccessKey=" + primary);
    EXPECT_EQ(made.text("/secondaryConnectionString"),
              "HostName=ops.example;SharedAccessKeyName=ci;SharedAccessKey=" + secondary);
    EXPECT_EQ(door.send(signed_with(door, primary, "GET", "/groups")).status, 200u);
    EXPECT_EQ(door.send(signed_with(door, secondary, "GET", "/groups")).status, 200u);

    const auto list = door.send("GET", "/policies");
    EXPECT_EQ(list.text("/items/0/name"), "ci");
    EXPECT_EQ(list.at("/items/0/rights"), rights);
    EXPECT_THAT(json::serialize(list.body), Not(HasSubstr(primary)));

    const auto rotated = door.send("PUT", "/policies/CI/keys/primary");
    EXPECT_EQ(rotated.text("/secondaryKey"), secondary);
    EXPECT_NE(rotated.text("/primaryKey"), primary);
    EXPECT_EQ(door.send(signed_with(door, primary, "GET", "/groups")).code(), "sas-refused");
    EXPECT_EQ(door.send(signed_with(door, secondary, "GET", "/groups")).status, 200u);
    const std::string newer = rotated.text("/primaryKey");
    EXPECT_EQ(door.send(signed_with(door, newer, "GET", "/groups")).status, 200u);
    auto stale = NativeDoor::request("PUT", "/policies/ci/keys/primary");
    stale.headers.emplace_back("If-Match", made.header("ETag"));
    EXPECT_EQ(door.send(stale).status, 412u);

    EXPECT_EQ(door.send("POST", "/policies/ci/show-keys").text("/primaryKey"), newer);
    EXPECT_EQ(door.last_event().action, "policy.show");
    EXPECT_EQ(door.send("DELETE", "/policies/ci").text("/deleted"), "policy/ci");
    EXPECT_EQ(door.send(signed_with(door, newer, "GET", "/groups")).status, 401u);
    EXPECT_EQ(door.send("DELETE", "/policies/ci").code(), "policy-not-found");
    for (const auto& record : door.audit()) {
        EXPECT_THAT(record.event.detail, Not(HasSubstr(primary)));
    }
}

TEST_F(NativePolicies, PoliciesThatMakeNoSense) {
    const auto post = [this](const json::value& body) {
        return door.send("POST", "/policies", body).code();
    };
    EXPECT_EQ(post({{"name", "a b"}, {"rights", {"EnrollmentRead"}}}), "malformed-name");
    EXPECT_EQ(post({{"name", "a"}, {"rights", json::array{}}}), "no-right");
    EXPECT_EQ(post({{"name", "a"}}), "no-right");
    EXPECT_EQ(post({{"name", "a"}, {"rights", {"Root"}}}), "unknown-right");
    EXPECT_EQ(post({{"name", "a"}, {"rights", "EnrollmentRead"}}), "malformed-member");
    EXPECT_EQ(door.send("PUT", "/policies/a/keys/primary").code(), "policy-not-found");
    EXPECT_EQ(door.send("PUT", "/policies/a/keys/third").status, 400u);
    EXPECT_EQ(door.send("POST", "/policies/a/show-keys").code(), "policy-not-found");
}

TEST_F(NativePolicies, PoliciesComeInPages) {
    for (const auto* name : {"C", "a", "b"}) {
        (void)run(door.access.create_policy(NativeDoor::order(), name, domain::SasRights::all()))
            .value();
    }
    const auto first = door.send("GET", "/policies?limit=2");
    EXPECT_EQ(first.text("/items/1/name"), "b");
    EXPECT_EQ(first.text("/next"), "b");
    const auto last = door.send("GET", "/policies?limit=2&after=b");
    EXPECT_EQ(last.text("/items/0/name"), "C");
    EXPECT_TRUE(last.at("/next").is_null());
}

/// Every right against every route. What a right gives is written down here a second time.
TEST_F(NativePolicies, ARightOpensItsRoutesAndNoOther) {
    const std::map<std::string, std::set<std::string>> opens{
        {"ServiceConfig", {"server.read", "hub.write", "ca.read", "ca.write"}},
        {"EnrollmentRead", {"group.read", "enrollment.read", "ca.read"}},
        {"EnrollmentWrite", {"group.write", "enrollment.write", "key.show", "group-key.show"}},
        {"DeviceConnect", {}},
        {"RegistrationStatusRead", {"registration.read"}},
        {"RegistrationStatusWrite", {"registration.write"}},
        {"RegistryRead", {"device.read"}},
        {"RegistryWrite", {"device.write"}}};
    ASSERT_EQ(opens.size(), domain::SasRights::all().words().size());
    for (const auto& [right, permissions] : opens) {
        const auto rights = domain::parse_sas_rights({right}).value();
        const auto policy =
            run(door.access.create_policy(NativeDoor::order(), right, rights)).value();
        for (const auto& route : native_routes()) {
            if (route.permission == service::Permission::none) {
                continue;
            }
            const auto reply =
                door.send(signed_with(door, policy.keys.front().base64(), std::string{route.method},
                                      somewhere(route.path), right));
            const bool open =
                permissions.contains(std::string{service::to_string(route.permission)});
            EXPECT_EQ(reply.code() != "permission-missing", open)
                << right << " " << route.operation_id;
            EXPECT_EQ(reply.status == 403u, !open) << right << " " << route.operation_id;
        }
    }
}

TEST_F(NativePolicies, TheServerSaysWhomItTakesAPolicyFor) {
    const auto rights = domain::parse_sas_rights({"ServiceConfig"}).value();
    const auto policy = run(door.access.create_policy(NativeDoor::order(), "ci", rights)).value();
    const auto reply = door.send(signed_with(door, policy.keys.front().base64(), "GET", "/server"));
    EXPECT_EQ(reply.text("/caller/name"), "policy:ci");
    EXPECT_EQ(reply.text("/caller/rights/0"), "ServiceConfig");
}

}  // namespace
}  // namespace rollcall::front
