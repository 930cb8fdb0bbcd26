// SPDX-License-Identifier: Apache-2.0
#include "base/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace rollcall::detail {

void invariant_broken(const char* what, const char* file, int line) {
    std::fprintf(stderr, "rollcall: invariant broken at %s:%d: %s\n", file, line, what);
    std::abort();
}

}  // namespace rollcall::detail
