// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_blocks.hpp"

#include "base/telemetry.hpp"

#include <fcntl.h>

namespace rollcall::store {
namespace {

void say_damaged(const TelemetryCatalogue::Block& block, std::uint64_t sequence) {
    log_event(Severity::error, "telemetry_damaged",
              {{"segment", std::to_string(block.segment)},
               {"sequence", std::to_string(sequence)},
               {"until", std::to_string(block.last)}});
}

}  // namespace

Result<std::optional<TelemetryBlocks::Records>> TelemetryBlocks::read(
    const TelemetryCatalogue::Block& block, std::uint64_t after,
    const std::optional<DeviceId>& device) {
    if (opened_ != block.segment) {
        const auto path = segment_path(directory_, block.segment);
        auto file = SegmentFile::open(path, O_RDONLY);
        std::error_code error;
        if (!file && !std::filesystem::exists(path, error) && !error) {
            return std::optional<Records>{};
        }
        TRY(file_, std::move(file));
        opened_ = block.segment;
    }
    TRY([[maybe_unused]] const auto filled,
        file_.read(disk_, bytes_, block.begin, static_cast<std::size_t>(block.end - block.begin)));
    Records records;
    ByteView left{bytes_};
    for (std::uint64_t sequence = block.first; sequence <= block.last; ++sequence) {
        const auto frame = parse_frame(left, sequence);
        if (!frame) {
            say_damaged(block, sequence);
            break;
        }
        left = left.subspan(frame->size);
        // The checksum is for those that are shown: a wrong length would meet a wrong sequence.
        if (sequence <= after || (device && !frame->is_of(*device))) {
            continue;
        }
        auto telemetry = frame->intact() ? frame->telemetry() : std::nullopt;
        if (!telemetry) {
            say_damaged(block, sequence);
            break;
        }
        records.push_back({sequence, *std::move(telemetry)});
    }
    return std::optional{std::move(records)};
}

}  // namespace rollcall::store
