// SPDX-License-Identifier: Apache-2.0
// Walks what the APIs of existing tools change or show: each change leaves its audit events that
// say who, from where, to what, and what was before and after; and no secret. Their clients have no
// word for a reason. The native API's walk is audit_walk_test.cpp.
#include "front/certificate_api.hpp"
#include "front/dps_service_api.hpp"
#include "front/registry_api.hpp"
#include "support/native_door.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::NativeDoor;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string arm =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/provisioningServices/dps";

/// What one step leaves.
struct Told {
    std::string action;
    std::string object;
    std::vector<std::string> details{};
};

class AuditFacades : public ::testing::Test {
protected:
    AuditFacades() {
        const auto order = NativeDoor::order();
        service::TokenWish auditor;
        auditor.name = "auditor";
        const auto made = test::run(door.access.create(order, auditor));
        secret = made->secret;
        secrets.push_back(secret);
    }

    net::HttpResponse send(net::HttpHandler& api, const std::string& method,
                           const std::string& address, const std::string& body = {}) {
        net::HttpRequest request;
        request.method = method;
        request.path = address;
        request.query = &api == &arm_api       ? "api-version=2022-02-05"
                        : &api == &service_api ? "api-version=2021-10-01"
                                               : "";
        request.target = request.path + (request.query.empty() ? "" : "?" + request.query);
        request.host = "ops.example";
        request.body = body;
        request.connection = &door.remote;
        request.headers = {{"Authorization", "Bearer " + secret}, {"If-Match", "*"}};
        if (!body.empty()) {
            request.headers.emplace_back("Content-Type", "application/json");
        }
        return test::run(api.handle(request));
    }

    /// One request that changes something or shows a secret. `made` has no If-Match: see below.
    json::value step(net::HttpHandler& api, const std::string& method, const std::string& address,
                     const json::value& body, const std::vector<Told>& told) {
        walked.insert(method + " " + address);
        addresses.insert_or_assign(address, &api);
        const auto before = door.audit().back().sequence;
        const auto response =
            send(api, method, address, body.is_null() ? "" : json::serialize(body));
        EXPECT_LT(response.status, 300u) << method << " " << address << ": " << response.body;
        const auto log = door.audit();
        EXPECT_EQ(log.back().sequence, before + told.size()) << method << " " << address;
        const auto first = log.size() - std::min(log.size(), told.size());
        for (std::size_t i = 0; i < told.size() && first + i < log.size(); ++i) {
            check(log[first + i].event, told[i]);
        }
        keep_secrets(response.body);
        return response.body.empty() ? json::value{} : json::parse(response.body);
    }

    void check(const domain::AuditEvent& event, const Told& told) {
        EXPECT_EQ(event.action, told.action);
        EXPECT_EQ(event.object, told.object) << told.action;
        EXPECT_EQ(event.actor, "token:auditor") << told.action;
        EXPECT_EQ(event.source, "192.0.2.7") << told.action;
        EXPECT_EQ(event.at, door.clock.now()) << told.action;
        const json::value detail =
            event.detail.empty() ? json::value(json::object{}) : json::parse(event.detail);
        for (const auto& member : told.details) {
            EXPECT_TRUE(detail.as_object().contains(member))
                << told.action << " does not tell " << member << ": " << event.detail;
        }
    }

    /// Keys and codes that an answer shows.
    void keep_secrets(const std::string& answer) {
        for (const std::string_view name :
             {"\"primaryKey\":\"", "\"secondaryKey\":\"", "\"verificationCode\":\""}) {
            for (auto at = answer.find(name); at != std::string::npos; at = answer.find(name, at)) {
                at += name.size();
                secrets.push_back(answer.substr(at, answer.find('"', at) - at));
            }
        }
    }

    NativeDoor door;
    ArmService facts{"0ne12345678", "ops.example", "dps.example"};
    CertificateApi arm_api{{door.enroller, door.access, door.trust_book, door.entropy, facts}};
    DpsServiceApi service_api{
        {door.enroller, door.access, door.trust_book, door.store, door.clock, door.entropy}};
    RegistryApi registry{
        {door.enroller, door.access, door.hub, door.store, door.clock, door.entropy}};
    std::string secret;
    std::vector<std::string> secrets;
    std::set<std::string> walked;
    std::map<std::string, net::HttpHandler*> addresses;
};

json::value one_certificate(const std::string& kind, const x509::Certificate& certificate,
                            bool enabled = true) {
    return {{"provisioningStatus", enabled ? "enabled" : "disabled"},
            {"attestation",
             {{"type", "x509"},
              {"x509", {{kind, {{"primary", {{"certificate", certificate.pem()}}}}}}}}}};
}

json::value by_key() {
    return {{"attestation", {{"type", "symmetricKey"}}}};
}

json::value bulk(const std::string& member, const std::string& id_member, const std::string& id) {
    json::object entry = by_key().as_object();
    entry[id_member] = id;
    return {{"mode", "create"}, {member, json::array{entry}}};
}

