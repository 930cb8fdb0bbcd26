// SPDX-License-Identifier: Apache-2.0
// The words of IoT Central's API: errors, etags, enrollment groups, their certificates and
// individual attestations as JSON, and back. The one place of that front where an Error becomes a
// status and a text. Devices and twins: central_device_wire.hpp. Source:
// spec/iot-central-api.md 3.1 to 3.3, spec/recorded-traffic.md section 5.
#pragma once

#include "base/result.hpp"
#include "domain/enrollment.hpp"
#include "front/json_reader.hpp"
#include "net/http.hpp"
#include "service/enroller.hpp"

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

/// The CA that stands in the slot for its reader: what waits there, else what attests. nullptr:
/// none.
const domain::CaCertificate* shown_in(const service::GroupSlotView& slot);
/// SigningX509Certificate, which shows no certificate.
boost::json::object certificate_json(const domain::CaCertificate& ca);
/// EnrollmentGroup. `keys`: with both, where it attests by symmetric key.
boost::json::object group_json(const service::GroupView& view, bool keys);
/// Attestation of a device.
boost::json::object attestation_json(const domain::IndividualEnrollment& enrollment, bool keys);

/// A body whose members may be left out (PATCH), or whose required ones may not (PUT).
enum class CentralMembers { some, all };

/// `etag` of a body; empty is none.
std::optional<CentralTag> read_body_tag(Fields& fields);
/// `id` of a body, which only repeats the address: refuses another one, "other-id".
void check_body_id(Fields& fields, const std::string& id);
/// EnrollmentGroup. Slots without a certificate say nothing. malformed; unsupported "not-offered".
service::GroupWrite read_group_write(Fields& fields, CentralMembers members);
/// SigningX509Certificate: verified at once takes the place of what is there (PRODUCT 3.10).
service::SlotUpload read_slot_upload(Fields& fields);
/// Attestation: of PUT it is all there is, so that a secondary that is not given goes; of PATCH,
/// null takes the secondary away.
service::IndividualWrite read_attestation(Fields& fields, CentralMembers members);

}  // namespace rollcall::front
