// SPDX-License-Identifier: Apache-2.0
// A certificate as `rollcall pki` prints it: the members the native API's Certificate has.
#pragma once

#include "base/world.hpp"
#include "x509/certificate.hpp"

#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::app {

boost::json::object certificate_record(const x509::Certificate& certificate);

/// The same for people, one field a line.
std::vector<std::pair<std::string, std::string>> certificate_fields(
    const x509::Certificate& certificate, TimePoint now);

}  // namespace rollcall::app
