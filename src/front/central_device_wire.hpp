// SPDX-License-Identifier: Apache-2.0
// Devices, their properties and telemetry in the words of IoT Central
// (spec/iot-central-api.md 3.3).
#pragma once

#include "domain/device_notes.hpp"
#include "domain/twin.hpp"
#include "front/central_wire.hpp"
#include "store/telemetry.hpp"

#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace rollcall::front {

/// Device. `provisioned`: it has registered; `enabled`: it may come in, as far as operators go.
boost::json::object device_json(const domain::NotedDevice& noted);
/// The same read back; unknown members and those that only the server sets are passed over. Of PUT
/// what is not said of name, template, organizations and simulation is as in a new device; whether
/// it is enabled stays as it is.
service::DeviceWrite read_device_write(Fields& fields, CentralMembers members);

/// DeviceProperties: what the device reported by name, and in $metadata what is desired of it and
/// how it answered to that. `component`: those of one; empty: of the device, with its components
/// as members.
boost::json::object properties_json(const domain::Twin& twin, const std::string& component);
/// Names of the components that the twin tells of (members that have "__t":"c").
boost::json::array components_json(const domain::Twin& twin);
/// What to write into the twin for a body of properties.
std::string desired_of(boost::json::object body, const std::string& component);

/// {"timestamp","value"} from the newest of these (oldest first) that has a value of that name.
std::optional<boost::json::object> telemetry_value_json(const store::TelemetryPage& page,
                                                        const std::string& component,
                                                        const std::string& name);

}  // namespace rollcall::front
