// SPDX-License-Identifier: Apache-2.0
// JSON in DPS' own words that both a use case and a front write (spec/dps-service-api.md 2.4).
#pragma once

#include "x509/certificate.hpp"

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::service {

/// What `info` tells of a certificate, members in the recorded order.
boost::json::object certificate_info(const x509::Certificate& certificate);

/// A record's JSON text as a value; null for what cannot be read.
boost::json::value stored_json(const std::string& text);

}  // namespace rollcall::service
