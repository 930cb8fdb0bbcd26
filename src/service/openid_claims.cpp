// SPDX-License-Identifier: Apache-2.0
// Openid: what an ID token has to say, and what is read out of claims.
#include "service/openid.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

Error wrong_claims(std::string note) {
    return {ErrorKind::unauthenticated, "the OpenID provider's token is not for this sign-in",
            "token-claims", std::move(note)};
}

const json::value* member(const json::object& object, std::string_view name) {
    return object.if_contains(json::string_view{name.data(), name.size()});
}

std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = member(object, name);
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

/// A text, or the texts of a list.
std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    const auto* const value = member(object, name);
    if (value != nullptr && value->is_string()) {
        texts.emplace_back(value->as_string());
    } else if (value != nullptr && value->is_array()) {
        for (const auto& each : value->as_array()) {
            if (each.is_string()) {
                texts.emplace_back(each.as_string());
            }
        }
    }
    return texts;
}

/// Seconds since 1970 (RFC 7519 section 2, NumericDate); none where it is no number of our age.
std::optional<TimePoint> time_in(const json::object& object, std::string_view name) {
    constexpr double seconds_max = 1e11;
    const auto* const value = member(object, name);
    if (value == nullptr || !value->is_number()) {
        return std::nullopt;
    }
    const auto seconds = value->to_number<double>();
    if (!(seconds >= 0 && seconds < seconds_max)) {
        return std::nullopt;
    }
    return TimePoint{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

Result<Done> check_audience(const json::object& claims, const std::string& client_id) {
    const auto audience = texts_in(claims, "aud");
    if (std::find(audience.begin(), audience.end(), client_id) == audience.end()) {
        return wrong_claims("aud is not our client id");
    }
    const bool has_party = claims.contains("azp");
    if ((audience.size() > 1 && !has_party) || (has_party && text_in(claims, "azp") != client_id)) {
        return wrong_claims("azp is not our client id");
    }
    return Done{};
}

Result<Done> check_times(const json::object& claims, TimePoint now) {
    constexpr auto skew = limits::openid_clock_skew;
    const auto expires = time_in(claims, "exp");
    if (!expires || *expires + skew <= now) {
        return wrong_claims("exp is absent or past");
    }
    const auto issued = time_in(claims, "iat");
    if (!issued || *issued > now + skew) {
        return wrong_claims("iat is absent or in the future");
    }
    if (claims.contains("nbf")) {
        const auto begins = time_in(claims, "nbf");
        if (!begins || *begins > now + skew) {
            return wrong_claims("nbf is in the future");
        }
    }
    return Done{};
}

}  // namespace

bool is_local_path(std::string_view text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c > 0x20 && c < 0x7f && c != '\\';
    });
    return plain && text.size() <= limits::return_path_chars_max && text.starts_with('/') &&
           !text.starts_with("//");
}

Result<Done> check_id_claims(const json::object& claims, const OpenidSettings& settings,
                             const std::string& nonce, TimePoint now) {
    constexpr std::size_t subject_chars_max = 255;  // OpenID Connect Core section 2
    if (text_in(claims, "iss") != settings.issuer) {
        return wrong_claims("iss is not the issuer");
    }
    TRY([[maybe_unused]] const Done for_us, check_audience(claims, settings.client_id));
    TRY([[maybe_unused]] const Done in_time, check_times(claims, now));
    const std::string subject = text_in(claims, "sub");
    if (subject.empty() || subject.size() > subject_chars_max) {
        return wrong_claims("sub is absent or too long");
    }
    const std::string said = text_in(claims, "nonce");
    if (nonce.empty() || !equal_in_constant_time(as_bytes(said), as_bytes(nonce))) {
        return wrong_claims("nonce is not the one that was sent");
    }
    return Done{};
}

std::optional<domain::Role> Openid::role_of(const json::object& claims) const {
    if (settings_.role_claim.empty()) {
        return std::nullopt;
    }
    const auto values = texts_in(claims, settings_.role_claim);
    for (const auto& [role, wanted] : settings_.roles) {  // the greatest first
        for (const auto& value : values) {
            if (std::find(wanted.begin(), wanted.end(), value) != wanted.end()) {
                return role;
            }
        }
    }
    return std::nullopt;
}

std::string Openid::believed_email(const json::object& claims) const {
    const auto* const verified = member(claims, "email_verified");
    const bool believed =
        settings_.trust_email ||
        (verified != nullptr &&
         (verified->is_bool() ? verified->as_bool() : text_in(claims, "email_verified") == "true"));
    const std::string email = text_in(claims, "email");
    return believed && domain::parse_email(email) ? email : std::string{};
}

}  // namespace rollcall::service
