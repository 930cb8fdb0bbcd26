// SPDX-License-Identifier: Apache-2.0
// Refusals of the native API as problem details (RFC 9457). The one place of that front where an
// Error becomes a status and words; internal errors lose their text here.
#pragma once

#include "base/result.hpp"
#include "net/http.hpp"

#include <string>
#include <string_view>

namespace rollcall::front {

unsigned status_of(ErrorKind kind);

/// `status` 0: that of the error's kind. The body's `code` is the error's reason, or the kind where
/// it has none.
net::HttpResponse problem_response(const Error& error, std::string_view tracking_id,
                                   unsigned status = 0);

}  // namespace rollcall::front
