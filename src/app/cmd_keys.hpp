// SPDX-License-Identifier: Apache-2.0
// Symmetric keys of groups and individual enrollments on the command line.
#pragma once

#include "app/operation.hpp"

#include <vector>

namespace rollcall::app {

std::vector<Command> group_key_commands();
std::vector<Command> enrollment_key_commands();

/// "--symmetric-key" and the files for it, of the create commands.
std::vector<Parameter> new_key_options();
/// Puts `symmetricKey` into the body where they ask for it.
Result<Done> put_new_keys(const Invocation& call, json::object& body);

}  // namespace rollcall::app
