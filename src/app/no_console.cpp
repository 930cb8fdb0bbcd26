// SPDX-License-Identifier: Apache-2.0
// Linked only where nothing else says what the console is: it stands in the floor's library, and
// the program with a console brings the list as one of its own objects.
#include "app/embedded_console.hpp"

namespace rollcall::app {

std::span<const front::ConsoleFile> embedded_console() {
    return {};
}

}  // namespace rollcall::app
