// SPDX-License-Identifier: Apache-2.0
// Addresses of AMQP links, of DPS and hub: SCOPE/registrations/ID and /devices/ID/..., both also
// behind amqps://HOST/ (the C SDK). Used by device_amqp, hub_amqp and amqp_reception.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rollcall::front {

/// Does it have the form of a hub's, whatever its parts are? $cbs, where tokens are brought, is
/// one.
bool names_hub_link(std::string_view address);

struct DpsLink {
    ScopeId scope;
    RegistrationId id;
    bool operator==(const DpsLink&) const = default;
};
/// malformed "malformed-address".
Result<DpsLink> parse_dps_link(std::string_view address);

struct HubLink {
    DeviceId device;
    std::string endpoint;  ///< lower case: "messages/events", "twin"
    bool operator==(const HubLink&) const = default;
};
/// malformed "malformed-address"; unsupported "modules" for a module's.
Result<HubLink> parse_hub_link(std::string_view address);

}  // namespace rollcall::front
