// SPDX-License-Identifier: Apache-2.0
// The page that `registration explain` prints: what happened, the chain as sent, every
// certificate's faults, where the chain breaks, and what mends it.
#pragma once

#include <iosfwd>

#include <boost/json/value.hpp>

namespace rollcall::app {

/// `explanation`: Explanation of the API.
void print_explanation(std::ostream& out, const boost::json::value& explanation);

}  // namespace rollcall::app
