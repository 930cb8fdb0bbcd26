// SPDX-License-Identifier: Apache-2.0
// rollcall device send|twin|call|watch: what an operator does with a device at its hub.
#pragma once

#include "app/command.hpp"

#include <vector>

namespace rollcall::app {

std::vector<Command> device_hub_commands();

}  // namespace rollcall::app
