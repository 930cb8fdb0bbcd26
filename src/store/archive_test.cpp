// SPDX-License-Identifier: Apache-2.0
#include "store/archive.hpp"

#include "support/scratch_directory.hpp"
#include "x509/digest.hpp"

#include <fstream>
#include <functional>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

class ArchiveTest : public ::testing::Test {
protected:
    std::filesystem::path file(const std::string& name) const { return scratch_.path() / name; }
    void put(const std::filesystem::path& path, const std::string& content) const {
        std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
    }
    static std::string get(const std::filesystem::path& path) {
        std::ifstream in{path, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    /// Two members: "a" with `text`, "tls/b" from a file of `bytes`.
    std::filesystem::path archive(const std::string& text, std::size_t bytes) {
        const auto path = file("archive-" + std::to_string(++archives_));
        put(file("b"), std::string(bytes, 'b'));
        auto writer = ArchiveWriter::create(path).value();
        EXPECT_TRUE(writer.add("a", text, 1'767'225'600));
        EXPECT_TRUE(writer.add_file("tls/b", file("b"), bytes, 1'767'225'600));
        EXPECT_TRUE(writer.finish());
        return path;
    }
    /// Reads all of it; the reason of what is wrong, "" where nothing is.
    static std::string fault(const std::filesystem::path& path) {
        auto reader = ArchiveReader::open(path).value();
        while (true) {
            const auto member = reader.next();
            if (!member) {
                return member.error().reason;
            }
            if (!*member) {
                return {};
            }
        }
    }

    test::ScratchDirectory scratch_;
    int archives_ = 0;
};

TEST_F(ArchiveTest, WhatGoesInComesOut) {
    for (const std::size_t bytes : {0U, 1U, 511U, 512U, 513U, 300'000U}) {
        const auto path = archive("hello", bytes);
        auto reader = ArchiveReader::open(path).value();
        const auto first = reader.next().value().value();
        EXPECT_EQ(first.name, "a");
        EXPECT_EQ(reader.text(5).value(), "hello");
        const auto second = reader.next().value().value();
        EXPECT_EQ(second.name, "tls/b");
        EXPECT_EQ(second.bytes, bytes);
        const auto copy = file("copy-" + std::to_string(bytes));
        const auto copied = reader.copy_to(copy).value();
        EXPECT_EQ(copied.bytes, bytes);
        EXPECT_EQ(copied.sha256, x509::sha256(as_bytes(std::string(bytes, 'b'))));
        EXPECT_EQ(measure_file(copy).value().sha256, copied.sha256);
        EXPECT_EQ(get(copy), std::string(bytes, 'b'));
        EXPECT_EQ(reader.next().value(), std::nullopt);
        struct stat found {};
        ASSERT_EQ(::stat(path.c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777, 0600U);
        ASSERT_EQ(::stat(copy.c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777, 0600U);
    }
}

TEST_F(ArchiveTest, TarReadsIt) {
    const auto path = archive("hello", 600);
    const std::string into = file("tar").string();
    const std::string command = "mkdir " + into + " && tar -xf " + path.string() + " -C " + into;
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(get(into + "/a"), "hello");
    EXPECT_EQ(get(into + "/tls/b"), std::string(600, 'b'));
}

TEST_F(ArchiveTest, ZerosBehindTheEndArePadding) {
    const auto path = archive("hello", 600);
    put(path, get(path) + std::string(7'000, '\0'));
    EXPECT_EQ(fault(path), "");
}

TEST_F(ArchiveTest, MembersAreSkippedUnread) {
    EXPECT_EQ(fault(archive("hello", 70'000)), "");
}

TEST_F(ArchiveTest, ATextHasABound) {
    auto reader = ArchiveReader::open(archive("hello", 1)).value();
    (void)reader.next().value();
    EXPECT_EQ(reader.text(4).error().kind, ErrorKind::too_large);
}

TEST_F(ArchiveTest, NothingIsOverwritten) {
    const auto path = archive("hello", 1);
    EXPECT_EQ(ArchiveWriter::create(path).error().reason, "file-exists");
    auto reader = ArchiveReader::open(path).value();
    (void)reader.next().value();
    EXPECT_FALSE(reader.copy_to(path));
}

TEST_F(ArchiveTest, AFileThatGrewIsNoPart) {
    put(file("b"), "bbb");
    auto writer = ArchiveWriter::create(file("archive")).value();
    EXPECT_FALSE(writer.add_file("b", file("b"), 2, 0));
    auto again = ArchiveWriter::create(file("another")).value();
    EXPECT_FALSE(again.add_file("b", file("b"), 4, 0));
    EXPECT_FALSE(again.add_file("none", file("none"), 0, 0));
}

TEST_F(ArchiveTest, WhereverItIsCutItIsSeen) {
    const std::string whole = get(archive("hello", 600));
    for (std::size_t bytes = 0; bytes < whole.size(); bytes += 64) {
        put(file("cut"), whole.substr(0, bytes));
        EXPECT_EQ(fault(file("cut")), "archive-truncated") << bytes;
    }
}

TEST_F(ArchiveTest, HeadersThatAreNone) {
    const std::string whole = get(archive("hello", 600));
    struct Case {
        const char* what;
        std::function<void(std::string&)> change;
        const char* reason;
    };
    const std::vector<Case> cases{
        {"a name", [](std::string& text) { text[0] = 'x'; }, "no-archive"},
        {"a size", [](std::string& text) { text[124] = '7'; }, "no-archive"},
        {"a size that is no number", [](std::string& text) { text[130] = 'x'; }, "no-archive"},
        {"a symbolic link", [](std::string& text) { text[156] = '2'; }, "no-archive"},
        {"no sum", [](std::string& text) { text.replace(148, 8, "        "); }, "no-archive"},
        {"no magic", [](std::string& text) { text[257] = 'U'; }, "no-archive"},
        {"the second header", [](std::string& text) { text[1024] = 'x'; }, "no-archive"},
        {"the end", [](std::string& text) { text[text.size() - 1024] = 'x'; }, "no-archive"},
        {"more behind the end", [](std::string& text) { text += 'x'; }, "archive-damaged"},
        {"much behind the end", [](std::string& text) { text += std::string(9'000, '\0') + "x"; },
         "archive-damaged"},
        {"text", [](std::string& text) { text.assign(4096, 'x'); }, "no-archive"}};
    for (const auto& each : cases) {
        std::string text = whole;
        each.change(text);
        put(file("changed"), text);
        EXPECT_EQ(fault(file("changed")), each.reason) << each.what;
    }
}

TEST_F(ArchiveTest, LargeSizesAreThoseOfTar) {
    // A sparse file of 9 GiB that only its header is written of.
    const auto path = file("large");
    const std::string made = "cd " + scratch_.path().string() +
                             " && truncate -s 9G sparse && tar --format=gnu -cf - sparse | "
                             "head -c 512 > large";
    ASSERT_EQ(std::system(made.c_str()), 0);
    auto reader = ArchiveReader::open(path).value();
    const auto member = reader.next();
    ASSERT_TRUE(member) << member.error().detail;
    EXPECT_EQ(member->value().bytes, std::uint64_t{9} << 30);
}

}  // namespace
}  // namespace rollcall::store
