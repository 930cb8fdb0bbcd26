// SPDX-License-Identifier: Apache-2.0
// Reading blocks of the telemetry log from their files, for one question. See telemetry_log.hpp.
#pragma once

#include "store/telemetry.hpp"
#include "store/telemetry_catalogue.hpp"

namespace rollcall::store {

class TelemetryBlocks {
public:
    /// Both outlive this.
    TelemetryBlocks(const std::filesystem::path& directory, SegmentDisk& disk)
        : directory_(directory), disk_(disk) {}

    using Records = std::vector<TelemetryRecord>;

    /// The block's records after a sequence (of a device), in order, without those behind a damaged
    /// one. None at all: the file was let go meanwhile. unavailable where it cannot be read.
    Result<std::optional<Records>> read(const TelemetryCatalogue::Block& block, std::uint64_t after,
                                        const std::optional<DeviceId>& device);

private:
    const std::filesystem::path& directory_;
    SegmentDisk& disk_;
    std::uint64_t opened_ = 0;  ///< the segment whose file this is
    SegmentFile file_{};
    Bytes bytes_{};
};

}  // namespace rollcall::store
