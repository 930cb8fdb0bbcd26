// SPDX-License-Identifier: Apache-2.0
// DeviceGroups: an operator names the devices that a filter chooses, and looks at them. Errors of
// all: the store's; stale under an If-Match that does not fit.
#pragma once

#include "base/world.hpp"
#include "service/caller.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>

namespace rollcall::service {

/// Members that are not set: of a new group empty, of a change as they are.
struct DeviceGroupWish {
    std::optional<std::string> display_name{};
    std::optional<std::string> description{};
    std::optional<std::string> filter{};
};

class DeviceGroups {
public:
    DeviceGroups(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
                 Entropy& entropy);

    /// Made, or replaced as a whole. Errors beside domain::check_device_group(): conflict
    /// "too-many-device-groups".
    Task<Result<domain::DeviceGroup>> put(const Order& order, const std::string& id,
                                          const DeviceGroupWish& wish);
    /// not_found "device-group-not-found".
    Task<Result<domain::DeviceGroup>> change(const Order& order, const std::string& id,
                                             const DeviceGroupWish& wish);
    /// Jobs go on with the devices they were made for. not_found.
    Task<Result<Done>> remove(const Order& order, const std::string& id);

    Task<Result<domain::DeviceGroup>> get(const std::string& id);
    Task<Result<store::Page<domain::DeviceGroup>>> list(const store::PageRequest& page);
    /// Those it chooses now, by id. A page may hold fewer than it asks for, and none, though there
    /// are more: no question looks at more than limits::device_group_look_max devices. not_found.
    Task<Result<store::Page<domain::NotedDevice>>> devices(const std::string& id,
                                                           const store::PageRequest& page);

private:
    Task<Result<domain::DeviceGroup>> write(const Order& order, const std::string& id,
                                            const DeviceGroupWish& wish, bool whole);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    Entropy& entropy_;
};

}  // namespace rollcall::service
