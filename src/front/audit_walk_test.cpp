// SPDX-License-Identifier: Apache-2.0
// Walks every route that changes something or shows a secret: each leaves one audit event that says
// who, from where, why, to what, and what was before and after; and no secret.
#include "support/native_door.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::NativeDoor;
using ::testing::HasSubstr;
using ::testing::Not;

/// Those that are asked with POST and change nothing; and one whose event is in service/hub_test,
/// since it wants a device that is connected.
const std::set<std::string_view> no_changes{"previewGroupCertificate", "inspectCertificate"};
const std::set<std::string_view> elsewhere{"callDeviceMethod"};
/// Somebody's own session concerns nobody else; a new password is told of as user.update
/// (service/sign_in_test).
const std::set<std::string_view> own{"createSession", "deleteSession", "deleteSessions",
                                     "changeOwnPassword"};

class AuditWalk : public ::testing::Test {
protected:
    AuditWalk() {
        const auto order = NativeDoor::order();
        service::TokenWish auditor;
        auditor.name = "auditor";
        const auto made = test::run(door.access.create(order, auditor));
        secret = made->secret;
        secrets.push_back(secret);
    }

    /// One request of an operator elsewhere. Its event: `action` on `object`, with these members in
    /// its detail.
    NativeDoor::Reply step(const std::string& method, const std::string& target,
                           const json::object& body, const std::string& action,
                           const std::string& object,
                           const std::vector<std::string>& details = {}) {
        const std::string why = "step " + std::to_string(++steps);
        std::string place = target;
        json::object sent = body;
        if (method == "DELETE") {
            place += (place.find('?') == std::string::npos ? "?" : "&") + std::string{"reason="} +
                     "step%20" + std::to_string(steps);
        } else {
            sent["reason"] = why;
        }
        auto request =
            NativeDoor::request(method, place, method == "DELETE" ? "" : json::serialize(sent));
        request.connection = &door.remote;
        request.headers.emplace_back("Authorization", "Bearer " + secret);
        const auto* const route = NativeDoor::route_of(request);
        walked.insert(route->operation_id);
        const auto before = door.audit();
        auto reply = door.send(request);
        EXPECT_LT(reply.status, 300u) << action << ": " << json::serialize(reply.body);
        const auto after = door.audit();
        EXPECT_EQ(newest(after), newest(before) + 1) << action;
        const auto& event = after.back().event;
        EXPECT_EQ(event.action, action);
        EXPECT_EQ(event.object, object) << action;
        EXPECT_EQ(event.actor, "token:auditor") << action;
        EXPECT_EQ(event.source, "192.0.2.7") << action;
        EXPECT_EQ(event.reason, why) << action;
        EXPECT_EQ(event.at, door.clock.now()) << action;
        const json::value detail =
            event.detail.empty() ? json::value(json::object{}) : json::parse(event.detail);
        for (const auto& member : details) {
            EXPECT_TRUE(detail.as_object().contains(member))
                << action << " does not tell " << member << ": " << event.detail;
        }
        return reply;
    }

    static std::uint64_t newest(const std::vector<store::AuditRecord>& log) {
        return log.empty() ? 0 : log.back().sequence;
    }

    NativeDoor door;
    std::string secret;
    std::vector<std::string> secrets;
    std::set<std::string_view> walked;
    int steps = 0;
};

json::object pem(const x509::Certificate& certificate) {
    return {{"certificate", certificate.pem()}};
}

