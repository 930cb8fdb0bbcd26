// SPDX-License-Identifier: Apache-2.0
#include "app/import_file.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"
#include "support/scratch_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using ::testing::HasSubstr;

class ImportFileTest : public ::testing::Test {
protected:
    Result<ImportFile> open(const std::string& content) {
        const auto path = scratch.path() / "export.json";
        EXPECT_TRUE(write_file(path, content, Secrecy::open, FileSet::Existing::replace));
        return ImportFile::open(path);
    }
    /// The `n` of each entry, and at the end what was wrong.
    std::string read(const std::string& content) {
        auto file = open(content);
        std::string told;
        while (true) {
            const auto entry = file->next();
            if (!entry) {
                return told +
                       entry.error().detail.substr(entry.error().detail.find("export.json") + 11);
            }
            if (!*entry) {
                return told + "end";
            }
            told += std::to_string((*entry)->object.at("n").to_number<int>()) + "@" +
                    std::to_string((*entry)->line) + " ";
        }
    }

    test::ScratchDirectory scratch;
};

TEST_F(ImportFileTest, ReadsEntryByEntry) {
    const std::pair<const char*, const char*> cases[] = {
        {"[]", "end"},
        {" [ ] \n", "end"},
        {R"([{"n":1}])", "1@1 end"},
        {"[\n  {\"n\": 1},\n  {\"n\": 2}\n]\n", "1@2 2@3 end"},
        {"\xEF\xBB\xBF[{\"n\":1}]", "1@1 end"},
        {R"({"n":1})", "1@1 end"},
        {"{\"n\":1}\n", "1@1 end"},
        {R"([{"n":1,"a":"}]\"{["},{"n":2,"b":{"c":[{}]}}])", "1@1 2@1 end"},
        {R"([{"n":1,"a":"\\"},{"n":2}])", "1@1 2@1 end"},
    };
    for (const auto& [content, told] : cases) {
        EXPECT_EQ(read(content), told) << content;
    }
}

TEST_F(ImportFileTest, SaysWhatIsWrongAndWhere) {
    const std::pair<std::string, const char*> cases[] = {
        {"", " line 1: the file is empty"},
        {" \n ", " line 2: the file is empty"},
        {"DeviceId  Status\n", " line 1: this is no JSON"},
        {"\xFF\xFE[", " line 1: the file is UTF-16"},
        {std::string{"\0[", 2}, " line 1: the file is UTF-16"},
        {"[", " line 1 (entry 1): the file ends too early"},
        {R"([{"n":1})", "1@1  line 1 (entry 1): the file ends too early"},
        {R"([{"n":1},)", "1@1  line 1 (entry 2): the file ends too early"},
        {R"([{"n":1}, {"n")", "1@1  line 1 (entry 2): the file ends too early"},
        {R"({"n":1)", " line 1: the file ends too early"},
        {R"([{"n":1} {"n":2}])", "1@1  line 1 (entry 1): a comma or the end"},
        {R"([{"n":1},])", "1@1  line 1 (entry 2): an entry is an object"},
        {"[\n7]", " line 2 (entry 1): an entry is an object"},
        {R"([["n"]])", " line 1 (entry 1): an entry is an object"},
        {"[{\"n\":1},\n{\"n\":}]", "1@1  line 2 (entry 2): this entry is no JSON"},
        {"[{\"n\":\"\xFF\"}]", " line 1 (entry 1): this entry is no JSON"},
        {R"([{"n":1}]])", "1@1  line 1: something stands behind"},
        {R"({"n":1}{"n":2})", "1@1  line 1: something stands behind"},
        {R"([{"n":1]])", " line 1 (entry 1): this entry is no JSON"},
    };
    for (const auto& [content, told] : cases) {
        const std::string said = read(content);
        EXPECT_EQ(said.substr(0, std::string{told}.size()), told) << content << "\n" << said;
    }
}

TEST_F(ImportFileTest, AnEntryHasABound) {
    const auto of_size = [](std::size_t bytes) {
        const std::string frame = R"({"n":1,"a":""})";
        return R"([{"n":1,"a":")" + std::string(bytes - frame.size(), 'x') + "\"}]";
    };
    EXPECT_EQ(read(of_size(limits::import_entry_bytes_max)), "1@1 end");
    EXPECT_THAT(read(of_size(limits::import_entry_bytes_max + 1)), HasSubstr("more than 262144"));
}

TEST_F(ImportFileTest, NestingHasABound) {
    const auto nested = [](std::size_t depth) {
        return R"([{"n":1,"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}]";
    };
    EXPECT_EQ(read(nested(limits::json_depth_max)), "1@1 end");
    EXPECT_THAT(read(nested(limits::json_depth_max + 1)), HasSubstr("no JSON"));
}

TEST_F(ImportFileTest, AFileHasABound) {
    std::string content = "[{\"n\":1}";
    for (std::size_t i = 1; i < limits::import_entries_max; ++i) {
        content += ",{}";
    }
    auto whole = open(content + "]");
    std::size_t count = 0;
    while (true) {
        const auto entry = whole->next();
        ASSERT_TRUE(entry) << entry.error().detail;
        if (!*entry) {
            break;
        }
        count += 1;
    }
    EXPECT_EQ(count, limits::import_entries_max);
    auto more = open(content + ",{}]");
    auto entry = more->next();
    while (entry && *entry) {
        entry = more->next();
    }
    ASSERT_FALSE(entry);
    EXPECT_EQ(entry.error().reason, "import-too-large");
}

TEST_F(ImportFileTest, OneObjectAloneIsTold) {
    auto one = open(R"({"n":1})");
    ASSERT_TRUE(*one->next());
    EXPECT_TRUE(one->is_single());
    auto list = open(R"([{"n":1}])");
    ASSERT_TRUE(*list->next());
    EXPECT_FALSE(list->is_single());
}

TEST_F(ImportFileTest, WhatCannotBeRead) {
    EXPECT_THAT(ImportFile::open(scratch.path() / "none").error().detail,
                HasSubstr("No such file"));
    EXPECT_THAT(ImportFile::open(scratch.path()).error().detail, HasSubstr("is a directory"));
}

}  // namespace
}  // namespace rollcall::app
