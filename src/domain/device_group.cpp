// SPDX-License-Identifier: Apache-2.0
#include "domain/device_group.hpp"

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "domain/device_query.hpp"

#include <algorithm>

namespace rollcall::domain {

Result<Done> check_job_id(std::string_view id) {
    const bool good = !id.empty() && id.size() <= limits::job_id_chars_max &&
                      std::all_of(id.begin(), id.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '_' || c == '-';
                      });
    if (!good) {
        return Error{ErrorKind::malformed,
                     "an id has letters, digits, '_' and '-', 1 to " +
                         std::to_string(limits::job_id_chars_max) + " of them",
                     "malformed-id"};
    }
    return Done{};
}

Result<Done> check_words(std::string_view what, std::string_view text, std::size_t max) {
    if (text.size() > max) {
        return Error{ErrorKind::malformed,
                     std::string{what} + " has at most " + std::to_string(max) + " bytes",
                     "text-too-long"};
    }
    const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
    });
    if (controls || !is_utf8(text)) {
        return Error{ErrorKind::malformed,
                     std::string{what} + " is UTF-8 text without control characters",
                     "malformed-text"};
    }
    return Done{};
}

Result<Done> check_device_group(const DeviceGroup& group) {
    TRY([[maybe_unused]] const Done named, check_job_id(group.id));
    if (group.display_name.empty()) {
        return Error{ErrorKind::malformed, "a device group has a displayName",
                     "display-name-missing"};
    }
    TRY([[maybe_unused]] const Done name,
        check_words("displayName", group.display_name, limits::job_name_chars_max));
    TRY([[maybe_unused]] const Done description,
        check_words("description", group.description, limits::job_description_chars_max));
    TRY([[maybe_unused]] const DeviceQuery query, parse_device_query(group.filter));
    return Done{};
}

}  // namespace rollcall::domain
