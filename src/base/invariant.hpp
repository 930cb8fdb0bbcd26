// SPDX-License-Identifier: Apache-2.0
// INVARIANT(...): what we believe of our own code. Checked in release builds too; a broken one
// ends the process with its place. Never reached by input: input is refused with a Result.
#pragma once

namespace rollcall::detail {
[[noreturn]] void invariant_broken(const char* what, const char* file, int line);
}

#define INVARIANT(...)                                                              \
    do {                                                                            \
        if (!(__VA_ARGS__)) [[unlikely]] {                                          \
            ::rollcall::detail::invariant_broken(#__VA_ARGS__, __FILE__, __LINE__); \
        }                                                                           \
    } while (false)
