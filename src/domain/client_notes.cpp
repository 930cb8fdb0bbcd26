// SPDX-License-Identifier: Apache-2.0
#include "domain/client_notes.hpp"

#include <charconv>

namespace rollcall::domain {
namespace {

/// The first line's letters.
constexpr char edge = 'E';
constexpr char no_edge = 'e';
constexpr char null_status = 's';
constexpr char no_policy = 'r';
constexpr char inline_certificates = 'i';
/// The second line begins with the length of a name, a colon and the name, which may hold anything.
constexpr char named = 'n';

/// Takes "5:Plant" off `rest`.
bool take_name(std::string_view& rest, std::string& name) {
    std::size_t size = 0;
    const auto* const end = rest.data() + rest.size();
    const auto read = std::from_chars(rest.data(), end, size);
    const auto digits = static_cast<std::size_t>(read.ptr - rest.data());
    if (read.ec != std::errc{} || digits == rest.size() || rest[digits] != ':' || size == 0 ||
        size > rest.size() - digits - 1) {
        return false;
    }
    name = rest.substr(digits + 1, size);
    rest.remove_prefix(digits + 1 + size);
    return true;
}

}  // namespace

std::string to_text(const ClientNotes& notes) {
    if (notes == ClientNotes{}) {
        return {};
    }
    std::string text;
    if (notes.iot_edge) {
        text.push_back(*notes.iot_edge ? edge : no_edge);
    }
    if (notes.null_status) {
        text.push_back(null_status);
    }
    if (notes.no_reprovision_policy) {
        text.push_back(no_policy);
    }
    if (notes.inline_certificates) {
        text.push_back(inline_certificates);
    }
    if (notes.display_name.empty()) {
        return text + '\n' + notes.device_information;
    }
    return text + named + '\n' + std::to_string(notes.display_name.size()) + ':' +
           notes.display_name + notes.device_information;
}

Result<ClientNotes> parse_client_notes(std::string_view text) {
    ClientNotes notes;
    if (text.empty()) {
        return notes;
    }
    const auto end = text.find('\n');
    bool known = end != std::string_view::npos;
    bool has_name = false;
    for (const char letter : text.substr(0, end)) {
        switch (letter) {
            case edge: notes.iot_edge = true; break;
            case no_edge: notes.iot_edge = false; break;
            case null_status: notes.null_status = true; break;
            case no_policy: notes.no_reprovision_policy = true; break;
            case inline_certificates: notes.inline_certificates = true; break;
            case named: has_name = true; break;
            default: known = false;
        }
    }
    std::string_view rest = known ? text.substr(end + 1) : std::string_view{};
    if (!known || (has_name && !take_name(rest, notes.display_name))) {
        return Error{ErrorKind::malformed, "these are no notes of ours", "malformed-notes"};
    }
    notes.device_information = rest;
    return notes;
}

}  // namespace rollcall::domain