TEST_F(AuditWalk, EveryChangeIsToldAndNoSecretIs) {
    const auto factory = a_root("Factory");
    const auto first = a_root("First");
    const auto second = a_root("Second");
    const auto third = a_root("Third");
    const auto vouched = [](const x509::Certificate& certificate) {
        auto body = pem(certificate);
        body["vouch"] = true;
        return body;
    };
    const auto keep = [this](const NativeDoor::Reply& reply, const std::string& pointer) {
        secrets.push_back(reply.text(pointer));
        return secrets.back();
    };

    step("POST", "/ca-certificates",
         {{"name", "factory"}, {"certificate", factory.certificate().pem()}}, "ca.add",
         "ca/factory", {"certificate", "vouched"});
    const auto code = keep(
        step("POST", "/ca-certificates/factory/code", {}, "ca.code", "ca/factory", {"certificate"}),
        "/code");
    step("POST", "/ca-certificates/factory/verify", pem(factory.proof(code)), "ca.verify",
         "ca/factory", {"how", "certificate"});
    step("DELETE", "/ca-certificates/factory", {}, "ca.delete", "ca/factory", {"before", "mode"});

    step("POST", "/hubs", {{"name", "eu.example"}, {"weight", 3}}, "hub.add", "hub/eu.example",
         {"weight"});
    step("PATCH", "/hubs/eu.example", {{"weight", 4}}, "hub.update", "hub/eu.example", {"weight"});
    step("PATCH", "/allocation",
         {{"allocationPolicy", "static"}, {"iotHubs", json::array{"eu.example"}}}, "allocation.set",
         "allocation/default", {"allocation"});
    secrets.emplace_back("WEBHOOKKEY");
    step("POST", "/groups",
         {{"id", "g"},
          {"allocationPolicy", "custom"},
          {"customAllocationDefinition",
           json::object{{"webhookUrl", "https://hook.example/?code=WEBHOOKKEY"}}}},
         "group.create", "group/g", {"allocation"});
    step("DELETE", "/hubs/eu.example", {}, "hub.remove", "hub/eu.example", {"own", "weight"});

    step("PUT", "/groups/g/certificates/primary", vouched(first.certificate()),
         "group.certificate.set", "group/g", {"slot", "mode", "vouched", "before", "after"});
    step("PUT", "/groups/g/certificates/primary", pem(second.certificate()),
         "group.certificate.set", "group/g", {"before", "after", "pending"});
    const auto slot_code = keep(step("POST", "/groups/g/certificates/primary/code", {},
                                     "group.certificate.code", "group/g", {"slot", "certificate"}),
                                "/code");
    step("POST", "/groups/g/certificates/primary/verify", pem(second.proof(slot_code)),
         "group.certificate.verify", "group/g", {"slot", "how", "certificate"});
    step("PUT", "/groups/g/certificates",
         {{"primary", first.certificate().pem()},
          {"secondary", third.certificate().pem()},
          {"mode", "replaceNow"},
          {"vouch", true}},
         "group.certificates.set", "group/g",
         {"primaryBefore", "primaryAfter", "secondaryBefore", "secondaryAfter", "mode"});
    step("POST", "/groups/g/swap", {}, "group.certificates.swap", "group/g", {"before", "after"});
    step("DELETE", "/groups/g/certificates/secondary?mode=breach", {}, "group.certificate.remove",
         "group/g", {"slot", "mode", "before", "distrusted"});
    const auto spki = to_upper_hex(first.certificate().spki_sha256().bytes);
    step("DELETE", "/distrust/" + spki, {}, "distrust.lift", "key/" + spki,
         {"subject", "distrustedFor"});
    step("POST", "/distrust", {{"spkiSha256", spki}}, "distrust.add", "key/" + spki, {"subject"});
    step("PATCH", "/groups/g", {{"autoApprove", false}}, "group.update", "group/g",
         {"autoApprove"});

    const auto leaf = third.leaf("dev-1");
    const auto other = third.leaf("dev-1", {}, "second key");
    step("POST", "/enrollments",
         {{"registrationId", "dev-1"},
          {"certificates", json::object{{"primary", leaf.pem()}, {"secondary", other.pem()}}}},
         "enrollment.create", "enrollment/dev-1", {"primaryAfter", "secondaryAfter"});
    step("PATCH", "/enrollments/dev-1", {{"enabled", false}}, "enrollment.update",
         "enrollment/dev-1", {"enabled"});
    step("POST", "/enrollments/dev-1/swap", {}, "enrollment.certificates.swap", "enrollment/dev-1",
         {"primaryBefore", "primaryAfter"});
    step("DELETE", "/enrollments/dev-1/certificates/secondary", {}, "enrollment.update",
         "enrollment/dev-1", {"secondaryBefore", "secondaryAfter", "mode"});
    step("PUT", "/enrollments/dev-1/certificates/secondary", pem(leaf), "enrollment.update",
         "enrollment/dev-1", {"secondaryBefore", "secondaryAfter"});
    step("DELETE", "/enrollments/dev-1", {}, "enrollment.delete", "enrollment/dev-1",
         {"primary", "secondary"});

    const auto moved = [](const char* id_name, const char* id, const char* kind,
                          const x509::Certificate& certificate) {
        const json::object held{{"primary", {{"certificate", certificate.pem()}}}};
        return json::object{
            {"entries",
             json::array{
                 {{id_name, id}, {"attestation", {{"type", "x509"}, {"x509", {{kind, held}}}}}}}}};
    };
    step("POST", "/import/groups",
         moved("enrollmentGroupId", "moved", "signingCertificates", a_root("Moved").certificate()),
         "group.create", "group/moved", {"primaryAfter"});
    step("POST", "/import/devices",
         {{"entries", json::array{json::object{{"id", "press-9"}, {"displayName", "Press 9"}}}}},
         "device.create", "device/press-9", {"displayName"});
    step("POST", "/import/enrollments",
         moved("registrationId", "dev-7", "clientCertificates", third.leaf("dev-7")),
         "enrollment.create", "enrollment/dev-7", {"primaryAfter"});

    step("POST", "/groups", {{"id", "keys"}, {"symmetricKey", json::object{}}}, "group.create",
         "group/keys", {"attestation"});
    step("POST", "/enrollments", {{"registrationId", "lone"}, {"symmetricKey", json::object{}}},
         "enrollment.create", "enrollment/lone", {"attestation"});
    for (const std::string place : {"/groups/keys", "/enrollments/lone"}) {
        const std::string kind = place == "/groups/keys" ? "group" : "enrollment";
        const std::string object = place == "/groups/keys" ? "group/keys" : "enrollment/lone";
        const auto shown = step("POST", place + "/show-keys", {}, kind + ".key.show", object);
        keep(shown, "/primaryKey");
        keep(shown, "/secondaryKey");
        step("PUT", place + "/keys/primary", {}, kind + ".key.set", object,
             {"slot", "mode", "keyIdBefore", "keyIdAfter"});
        keep(step("POST", place + "/show-keys", {}, kind + ".key.show", object), "/primaryKey");
    }
    keep(step("POST", "/groups/keys/derive-keys", {{"registrationId", "dev-9"}}, "group.key.derive",
              "group/keys", {"registrationId"}),
         "/primaryKey");

    const std::string first_password = "three words and more";
    const std::string second_password = "more words than three";
    secrets.push_back(first_password);
    secrets.push_back(second_password);
    step("POST", "/users", {{"name", "ann"}, {"role", "viewer"}, {"password", first_password}},
         "user.create", "user/ann", {"kind", "role"});
    step("PATCH", "/users/ann", {{"role", "operator"}, {"password", second_password}},
         "user.update", "user/ann", {"role", "passwordChanged"});
    step("DELETE", "/users/ann/sessions", {}, "user.sign-out", "user/ann");
    step("DELETE", "/users/ann", {}, "user.delete", "user/ann", {"kind", "role"});

    door.known_device("dev-2", domain::entry_of(door.group("g")), domain::Slot::primary,
                      third.certificate(), third.leaf("dev-2"));
    step("POST", "/devices/dev-2/block", {}, "device.block", "device/dev-2", {"before", "after"});
    step("POST", "/devices/dev-2/unblock", {}, "device.unblock", "device/dev-2",
         {"before", "after"});
    auto changes = domain::Changes{};
    auto waiting = test::run(door.store.device(DeviceId::trusted("dev-2"))).value().value();
    waiting.approved = false;
    changes.writes.push_back(domain::PutDevice{waiting});
    ASSERT_TRUE(test::run(door.store.commit(changes)));
    step("POST", "/devices/dev-2/approve", {}, "device.approve", "device/dev-2",
         {"before", "after"});
    step("PATCH", "/devices/dev-2/twin", {{"tags", json::object{{"site", "a"}}}}, "device.twin",
         "device/dev-2", {"tags", "tagsBefore"});
    step("POST", "/devices/dev-2/messages", {{"body", "hello"}}, "device.send", "device/dev-2",
         {"messageId", "bytes"});
    step("DELETE", "/devices/dev-2/messages", {}, "device.purge", "device/dev-2", {"messages"});
    step("DELETE", "/devices/dev-2", {}, "device.delete", "device/dev-2",
         {"registrationId", "state"});
    step("DELETE", "/groups/g", {}, "group.delete", "group/g", {"primary"});

    keep(step("POST", "/tokens", {{"name", "ci"}, {"expires", "2031-01-01"}}, "token.create",
              "token/ci", {"role", "expires"}),
         "/token");
    step("DELETE", "/tokens/ci", {}, "token.revoke", "token/ci", {"role", "expires"});
    const auto policy =
        step("POST", "/policies", {{"name", "tool"}, {"rights", json::array{"EnrollmentRead"}}},
             "policy.create", "policy/tool", {"rights"});
    keep(policy, "/primaryKey");
    keep(policy, "/secondaryKey");
    step("POST", "/policies/tool/show-keys", {}, "policy.show", "policy/tool");
    keep(step("PUT", "/policies/tool/keys/primary", {}, "policy.rotate", "policy/tool",
              {"slot", "keyIdBefore", "keyIdAfter"}),
         "/primaryKey");
    step("DELETE", "/policies/tool", {}, "policy.revoke", "policy/tool", {"rights"});

    std::string told;
    for (const auto& record : door.audit()) {
        const auto& event = record.event;
        told += event.actor + event.source + event.action + event.object + event.detail +
                event.reason + "\n";
    }
    for (const auto& each : secrets) {
        ASSERT_GE(each.size(), 8u);
        EXPECT_THAT(told, Not(HasSubstr(each)));
    }
    EXPECT_THAT(told, Not(HasSubstr("PRIVATE KEY")));

    door.clock.advance(std::chrono::seconds{1});
    step("POST", "/audit/prune", {{"before", to_iso8601_ticks(door.clock.now())}}, "audit.prune",
         "audit", {"olderThan", "first", "last"});

    for (const auto& route : native_routes()) {
        const bool changes_something =
            route.method != "GET" && !no_changes.contains(route.operation_id) &&
            !elsewhere.contains(route.operation_id) && !own.contains(route.operation_id);
        EXPECT_EQ(walked.contains(route.operation_id), changes_something)
            << route.operation_id << ": walk it here, or say why not";
    }
}

