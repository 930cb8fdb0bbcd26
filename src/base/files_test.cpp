// SPDX-License-Identifier: Apache-2.0
#include "base/files.hpp"

#include "support/scratch_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace rollcall {
namespace {

namespace fs = std::filesystem;
using Existing = FileSet::Existing;

class Files : public ::testing::Test {
protected:
    static mode_t mode(const fs::path& path) {
        struct stat found {};
        EXPECT_EQ(::stat(path.c_str(), &found), 0);
        return found.st_mode & 07777U;
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::recursive_directory_iterator{directory_}, {}));
    }

    test::ScratchDirectory scratch_;
    const fs::path directory_ = scratch_.path();
};

TEST_F(Files, WrittenIsReadBack) {
    const auto path = directory_ / "a" / "b" / "c.pem";
    std::string content = "line\n";
    content.push_back('\0');
    ASSERT_TRUE(write_file(path, content, Secrecy::open, Existing::refuse));
    EXPECT_EQ(read_file(path, 100).value(), content);
    EXPECT_EQ(entries(), 3U) << "two directories and the file, nothing temporary";
}

TEST_F(Files, ReadingIsBounded) {
    const auto path = directory_ / "f";
    ASSERT_TRUE(write_file(path, std::string(100'000, 'x'), Secrecy::open, Existing::refuse));
    EXPECT_EQ(read_file(path, 100'000).value().size(), 100'000U);
    EXPECT_EQ(read_file(path, 99'999).error().kind, ErrorKind::too_large);
    EXPECT_EQ(read_file(directory_ / "none", 1).error().kind, ErrorKind::not_found);
    EXPECT_NE(read_file(directory_ / "none", 1).error().detail.find("none"), std::string::npos);
    EXPECT_FALSE(read_file(directory_, 1));
}

TEST_F(Files, SecretsAreForTheOwnerOnly) {
    ASSERT_TRUE(write_file(directory_ / "key", "k", Secrecy::secret, Existing::refuse));
    ASSERT_TRUE(write_file(directory_ / "pem", "p", Secrecy::open, Existing::refuse));
    EXPECT_EQ(mode(directory_ / "key"), 0600U);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(mode(directory_ / "pem"), 0644U & ~mask);
}

TEST_F(Files, WhatIsThereStaysUnlessReplaced) {
    const auto path = directory_ / "f";
    ASSERT_TRUE(write_file(path, "old", Secrecy::open, Existing::refuse));
    const auto refused = write_file(path, "new", Secrecy::open, Existing::refuse);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "file-exists");
    EXPECT_EQ(read_file(path, 100).value(), "old");
    ASSERT_TRUE(write_file(path, "new", Secrecy::secret, Existing::replace));
    EXPECT_EQ(read_file(path, 100).value(), "new");
    EXPECT_EQ(mode(path), 0600U) << "the old file's openness is not inherited";
}

TEST_F(Files, ADanglingLinkIsNotWrittenThrough) {
    const auto path = directory_ / "link";
    fs::create_symlink(directory_ / "elsewhere", path);
    EXPECT_FALSE(write_file(path, "x", Secrecy::secret, Existing::refuse));
    EXPECT_FALSE(fs::exists(directory_ / "elsewhere"));
}

TEST_F(Files, AllOfASetOrNone) {
    fs::create_directory(directory_ / "in-the-way");
    FileSet files;
    files.add(directory_ / "first", "1", Secrecy::open);
    files.add(directory_ / "second", "2", Secrecy::secret);
    files.add(directory_ / "in-the-way", "3", Secrecy::open);
    EXPECT_FALSE(files.write(Existing::refuse));
    EXPECT_EQ(entries(), 1U);
    EXPECT_FALSE(files.write(Existing::replace)) << "a directory is not replaced";
    EXPECT_EQ(read_file(directory_ / "first", 9).value(), "1") << "each is whole, at least";
    EXPECT_EQ(entries(), 3U);
}

TEST_F(Files, WhatWasPlacedBeforeAFailureIsTakenAwayAgain) {
    FileSet files;
    files.add(directory_ / "first", "1", Secrecy::open);
    files.add(directory_ / "first", "again", Secrecy::open);
    EXPECT_EQ(files.write(Existing::refuse).error().reason, "file-exists");
    EXPECT_EQ(entries(), 0U);
}

TEST_F(Files, DirectoriesAreMadeToTheLast) {
    const auto last = directory_ / "a" / "b" / "c";
    ASSERT_TRUE(make_directories(last / "", 0700));
    EXPECT_EQ(mode(last), 0700U);
    EXPECT_NE(mode(last.parent_path()), 0700U) << "only the last one is private";
    ASSERT_TRUE(make_directories(last, 0711)) << "there already, and left as it is";
    EXPECT_EQ(mode(last), 0700U);
    ASSERT_TRUE(write_file(last / "f", "", Secrecy::open, Existing::refuse));
    const auto refused = make_directories(last / "f" / "d");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail.find("/f"), std::string::npos);
}

TEST_F(Files, AParentThatIsAFileIsRefused) {
    ASSERT_TRUE(write_file(directory_ / "f", "1", Secrecy::open, Existing::refuse));
    EXPECT_FALSE(write_file(directory_ / "f" / "g", "1", Secrecy::open, Existing::refuse));
}

}  // namespace
}  // namespace rollcall
