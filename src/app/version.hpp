// SPDX-License-Identifier: Apache-2.0
// The version, as the build knows it.
#pragma once

#include <string_view>

namespace rollcall::app {

inline constexpr std::string_view version = ROLLCALL_VERSION;

}  // namespace rollcall::app
