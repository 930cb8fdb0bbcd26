// SPDX-License-Identifier: Apache-2.0
// What help and usage messages are put together from; help_text() itself is declared in
// arguments.hpp.
#pragma once

#include "app/command.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall::app {

/// "--data DIR" and what it is for, in the order of the help page.
const std::vector<std::pair<std::string, std::string>>& global_options();

/// "rollcall group create GROUP [options]"
std::string usage_line(const Command& command);
/// "--primary FILE", "FILE..."
std::string spelled(const Parameter& parameter);
/// Its help, with its values where those are few.
std::string help_of(const Parameter& parameter);

std::string joined(const std::vector<std::string>& parts, const std::string& between);
/// "primary or secondary", "a, b or c".
std::string either(const std::vector<std::string>& words);

/// ` (did you mean "list"?)` for the nearest of `known`, or nothing when none is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

/// The words that may follow a prefix of commands' words, each once, in the table's order.
std::vector<std::string> next_words(const CommandTable& table, const std::string& prefix);

/// All options the command takes, global ones included.
std::vector<std::string> option_names(const Command& command);

}  // namespace rollcall::app
