// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include <iostream>
#include <string>
#include <vector>

int main(int count, char** values) {
    const std::vector<std::string> arguments(values + 1, values + count);
    const rollcall::app::Streams io{std::cin, std::cout, std::cerr};
    return static_cast<int>(
        rollcall::app::run_command_line(rollcall::app::command_table(), arguments, io));
}
