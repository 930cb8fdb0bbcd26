// SPDX-License-Identifier: Apache-2.0
// The words of IoT Central's API: errors, etags, enrollment groups and their certificates as JSON.
// The one place of that front where an Error becomes a status and a text. Source:
// spec/iot-central-api.md 3.1 and 3.2, spec/recorded-traffic.md section 5.
#pragma once

#include "base/result.hpp"
#include "domain/enrollment.hpp"
#include "net/http.hpp"
#include "service/views.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace rollcall::front {

struct CentralError {
    unsigned status = 500;
    std::string code{};  ///< "NotFound"; x-ms-error-code too
    std::string message{};
};
/// Internal errors lose their text. `of_body`: the request had one, which then is what cannot be
/// understood. `status` 0: the error's own.
CentralError to_central_error(const Error& error, bool of_body, unsigned status = 0);
/// {"error":{"code","message","requestId","time"}}
boost::json::object to_json(const CentralError& error, std::string_view request_id, TimePoint now);

/// base64 of the quoted tag.
std::string central_etag(const ETag& etag);
/// The same of a certificate in a slot. It can be told from a group's: `az` sends one --etag with
/// two requests, of which the first moves the group (spec/iot-central-api.md 3.2).
std::string central_certificate_etag(const ETag& etag);
/// An etag as clients send it back, in a body or If-Match: as above or plain, with or without
/// quotes around it.
struct CentralTag {
    std::string etag{};
    bool of_certificate = false;
};
CentralTag read_central_tag(std::string_view text);

/// SigningX509Certificate of what stands in the slot for its reader: what waits there, else what
/// attests. None: it is empty.
std::optional<boost::json::object> slot_json(const service::GroupSlotView& slot);
/// EnrollmentGroup. `keys`: with both, where it attests by symmetric key.
boost::json::object group_json(const service::GroupView& view, bool keys);

}  // namespace rollcall::front
