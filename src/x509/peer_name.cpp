// SPDX-License-Identifier: Apache-2.0
#include "x509/peer_name.hpp"

#include "x509/parsed.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <string>

namespace rollcall::x509 {
namespace {

/// The octets of a textual IPv4 or IPv6 address.
std::optional<std::string> address_octets(const std::string& text) {
    std::array<char, 16> octets{};
    if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
        return std::string{octets.data(), 4};
    }
    if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) {
        return std::string{octets.data(), 16};
    }
    return std::nullopt;
}

bool matches_host(std::string_view raw_presented, std::string_view raw_wanted) {
    const std::string presented = to_lower_ascii(raw_presented);
    std::string wanted = to_lower_ascii(raw_wanted);
    if (wanted.ends_with('.')) {
        wanted.pop_back();
    }
    if (presented == wanted) {
        return presented.find('*') == presented.npos;
    }
    const std::size_t dot = wanted.find('.');
    // "*.example.com": one label, and more than a top-level domain below it.
    return presented.starts_with("*.") && dot != 0 && dot != wanted.npos &&
           presented.find('*', 1) == presented.npos && presented.find('.', 2) != presented.npos &&
           std::string_view{presented}.substr(1) == std::string_view{wanted}.substr(dot);
}

bool matches_mailbox(std::string_view presented, std::string_view wanted) {
    const std::size_t at = wanted.rfind('@');
    return presented.size() == wanted.size() && presented.substr(0, at) == wanted.substr(0, at) &&
           equal_ignoring_case(presented.substr(at), wanted.substr(at));
}

}  // namespace

bool speaks_for(const Certificate& certificate, std::string_view name) {
    const auto octets = address_octets(std::string{name});
    const bool mailbox = name.find('@') != name.npos;
    const auto matches = [&](const GeneralName& presented) {
        switch (presented.form) {
            case NameForm::dns: return !octets && !mailbox && matches_host(presented.value, name);
            case NameForm::ip: return octets && presented.value == *octets;
            case NameForm::email: return mailbox && matches_mailbox(presented.value, name);
            default: return false;
        }
    };
    const auto& names = certificate.parsed().extensions.subject_alt_names;
    return std::any_of(names.begin(), names.end(), matches);
}

}  // namespace rollcall::x509
