// SPDX-License-Identifier: Apache-2.0
// The manual page, made from the command table: docs/rollcall.1.
#pragma once

#include "app/command.hpp"

#include <string>

namespace rollcall::app {

/// In the man macros of roff.
std::string manual_page(const CommandTable& table);

}  // namespace rollcall::app
