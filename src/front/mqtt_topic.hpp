// SPDX-License-Identifier: Apache-2.0
// MQTT topics of DPS and hub: their "?key=value&..." tails and property bags, and the user names
// that tell which of the two a client speaks to. Used by device_mqtt, hub_mqtt and mqtt_reception.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "domain/twin.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rollcall::front {

/// The value of `key` in "?$rid=1&operationId=x", as it stands there; none without it. Keys are
/// compared without case and percent-decoded ("%24rid").
std::optional<std::string> raw_parameter(std::string_view tail, std::string_view key);

/// SCOPE/registrations/RID/api-version=V[&ClientVersion=...] (spec/dps-device-api.md 1.7).
struct DpsUsername {
    ScopeId scope;
    RegistrationId id;
    std::string api_version;
    std::string user_agent;  ///< ClientVersion
};
/// Does it have that form, whatever its parts are?
bool names_dps(std::string_view username);
Result<DpsUsername> parse_dps_username(std::string_view username);

/// HOST/DEVICE/?api-version=V[&DeviceClientType=...], also without "?" (spec/hub-mqtt.md 4.1).
struct HubUsername {
    DeviceId device;
    std::string api_version;
    std::string user_agent;  ///< DeviceClientType
    std::string model_id;
};
/// unsupported "modules" for HOST/DEVICE/MODULE/...
Result<HubUsername> parse_hub_username(std::string_view username);

/// "a=b&%24.mid=x&flag" (spec/hub-mqtt.md 4.3). What is not escaped well is taken as it stands: the
/// C SDK escapes nothing. too_large above limits::message_properties_max.
Result<domain::MessageProperties> parse_property_bag(std::string_view bag);
std::string write_property_bag(const domain::MessageProperties& properties);

}  // namespace rollcall::front
