// SPDX-License-Identifier: Apache-2.0
// The files of the web console that stand in this program. tools/build-console makes the list and
// CMake links it into `rollcall`; what is linked without it (tests, ROLLCALL_CONSOLE=OFF) gets
// no_console.cpp's empty one.
#pragma once

#include "front/console.hpp"

#include <span>

namespace rollcall::app {

std::span<const front::ConsoleFile> embedded_console();

}  // namespace rollcall::app
