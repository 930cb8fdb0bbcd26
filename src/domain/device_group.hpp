// SPDX-License-Identifier: Apache-2.0
// A device group: a name for the devices that a filter chooses (spec/iot-central-api.md 3.5). Not
// an enrollment group: it proves nothing and holds no certificates. Made and kept by
// service/device_groups, worked through by jobs.
#pragma once

#include "base/ids.hpp"
#include "base/world.hpp"

#include <string>
#include <string_view>

namespace rollcall::domain {

struct DeviceGroup {
    std::string id;  ///< check_job_id(); case matters
    std::string display_name{};
    std::string description{};
    std::string filter{};  ///< as given; parse_device_query() takes it
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    bool operator==(const DeviceGroup&) const = default;
};

/// Ids of device groups and of jobs: letters, digits, '_' and '-', 1 to limits::job_id_chars_max.
/// malformed "malformed-id".
Result<Done> check_job_id(std::string_view id);

/// What people write: UTF-8 without control characters but line breaks and tabs, at most `max`
/// bytes. malformed "malformed-text" or "text-too-long", with `what` it is.
Result<Done> check_words(std::string_view what, std::string_view text, std::size_t max);

/// A display name that is there, a description, a filter that can be read.
Result<Done> check_device_group(const DeviceGroup& group);

}  // namespace rollcall::domain
