// SPDX-License-Identifier: Apache-2.0
// Reads a command line against the command table, prints help, and runs what was asked for.
// CLI11 does the reading; the table says what there is.
// Conventions: `--name value` and `--name=value`, options anywhere, `--` ends them, `--help` and
// `-h` after any words, `help WORDS`, `--version`.
#pragma once

#include "app/command.hpp"

#include <string>
#include <vector>

namespace rollcall::app {

/// What a command line turned out to be.
struct Reading {
    enum class What { run, help, version } what = What::run;
    const Command* command = nullptr;  ///< of `run`
    std::string help{};                ///< text of `help`
    Invocation invocation;
};

/// Errors have reason "usage"; their detail ends with a hint where to look.
Result<Reading> read_arguments(const CommandTable& table, const std::vector<std::string>& arguments,
                               Streams io);

/// Reads, runs, reports. Never throws; what a library throws ends as exit 1 with its text.
Exit run_command_line(const CommandTable& table, const std::vector<std::string>& arguments,
                      Streams io);

/// Help for a prefix of commands' words: "" for all, "group", "group cert", "group cert set".
/// Empty where no command starts so.
std::string help_text(const CommandTable& table, const std::string& words);

/// Splits an example or a line of a transcript as a shell would; single quotes only.
std::vector<std::string> split_line(const std::string& line);

}  // namespace rollcall::app
