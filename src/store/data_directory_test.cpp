// SPDX-License-Identifier: Apache-2.0
#include "store/data_directory.hpp"

#include "support/scratch_directory.hpp"

#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
    struct stat found {};
    EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777;
}

class Directory : public ::testing::Test {
protected:
    test::ScratchDirectory scratch;
    ScriptedEntropy entropy{7};
    std::filesystem::path path = scratch.path() / "deep" / "data";
};

TEST_F(Directory, IsMadeForItsOwnerOnlyAndKeepsItsSecret) {
    std::optional<Digest> key;
    {
        const auto directory = DataDirectory::open(path, entropy);
        ASSERT_TRUE(directory) << directory.error().detail;
        EXPECT_EQ(mode_of(path), 0700U);
        EXPECT_EQ(mode_of(path / "secret.key"), 0600U);
        key = directory->derived_key("audit");
        EXPECT_NE(*key, directory->derived_key("tokens"));
    }
    const auto again = DataDirectory::open(path, entropy);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->derived_key("audit"), *key);
}

TEST_F(Directory, IsLockedWhileInUse) {
    const auto first = DataDirectory::open(path, entropy);
    const auto second = DataDirectory::open(path, entropy);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().reason, "directory-in-use");
    EXPECT_NE(second.error().detail.find(std::to_string(getpid())), std::string::npos);
}

TEST_F(Directory, LooseModesAreTightened) {
    { ASSERT_TRUE(DataDirectory::open(path, entropy)); }
    chmod(path.c_str(), 0755);
    chmod((path / "secret.key").c_str(), 0644);
    ASSERT_TRUE(DataDirectory::open(path, entropy));
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_EQ(mode_of(path / "secret.key"), 0600U);
}

TEST_F(Directory, ADamagedSecretIsNotReplaced) {
    { ASSERT_TRUE(DataDirectory::open(path, entropy)); }
    std::ofstream{path / "secret.key"} << "short";
    EXPECT_FALSE(DataDirectory::open(path, entropy));
    EXPECT_EQ(std::filesystem::file_size(path / "secret.key"), 5U);
}

TEST_F(Directory, OfOthersIsLeftAlone) {
    std::filesystem::create_directories(path);
    chmod(path.c_str(), 0755);
    std::ofstream{path / "thesis.tex"} << "x";
    EXPECT_EQ(DataDirectory::open(path, entropy).error().reason, "not-a-data-directory");
    EXPECT_EQ(mode_of(path), 0755U);
    EXPECT_FALSE(std::filesystem::exists(path / "secret.key"));
}

TEST_F(Directory, AnEmptyFileSystemIsTaken) {
    std::filesystem::create_directories(path / "lost+found");
    EXPECT_TRUE(DataDirectory::open(path, entropy));
}

TEST_F(Directory, ALostSecretIsNotReplaced) {
    { ASSERT_TRUE(DataDirectory::open(path, entropy)); }
    std::ofstream{path / "rollcall.db"} << "x";
    std::filesystem::remove(path / "secret.key");
    EXPECT_EQ(DataDirectory::open(path, entropy).error().reason, "secret-missing");
    EXPECT_FALSE(std::filesystem::exists(path / "secret.key"));
}

TEST_F(Directory, AFileInItsPlaceIsRefused) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << "x";
    const auto refused = DataDirectory::open(path, entropy);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "not-a-directory");
}

}  // namespace
}  // namespace rollcall::store
