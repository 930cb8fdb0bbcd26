// SPDX-License-Identifier: Apache-2.0
// What can be said of one certificate by itself, in the role it has on a path (PRODUCT sections 3.6
// and 3.7): the part of RFC 5280 sections 6.1.3 and 6.1.4 that asks nothing of its neighbours.
// Inside x509 only.
#pragma once

#include "x509/path.hpp"

#include <vector>

namespace rollcall::x509 {

/// Every fault, not the first. Empty for the great majority.
std::vector<Finding> check_certificate(const Certificate& certificate, Role role,
                                       const PathRules& rules);

/// The part that an individual enrollment's exact match is judged by (PRODUCT section 3.4).
std::vector<Finding> check_validity_and_key(const Certificate& certificate, Role role,
                                            const PathRules& rules);

bool has_fatal(const std::vector<Finding>& findings);

/// "expired: CN=dev-1 expired on ...", for the certificate where the finding stands.
std::string reason_line(const Finding& finding, const Certificate* on);

/// "296 days ago", "in 5 minutes".
std::string relative_time(TimePoint then, TimePoint now);

}  // namespace rollcall::x509
