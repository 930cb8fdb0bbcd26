// SPDX-License-Identifier: Apache-2.0
#include "app/print.hpp"

#include <sstream>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using namespace std::string_literals;

TEST(Printable, KeepsTextAndDisarmsTheRest) {
    const std::pair<std::string, std::string> cases[] = {
        {"CN=dev-1,O=M\xc3\xbcller", "CN=dev-1,O=M\xc3\xbcller"},
        {"", ""},
        {"a\x1b[2Jb", "a\\x1b[2Jb"},
        {"a\nready scope=0", "a\\x0aready scope=0"},
        {"nul\0byte"s, "nul\\x00byte"},
        {"\xc2\x9b", "\\u{9b}"},              // a control sequence introducer of its own
        {"x\xe2\x80\xaey", "x\\u{202e}y"},    // turns the direction
        {"\xff\xc3", "\\xff\\xc3"},           // broken UTF-8
        {"\xc0\xaf", "\\xc0\\xaf"},           // overlong
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
        {"\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91"},
    };
    for (const auto& [given, expected] : cases) {
        EXPECT_EQ(printable(given), expected);
    }
}

TEST(Shown, SaysValuesForPeople) {
    const json::value record = json::parse(
        R"({"a":{"b":"x","none":null,"empty":""},"yes":true,"no":false,"n":5,"list":["p","q"]})");
    EXPECT_EQ(shown(record, "a.b"), "x");
    EXPECT_EQ(shown(record, "a.none"), "-");
    EXPECT_EQ(shown(record, "a.empty"), "-");
    EXPECT_EQ(shown(record, "a.c.d"), "-");
    EXPECT_EQ(shown(record, "yes"), "yes");
    EXPECT_EQ(shown(record, "no"), "no");
    EXPECT_EQ(shown(record, "n"), "5");
    EXPECT_EQ(shown(record, "list"), "p, q");
    const json::value times = json::parse(
        R"({"a":"2026-11-23T18:27:30.1234560Z","b":"2026-11-23T18:27:30Z","c":"x.1234560Z"})");
    EXPECT_EQ(shown(times, "a"), "2026-11-23T18:27:30Z");
    EXPECT_EQ(shown(times, "b"), "2026-11-23T18:27:30Z");
    EXPECT_EQ(shown(times, "c"), "x.1234560Z");
}

TEST(PrintJson, IndentsAndEscapes) {
    std::ostringstream out;
    print_json(out, json::parse(R"({"a":[1,{"b":"\u001b"}],"c":{},"d":[],"e":null})"));
    EXPECT_EQ(out.str(), R"({
  "a": [
    1,
    {
      "b": "\u001b"
    }
  ],
  "c": {},
  "d": [],
  "e": null
}
)");
}

TEST(TablePrinter, AlignsColumnsByCodePoints) {
    std::ostringstream out;
    TablePrinter table{out, {"ID", "STATE"}};
    table.row({"d\xc3\xbc", "on"});
    table.row({"longer", "off"});
    table.flush();
    table.row({"x", "on"});
    table.flush();
    EXPECT_EQ(out.str(), "ID      STATE\nd\xc3\xbc      on\nlonger  off\nx       on\n");
    EXPECT_EQ(table.rows(), 3U);
}

TEST(TablePrinter, PrintsNothingForNothing) {
    std::ostringstream out;
    TablePrinter table{out, {"ID"}};
    table.flush();
    EXPECT_EQ(out.str(), "");
}

TEST(PrintFields, AlignsAndIndentsLines) {
    std::ostringstream out;
    print_fields(out, {{"id", "a"}, {"longer", "one\ntwo"}});
    EXPECT_EQ(out.str(), "id:      a\nlonger:  one\n         two\n");
}

TEST(ArrayPrinter, IsAlwaysJson) {
    for (const std::size_t count : {0, 1, 3}) {
        std::ostringstream out;
        ArrayPrinter array{out};
        for (std::size_t i = 0; i < count; ++i) {
            array.item(json::parse(R"({"i":1})"));
        }
        array.end();
        EXPECT_EQ(json::parse(out.str()).as_array().size(), count) << out.str();
    }
}

}  // namespace
}  // namespace rollcall::app
