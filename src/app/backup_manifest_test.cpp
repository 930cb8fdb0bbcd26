// SPDX-License-Identifier: Apache-2.0
#include "app/backup_manifest.hpp"

#include "store/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using ::testing::HasSubstr;

BackupManifest a_manifest() {
    BackupManifest manifest;
    manifest.program = "0.1.0";
    manifest.taken = TimePoint{std::chrono::microseconds{1'767'225'600'000'001}};
    manifest.store = {1, "0ne12345678", {{"devices", 7}}};
    Digest sum;
    sum.bytes.fill(0xab);
    manifest.parts = {{"rollcall.db", 4096, sum}, {"secret.key", 32, sum}, {"tls/ca.pem", 9, sum}};
    return manifest;
}

TEST(BackupManifest, IsReadAsItIsWritten) {
    const auto read = parse_manifest(to_text(a_manifest())).value();
    EXPECT_EQ(read.program, "0.1.0");
    EXPECT_EQ(read.taken, a_manifest().taken);
    EXPECT_EQ(read.store.schema, 1);
    EXPECT_EQ(read.store.scope, "0ne12345678");
    EXPECT_EQ(read.store.counts, a_manifest().store.counts);
    EXPECT_EQ(read.parts, a_manifest().parts);
}

TEST(BackupManifest, PartsHaveTheNamesTheyMayHave) {
    for (const char* const name : {"rollcall.db", "secret.key", "admin-token", "rollcall.toml",
                                   "tls/ca.pem", "tls/server-1.key", "tls/A_b"}) {
        EXPECT_TRUE(is_part_name(name)) << name;
    }
    for (const std::string& name :
         {std::string{}, std::string{"tls"}, std::string{"tls/"}, std::string{"tls/.."},
          std::string{"tls/.hidden"}, std::string{"tls/a/b"}, std::string{"../secret.key"},
          std::string{"/secret.key"}, std::string{"./secret.key"}, std::string{"lock"},
          std::string{"operator.sock"}, std::string{"tls/a b"}, "tls/" + std::string(97, 'a')}) {
        EXPECT_FALSE(is_part_name(name)) << name;
    }
    EXPECT_TRUE(is_part_name("tls/" + std::string(96, 'a')));
}

TEST(BackupManifest, OthersAreRefused) {
    const std::string good = to_text(a_manifest());
    const auto with = [&good](const std::string& from, const std::string& to) {
        std::string text = good;
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    struct Case {
        std::string text;
        const char* reason;
    };
    const std::vector<Case> cases{
        {"", "no-backup"},
        {"[]", "no-backup"},
        {"{}", "no-backup"},
        {with("rollcall backup", "another backup"), "no-backup"},
        {with(R"("formatVersion":1)", R"("formatVersion":2)"), "backup-newer"},
        {with(R"("formatVersion":1)", R"("formatVersion":"1")"), "backup-newer"},
        {with(R"("schema":1)", R"("schema":0)"), "no-backup"},
        {with(R"("schema":1)", R"("schema":-1)"), "no-backup"},
        {with(R"("schema":1)", R"("schema":999)"), "schema-newer"},
        {with(R"("takenAt":"2026)", R"("takenAt":"x)"), "no-backup"},
        {with(R"("devices":7)", R"("devices":-7)"), "no-backup"},
        {with(R"("bytes":32)", R"("bytes":-1)"), "no-backup"},
        {with(R"("bytes":32)", R"("bytes":1e300)"), "no-backup"},
        {with("abab", "xbab"), "no-backup"},
        {with("secret.key", "secret.kex"), "no-backup"},
        {with("secret.key", "tls/ca.pem"), "no-backup"},
        {with("rollcall.db", "rollcall.toml"), "no-backup"},
        {with("tls/ca.pem", "tls/../x"), "no-backup"}};
    for (const auto& each : cases) {
        EXPECT_EQ(parse_manifest(each.text).error().reason, each.reason) << each.text;
    }
    const auto newest =
        with(R"("schema":1)", R"("schema":)" + std::to_string(store::newest_schema()));
    EXPECT_TRUE(parse_manifest(newest));
    EXPECT_THAT(parse_manifest(cases[8].text).error().detail, HasSubstr("0.1.0"));
}

}  // namespace
}  // namespace rollcall::app
