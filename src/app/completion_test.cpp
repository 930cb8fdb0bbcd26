// SPDX-License-Identifier: Apache-2.0
// What is made from the command table. Shells themselves read the scripts in
// tests/cli/completion.py.
#include "app/completion.hpp"

#include "app/help.hpp"
#include "app/manual.hpp"
#include "base/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using ::testing::HasSubstr;

TEST(Completion, AnOptionThatIsAFlagElsewhereGoesByItsCommand) {
    const CommandTable table = command_table();
    for (const auto& script :
         {bash_completion(table), zsh_completion(table), fish_completion(table)}) {
        EXPECT_THAT(script, HasSubstr("'pki verify/--chain'"));
        EXPECT_THAT(script, ::testing::Not(HasSubstr("'pki leaf/--chain'")));
    }
}

TEST(Completion, TellsOfEveryCommandAndOption) {
    const CommandTable table = command_table();
    for (const auto& script :
         {bash_completion(table), zsh_completion(table), fish_completion(table)}) {
        for (const Command& command : table.commands) {
            EXPECT_THAT(script, HasSubstr("'" + command.words + "'"));
            for (const Parameter& parameter : command.parameters) {
                if (parameter.kind != Parameter::Kind::positional) {
                    EXPECT_THAT(script, HasSubstr(parameter.name.substr(2))) << command.words;
                }
            }
        }
    }
}

TEST(Manual, TellsOfEveryCommandAndOption) {
    const std::string page = manual_page(command_table());
    for (const Command& command : command_table().commands) {
        std::string title;
        for (const char c : usage_line(command)) {
            title += c == '-' ? std::string{"\\-"} : std::string(1, c);
        }
        EXPECT_THAT(page, HasSubstr(".SS \"" + title + "\""));
    }
}

TEST(Manual, TextIsNoRequest) {
    CommandTable table;
    table.commands.push_back({"do",
                              ".so /etc/passwd \\n \"quoted\"",
                              {flag("--x", "'tis nothing")},
                              {{"rollcall do", ""}},
                              nullptr,
                              ".PP\n'more"});
    const std::string page = manual_page(table);
    EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd \\en \"quoted\".\n"));
    EXPECT_THAT(page, HasSubstr("\n\\&'tis nothing\n"));
    EXPECT_THAT(page, HasSubstr("\n\\&.PP\n"));
    EXPECT_THAT(page, HasSubstr("\n\\&'more\n"));
}

TEST(Manual, ThePageInTheRepositoryIsThisOne) {
    const auto kept = read_file(std::string{ROLLCALL_SOURCE_DIR} + "/docs/rollcall.1", 1024 * 1024);
    ASSERT_TRUE(kept) << kept.error().detail;
    EXPECT_TRUE(*kept == manual_page(command_table()))
        << "docs/rollcall.1 is not of this command table; make it anew:\n"
           "  build/release/rollcall man > docs/rollcall.1";
}

}  // namespace
}  // namespace rollcall::app
