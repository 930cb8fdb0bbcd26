// SPDX-License-Identifier: Apache-2.0
// Where telemetry goes: Sink takes it, TelemetryReader shows what came lately. Implemented by
// telemetry_log (a bounded log on this machine's disk); a stream engine may come behind the same
// two seams.
#pragma once

#include "base/result.hpp"
#include "base/task.hpp"
#include "domain/twin.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rollcall::store {

/// Takes what devices send. A device is acknowledged after append() has returned well.
class Sink {
public:
    virtual ~Sink() = default;
    /// Durable, in this order, when it returns Done; `batch` must outlive the await. Batches of
    /// many callers share a sync. Errors: unavailable (disk full or failing, queue full, closed):
    /// nothing of the batch is acknowledged.
    virtual Task<Result<Done>> append(std::span<const domain::Telemetry> batch) = 0;
};

struct TelemetryRecord {
    std::uint64_t sequence = 0;  ///< from 1, in order of arrival; never used twice
    domain::Telemetry telemetry;

    bool operator==(const TelemetryRecord&) const = default;
};

struct TelemetryQuery {
    std::uint64_t after = 0;  ///< records with a greater sequence only
    std::size_t count = 100;  ///< at most
    std::optional<DeviceId> device{};
};

struct TelemetryPage {
    std::vector<TelemetryRecord> records;
    /// `after` of the next question: everything up to it was looked at.
    std::uint64_t next = 0;
    /// The oldest record that is still kept, 0 when none is: what lies between `after` and it was
    /// let go.
    std::uint64_t oldest = 0;
};

class TelemetryReader {
public:
    virtual ~TelemetryReader() = default;
    /// Oldest first, durable records only. Reads run on a lane.
    virtual Task<Result<TelemetryPage>> read(const TelemetryQuery& query) = 0;
    /// The newest `count` records (of the device, where one is named), oldest first.
    virtual Task<Result<TelemetryPage>> newest(const TelemetryQuery& query) = 0;
    /// The sequence of the newest durable record; 0 before the first. Cheap, from any thread.
    virtual std::uint64_t newest_sequence() const = 0;
};

}  // namespace rollcall::store
