// SPDX-License-Identifier: Apache-2.0
// Public path suites, judged as `pki verify --batch` judges them. They are looked for where
// ROLLCALL_CONFORMANCE points, otherwise beside the checkout; device-view.json there says which
// cases bind a server that judges devices, and how. Not to have them where the variable promises
// them is a failure.
#include "app/pki_verify.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fnmatch.h>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

/// Cases without a time of their own are valid for centuries.
constexpr std::int64_t default_at = 1'735'689'600;

json::value parsed_file(const fs::path& path) {
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return json::parse(text.str());
}

std::string text_or(const json::object& object, std::string_view name, std::string otherwise) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : otherwise;
}

/// What one case asks and what is expected of us.
struct Case {
    std::string id;
    std::string classed;
    bool valid = false;
    json::object request;
};

/// The first rule whose pattern matches decides; a case no rule matches must be right.
const json::object* rule_for(const json::array& rules, const std::string& id) {
    for (const auto& rule : rules) {
        if (fnmatch(text_or(rule.get_object(), "id", "").c_str(), id.c_str(), 0) == 0) {
            return &rule.get_object();
        }
    }
    return nullptr;
}

std::string purpose_of(const json::object& entry, const std::string& ruled) {
    if (ruled != "case") {
        return ruled;
    }
    const std::string usages = json::serialize(entry.at("extended_key_usage"));
    if (usages.find("clientAuth") != usages.npos) {
        return "client";
    }
    return usages.find("serverAuth") != usages.npos ? "server" : "any";
}

/// The suites write "+00:00" where parse_iso8601 wants "Z".
json::value time_of(const json::object& entry) {
    std::string text = text_or(entry, "validation_time", "");
    if (text.empty()) {
        return default_at;
    }
    if (const std::size_t offset = text.find("+00:00"); offset != text.npos) {
        text.replace(offset, text.npos, "Z");
    }
    return json::value(text);
}

Case case_of(const json::object& entry, const json::array& rules) {
    static const json::object none;
    const std::string id = text_or(entry, "id", "");
    const json::object* found = rule_for(rules, id);
    const json::object& rule = found == nullptr ? none : *found;
    Case result{id, text_or(rule, "class", "must"), false, {}};
    const std::string want = text_or(rule, "want", "");
    result.valid =
        want.empty() ? text_or(entry, "expected_result", "") == "SUCCESS" : want == "valid";
    json::array chain;
    chain.push_back(entry.at("peer_certificate"));
    for (const auto& certificate : entry.at("untrusted_intermediates").get_array()) {
        chain.push_back(certificate);
    }
    result.request = {{"id", id},
                      {"at", time_of(entry)},
                      {"anchors", entry.at("trusted_certs")},
                      {"chain", chain},
                      {"purpose", purpose_of(entry, text_or(rule, "purpose", "any"))},
                      {"max_depth", entry.at("max_chain_depth")}};
    if (result.classed == "crl") {
        result.request["crls"] = entry.at("crls");
    }
    return result;
}

/// Empty where there is nothing to judge and nothing was promised.
class Suites : public testing::Test {
protected:
    static void SetUpTestSuite() {
        const char* promised = std::getenv("ROLLCALL_CONFORMANCE");
        const fs::path folder =
            promised != nullptr ? fs::path{promised}
                                : fs::path{ROLLCALL_SOURCE_DIR} / ".." / "shared" / "conformance";
        if (!fs::exists(folder / "device-view.json")) {
            if (promised != nullptr) {
                missing_ = "ROLLCALL_CONFORMANCE names '" + folder.string() +
                           "', which holds no device-view.json";
            }
            return;
        }
        const json::value view = parsed_file(folder / "device-view.json");
        for (const auto& file : fs::directory_iterator{folder}) {
            if (file.path().extension() != ".json" || file.path().stem() == "device-view") {
                continue;
            }
            const json::value suite = parsed_file(file.path());
            for (const auto& entry : suite.at("testcases").get_array()) {
                cases_.push_back(case_of(entry.get_object(), view.at("rules").get_array()));
            }
        }
    }

    void SetUp() override {
        ASSERT_EQ(missing_, "");
        if (cases_.empty()) {
            GTEST_SKIP() << "no public path suites beside the checkout, and ROLLCALL_CONFORMANCE "
                            "is not set";
        }
    }

    static inline std::vector<Case> cases_;
    static inline std::string missing_;
};

struct Answer {
    std::optional<bool> valid;
    std::string reason;
};

Answer answer_to(const json::object& request) {
    const ManualClock clock{TimePoint{}};
    const json::value line = json::parse(judge_line(json::serialize(request), clock));
    const auto* valid = line.get_object().if_contains("valid");
    if (valid == nullptr) {
        return {std::nullopt, text_or(line.get_object(), "skip", "")};
    }
    return {valid->get_bool(), text_or(line.get_object(), "reason", "")};
}

bool counts(const std::string& classed) {
    return classed == "must" || classed == "dos" || classed == "crl";
}

TEST_F(Suites, WhatCountsIsRight) {
    std::map<std::string, std::pair<int, int>> right_of_all;
    for (const auto& one : cases_) {
        const Answer answer = answer_to(one.request);
        auto& [right, all] = right_of_all[one.classed];
        right += answer.valid == one.valid ? 1 : 0;
        ++all;
        if (counts(one.classed)) {
            EXPECT_EQ(answer.valid, one.valid) << one.id << ": " << answer.reason;
        }
    }
    for (const auto& [classed, sums] : right_of_all) {
        std::cout << classed << ": " << sums.first << " of " << sums.second << " as the suites say"
                  << (counts(classed) ? "" : " (shown only)") << '\n';
    }
    EXPECT_GT(right_of_all["must"].second, 0);
}

TEST_F(Suites, TheVerdictDoesNotDependOnAnyOrder) {
    std::mt19937 shuffler{7};
    const auto shuffled = [&](json::value& array, std::ptrdiff_t first) {
        auto& elements = array.get_array();
        std::shuffle(elements.begin() + first, elements.end(), shuffler);
    };
    for (const auto& one : cases_) {
        const Answer straight = answer_to(one.request);
        json::object request = one.request;
        // Twice the same, too: duplicates and the end entity again among the rest mean nothing.
        request["chain"].get_array().push_back(json::value(request["chain"].at(0)));
        shuffled(request["chain"], 1);
        shuffled(request["anchors"], 0);
        const Answer turned = answer_to(request);
        EXPECT_EQ(turned.valid, straight.valid) << one.id;
        EXPECT_EQ(turned.reason, straight.reason) << one.id;
    }
}

}  // namespace
}  // namespace rollcall::app
