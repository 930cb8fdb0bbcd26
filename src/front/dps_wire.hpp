// SPDX-License-Identifier: Apache-2.0
// The words of the DPS device API: JSON bodies and error codes <-> domain values. The one place
// of the device fronts where an Error becomes a status, a code and a text. Used by device_https;
// later by device_mqtt and device_amqp. Source: spec/dps-device-api.md 1.2 to 1.6 and
// spec/recorded-traffic.md section 3 (order of members, forms of times).
#pragma once

#include "base/result.hpp"
#include "base/world.hpp"
#include "domain/registration.hpp"
#include "service/registrar.hpp"

#include <string>
#include <string_view>

namespace rollcall::front {

/// An error as a device reads it. `code` = status * 1000 + n.
struct DpsError {
    unsigned status = 500;
    int code = 500001;
    std::string message{};

    bool operator==(const DpsError&) const = default;
};

/// Internal errors lose their text here.
DpsError to_dps_error(const Error& error);

/// {"errorCode":401002,"trackingId":"<guid>","message":"...","timestampUtc":"..."}
std::string error_body(const DpsError& error, std::string_view tracking_id, TimePoint now);

/// RegistrationOperationStatus of an operation that is still to be polled.
std::string assigning_body(const service::DeviceAnswer& answer);

/// RegistrationOperationStatus with its terminal registrationState. `api_version`: substatus words
/// newer than it are told in its own (1.5).
std::string operation_body(const service::DeviceAnswer& answer, std::string_view api_version);

/// DeviceRegistrationResult by itself, for the registration lookup.
std::string registration_body(const domain::Registration& registration,
                              std::string_view api_version);

/// The substatus in a word that the version knows.
std::string_view substatus_word(domain::Substatus substatus, std::string_view api_version);

/// What a device may say in a request's body.
struct DeviceRegistrationBody {
    std::string registration_id{};  ///< empty: not said
    std::string payload{};          ///< JSON text; empty: none (null counts as none)
};

/// An empty body or white space says nothing, and is fine (1.4). malformed: not JSON, not an
/// object, a member of the wrong type, a registration id other than `expected`; unsupported: a
/// `tpm` or `csr` member.
Result<DeviceRegistrationBody> parse_device_registration(std::string_view body,
                                                         const RegistrationId& expected);

/// YYYY-MM-DD or YYYY-MM-DD-preview, any of them (1.2). malformed "api-version" otherwise.
Result<Done> check_api_version(std::string_view text);

}  // namespace rollcall::front
