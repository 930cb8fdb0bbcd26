// SPDX-License-Identifier: Apache-2.0
// The options that `serve` and `config check` share, and what comes of them and the file.
#pragma once

#include "app/command.hpp"
#include "app/config.hpp"

#include <vector>

namespace rollcall::app {

std::vector<Parameter> serve_parameters();

/// Reads --config, else ./rollcall.toml where there is one, lays the options over it and checks
/// the whole. `--data` and ROLLCALL_DATA outrank the file's `data`.
Result<Settings> settings_of(const Invocation& call);

}  // namespace rollcall::app
