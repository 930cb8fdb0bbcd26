// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "support/scratch_directory.hpp"

#include <filesystem>
#include <fstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using boost::json::parse;
using testing::ElementsAre;
using testing::IsEmpty;

const TimePoint now = *parse_iso8601("2030-01-01");

std::vector<std::string> words(const std::vector<Check>& checks) {
    std::vector<std::string> all;
    for (const Check& check : checks) {
        all.push_back(word_of(check.verdict) + " " + check.what + ": " + check.detail);
    }
    return all;
}

std::string group_with(const std::string& primary, const std::string& secondary,
                       const std::string& enabled = "true") {
    return R"({"id":"g","enabled":)" + enabled + R"(,"certificates":{"primary":)" + primary +
           R"(,"secondary":)" + secondary + "}}";
}
std::string held(const std::string& end, const std::string& attests) {
    return R"({"pending":null,"current":{"dangling":false,"attests":)" + attests +
           R"(,"certificate":{"subject":"CN=R","notAfter":")" + end + R"("}}})";
}
const std::string empty_slot = R"({"current":null,"pending":null})";

TEST(Doctor, FindsSlotsNearTheirEnd) {
    // Each side of the notice of 30 days, and of the end itself.
    const std::pair<const char*, const char*> cases[] = {
        {"2030-01-31T00:00:00Z", "ok group g primary: CN=R until 2030-01-31T00:00:00Z"},
        {"2030-01-30T23:59:59Z",
         "warning group g primary: CN=R ends on 2030-01-30T23:59:59Z, in 29 days"},
        {"2030-01-01T00:00:00Z",
         "warning group g primary: CN=R ends on 2030-01-01T00:00:00Z, in 0 days"},
    };
    for (const auto& [end, said] : cases) {
        EXPECT_THAT(words(check_group(parse(group_with(held(end, "true"), empty_slot)), now)),
                    ElementsAre(said));
    }
}

TEST(Doctor, FindsGroupsThatRefuseEveryDevice) {
    EXPECT_THAT(words(check_group(parse(group_with(empty_slot, empty_slot)), now)),
                ElementsAre("BAD group g: no slot attests: every device is refused"));
    EXPECT_THAT(words(check_group(
                    parse(group_with(held("2029-12-31T23:59:59Z", "true"), empty_slot)), now)),
                ElementsAre("BAD group g primary: CN=R expired on 2029-12-31T23:59:59Z",
                            "BAD group g: no slot attests: every device is refused"));
    EXPECT_THAT(words(check_group(
                    parse(group_with(empty_slot, held("2040-01-01T00:00:00Z", "false"))), now)),
                ElementsAre("warning group g secondary: CN=R is not verified",
                            "BAD group g: no slot attests: every device is refused"));
    EXPECT_THAT(words(check_group(parse(group_with(empty_slot, empty_slot, "false")), now)),
                ElementsAre("warning group g: is disabled: its devices are refused"));
}

TEST(Doctor, FindsWhatWaits) {
    const std::string slot = R"({"pending":{"certificate":{"subject":"CN=N"}},"current":null})";
    EXPECT_THAT(
        words(check_group(parse(group_with(held("2040-01-01T00:00:00Z", "true"), slot)), now)),
        ElementsAre("ok group g primary: CN=R until 2040-01-01T00:00:00Z",
                    "warning group g secondary: CN=N waits to be verified"));
}

TEST(Doctor, FindsEnrollmentsWhoseLastCertificateEnds) {
    const auto enrollment = [](const std::string& certificates) {
        return parse(R"({"registrationId":"d","enabled":true,"certificates":)" + certificates +
                     "}");
    };
    EXPECT_THAT(words(check_enrollment(enrollment(R"({"primary":{"notAfter":"2029-01-01T00:00:00Z"},
                                   "secondary":{"notAfter":"2040-01-01T00:00:00Z"}})"),
                                       now)),
                IsEmpty());
    EXPECT_THAT(words(check_enrollment(enrollment(R"({"primary":{"notAfter":"2029-01-01T00:00:00Z"},
                                   "secondary":null})"),
                                       now)),
                ElementsAre("BAD enrollment d: its last certificate expired on "
                            "2029-01-01T00:00:00Z"));
    EXPECT_THAT(words(check_enrollment(enrollment(R"({"primary":null,"secondary":null})"), now)),
                ElementsAre("warning enrollment d: holds no certificate: its device is refused"));
}

TEST(Doctor, FindsClocksApartAndOtherVersions) {
    const auto server = [](const char* time) {
        return parse(std::string{R"({"version":"1","doors":[{"name":"device-https"}],"time":")"} +
                     time + R"("})");
    };
    EXPECT_EQ(check_server(server("2030-01-01T00:01:00Z"), now, "1").at(1).verdict,
              Check::Verdict::good);
    EXPECT_EQ(check_server(server("2030-01-01T00:01:01Z"), now, "1").at(1).verdict,
              Check::Verdict::bad);
    EXPECT_EQ(check_server(server("2029-12-31T23:58:59Z"), now, "1").at(1).verdict,
              Check::Verdict::bad);
    EXPECT_EQ(check_server(server("2030-01-01T00:00:00Z"), now, "2").at(0).verdict,
              Check::Verdict::warning);
    EXPECT_THAT(words(check_server(parse(R"({"version":"1","doors":[]})"), now, "1")),
                testing::Contains("warning doors: no device can register: its doors are off"));
}

TEST(Doctor, FindsAnOpensslThatWasUpdated) {
    const Check same = check_openssl({.linked = "OpenSSL 3.0.1", .installed = "OpenSSL 3.0.1"});
    EXPECT_THAT(words({same}), ElementsAre("ok OpenSSL: OpenSSL 3.0.1"));
    EXPECT_EQ(same.fix, "");
    const Check updated = check_openssl({.linked = "OpenSSL 3.0.1", .installed = "OpenSSL 3.0.2"});
    EXPECT_THAT(words({updated}), ElementsAre("warning OpenSSL: runs with OpenSSL 3.0.1; installed "
                                              "is OpenSSL 3.0.2"));
    EXPECT_NE(updated.fix, "");
}

TEST(Doctor, FindsFilesThatOthersMayOpen) {
    const test::ScratchDirectory scratch;
    const std::filesystem::path& directory = scratch.path();
    std::ofstream{directory / "admin-token"} << "x";
    std::filesystem::permissions(directory / "admin-token", std::filesystem::perms{0640});
    const auto said = words(check_directory(directory.string(), now));
    EXPECT_THAT(said, testing::Contains("ok " + directory.string() + ": for its owner alone"));
    EXPECT_THAT(said, testing::Contains("BAD " + (directory / "admin-token").string() +
                                        ": others may open it"));
}

TEST(Doctor, TellsABrokenAuditChain) {
    EXPECT_EQ(check_audit(parse(R"({"intact":true,"events":3})")).verdict, Check::Verdict::good);
    const Check broken = check_audit(parse(R"({"intact":false,"brokenAt":2,"detail":"hash"})"));
    EXPECT_EQ(broken.verdict, Check::Verdict::bad);
    EXPECT_EQ(broken.detail, "broken at number 2: hash");
}

}  // namespace
}  // namespace rollcall::app
