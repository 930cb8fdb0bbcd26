// SPDX-License-Identifier: Apache-2.0
// The slots of individual enrollments on the command line.
#pragma once

#include "app/command.hpp"
#include "app/print.hpp"

#include <iosfwd>
#include <vector>

namespace rollcall::app {

std::vector<Command> enrollment_cert_commands();

/// A table of an individual enrollment's slots (LeafSlots of the API).
void print_leaf_slots(std::ostream& out, const json::value& slots);

}  // namespace rollcall::app
