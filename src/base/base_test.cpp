// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/telemetry.hpp"
#include "base/world.hpp"

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace rollcall {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) {
        return Error{ErrorKind::malformed, "odd"};
    }
    return n / 2;
}

Result<int> quarter(int n) {
    TRY(const int first, half(n));
    TRY(const int second, half(first));
    return second;
}

TEST(ResultTest, TryPassesValuesAndErrorsOn) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error().detail, "odd");
}

TEST(ResultDeathTest, LookingAtTheWrongSideEndsTheProcess) {
    EXPECT_DEATH((void)*quarter(6), "invariant broken");
}

TEST(Hex, RoundTripsAndRefuses) {
    const Bytes bytes{0x00, 0xab, 0xff};
    EXPECT_EQ(to_hex(bytes), "00abff");
    EXPECT_EQ(to_upper_hex(bytes), "00ABFF");
    EXPECT_EQ(*parse_hex("00aBfF"), bytes);
    EXPECT_FALSE(parse_hex("0"));
    EXPECT_FALSE(parse_hex("0g"));
    EXPECT_FALSE(parse_digest("00"));
}

TEST(Base64, FollowsRfc4648Vectors) {
    const std::pair<std::string, std::string> rows[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : rows) {
        EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
        EXPECT_EQ(as_text(*parse_base64(encoded)), plain);
    }
    EXPECT_EQ(as_text(*parse_base64("Zm9v\r\nYg")), "foob");
    for (const auto* bad : {"Z", "Zg=", "Zg===", "Z!==", "Zg==Zg==", "Zm9vY"}) {
        EXPECT_FALSE(parse_base64(bad)) << bad;
    }
}

TEST(ConstantTime, ComparesWholeValues) {
    EXPECT_TRUE(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST(Time, WritesAndReadsTheSpellingsOfTheWire) {
    const auto at = *parse_iso8601("2026-11-23T18:27:30.123456Z");
    EXPECT_EQ(to_iso8601_ticks(at), "2026-11-23T18:27:30.1234560Z");
    EXPECT_EQ(to_iso8601_seconds(at), "2026-11-23T18:27:30Z");
    EXPECT_EQ(to_http_date(at), "Mon, 23 Nov 2026 18:27:30 GMT");
    EXPECT_EQ(*parse_iso8601("2026-11-23"), *parse_iso8601("2026-11-23T00:00:00Z"));
    for (const auto* bad : {"", "2026", "2026-13-01", "2026-02-30", "2026-11-23T24:00:00Z",
                            "2026-11-23T18:27:30", "2026-11-23T18:27:30.Z", "2026-11-23 18:27"}) {
        EXPECT_FALSE(parse_iso8601(bad)) << bad;
    }
    EXPECT_EQ(to_iso8601_seconds(*parse_iso8601("1950-01-01")), "1950-01-01T00:00:00Z");
}

TEST(Ids, RegistrationIdsCompareWithoutCaseAndKeepTheirSpelling) {
    const auto id = *parse_registration_id("Dev-A.1_x:9");
    EXPECT_EQ(id.str(), "dev-a.1_x:9");
    EXPECT_EQ(id.original(), "Dev-A.1_x:9");
    EXPECT_EQ(id, *parse_registration_id("dev-a.1_X:9"));
    EXPECT_TRUE(parse_registration_id("a-"));
    EXPECT_TRUE(parse_registration_id(std::string(128, 'a')));
    for (const auto& bad : {std::string{}, std::string(129, 'a'), std::string{"a."},
                            std::string{"a b"}, std::string{"a/b"}, std::string{"\xc3\xa9"}}) {
        EXPECT_FALSE(parse_registration_id(bad)) << bad;
    }
}

TEST(Ids, GeneratedOnesHaveAzuresShape) {
    ScriptedEntropy entropy{1};
    EXPECT_EQ(new_scope_id(entropy).str().substr(0, 3), "0ne");
    EXPECT_EQ(new_scope_id(entropy).str().size(), 11U);
    const auto operation = new_operation_id(entropy).str();
    EXPECT_EQ(operation.size(), 2U + 16 + 1 + 36);
    EXPECT_EQ(operation.find_first_not_of("0123456789abcdef.-"), std::string::npos);
    EXPECT_NE(new_guid(entropy), new_guid(entropy));
}

TEST(SystemChance, IsNeverGivenOutTwice) {
    std::mutex mutex;
    std::set<std::string> drawn;
    const auto draw = [&] {
        SystemEntropy entropy;
        for (int i = 0; i < 1'000; ++i) {
            // Small pieces are drawn ahead, of all sizes around what is; large ones are not.
            for (const std::size_t size : {16U, 17U, 63U, 64U, 65U, 600U}) {
                std::vector<std::uint8_t> bytes(size);
                entropy.fill(bytes);
                const std::scoped_lock lock{mutex};
                drawn.emplace(bytes.begin(), bytes.begin() + 16);
                drawn.emplace(bytes.end() - 16, bytes.end());
            }
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back(draw);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(drawn.size(), 4'000U * (1 + 5 * 2));
}

TEST(MetricsTest, SameNameAndLabelsIsTheSameMetric) {
    Metrics metrics;
    metrics.counter("rollcall_x_total", "x", {{"door", "a"}}).add();
    metrics.counter("rollcall_x_total", "x", {{"door", "a"}}).add(2);
    EXPECT_NE(metrics.text().find("rollcall_x_total{door=\"a\"} 3"), std::string::npos);
}

}  // namespace
}  // namespace rollcall
