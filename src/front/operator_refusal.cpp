// SPDX-License-Identifier: Apache-2.0
#include "front/operator_refusal.hpp"

#include "base/telemetry.hpp"

#include <algorithm>

namespace rollcall::front {

void log_operator_refusal(const Error& error, unsigned status, const std::string& tracking_id,
                          const net::HttpRequest& request) {
    const Severity severity = status >= 500   ? Severity::error
                              : status == 401 ? Severity::debug
                                              : Severity::info;
    log_event(severity, "operator-refused",
              {{"tracking-id", tracking_id},
               {"status", std::to_string(status)},
               {"method", request.method},
               {"path", request.path},
               {"kind", std::string{to_string(error.kind)}},
               {"reason", error.reason},
               {"detail", error.detail},
               {"note", error.note}});
}

std::string retry_after_of(const Error& error) {
    return std::to_string(std::max(1U, error.retry_after_seconds));
}

}  // namespace rollcall::front
