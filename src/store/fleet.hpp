// SPDX-License-Identifier: Apache-2.0
// FleetReader: what people ask of a whole fleet, for the console: its devices with what they last
// proved, found by any part of their name, and counts of everything. Apart from StoreReader, since
// no device waits for these answers: they read many records and may take their time.
#pragma once

#include "store/store.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::store {

struct FleetDevice {
    domain::NotedDevice noted;
    /// What it was last answered; none: it never registered.
    std::optional<domain::Registration> registration{};

    bool operator==(const FleetDevice&) const = default;
};

/// Members that are not set do not narrow.
struct FleetFilter {
    std::optional<domain::DeviceState> state{};
    std::optional<std::string> group{};  ///< it rests on that group, without case
    bool individual = false;             ///< it rests on an enrollment of its own
    std::string id_prefix{};             ///< its id begins so, with case
    /// Some part of its id, its registration id or its name; ASCII letters without case.
    std::string containing{};
};

/// Parts of an event's members, ASCII letters without case; empty ones do not narrow.
struct AuditFilter {
    std::string actor{};
    std::string action{};
    std::string object{};
};

/// Devices that last proved themselves with one CA in one slot of a group.
struct GroupCount {
    domain::EntryRef entry;
    AdoptionCount count;

    bool operator==(const GroupCount&) const = default;
};

/// Devices whose last certificate ends on a day (UTC).
struct DayCount {
    std::chrono::sys_days day{};
    std::uint64_t devices = 0;

    bool operator==(const DayCount&) const = default;
};

struct FleetCounts {
    std::array<std::uint64_t, 4> devices{};  ///< by domain::DeviceState
    std::uint64_t individuals = 0;           ///< individual enrollments
    std::vector<GroupCount> groups{};        ///< in no order
    /// Devices that last proved themselves with a slot of their own enrollment.
    std::array<std::uint64_t, 2> own_slots{};
    std::vector<DayCount> leaf_ends{};  ///< in order of the day

    bool operator==(const FleetCounts&) const = default;
};

/// Errors and snapshots as StoreReader's.
class FleetReader {
public:
    virtual ~FleetReader() = default;

    /// In the order of the device's id.
    virtual Task<Result<Page<FleetDevice>>> fleet(const PageRequest& page,
                                                  const FleetFilter& filter) = 0;
    /// How many fleet() would list in all.
    virtual Task<Result<std::uint64_t>> fleet_count(const FleetFilter& filter) = 0;
    /// Reads every device: about a second a million.
    virtual Task<Result<FleetCounts>> fleet_counts() = 0;
    /// Those whose id contains `part`, without case.
    virtual Task<Result<Page<domain::IndividualEnrollment>>> individuals_containing(
        const PageRequest& page, const std::string& part) = 0;
    /// The newest first. `after`: the sequence as decimal text, what is older follows.
    virtual Task<Result<Page<AuditRecord>>> audit_backwards(const PageRequest& page,
                                                            const AuditFilter& filter) = 0;
};

}  // namespace rollcall::store
