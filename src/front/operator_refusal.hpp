// SPDX-License-Identifier: Apache-2.0
// What the log says of a request that was refused at the operator door, for every API there.
#pragma once

#include "base/result.hpp"
#include "net/http.hpp"

#include <string>

namespace rollcall::front {

/// One line: an error where `status` is ours to mend, debug for 401, which strangers can cause at
/// will, else for information.
void log_operator_refusal(const Error& error, unsigned status, const std::string& tracking_id,
                          const net::HttpRequest& request);

/// Retry-After's value, in seconds.
std::string retry_after_of(const Error& error);

}  // namespace rollcall::front
