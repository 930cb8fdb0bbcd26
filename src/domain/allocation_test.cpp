// SPDX-License-Identifier: Apache-2.0
#include "domain/allocation.hpp"

#include "base/limits.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

std::vector<LinkedHub> three_hubs() {
    return {{"a.example", true, 1}, {"b.example", false, 2}, {"c.example", false, 5}};
}

RegistrationId device(int n) {
    return RegistrationId::trusted("device-" + std::to_string(n));
}

/// Where each of `count` devices belongs.
std::map<int, std::string> spread(const std::vector<LinkedHub>& hubs, int count = 8'000) {
    const auto candidates = candidates_of({}, {}, hubs);
    std::map<int, std::string> places;
    for (int n = 0; n < count; ++n) {
        places[n] = allocate(candidates, device(n))->name;
    }
    return places;
}

TEST(Allocation, HashedGivesEachHubItsShare) {
    std::map<std::string, int> devices;
    for (const auto& [n, hub] : spread(three_hubs())) {
        ++devices[hub];
    }
    // 1, 2 and 5 eighths of 8000; the standard deviation is below 45.
    EXPECT_NEAR(devices["a.example"], 1'000, 200);
    EXPECT_NEAR(devices["b.example"], 2'000, 200);
    EXPECT_NEAR(devices["c.example"], 5'000, 200);
}

TEST(Allocation, OfAHubThatGoesOnlyItsOwnDevicesMove) {
    const auto before = spread(three_hubs());
    auto hubs = three_hubs();
    hubs[1].allocate = false;
    const auto without = spread(hubs);
    for (const auto& [n, hub] : before) {
        if (hub == "b.example") {
            EXPECT_NE(without.at(n), "b.example");
        } else {
            EXPECT_EQ(without.at(n), hub) << n;
        }
    }
    hubs[1].allocate = true;
    EXPECT_EQ(spread(hubs), before) << "and back they come";
}

TEST(Allocation, AHubThatComesTakesOnlyItsShare) {
    auto hubs = three_hubs();
    const auto before = spread(hubs);
    hubs.push_back({"d.example", false, 2});
    int moved = 0;
    for (const auto& [n, hub] : spread(hubs)) {
        if (hub != before.at(n)) {
            EXPECT_EQ(hub, "d.example");
            ++moved;
        }
    }
    EXPECT_NEAR(moved, 1'600, 200);
}

TEST(Allocation, AWeightThatGrowsOnlyDrawsDevicesIn) {
    auto hubs = three_hubs();
    const auto before = spread(hubs);
    hubs[0].weight = 4;
    for (const auto& [n, hub] : spread(hubs)) {
        EXPECT_TRUE(hub == before.at(n) || hub == "a.example") << n;
    }
}

/// Devices must not move when the program is replaced.
TEST(Allocation, HashedIsTheSameForever) {
    const auto places = spread(three_hubs(), 8);
    std::string all;
    for (const auto& [n, hub] : places) {
        all += hub.front();
    }
    EXPECT_EQ(all, "aaccacac");
}

TEST(Allocation, CaseMakesNoDifference) {
    auto hubs = three_hubs();
    const auto before = spread(hubs, 100);
    for (auto& hub : hubs) {
        hub.name[0] = static_cast<char>(hub.name[0] - 'a' + 'A');
    }
    for (const auto& [n, hub] : spread(hubs, 100)) {
        EXPECT_EQ(hub[0] - 'A', before.at(n)[0] - 'a');
    }
    const auto candidates = candidates_of({}, {}, hubs);
    EXPECT_EQ(allocate(candidates, RegistrationId::trusted("DEVICE-1")),
              allocate(candidates, RegistrationId::trusted("device-1")));
}

struct Case {
    const char* what;
    AllocationRule entry;
    AllocationRule server;
    const char* hub;  ///< nullptr: none
};

TEST(Allocation, ThePolicyAndTheListDecide) {
    using P = AllocationPolicy;
    auto hubs = three_hubs();
    hubs[2].allocate = false;
    const Case cases[] = {
        {"static", {P::static_hub, {"b.example"}}, {}, "b.example"},
        {"static, takes none", {P::static_hub, {"c.example"}}, {}, nullptr},
        {"static, not linked", {P::static_hub, {"x.example"}}, {}, nullptr},
        {"latency: the first that can",
         {P::geo_latency, {"c.example", "B.EXAMPLE", "a.example"}},
         {},
         "b.example"},
        {"latency without a list: in order", {P::geo_latency, {}}, {}, "a.example"},
        {"hashed among one", {P::hashed, {"b.example", "c.example"}}, {}, "b.example"},
        {"a list under the server's policy",
         {{}, {"b.example"}},
         {P::geo_latency, {"a.example"}},
         "b.example"},
        {"the server's", {}, {P::static_hub, {"b.example"}}, "b.example"},
        {"the entry's own",
         {P::static_hub, {"a.example"}},
         {P::static_hub, {"b.example"}},
         "a.example"},
        {"the server's list is for its policy",
         {P::geo_latency, {}},
         {P::static_hub, {"b.example"}},
         "a.example"},
        {"a webhook decides", {P::custom, {}}, {}, nullptr},
    };
    for (const auto& each : cases) {
        const auto candidates = candidates_of(each.entry, each.server, hubs);
        const auto* const hub = allocate(candidates, device(1));
        EXPECT_EQ(hub == nullptr ? "none" : hub->name, each.hub == nullptr ? "none" : each.hub)
            << each.what;
    }
    EXPECT_EQ(allocate(candidates_of({}, {}, {}), device(1)), nullptr);
}

std::string refusal(const AllocationRule& rule) {
    const auto checked = check_rule(rule);
    return checked ? "" : checked.error().reason;
}

TEST(Allocation, RulesThatCannotWorkAreRefused) {
    using P = AllocationPolicy;
    EXPECT_EQ(refusal({}), "");
    EXPECT_EQ(refusal({P::hashed, {"a.example", "b.example"}}), "");
    EXPECT_EQ(refusal({P::hashed, {"a.example", "A.example"}}), "repeated-hub");
    EXPECT_EQ(refusal({P::static_hub, {}}), "one-hub-wanted");
    EXPECT_EQ(refusal({P::static_hub, {"a.example", "b.example"}}), "one-hub-wanted");
    std::vector<std::string> many;
    for (std::size_t n = 0; n < limits::linked_hubs_max; ++n) {
        many.push_back("h" + std::to_string(n));
    }
    EXPECT_EQ(refusal({P::hashed, many}), "");
    many.push_back("one.more");
    EXPECT_EQ(refusal({P::hashed, many}), "too-many-hubs");
    for (const char* const name :
         {"", "https://a", "a:443", "a/b", ".a", "-a", "a..b", "a b", "\xc3\xa4"}) {
        EXPECT_EQ(refusal({P::hashed, {name}}), "malformed-hub-name") << name;
    }
    EXPECT_TRUE(check_hub_name(std::string(limits::hub_name_chars_max, 'a')));
    EXPECT_FALSE(check_hub_name(std::string(limits::hub_name_chars_max + 1, 'a')));
}

std::string webhook_refusal(std::string url, std::string version = "2021-10-01") {
    return refusal({AllocationPolicy::custom, {}, {std::move(url), std::move(version)}});
}

TEST(Allocation, AWebhookIsHttpsOrThisMachineItself) {
    for (const char* const url :
         {"https://hook.example/a?code=x", "https://hook.example:8443", "https://[::1]:1/",
          "http://127.0.0.1:8080/a", "http://localhost/a", "http://[::1]:8080/a"}) {
        EXPECT_EQ(webhook_refusal(url), "") << url;
    }
    for (const char* const url :
         {"", "hook.example", "http://hook.example/", "https://", "https:///a", "ftp://a/",
          "https://u:p@hook.example/", "https://hook.example/#a", "https://hook.example/a b",
          "https://hook.example/\n", "http://127.0.0.1.hook.example/", "http://[::1].example/",
          "http://localhost@hook.example/", "file:///etc/passwd"}) {
        EXPECT_EQ(webhook_refusal(url), "malformed-webhook") << url;
    }
    const std::string start = "https://a/";
    const std::string longest =
        start + std::string(limits::webhook_url_chars_max - start.size(), 'x');
    EXPECT_EQ(webhook_refusal(longest), "");
    EXPECT_EQ(webhook_refusal(longest + "x"), "malformed-webhook");
    EXPECT_EQ(webhook_refusal("https://a/", "2025-07-01-preview"), "");
    for (const char* const version : {"", "v1", "2021-10", "2021-10-01x", "2021-10-01-"}) {
        EXPECT_EQ(webhook_refusal("https://a/", version), "malformed-api-version") << version;
    }
}

TEST(Allocation, AWebhooksKeyIsNotShown) {
    EXPECT_EQ(shown_url("https://a/b?code=secret&x=1"), "https://a/b?****");
    EXPECT_EQ(shown_url("https://a/b"), "https://a/b");
}

TEST(Allocation, ARuleIsATextAndBack) {
    const AllocationRule rules[] = {
        {},
        {AllocationPolicy::hashed, {}},
        {{}, {"a.example"}},
        {AllocationPolicy::custom, {"a", "b"}, {"https://a/?code=x", "2021-10-01"}}};
    for (const auto& rule : rules) {
        const auto again = parse_allocation_rule(to_text(rule));
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, rule);
    }
    EXPECT_EQ(to_text({}), "");
    EXPECT_FALSE(parse_allocation_rule("hashed"));
    EXPECT_FALSE(parse_allocation_rule("nonsense\n\n"));
}

TEST(Allocation, OursStandFirst) {
    std::vector<LinkedHub> hubs{{"z"}, {"b"}, {"o", true}};
    hubs[0].created = TimePoint{std::chrono::seconds{1}};
    hubs[1].created = TimePoint{std::chrono::seconds{2}};
    hubs[2].created = TimePoint{std::chrono::seconds{3}};
    sort_hubs(hubs);
    EXPECT_EQ(hubs[0].name + hubs[1].name + hubs[2].name, "ozb");
    EXPECT_EQ(find_hub(hubs, "B")->name, "b");
    EXPECT_EQ(find_hub(hubs, "x"), nullptr);
}

}  // namespace
}  // namespace rollcall::domain
