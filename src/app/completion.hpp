// SPDX-License-Identifier: Apache-2.0
// Scripts by which shells complete our command lines, made from the command table: words, options,
// their values where there are few, files where files are meant.
#pragma once

#include "app/command.hpp"

#include <string>

namespace rollcall::app {

std::string bash_completion(const CommandTable& table);
std::string zsh_completion(const CommandTable& table);
std::string fish_completion(const CommandTable& table);

}  // namespace rollcall::app
