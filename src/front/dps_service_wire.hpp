// SPDX-License-Identifier: Apache-2.0
// The words of the DPS service API: records -> JSON in the order and with the gaps that were
// recorded, errors -> codes, ETags and pages in their spelling. Source: spec/dps-service-api.md 2.2
// to 2.5 and spec/recorded-traffic.md section 2. Bodies that come in: dps_service_reader.hpp.
#pragma once

#include "base/result.hpp"
#include "base/world.hpp"
#include "domain/registration.hpp"
#include "net/http.hpp"
#include "service/caller.hpp"
#include "service/views.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::front {

namespace json = boost::json;

/// The first part of a path says which.
enum class DpsCollection { enrollments, groups, registrations };
/// For x-ms-item-type: "Enrollment".
std::string_view item_type_of(DpsCollection collection);
/// How entries are named: "registrationId", "enrollmentGroupId".
std::string_view id_name_of(DpsCollection collection);

/// An error as an operator's client reads it. `code` = status * 1000 + n.
struct DpsServiceError {
    unsigned status = 500;
    int code = 500001;
    std::string message{};

    bool operator==(const DpsServiceError&) const = default;
};
/// Internal errors lose their text here. `status`: where the protocol demands one; else 0.
DpsServiceError to_service_error(const Error& error, unsigned status = 0);
/// {"errorCode","trackingId","message","timestampUtc","info":{}}
json::object to_json(const DpsServiceError& error, std::string_view tracking_id, TimePoint now);

/// Symmetric keys are told by PUT and by `attestationmechanism` only.
enum class Secrets { hidden, told };

/// An AttestationMechanism.
json::object attestation_json(const service::GroupView& view, Secrets secrets);
json::object attestation_json(const domain::IndividualEnrollment& enrollment, Secrets secrets);
json::object enrollment_json(const service::GroupView& view, Secrets secrets);
/// `state`: GET's registrationState; none elsewhere.
json::object enrollment_json(const domain::IndividualEnrollment& enrollment, Secrets secrets,
                             const std::optional<json::object>& state = {});
/// A DeviceRegistrationState. `api_version`: substatus words newer than it are told in its own.
json::object registration_json(const domain::Registration& registration,
                               std::string_view api_version);
/// The same of an enrollment whose device has not come yet.
json::object unassigned_json(const RegistrationId& id);

/// How one entry of a bulk operation fared; nothing is told of those that went well.
struct BulkFailure {
    std::string id;
    DpsServiceError error;
};
json::object bulk_json(DpsCollection collection, const std::vector<BulkFailure>& failures);

/// base64 of the quoted tag.
std::string wire_etag(const ETag& etag);
/// An ETag as clients send it back: as above or plain, with or without quotes around it.
std::string plain_etag(std::string_view text);
/// If-Match; an empty header matches nothing.
service::EtagCondition read_condition(const net::HttpRequest& request);

/// x-ms-continuation: opaque, and good for its own collection only. malformed "malformed-page".
std::string continuation(DpsCollection collection, const std::string& after);
Result<std::string> read_continuation(DpsCollection collection, std::string_view token);

/// "2023-05-19T23:10:50.80811Z": seven digits at most, without trailing zeros.
std::string to_iso8601_cut(TimePoint at);

}  // namespace rollcall::front
