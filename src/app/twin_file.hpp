// SPDX-License-Identifier: Apache-2.0
// Options that groups and individual enrollments share: reprovision policy and initial twin.
#pragma once

#include "app/command.hpp"

#include <string>

#include <boost/json/value.hpp>

namespace rollcall::app {

/// "--reprovision migrate|reset|never", in the words of DPS' portal.
Parameter reprovision_option();
/// ReprovisionPolicy of the API for one of those words.
boost::json::value reprovision_policy(const std::string& word);

/// The word for a ReprovisionPolicy of the API.
std::string reprovision_word(const boost::json::value& policy);

/// "--initial-twin FILE"
Parameter initial_twin_option();
/// The JSON object in the file; null for the word "none".
Result<boost::json::value> read_twin_file(const std::string& name);

}  // namespace rollcall::app
