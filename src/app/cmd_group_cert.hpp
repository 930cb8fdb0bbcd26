// SPDX-License-Identifier: Apache-2.0
// The slots of enrollment groups on the command line.
#pragma once

#include "app/command.hpp"
#include "app/print.hpp"

#include <iosfwd>
#include <vector>

namespace rollcall::app {

std::vector<Command> group_cert_commands();

/// A table of a group's slots (GroupSlots of the API). `adoption`: GroupAdoption, for how many
/// devices rest on each; may be null.
void print_group_slots(std::ostream& out, const json::value& slots, const json::value* adoption);

}  // namespace rollcall::app