TEST_F(AuditFacades, EveryChangeIsToldAndNoSecretIs) {
    const auto root = a_root("Root");
    const auto other = a_root("Other");

    // The DPS service API. Making an entry takes no If-Match, so the native enroller's other ways
    // of making one are walked by the bulk operations.
    const std::string groups = "/enrollmentGroups";
    const std::string devices = "/enrollments";
    step(service_api, "POST", groups, bulk("enrollmentGroups", "enrollmentGroupId", "keys"),
         {{"group.create", "group/keys", {"attestation"}}});
    step(service_api, "POST", devices, bulk("enrollments", "registrationId", "lone"),
         {{"enrollment.create", "enrollment/lone", {"attestation"}}});
    for (const auto& [address, kind, id] :
         {std::tuple{groups, std::string{"group"}, std::string{"keys"}},
          std::tuple{devices, std::string{"enrollment"}, std::string{"lone"}}}) {
        const std::string object = kind + "/" + id;
        step(service_api, "POST", address + "/" + id + "/attestationmechanism", nullptr,
             {{kind + ".key.show", object}});
        json::object off = by_key().as_object();
        off["provisioningStatus"] = "disabled";
        step(service_api, "PUT", address + "/" + id, off,
             {{kind + ".update", object, {"enabled"}}});
        step(service_api, "DELETE", address + "/" + id, nullptr,
             {{kind + ".delete", object, {"attestation"}}});
    }
    door.group_with("g", root.certificate());
    step(service_api, "PUT", groups + "/g",
         one_certificate("signingCertificates", other.certificate(), false),
         {{"group.update", "group/g", {"enabled", "primaryBefore", "primaryAfter"}}});

    door.known_device("dev-1", domain::entry_of(door.group("g")), domain::Slot::primary,
                      root.certificate(), root.leaf("dev-1"));
    door.known_device("dev-2", domain::entry_of(door.group("g")), domain::Slot::primary,
                      root.certificate(), root.leaf("dev-2"));
    step(service_api, "DELETE", "/registrations/dev-1", nullptr,
         {{"registration.delete", "registration/dev-1"}});

    // The registry.
    step(registry, "PUT", "/devices/dev-2", {{"deviceId", "dev-2"}, {"status", "disabled"}},
         {{"device.block", "device/dev-2", {"before", "after"}}});
    step(registry, "PUT", "/devices/dev-2", {{"deviceId", "dev-2"}, {"status", "enabled"}},
         {{"device.unblock", "device/dev-2", {"before", "after"}}});
    step(registry, "PATCH", "/twins/dev-2", {{"tags", {{"site", "a"}}}},
         {{"device.twin", "device/dev-2", {"tags", "tagsBefore"}}});
    step(registry, "DELETE", "/devices/dev-2", nullptr,
         {{"device.delete", "device/dev-2", {"registrationId", "state"}}});

    // The certificates API.
    const auto plant = a_root("Plant");
    const service::NewCa first{"plant", plant.certificate().pem()};
    (void)test::run(door.enroller.add_ca(NativeDoor::order(), first)).value();
    const auto upload = [](const x509::Certificate& certificate) {
        return json::value{{"properties", {{"certificate", to_base64(certificate.der())}}}};
    };
    const std::string ca = arm + "/certificates/plant";
    const auto renewed = a_root("Renewed");
    step(arm_api, "PUT", ca, upload(renewed.certificate()),
         {{"ca.replace", "ca/plant", {"before", "certificate"}}});
    step(arm_api, "POST", ca + "/generateVerificationCode", nullptr,
         {{"ca.code", "ca/plant", {"certificate"}}});
    const auto proof = renewed.proof(secrets.back());
    step(arm_api, "POST", ca + "/verify", {{"certificate", to_base64(proof.der())}},
         {{"ca.verify", "ca/plant", {"how", "certificate"}}});
    step(arm_api, "DELETE", ca, nullptr, {{"ca.delete", "ca/plant", {"before", "mode"}}});
    ASSERT_TRUE(test::run(door.access.ensure_owner_policy()).value());
    const std::string owner{domain::owner_policy_name};
    const Told shown{"policy.show", "policy/" + owner};
    step(arm_api, "POST", arm + "/listkeys", nullptr, {shown});
    step(arm_api, "POST", arm + "/keys/" + owner + "/listkeys", nullptr, {shown});

    std::string told;
    for (const auto& record : door.audit()) {
        const auto& event = record.event;
        told += event.actor + event.object + event.detail + event.reason + "\n";
    }
    EXPECT_GT(secrets.size(), 8u);
    for (const auto& each : secrets) {
        ASSERT_GE(each.size(), 8u);
        EXPECT_THAT(told, Not(HasSubstr(each)));
    }

    // Every method that these addresses take and that is not for reading was walked.
    std::size_t methods = 0;
    for (const auto& [address, api] : addresses) {
        const auto refused = send(*api, "OPTIONS", address);
        ASSERT_EQ(refused.status, 405u) << address;
        test::HttpReply reply{refused.status, {}, refused.headers};
        std::istringstream allowed{reply.header("Allow")};
        for (std::string method; std::getline(allowed >> std::ws, method, ',');) {
            methods += 1;
            if (method != "GET" && method != "HEAD") {
                EXPECT_TRUE(walked.contains(method + " " + address) ||
                            (method == "DELETE" && address == groups + "/g"))
                    << method << " " << address << ": walk it here";
            }
        }
    }
    EXPECT_GT(methods, 20u);
}

/// What is refused changes nothing, and the log tells of changes only.
TEST_F(AuditFacades, RefusalsAreNoChanges) {
    const auto events = door.audit().size();
    EXPECT_EQ(send(service_api, "PUT", "/enrollments/dev", "{}").status, 400u);
    EXPECT_EQ(send(service_api, "DELETE", "/enrollmentGroups/none").status, 404u);
    EXPECT_EQ(send(registry, "PUT", "/devices/none", "{}").status, 400u);
    EXPECT_EQ(send(arm_api, "POST", arm + "/certificates/none/verify", "{}").status, 404u);
    EXPECT_EQ(send(arm_api, "DELETE", arm + "/certificates/none").status, 204u);
    EXPECT_EQ(door.audit().size(), events);
}

}  // namespace
}  // namespace rollcall::front
