// SPDX-License-Identifier: Apache-2.0
#include "app/local_ca.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"
#include "support/scratch_directory.hpp"
#include "x509/certificate.hpp"
#include "x509/description.hpp"
#include "x509/key.hpp"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;

class LocalCaTest : public testing::Test {
protected:
    LocalCaTest() {
        names_.add("hub.example");
        names_.add("localhost");
        names_.add("127.0.0.1");
        names_.add("::1");
    }

    LocalCa ca() const { return LocalCa{directory_ / "tls", names_}; }
    x509::Certificate read(const char* name) const {
        const auto text = read_file(directory_ / "tls" / name, limits::certificate_file_bytes_max);
        return *x509::read_one_certificate(*text);
    }
    unsigned mode(const char* name) const {
        struct stat status {};
        ::stat((directory_ / "tls" / name).c_str(), &status);
        return status.st_mode & 0777U;
    }

    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
    ServerNames names_;
    ScriptedEntropy entropy_{7};
    const TimePoint now_ = *parse_iso8601("2030-01-01");
};

TEST_F(LocalCaTest, MakesACaAndAServerCertificateAtFirstStart) {
    ASSERT_EQ(*ca().ensure(now_, entropy_), true);
    const auto root = read("ca.pem");
    const auto server = read("server.pem");
    EXPECT_EQ(root.ca_flag(), true);
    EXPECT_EQ(root.key().name, "P-256");
    EXPECT_EQ(server.key().name, "P-256");
    EXPECT_EQ(server.issuer(), root.subject());
    EXPECT_EQ(server.common_name(), "hub.example");
    EXPECT_EQ(server.not_after(), now_ + server_certificate_life);
    EXPECT_LT(server.not_before(), now_);
    const auto words = x509::describe_extensions(server);
    EXPECT_THAT(words.subject_alt_names,
                ElementsAre("DNS:hub.example", "DNS:localhost", "IP:127.0.0.1", "IP:::1"));
    EXPECT_THAT(words.extended_key_usage, ElementsAre("serverAuth"));
    EXPECT_EQ(mode("ca-key.pem"), 0600U);
    EXPECT_EQ(mode("server-key.pem"), 0600U);
}

TEST_F(LocalCaTest, KeepsTheServerCertificateUntilTwoThirdsOfItsLife) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    const auto root = read("ca.pem");
    const auto first = read("server.pem");
    const TimePoint due = renewal_due(first.not_before(), first.not_after());
    EXPECT_EQ(*ca().ensure(due - hours{1}, entropy_), false);
    EXPECT_EQ(read("server.pem"), first);
    EXPECT_EQ(*ca().ensure(due, entropy_), true);
    EXPECT_NE(read("server.pem"), first);
    EXPECT_EQ(read("ca.pem"), root);
    EXPECT_EQ(mode("server-key.pem"), 0600U);
}

TEST_F(LocalCaTest, IssuesAgainWhenTheNamesChange) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    names_.add("other.example");
    EXPECT_EQ(*ca().ensure(now_, entropy_), true);
    EXPECT_EQ(*ca().ensure(now_, entropy_), false);
}

TEST_F(LocalCaTest, IssuesAgainWhenTheClockWasSetBack) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    ASSERT_EQ(*ca().ensure(now_ + hours{24 * 300}, entropy_), true);
    EXPECT_EQ(*ca().ensure(now_ + hours{24}, entropy_), true);
    EXPECT_LE(read("server.pem").not_before(), now_ + hours{24});
    EXPECT_EQ(*ca().ensure(now_ + hours{24}, entropy_), false);
}

TEST_F(LocalCaTest, DoesNotIssueOverAndOverWhereItsCaHasNotBegun) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    ASSERT_EQ(*ca().ensure(now_ - hours{24 * 300}, entropy_), false);
}

TEST_F(LocalCaTest, IssuesAgainWhenTheKeyIsAnothers) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    const auto stranger = x509::PrivateKey::generate(x509::KeyType::p256);
    ASSERT_TRUE(write_file(directory_ / "tls" / "server-key.pem", stranger->pem(), Secrecy::secret,
                           FileSet::Existing::replace));
    EXPECT_EQ(*ca().ensure(now_, entropy_), true);
}

TEST_F(LocalCaTest, NeverOverwritesACaItCannotUse) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    const auto expired = ca().ensure(now_ + local_ca_life, entropy_);
    ASSERT_FALSE(expired);
    EXPECT_THAT(expired.error().detail, HasSubstr("expired on"));
    std::filesystem::remove(directory_ / "tls" / "ca-key.pem");
    const auto root = read("ca.pem");
    EXPECT_FALSE(ca().ensure(now_, entropy_));
    EXPECT_EQ(read("ca.pem"), root);
    std::ofstream{directory_ / "tls" / "ca-key.pem"} << "torn";
    const auto torn = ca().ensure(now_, entropy_);
    ASSERT_FALSE(torn);
    EXPECT_THAT(torn.error().detail, HasSubstr("ca-key.pem"));
}

TEST_F(LocalCaTest, GoesOnWhereTheFirstStartDiedBetweenItsFiles) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    std::filesystem::remove(directory_ / "tls" / "ca.pem");
    EXPECT_FALSE(ca().ensure(now_, entropy_)) << "a CA that devices know was lost: no new one";
    std::filesystem::remove(directory_ / "tls" / "server.pem");
    std::filesystem::remove(directory_ / "tls" / "server-key.pem");
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    EXPECT_EQ(*ca().ensure(now_, entropy_), false);
    EXPECT_EQ(mode("ca-key.pem"), 0600U);
}

TEST_F(LocalCaTest, ServerCertificateNeverOutlivesItsCa) {
    ASSERT_TRUE(ca().ensure(now_, entropy_));
    const auto root = read("ca.pem");
    ASSERT_EQ(*ca().ensure(root.not_after() - hours{24}, entropy_), true);
    EXPECT_EQ(read("server.pem").not_after(), root.not_after());
}

TEST(ServerNames, KeepsOrderAndEachNameOnce) {
    ServerNames names;
    for (const char* name : {"B.example", "10.0.0.1", "a.example", "b.example", "10.0.0.1"}) {
        names.add(name);
    }
    EXPECT_THAT(names.dns, ElementsAre("b.example", "a.example"));
    EXPECT_THAT(names.addresses, ElementsAre("10.0.0.1"));
}

}  // namespace
}  // namespace rollcall::app
