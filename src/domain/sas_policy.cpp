// SPDX-License-Identifier: Apache-2.0
#include "domain/sas_policy.hpp"

#include <algorithm>
#include <array>

namespace rollcall::domain {
namespace {

constexpr std::array rights{
    std::pair{SasRight::service_config, std::string_view{"ServiceConfig"}},
    std::pair{SasRight::enrollment_read, std::string_view{"EnrollmentRead"}},
    std::pair{SasRight::enrollment_write, std::string_view{"EnrollmentWrite"}},
    std::pair{SasRight::device_connect, std::string_view{"DeviceConnect"}},
    std::pair{SasRight::registration_status_read, std::string_view{"RegistrationStatusRead"}},
    std::pair{SasRight::registration_status_write, std::string_view{"RegistrationStatusWrite"}},
    std::pair{SasRight::registry_read, std::string_view{"RegistryRead"}},
    std::pair{SasRight::registry_write, std::string_view{"RegistryWrite"}}};

constexpr std::uint8_t bit_of(SasRight right) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(right));
}

/// "host:443" without the port.
std::string_view without_port(std::string_view host) {
    const auto colon = host.rfind(':');
    if (colon == std::string_view::npos || host.ends_with(']')) {
        return host;
    }
    const auto digits = host.substr(colon + 1);
    const bool port = std::all_of(digits.begin(), digits.end(),
                                  [](unsigned char c) { return c >= '0' && c <= '9'; });
    return port ? host.substr(0, colon) : host;
}

/// The next segment of a path, which loses it; empty ones are left out.
std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

/// %-escapes resolved, broken ones left as they are.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = parse_hex(text.substr(std::min(i + 1, text.size()), 2));
        if (text[i] == '%' && byte && byte->size() == 1) {
            plain.push_back(static_cast<char>(byte->front()));
            i += 2;
        } else {
            plain.push_back(text[i]);
        }
    }
    return plain;
}

}  // namespace

std::string_view to_string(SasRight right) {
    for (const auto& [each, word] : rights) {
        if (each == right) {
            return word;
        }
    }
    return "";
}

SasRights::SasRights(std::initializer_list<SasRight> given) {
    for (const SasRight right : given) {
        bits_ |= bit_of(right);
    }
}

SasRights SasRights::all() {
    SasRights every;
    for (const auto& [right, word] : rights) {
        every.bits_ |= bit_of(right);
    }
    return every;
}

SasRights SasRights::of_dps() {
    SasRights six = all();
    six.bits_ &= static_cast<std::uint8_t>(bit_of(SasRight::registry_read) - 1U);
    return six;
}

bool SasRights::has(SasRight right) const {
    return (bits_ & bit_of(right)) != 0;
}

std::vector<std::string> SasRights::words() const {
    std::vector<std::string> words;
    for (const auto& [right, word] : rights) {
        if (has(right)) {
            words.emplace_back(word);
        }
    }
    return words;
}

Result<SasRights> SasRights::from_bits(std::uint64_t bits) {
    if ((bits & ~std::uint64_t{all().bits_}) != 0) {
        return Error{ErrorKind::malformed, "there are fewer rights than that", "unknown-right"};
    }
    SasRights read;
    read.bits_ = static_cast<std::uint8_t>(bits);
    return read;
}

Result<SasRights> parse_sas_rights(const std::vector<std::string>& words) {
    SasRights given;
    for (const auto& word : words) {
        const auto* const known = std::find_if(
            rights.begin(), rights.end(),
            [&word](const auto& each) { return equal_ignoring_case(each.second, word); });
        if (known == rights.end()) {
            std::string all;
            for (const auto& [right, name] : rights) {
                all.append(all.empty() ? "" : ", ").append(name);
            }
            return Error{ErrorKind::malformed,
                         "there is no right '" + word + "'; the rights are " + all,
                         "unknown-right"};
        }
        TRY(given, SasRights::from_bits(given.bits() | bit_of(known->first)));
    }
    if (given.none()) {
        return Error{ErrorKind::malformed, "a policy needs at least one right", "no-right"};
    }
    return given;
}

std::string connection_string(std::string_view host, const SasPolicy& policy,
                              const SymmetricKey& key) {
    return "HostName=" + std::string{host} + ";SharedAccessKeyName=" + policy.name +
           ";SharedAccessKey=" + key.base64();
}

bool reaches(const Sas& sas, const SasTarget& target, const std::vector<std::string>& names) {
    std::string_view rest = sas.resource;
    const std::string host = to_lower_ascii(without_port(rest.substr(0, rest.find('/'))));
    if (host.empty() ||
        (host != target.host && std::find(names.begin(), names.end(), host) == names.end())) {
        return false;
    }
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
    std::string_view path = target.path;
    for (auto wanted = next_segment(rest); !wanted.empty(); wanted = next_segment(rest)) {
        if (!equal_ignoring_case(wanted, unescaped(next_segment(path)))) {
            return false;
        }
    }
    return true;
}

}  // namespace rollcall::domain
