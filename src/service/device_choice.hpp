// SPDX-License-Identifier: Apache-2.0
// Which devices a filter chooses: domain/device_query asked of devices as the store has them.
#pragma once

#include "base/task.hpp"
#include "domain/device_notes.hpp"
#include "domain/device_query.hpp"
#include "domain/twin.hpp"
#include "store/store.hpp"

#include <optional>
#include <vector>

namespace rollcall::service {

/// What `field` is of the device. A property is what the device reported; where it reported none,
/// what was desired of it. {"value": x, "ac": 200, …}, as devices acknowledge a desired property,
/// is x.
domain::QueryValue value_of(const domain::NotedDevice& noted,
                            const std::optional<domain::Twin>& twin,
                            const domain::QueryField& field);

/// Those of `devices`, in their order. Reads twins where the filter asks for properties.
Task<Result<std::vector<domain::NotedDevice>>> choose(store::StoreReader& reader,
                                                      const domain::DeviceQuery& query,
                                                      std::vector<domain::NotedDevice> devices);

}  // namespace rollcall::service
