// SPDX-License-Identifier: Apache-2.0
#include "domain/client_notes.hpp"

namespace rollcall::domain {
namespace {

/// The first line's letters.
constexpr char edge = 'E';
constexpr char no_edge = 'e';
constexpr char null_status = 's';
constexpr char no_policy = 'r';
constexpr char inline_certificates = 'i';

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
    return text + '\n' + notes.device_information;
}

Result<ClientNotes> parse_client_notes(std::string_view text) {
    ClientNotes notes;
    if (text.empty()) {
        return notes;
    }
    const auto end = text.find('\n');
    bool known = end != std::string_view::npos;
    for (const char letter : text.substr(0, end)) {
        switch (letter) {
            case edge: notes.iot_edge = true; break;
            case no_edge: notes.iot_edge = false; break;
            case null_status: notes.null_status = true; break;
            case no_policy: notes.no_reprovision_policy = true; break;
            case inline_certificates: notes.inline_certificates = true; break;
            default: known = false;
        }
    }
    if (!known) {
        return Error{ErrorKind::malformed, "these are no notes of ours", "malformed-notes"};
    }
    notes.device_information = text.substr(end + 1);
    return notes;
}

}  // namespace rollcall::domain
