// SPDX-License-Identifier: Apache-2.0
#include "domain/user.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <array>

namespace rollcall::domain {
namespace {

constexpr std::array kinds{
    std::pair{UserKind::local, std::string_view{"local"}},
    std::pair{UserKind::openid, std::string_view{"openid"}},
    std::pair{UserKind::service_principal, std::string_view{"servicePrincipal"}},
    std::pair{UserKind::directory_group, std::string_view{"adGroup"}}};

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool only(std::string_view text, std::string_view also) {
    return std::all_of(text.begin(), text.end(), [also](char c) {
        return is_letter_or_digit(c) || also.find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string_view to_string(UserKind kind) {
    for (const auto& [each, word] : kinds) {
        if (each == kind) {
            return word;
        }
    }
    return "";
}

Result<UserKind> parse_user_kind(std::string_view text) {
    for (const auto& [kind, word] : kinds) {
        if (word == text) {
            return kind;
        }
    }
    return Error{ErrorKind::malformed, "a user is one of: local, openid, servicePrincipal, adGroup",
                 "unknown-user-kind"};
}

Result<std::string> parse_user_name(std::string_view text) {
    if (text.empty() || text.size() > limits::user_name_chars_max || !only(text, "-._@+:'") ||
        !is_letter_or_digit(text.front()) || !is_letter_or_digit(text.back())) {
        return Error{ErrorKind::malformed,
                     "a user's name has letters, digits and - . _ @ + : ', begins and ends with a "
                     "letter or digit and has at most " +
                         std::to_string(limits::user_name_chars_max) + " characters",
                     "malformed-name"};
    }
    return std::string{text};
}

Result<std::string> parse_email(std::string_view text) {
    TRY(auto name, parse_user_name(text));
    const auto at = name.find('@');
    // A name neither begins nor ends with '@'.
    if (at == std::string::npos || name.find('@', at + 1) != std::string::npos) {
        return Error{ErrorKind::malformed, "this is no email address: " + name, "malformed-email"};
    }
    return name;
}

Result<std::string> parse_user_id(std::string_view text) {
    if (text.empty() || text.size() > limits::user_id_chars_max || !only(text, "-_.")) {
        return Error{ErrorKind::malformed,
                     "a user's id has letters, digits and - _ ., at most " +
                         std::to_string(limits::user_id_chars_max),
                     "malformed-id"};
    }
    return std::string{text};
}

}  // namespace rollcall::domain
