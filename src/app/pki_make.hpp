// SPDX-License-Identifier: Apache-2.0
// The handlers of `rollcall pki ca|intermediate|leaf|verification`. Their parameters are declared
// in cmd_pki.cpp.
#pragma once

#include "app/command.hpp"
#include "base/world.hpp"

namespace rollcall::app {

/// Time and chance of one command; tests bring their own.
struct PkiWorld {
    const Clock& clock;
    Entropy& entropy;
};

Result<Exit> make_ca(const Invocation& call, const PkiWorld& world);
Result<Exit> make_intermediate(const Invocation& call, const PkiWorld& world);
Result<Exit> make_leaves(const Invocation& call, const PkiWorld& world);
Result<Exit> make_verification(const Invocation& call, const PkiWorld& world);

}  // namespace rollcall::app
