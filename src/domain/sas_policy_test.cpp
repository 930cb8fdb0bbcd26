// SPDX-License-Identifier: Apache-2.0
#include "domain/sas_policy.hpp"

#include "support/sas_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SasPolicy, RightsAreReadAndToldByDpsOwnNames) {
    const auto rights = parse_sas_rights({"enrollmentread", "ServiceConfig", "EnrollmentRead"});
    EXPECT_THAT(rights->words(), ElementsAre("ServiceConfig", "EnrollmentRead"));
    EXPECT_FALSE(rights->has(SasRight::enrollment_write));
    EXPECT_THAT(SasRights::all().words(),
                ElementsAre("ServiceConfig", "EnrollmentRead", "EnrollmentWrite", "DeviceConnect",
                            "RegistrationStatusRead", "RegistrationStatusWrite", "RegistryRead",
                            "RegistryWrite"));
    EXPECT_EQ(SasRights::of_dps().words().back(), "RegistrationStatusWrite");
    EXPECT_THAT(SasRights{}.words(), IsEmpty());
    const auto unknown = parse_sas_rights({"EnrollmentRead", "root"});
    EXPECT_EQ(unknown.error().reason, "unknown-right");
    EXPECT_THAT(unknown.error().detail, HasSubstr("'root'"));
    EXPECT_EQ(parse_sas_rights({}).error().reason, "no-right");
}

TEST(SasPolicy, RightsComeBackFromTheirBits) {
    for (std::uint64_t bits = 0; bits < 64; ++bits) {
        EXPECT_EQ(SasRights::from_bits(bits)->bits(), bits);
    }
    EXPECT_EQ(SasRights::from_bits(64).error().reason, "unknown-right");
    EXPECT_EQ(SasRights::from_bits(256).error().reason, "unknown-right");
}

TEST(SasPolicy, AConnectionStringIsAsToolsReadIt) {
    SasPolicy policy;
    policy.name = "ci";
    EXPECT_EQ(connection_string("svc.example", policy, *symmetric_key_of(Bytes(16, 0))),
              "HostName=svc.example;SharedAccessKeyName=ci;"
              "SharedAccessKey=AAAAAAAAAAAAAAAAAAAAAA==");
}

/// `sr` is a prefix of host and path, by segments.
TEST(SasPolicy, ASignatureReachesWhatItsResourceIsAPrefixOf) {
    struct Case {
        std::string sr;
        std::string host;
        std::string path;
        bool reaches;
    };
    const std::vector<Case> cases{
        {"svc.example", "svc.example", "/enrollments/a", true},
        {"SVC.example", "svc.example", "/", true},
        {"svc.example/", "svc.example", "/enrollments", true},
        {"svc.example:443", "svc.example", "/enrollments", true},
        {"svc.example:443/enrollments", "svc.example", "/enrollments/a", true},
        {"svc.example/Enrollments", "svc.example", "/enrollments/a", true},
        {"svc.example/enrollments/", "svc.example", "/enrollments/", true},
        {"svc.example/enrollments/a:b", "svc.example", "/enrollments/a%3Ab", true},
        {"other.example", "svc.example", "/enrollments", false},
        {"svc.example.evil", "svc.example", "/enrollments", false},
        {"svc.example:443x", "svc.example", "/enrollments", false},
        {"svc.example/enrollments", "svc.example", "/enrollmentGroups/g", false},
        {"svc.example/enrollments", "svc.example", "/enrollments2", false},
        {"svc.example/enrollments/a", "svc.example", "/enrollments", false},
        {"svc.example/enrollments/a", "svc.example", "/enrollments/ab", false},
        {"svc.example/enrollments", "svc.example", "/enrollments%2Fa", false},
        {"/enrollments", "", "/enrollments", false},
        {"enrollments", "svc.example", "/enrollments", false},
        // Behind a proxy the request's host is another than the name that tools know.
        {"dps.example/enrollments", "10.0.0.1", "/enrollments", true},
    };
    for (const auto& each : cases) {
        const auto sas = parse_sas(sas_of(a_key(1), percent_encoded(each.sr), today));
        ASSERT_TRUE(sas) << each.sr;
        EXPECT_EQ(reaches(*sas, {each.host, each.path}, {"dps.example"}), each.reaches)
            << each.sr << " for " << each.host << each.path;
    }
}

}  // namespace
}  // namespace rollcall::domain
