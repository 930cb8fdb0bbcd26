// SPDX-License-Identifier: Apache-2.0
// The matrix as docs/access.md shows it, and who sees secrets.
#include "service/permission.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Role;

std::vector<Permission> all_permissions() {
    std::vector<Permission> all;
    for (std::size_t i = 0; i < permission_count; ++i) {
        all.push_back(static_cast<Permission>(i));
    }
    return all;
}

TEST(Permission, EachHasAWordOfItsOwn) {
    std::set<std::string_view> words;
    for (const auto permission : all_permissions()) {
        EXPECT_TRUE(words.insert(to_string(permission)).second) << to_string(permission);
    }
}

TEST(Permission, AViewerReadsAllAndSeesNoSecret) {
    for (const auto permission : all_permissions()) {
        const std::string word{to_string(permission)};
        const bool reads = permission == Permission::none || word.ends_with(".read");
        const bool own = permission == Permission::session_write;  // signing out is everybody's
        EXPECT_EQ(may(Role::viewer, permission), reads || own) << word;
        EXPECT_TRUE(may(Role::administrator, permission)) << word;
    }
}

TEST(Permission, WhatEverythingRestsOnIsTheAdministrators) {
    for (const auto permission :
         {Permission::group_write, Permission::ca_write, Permission::hub_write,
          Permission::distrust_write, Permission::token_write, Permission::token_show,
          Permission::user_write, Permission::group_key_show, Permission::audit_write}) {
        EXPECT_FALSE(may(Role::builder, permission)) << to_string(permission);
    }
    EXPECT_TRUE(may(Role::builder, Permission::device_group_write));
    EXPECT_FALSE(may(Role::operator_, Permission::device_group_write));
    for (const auto permission : {Permission::device_write, Permission::registration_write,
                                  Permission::enrollment_write, Permission::job_write}) {
        EXPECT_TRUE(may(Role::operator_, permission)) << to_string(permission);
        EXPECT_FALSE(may(Role::viewer, permission)) << to_string(permission);
    }
}

/// Rows as "| `group.write` | yes | | | |": administrator, builder, operator, viewer.
TEST(Permission, TheMatrixIsTheOneInTheDocument) {
    std::ifstream file{ROLLCALL_SOURCE_DIR "/docs/access.md"};
    std::stringstream text;
    text << file.rdbuf();
    std::map<std::string, std::string> rows;
    const std::regex row{
        R"(\n\| `([a-z-]+\.[a-z]+)` \|[^|]*\| (yes)? ?\| (yes)? ?\| (yes)? ?\| (yes)? ?\|)"};
    const std::string all = text.str();
    for (auto it = std::sregex_iterator(all.begin(), all.end(), row); it != std::sregex_iterator();
         ++it) {
        std::string marks;
        for (std::size_t i = 2; i < 6; ++i) {
            marks += (*it)[i].matched ? 'y' : '-';
        }
        EXPECT_TRUE(rows.emplace((*it)[1], marks).second) << (*it)[1] << " stands there twice";
    }
    EXPECT_EQ(rows.size(), permission_count - 1) << "all but none";
    for (const auto permission : all_permissions()) {
        if (permission == Permission::none) {
            continue;
        }
        std::string marks;
        for (const auto role : domain::every_role) {
            marks += may(role, permission) ? 'y' : '-';
        }
        EXPECT_EQ(rows[std::string{to_string(permission)}], marks) << to_string(permission);
    }
}

}  // namespace
}  // namespace rollcall::service
