// SPDX-License-Identifier: Apache-2.0
// Rows and values of registrations, their adoption history and devices: the hot path. See rows.hpp.
#pragma once

#include "store/database.hpp"
#include "store/fleet.hpp"

#include <map>
#include <vector>

namespace rollcall::store {

/// What a registration's newest adoption rests on: the columns that listings and counts ask for.
struct Placement {
    domain::EntryRef entry{};
    domain::Slot slot = domain::Slot::primary;
    Digest ca_sha256{};
    x509::CaKey ca{};

    bool operator==(const Placement&) const = default;
};
/// Without the authority, which the certificate says already.
struct PlacementOrder {
    bool operator()(const Placement& a, const Placement& b) const;
};
/// By how much the counts of adoption_counts() change: gathered over a transaction and written
/// once, since a fleet's registrations all move the same few rows.
using CountChanges = std::map<Placement, std::int64_t, PlacementOrder>;

Result<Done> put_registration(Database& database, const domain::Registration& registration,
                              CountChanges& counts);
Result<Done> delete_registration(Database& database, const RegistrationId& id,
                                 CountChanges& counts);
Result<Done> apply_counts(Database& database, const CountChanges& counts);

Result<std::optional<domain::Registration>> get_registration(Database& database,
                                                             const RegistrationId& id);
Result<std::vector<domain::Registration>> list_registrations(Database& database,
                                                             const RegistrationFilter& filter,
                                                             const std::string& after,
                                                             std::size_t count);
Result<std::uint64_t> count_registrations(Database& database, const RegistrationFilter& filter);
Result<std::vector<domain::Adoption>> list_adoptions(Database& database, const RegistrationId& id);
Result<std::vector<AdoptionCount>> list_adoption_counts(Database& database,
                                                        const domain::EntryRef& entry);

Result<Done> put_device(Database& database, const domain::Device& device);
Result<Done> delete_device(Database& database, const DeviceId& id);
Result<std::optional<domain::Device>> get_device(Database& database, const DeviceId& id);
Result<std::vector<domain::Device>> list_devices(Database& database, const DeviceFilter& filter,
                                                 const std::string& after, std::size_t count);

/// Devices with what is said of them, without their registrations.
Result<std::vector<domain::NotedDevice>> list_fleet(Database& database, const FleetFilter& filter,
                                                    const std::string& after, std::size_t count);
Result<std::uint64_t> count_fleet(Database& database, const FleetFilter& filter);
Result<FleetCounts> count_all(Database& database);

/// Nothing said: no row.
Result<Done> put_device_notes(Database& database, const DeviceId& device,
                              const domain::DeviceNotes& notes);
Result<Done> delete_device_notes(Database& database, const DeviceId& device);
Result<domain::DeviceNotes> get_device_notes(Database& database, const DeviceId& device);
Result<std::vector<domain::NotedDevice>> list_noted_devices(Database& database,
                                                            const DeviceFilter& filter,
                                                            const std::string& after,
                                                            std::size_t count);

}  // namespace rollcall::store
