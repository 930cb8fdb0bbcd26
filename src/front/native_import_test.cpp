// SPDX-License-Identifier: Apache-2.0
// The native API's import: bodies, bounds and answers. What is made: service/enroller_import_test.
#include "base/limits.hpp"
#include "support/native_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::NativeDoor;
using test::self_signed;
using ::testing::HasSubstr;

json::object entry(const std::string& id, const json::value& primary) {
    return {{"registrationId", id},
            {"attestation",
             {{"type", "x509"}, {"x509", {{"clientCertificates", {{"primary", primary}}}}}}}};
}

json::object entry(const std::string& id, const x509::Certificate& certificate) {
    return entry(id, json::value{{"certificate", certificate.pem()}});
}

json::object disabled(const std::string& id) {
    auto none = entry(id, nullptr);
    none["provisioningStatus"] = "disabled";
    return none;
}

class NativeImportTest : public ::testing::Test {
protected:
    NativeDoor::Reply send(const json::array& entries, const std::string& query = {},
                           const std::string& kind = "enrollments") {
        return door.send("POST", "/import/" + kind + query, json::object{{"entries", entries}});
    }

    NativeDoor door;
    const x509::Certificate leaf = self_signed("dev-1");
};

TEST_F(NativeImportTest, TellsOfEachEntryInOrder) {
    const json::array entries{entry("dev-1", leaf), "none", json::object{{"x", 1}},
                              entry("dev-2", json::value{{"info", json::object{}}}),
                              entry("dev-3", json::value{{"certificate", "rubbish"}})};
    const auto reply = send(entries);
    EXPECT_EQ(reply.status, 200u);
    EXPECT_EQ(json::serialize(reply.at("/entries/0")), R"({"id":"dev-1","outcome":"made"})");
    EXPECT_EQ(reply.text("/entries/1/code"), "malformed-member");
    EXPECT_EQ(reply.text("/entries/2/code"), "missing-member");
    EXPECT_EQ(reply.text("/entries/2/id"), "");
    EXPECT_EQ(reply.text("/entries/3/id"), "dev-2");
    for (const int i : {1, 2, 3, 4}) {
        const std::string at = "/entries/" + std::to_string(i);
        EXPECT_EQ(reply.text(at + "/outcome"), "refused") << i;
        EXPECT_NE(reply.text(at + "/detail"), "") << i;
    }
    EXPECT_EQ(send(entries).text("/entries/0/outcome"), "there");
    auto other = entry("dev-1", leaf);
    other["deviceId"] = "press";
    EXPECT_EQ(json::serialize(send({other}).at("/entries/0")),
              R"({"id":"dev-1","outcome":"differs","differences":["deviceId"]})");
}

TEST_F(NativeImportTest, ARequestHasABound) {
    json::array entries;
    EXPECT_EQ(send(entries).code(), "too-many-entries");
    for (std::size_t i = 0; i < limits::batch_enrollments_max; ++i) {
        entries.push_back(disabled("dev-" + std::to_string(i)));
    }
    const auto most = send(entries);
    EXPECT_EQ(most.status, 200u);
    EXPECT_EQ(most.text("/entries/249/outcome"), "made");
    entries.push_back(disabled("one-more"));
    EXPECT_EQ(send(entries).code(), "too-many-entries");
}

TEST_F(NativeImportTest, BodiesThatAreNone) {
    const auto code = [this](const json::value& body) {
        return door.send("POST", "/import/enrollments", body).code();
    };
    EXPECT_EQ(code(json::object{}), "missing-member");
    EXPECT_EQ(code({{"entries", 7}}), "malformed-member");
    EXPECT_EQ(code({{"entries", json::array{disabled("a")}}, {"more", 1}}), "unknown-member");
    EXPECT_EQ(door.audit().size(), 0u);
}

TEST_F(NativeImportTest, ADryRunChangesNothing) {
    EXPECT_EQ(send({entry("dev-1", leaf)}, "?dryRun=true").text("/entries/0/outcome"), "made");
    EXPECT_EQ(door.audit().size(), 0u);
    const json::array group{{{"enrollmentGroupId", "g"},
                             {"attestation", {{"type", "x509"}, {"x509", json::object{}}}}}};
    EXPECT_EQ(send(group, "?dryRun=true", "groups").text("/entries/0/outcome"), "made");
    EXPECT_EQ(door.audit().size(), 0u);
    EXPECT_EQ(send(group, "", "groups").text("/entries/0/outcome"), "made");
    EXPECT_EQ(door.audit().size(), 1u);
}

TEST_F(NativeImportTest, OneGroupsRefusalIsNobodyElses) {
    const auto root = test::a_root("Plant").certificate();
    const auto group = [&root](const std::string& id) {
        const json::object held{{"primary", {{"certificate", root.pem()}}}};
        return json::object{
            {"enrollmentGroupId", id},
            {"attestation", {{"type", "x509"}, {"x509", {{"signingCertificates", held}}}}}};
    };
    const auto reply = send({group("a"), group("b"), 7, group("a")}, "", "groups");
    EXPECT_EQ(reply.text("/entries/0/outcome"), "made");
    EXPECT_THAT(reply.text("/entries/0/warnings/0"), HasSubstr("once it is verified"));
    EXPECT_EQ(reply.text("/entries/1/code"), "ca-in-other-group");
    EXPECT_EQ(reply.text("/entries/2/code"), "malformed-member");
    EXPECT_EQ(reply.text("/entries/3/outcome"), "there");
}

TEST_F(NativeImportTest, TheStoreIsAway) {
    door.store.fail_commits(true);
    EXPECT_EQ(send({entry("dev-1", leaf)}).status, 503u);
    const json::array group{{{"enrollmentGroupId", "g"},
                             {"attestation", {{"type", "x509"}, {"x509", json::object{}}}}}};
    EXPECT_EQ(send(group, "", "groups").status, 503u);
}

}  // namespace
}  // namespace rollcall::front
