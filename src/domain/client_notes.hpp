// SPDX-License-Identifier: Apache-2.0
// ClientNotes: what the clients of DPS and IoT Central keep with an entry and want back as they
// gave it (spec/dps-service-api.md 2.3, spec/recorded-traffic.md section 2). No rule of ours looks
// at it.
#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rollcall::domain {

struct ClientNotes {
    std::string device_information{};  ///< `optionalDeviceInformation`, JSON text; empty: none
    std::optional<bool> iot_edge{};    ///< `capabilities.iotEdge`; none: there are no capabilities
    bool null_status = false;          ///< `provisioningStatus` was null, which means enabled
    bool no_reprovision_policy = false;
    /// A group's certificates came inline; else CAs that have a name are shown by it.
    bool inline_certificates = false;
    /// A group's, of IoT Central; empty: its id.
    std::string display_name{};

    bool operator==(const ClientNotes&) const = default;
};

/// As one text, for a row; empty for the default. And back; malformed where it is none of ours.
std::string to_text(const ClientNotes& notes);
Result<ClientNotes> parse_client_notes(std::string_view text);

}  // namespace rollcall::domain
