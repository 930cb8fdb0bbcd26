// SPDX-License-Identifier: Apache-2.0
#include "base/ids.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <algorithm>

namespace rollcall {
namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool all_of_set(std::string_view text, std::string_view extra) {
    return std::all_of(text.begin(), text.end(), [extra](char c) {
        return is_alphanumeric(c) || extra.find(c) != std::string_view::npos;
    });
}

Error bad_id(std::string_view what, std::string_view rule) {
    return {ErrorKind::malformed, std::string{what} + ": " + std::string{rule}, "malformed-id"};
}

/// The rule that registration ids and group ids share.
bool follows_dps_rule(std::string_view text, std::size_t longest) {
    return !text.empty() && text.size() <= longest && all_of_set(text, "-._:") &&
           (is_alphanumeric(text.back()) || text.back() == '-');
}

constexpr std::string_view dps_rule =
    "1 to 128 of letters, digits, '-', '.', '_', ':', ending in a letter, digit or '-'";

}  // namespace

RegistrationId RegistrationId::trusted(std::string original) {
    RegistrationId id;
    id.folded_ = to_lower_ascii(original);
    id.original_ = std::move(original);
    return id;
}

Result<RegistrationId> parse_registration_id(std::string_view text) {
    if (!follows_dps_rule(text, limits::registration_id_chars_max)) {
        return bad_id("registration id", dps_rule);
    }
    return RegistrationId::trusted(std::string{text});
}

Result<GroupId> parse_group_id(std::string_view text) {
    if (!follows_dps_rule(text, limits::group_id_chars_max)) {
        return bad_id("enrollment group id", dps_rule);
    }
    return GroupId::trusted(std::string{text});
}

Result<DeviceId> parse_device_id(std::string_view text) {
    if (text.empty() || text.size() > limits::device_id_chars_max ||
        !all_of_set(text, "-:.+%_#*?!(),=@$'")) {
        return bad_id("device id", "1 to 128 of letters, digits and -:.+%_#*?!(),=@$'");
    }
    return DeviceId::trusted(std::string{text});
}

Result<ScopeId> parse_scope_id(std::string_view text) {
    if (text.empty() || text.size() > 64 || !all_of_set(text, "-")) {
        return bad_id("scope id", "1 to 64 of letters, digits and '-'");
    }
    return ScopeId::trusted(std::string{text});
}

Result<CaId> parse_ca_id(std::string_view text) {
    if (text.empty() || text.size() > 64 || !all_of_set(text, "-")) {
        return bad_id("CA certificate id", "1 to 64 of letters, digits and '-'");
    }
    return CaId::trusted(std::string{text});
}

ScopeId new_scope_id(Entropy& entropy) {
    return ScopeId::trusted("0ne" + random_upper_hex(entropy, 4));
}

OperationId new_operation_id(Entropy& entropy) {
    return OperationId::trusted("5." + to_lower_ascii(random_upper_hex(entropy, 8)) + "." +
                                new_guid(entropy));
}

CaId new_ca_id(Entropy& entropy) {
    return CaId::trusted(new_guid(entropy));
}

ETag new_etag(Entropy& entropy) {
    return ETag::trusted(new_guid(entropy));
}

}  // namespace rollcall