TEST_F(AuditWalk, ALogIsPrunedOnlyWhereItIsWholeAndPast) {
    door.group_with("g", a_root("Root").certificate());
    const auto events = door.audit().size();
    const auto prune = [this](const std::string& before, const std::string& query = {}) {
        return door.send("POST", "/audit/prune" + query, json::object{{"before", before}});
    };
    EXPECT_EQ(prune("soon").code(), "malformed-member");
    EXPECT_EQ(prune("2999-01-01").code(), "before-in-the-future");
    const auto none = prune("2000-01-01");
    EXPECT_EQ(none.at("/events").to_number<int>(), 0);
    EXPECT_TRUE(none.at("/checkpoint").is_null());
    EXPECT_EQ(door.audit().size(), events) << "nothing went, nothing is told";

    const std::string now = to_iso8601_ticks(door.clock.now());
    door.clock.advance(std::chrono::seconds{1});
    const auto order = NativeDoor::order();
    service::TokenWish another;
    another.name = "later";
    ASSERT_TRUE(test::run(door.access.create(order, another)));
    EXPECT_EQ(prune(now).at("/events").to_number<int>(), 0) << "what is not older stays";
    const std::string later = to_iso8601_ticks(door.clock.now());
    EXPECT_THAT(prune(later, "?dryRun=true").text("/summary/0"),
                HasSubstr("number 1 to " + std::to_string(events)));
    EXPECT_EQ(door.audit().size(), events + 1);
    const auto pruned = prune(later);
    EXPECT_EQ(pruned.at("/events").to_number<std::size_t>(), events);
    EXPECT_EQ(pruned.at("/checkpoint/sequence").to_number<std::size_t>(), events);
    const auto verified = door.send("GET", "/audit/verification");
    EXPECT_TRUE(verified.at("/intact").as_bool());
    EXPECT_EQ(verified.at("/events").to_number<int>(), 2) << "the token, and that it was pruned";
    EXPECT_EQ(verified.at("/prunedUpTo").to_number<std::size_t>(), events);
    const auto seals = door.send("GET", "/audit/head");
    EXPECT_EQ(seals.at("/head/sequence").to_number<std::size_t>(), events + 2);
    EXPECT_EQ(seals.at("/checkpoint/hash"), pruned.at("/checkpoint/hash"));

    domain::Changes forged;
    forged.writes.push_back(domain::PutSetting{store::checkpoint_setting, "none"});
    ASSERT_TRUE(test::run(door.store.commit(forged)));
    EXPECT_FALSE(door.send("GET", "/audit/verification").at("/intact").as_bool());
    EXPECT_EQ(prune(later).code(), "audit-broken");
}

}  // namespace
}  // namespace rollcall::front
