// SPDX-License-Identifier: Apache-2.0
// A password from a file or, twice and unseen, from the terminal; never from the command line,
// which every user of the machine can read.
#pragma once

#include "app/command.hpp"

#include <string>

namespace rollcall::app {

/// "--password-file FILE".
Parameter password_file_option();

/// From --password-file (its first line; "-" is standard input), else from the terminal. A usage
/// error where there is neither.
Result<std::string> read_password(const Invocation& call);

}  // namespace rollcall::app
