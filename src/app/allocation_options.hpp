// SPDX-License-Identifier: Apache-2.0
// Options by which groups, individual enrollments and the server say which hub devices get.
#pragma once

#include "app/command.hpp"
#include "app/print.hpp"

#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::app {

/// "--allocation WORD", "--hub NAME...", "--webhook URL", "--webhook-version DATE".
std::vector<Parameter> allocation_options();
/// Those two of them that the server's own rule has.
Parameter server_allocation_option();
Parameter hub_option();

/// The members they stand for, where they are given. A usage error where they contradict.
Result<Done> put_allocation(const Invocation& call, boost::json::object& body);

/// Of an entry or the server's rule, for print_fields().
std::vector<std::pair<std::string, std::string>> allocation_fields(
    const boost::json::value& record);

}  // namespace rollcall::app
