// SPDX-License-Identifier: Apache-2.0
// The repository's own path suite (tests/data/suite.json: certificates made by openssl and
// certtool) through `rollcall pki verify --batch`.
#include "app/pki_verify.hpp"
#include "base/files.hpp"

#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

namespace json = boost::json;

constexpr std::size_t suite_bytes_max = 4 * 1024 * 1024;

json::array cases() {
    const auto text = read_file(ROLLCALL_SOURCE_DIR "/tests/data/suite.json", suite_bytes_max);
    return json::parse(text.value()).at("testcases").as_array();
}

std::string text(const json::value& value) {
    return std::string{value.as_string()};
}

/// The line of a batch that asks for this case's verdict.
std::string question(const json::value& wanted) {
    const auto at = parse_iso8601(text(wanted.at("validation_time"))).value();
    json::array chain{wanted.at("peer_certificate")};
    for (const auto& sent : wanted.at("untrusted_intermediates").as_array()) {
        chain.push_back(sent);
    }
    json::object line{
        {"id", wanted.at("id")},
        {"at", std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count()},
        {"anchors", wanted.at("trusted_certs")},
        {"chain", std::move(chain)},
        {"purpose", wanted.at("purpose")}};
    if (!wanted.at("max_chain_depth").is_null()) {
        line["max_depth"] = wanted.at("max_chain_depth");
    }
    return json::serialize(line);
}

/// Is the verdict's reason one of the faults that may decide? Reasons are "fault: detail".
bool names_one_of(const std::string& reason, const json::array& faults) {
    return std::any_of(faults.begin(), faults.end(), [&](const json::value& fault) {
        return reason.starts_with(text(fault) + ":");
    });
}

TEST(OwnSuite, EveryVerdictAndItsReason) {
    const ManualClock clock{TimePoint{}};
    for (const auto& wanted : cases()) {
        const std::string id = text(wanted.at("id"));
        const auto answer = json::parse(judge_line(question(wanted), clock));
        ASSERT_TRUE(answer.as_object().contains("valid")) << id << " " << answer;
        const bool expected = wanted.at("expected_result") == "SUCCESS";
        EXPECT_EQ(answer.at("valid").as_bool(), expected) << id << " " << answer;
        if (!expected && !answer.at("valid").as_bool()) {
            EXPECT_TRUE(
                names_one_of(text(answer.at("reason")), wanted.at("expected_faults").as_array()))
                << id << " " << answer;
        }
    }
}

TEST(OwnSuite, IsWhole) {
    std::set<std::string> ids;
    for (const auto& wanted : cases()) {
        ids.insert(text(wanted.at("id")));
    }
    EXPECT_EQ(ids.size(), 90U);
}

/// The verdict may not hang on the order of what was sent or enrolled (PRODUCT section 3.8).
TEST(OwnSuite, OrderSaysNothing) {
    const ManualClock clock{TimePoint{}};
    for (auto& wanted : cases()) {
        const auto straight = json::parse(judge_line(question(wanted), clock));
        for (const auto* list : {"untrusted_intermediates", "trusted_certs"}) {
            auto& certificates = wanted.at(list).as_array();
            std::reverse(certificates.begin(), certificates.end());
        }
        EXPECT_EQ(json::parse(judge_line(question(wanted), clock)), straight)
            << text(wanted.at("id"));
    }
}

}  // namespace
}  // namespace rollcall::app
