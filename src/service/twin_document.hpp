// SPDX-License-Identifier: Apache-2.0
// The JSON of twins: merge patches with the hub's rules, the documents devices and operators read
// (spec/hub-mqtt.md 4.3). Used by service/hub and by the fronts.
#pragma once

#include "base/result.hpp"
#include "domain/twin.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace rollcall::service {

enum class TwinPart { tags, desired, reported };

/// `patch` merged into `document` (RFC 7396; null deletes). Errors: malformed "twin-not-json",
/// "twin-not-object", "twin-bad-key" (empty, with '.', '$', ' ' or control characters; longer than
/// limits::twin_key_bytes_max), "twin-too-deep"; too_large "twin-too-large" where the result goes
/// beyond the part's bound. $version and $metadata at the top of a patch are left out, as the
/// SDKs send back what they were sent.
Result<std::string> merge_into(TwinPart part, const std::string& document, std::string_view patch);

enum class TwinWrite { patch, whole, members };
/// The merge patch that makes `document` what `wanted` says. Errors as merge_into()'s.
Result<std::string> patch_for(TwinWrite write, const std::string& document,
                              std::string_view wanted);

/// The patch as the device is told of it: with "$version" as its last member.
std::string with_version(std::string_view patch, std::uint64_t version);

/// {"desired":{...,"$version":n},"reported":{...,"$version":n}}: what a device gets.
std::string device_document(const domain::Twin& twin);

/// The parts of an entry's initial twin, {"tags":{},"properties":{"desired":{}}}; both optional.
domain::TwinContents parse_initial_twin(const std::string& text);

}  // namespace rollcall::service
