// SPDX-License-Identifier: Apache-2.0
#include "domain/device_notes.hpp"

#include "base/limits.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

/// Characters of valid UTF-8, or none where it is not, or holds control characters.
std::optional<std::size_t> visible_characters(std::string_view text) {
    std::size_t characters = 0;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        constexpr char32_t space = 0x20;
        constexpr char32_t del = 0x7f;
        if (point.bytes == 0 || point.value < space || point.value == del) {
            return std::nullopt;
        }
        text.remove_prefix(point.bytes);
        ++characters;
    }
    return characters;
}

bool is_organization(std::string_view id) {
    return !id.empty() && id.size() <= limits::organization_id_chars_max &&
           std::all_of(id.begin(), id.end(), [](unsigned char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-';
           });
}

}  // namespace

Result<Done> check_display_name(std::string_view name) {
    const auto characters = visible_characters(name);
    if (!characters || *characters == 0 || *characters > limits::display_name_chars_max) {
        return Error{ErrorKind::malformed,
                     "a display name has 1 to " + std::to_string(limits::display_name_chars_max) +
                         " characters, none of them a control character",
                     "malformed-name"};
    }
    return Done{};
}

Result<Done> check_notes(const DeviceNotes& notes) {
    if (!notes.display_name.empty()) {
        TRY([[maybe_unused]] const Done named, check_display_name(notes.display_name));
    }
    const auto characters = visible_characters(notes.template_id);
    if (!characters || *characters > limits::template_id_chars_max ||
        notes.template_id.find(' ') != std::string::npos) {
        return Error{ErrorKind::malformed,
                     "a template is named by its id, 'dtmi:…', of at most " +
                         std::to_string(limits::template_id_chars_max) + " characters",
                     "malformed-template"};
    }
    if (notes.organizations.size() > limits::device_organizations_max ||
        !std::all_of(notes.organizations.begin(), notes.organizations.end(), is_organization)) {
        return Error{ErrorKind::malformed,
                     "a device is of at most " + std::to_string(limits::device_organizations_max) +
                         " organizations, whose ids have letters, digits and -",
                     "malformed-organization"};
    }
    return Done{};
}

}  // namespace rollcall::domain
