// SPDX-License-Identifier: Apache-2.0
#include "service/twin_document.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

std::string nested(int depth) {
    std::string text = "1";
    for (int i = 0; i < depth; ++i) {
        text = "{\"a\":" + text + "}";
    }
    return text;
}

TEST(TwinDocument, MergesAsRfc7396Says) {
    struct Row {
        std::string document;
        std::string patch;
        std::string merged;
    };
    const Row rows[] = {
        {"{}", "{}", "{}"},
        {R"({"a":1})", R"({"a":2,"b":[1,{"c":null}]})", R"({"a":2,"b":[1,{"c":null}]})"},
        {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":null}})", R"({"a":{"c":2}})"},
        {R"({"a":1})", R"({"a":{"b":{"c":null}}})", R"({"a":{"b":{}}})"},
        {R"({"a":1,"b":2})", R"({"a":null,"z":null})", R"({"b":2})"},
        {R"({"a":1})", R"({"a":1,"$version":7,"$metadata":{}})", R"({"a":1})"},
    };
    for (const auto& row : rows) {
        const auto merged = merge_into(TwinPart::reported, row.document, row.patch);
        ASSERT_TRUE(merged) << row.patch;
        EXPECT_EQ(*merged, row.merged);
    }
}

TEST(TwinDocument, RefusesWhatAHubRefuses) {
    const std::string key(limits::twin_key_bytes_max + 1, 'k');
    const std::pair<std::string, std::string> rows[] = {
        {"", "twin-not-json"},
        {"{", "twin-not-json"},
        {std::string(40, '[') + std::string(40, ']'), "twin-too-deep"},
        {"[]", "twin-not-object"},
        {"null", "twin-not-object"},
        {R"({"":1})", "twin-bad-key"},
        {R"({"a.b":1})", "twin-bad-key"},
        {R"({"a":{"$b":1}})", "twin-bad-key"},
        {R"({"a":[{"b c":1}]})", "twin-bad-key"},
        {R"({"a\u0001":1})", "twin-bad-key"},
        {"{\"" + key + "\":1}", "twin-bad-key"},
        {nested(limits::twin_depth_max + 1), "twin-too-deep"},
    };
    for (const auto& [patch, reason] : rows) {
        const auto merged = merge_into(TwinPart::desired, "{}", patch);
        ASSERT_FALSE(merged) << patch;
        EXPECT_EQ(merged.error().reason, reason) << patch;
    }
    EXPECT_TRUE(merge_into(TwinPart::desired, "{}", nested(limits::twin_depth_max)));
}

TEST(TwinDocument, BoundsEachPart) {
    for (const auto& [part, bytes_max] :
         {std::pair{TwinPart::tags, limits::twin_tags_bytes_max},
          {TwinPart::desired, limits::twin_properties_bytes_max},
          {TwinPart::reported, limits::twin_properties_bytes_max}}) {
        const std::string frame = R"({"a":""})";
        const std::string most = R"({"a":")" + std::string(bytes_max - frame.size(), 'x') + "\"}";
        const std::string more =
            R"({"a":")" + std::string(bytes_max - frame.size() + 1, 'x') + "\"}";
        EXPECT_TRUE(merge_into(part, "{}", most));
        EXPECT_EQ(merge_into(part, "{}", more).error().reason, "twin-too-large");
        EXPECT_EQ(merge_into(part, most, R"({"b":1})").error().reason, "twin-too-large");
        EXPECT_EQ(*merge_into(part, most, R"({"a":null})"), "{}");
    }
}

TEST(TwinDocument, MakesAPatchOfWhatThereShallBe) {
    const std::string document = R"({"a":{"x":1,"y":{"z":2}},"b":3,"c":{"__t":"c","p":1,"q":2}})";
    const std::vector<std::tuple<TwinWrite, std::string, std::string>> cases{
        {TwinWrite::patch, R"({"a":{"x":5}})", R"({"a":{"x":5}})"},
        {TwinWrite::whole, R"({"a":{"x":5}})", R"({"a":{"x":5,"y":null},"b":null,"c":null})"},
        {TwinWrite::whole, R"({"a":1,"b":3,"c":{}})",
         R"({"a":1,"b":3,"c":{"__t":null,"p":null,"q":null}})"},
        {TwinWrite::whole, R"({"$version":7,"$metadata":{}})", R"({"a":null,"b":null,"c":null})"},
        {TwinWrite::members, R"({"c":{"__t":"c","p":4}})", R"({"c":{"__t":"c","p":4,"q":null}})"},
        {TwinWrite::members, R"({"new":1,"b":{"x":1}})", R"({"new":1,"b":{"x":1}})"},
    };
    for (const auto& [write, wanted, patch] : cases) {
        EXPECT_EQ(patch_for(write, document, wanted).value(), patch) << wanted;
    }
    EXPECT_EQ(patch_for(TwinWrite::whole, document, "[]").error().reason, "twin-not-object");
    EXPECT_EQ(patch_for(TwinWrite::members, document, R"({"a b":1})").error().reason,
              "twin-bad-key");
    const auto patch = patch_for(TwinWrite::whole, document, R"({"a":{"x":5}})").value();
    EXPECT_EQ(merge_into(TwinPart::desired, document, patch).value(), R"({"a":{"x":5}})");
}

TEST(TwinDocument, ShowsDevicesTheirVersions) {
    domain::Twin twin;
    twin.desired = R"({"a":1})";
    twin.desired_version = 3;
    twin.reported_version = 9;
    EXPECT_EQ(device_document(twin),
              R"({"desired":{"a":1,"$version":3},"reported":{"$version":9}})");
    EXPECT_EQ(with_version(R"({"a":null,"$version":1})", 4), R"({"a":null,"$version":4})");
}

TEST(TwinDocument, ReadsAnEntrysInitialTwin) {
    EXPECT_EQ(parse_initial_twin("").desired, "{}");
    const auto initial = parse_initial_twin(
        R"({"tags":{"site":"x"},"properties":{"desired":{"a":1,"$version":1}}})");
    EXPECT_EQ(initial.tags, R"({"site":"x"})");
    EXPECT_EQ(initial.desired, R"({"a":1})");
    EXPECT_EQ(parse_initial_twin(R"({"tags":null,"properties":{"desired":[]}})").desired, "{}");
}

}  // namespace
}  // namespace rollcall::service
