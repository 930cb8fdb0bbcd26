// SPDX-License-Identifier: Apache-2.0
// DeviceNotes: what operators say of a device and no rule of ours looks at
// (spec/iot-central-api.md 3.3). Kept beside the device, not in it, so that registering devices
// neither read nor write it.
#pragma once

#include "domain/registration.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

struct DeviceNotes {
    std::string display_name{};  ///< empty: the device's id
    std::string template_id{};   ///< a DTMI; empty: none is assigned
    bool simulated = false;
    std::vector<std::string> organizations{};

    bool operator==(const DeviceNotes&) const = default;
};

/// malformed "malformed-name", "malformed-template", "malformed-organization": beyond a bound of
/// base/limits.hpp, or characters that nobody could see.
Result<Done> check_notes(const DeviceNotes& notes);
/// The name of a device or a group: not empty, at most limits::display_name_chars_max characters
/// of UTF-8 without control characters.
Result<Done> check_display_name(std::string_view name);

struct NotedDevice {
    Device device;
    DeviceNotes notes{};

    /// What it is called.
    const std::string& name() const {
        return notes.display_name.empty() ? device.id.str() : notes.display_name;
    }
    bool operator==(const NotedDevice&) const = default;
};

}  // namespace rollcall::domain
