// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace rollcall {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed: return "malformed";
        case ErrorKind::unauthenticated: return "unauthenticated";
        case ErrorKind::forbidden: return "forbidden";
        case ErrorKind::not_found: return "not_found";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::stale: return "stale";
        case ErrorKind::attestation_failed: return "attestation_failed";
        case ErrorKind::throttled: return "throttled";
        case ErrorKind::too_large: return "too_large";
        case ErrorKind::unsupported: return "unsupported";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::deadline: return "deadline";
        case ErrorKind::internal: return "internal";
    }
    return "internal";
}

}  // namespace rollcall
