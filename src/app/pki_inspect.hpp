// SPDX-License-Identifier: Apache-2.0
// The handler of `rollcall pki inspect`: what any file of certificates says, and what is odd about
// it. What is no certificate is named for what it is.
#pragma once

#include "app/command.hpp"
#include "base/world.hpp"

namespace rollcall::app {

/// Exit::refused when a file holds something else than certificates.
Result<Exit> inspect_files(const Invocation& call, const Clock& clock);

}  // namespace rollcall::app
