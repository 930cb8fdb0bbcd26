// SPDX-License-Identifier: Apache-2.0
#include "domain/sas.hpp"

#include "base/limits.hpp"
#include "base/percent.hpp"
#include "base/utf8.hpp"
#include "x509/digest.hpp"

#include <algorithm>
#include <array>

namespace rollcall::domain {
namespace {

constexpr std::string_view scheme = "SharedAccessSignature";
/// Later ends count as this one, which a TimePoint still holds.
constexpr std::int64_t latest_second = 99'999'999'999;

Error malformed(std::string detail) {
    return {ErrorKind::malformed, std::move(detail), "malformed-sas"};
}

/// '+' is a plus: it is part of base64, and clients escape by RFC 3986.
std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain.push_back(text[i]);
            continue;
        }
        const auto byte = parse_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1 || byte->front() == 0) {
            return std::nullopt;
        }
        plain.push_back(static_cast<char>(byte->front()));
        i += 2;
    }
    return is_utf8(plain) ? std::optional{plain} : std::nullopt;
}

/// The values as they came, in the order of `names`.
constexpr std::array<std::string_view, 4> names{"sr", "sig", "se", "skn"};
using Members = std::array<std::optional<std::string_view>, names.size()>;

Result<Members> split(std::string_view text) {
    Members members;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto equals = pair.find('=');
        const auto name = pair.substr(0, equals);
        const auto* const known = std::find(names.begin(), names.end(), name);
        if (equals == std::string_view::npos || known == names.end()) {
            return malformed("the token has a member that is none of sr, sig, se and skn");
        }
        auto& member = members.at(static_cast<std::size_t>(known - names.begin()));
        if (member) {
            return malformed("the token's " + std::string{name} + " stands there twice");
        }
        member = pair.substr(equals + 1);
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (!members.at(i) || members.at(i)->empty()) {
            return malformed("the token has no " + std::string{names.at(i)});
        }
    }
    return members;
}

std::optional<TimePoint> read_expiry(std::string_view text) {
    std::int64_t seconds = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        seconds = std::min(seconds * 10 + (c - '0'), latest_second);
    }
    return TimePoint{std::chrono::seconds{seconds}};
}

bool is_signature_of(const Sas& sas, std::string_view resource, const SymmetricKey& key) {
    const std::string text = std::string{resource} + "\n" + sas.expiry;
    const Digest made = x509::hmac_sha256(key.bytes(), as_bytes(text));
    return equal_in_constant_time(made.bytes, sas.signature.bytes);
}

/// "FIRST/word/LAST" in its parts; none for any other form.
struct Resource {
    std::string_view first;
    std::string_view last;
};
std::optional<Resource> resource_of(const Sas& sas, std::string_view word) {
    const std::string_view text = sas.resource;
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto rest = text.substr(slash + 1);
    if (rest.size() <= word.size() || rest[word.size()] != '/' ||
        !equal_ignoring_case(rest.substr(0, word.size()), word)) {
        return std::nullopt;
    }
    return Resource{text.substr(0, slash), rest.substr(word.size() + 1)};
}

}  // namespace

bool looks_like_sas(std::string_view text) {
    return equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

Result<Sas> parse_sas(std::string_view text) {
    if (text.size() > limits::sas_bytes_max) {
        return malformed("the token has more than " + std::to_string(limits::sas_bytes_max) +
                         " bytes");
    }
    if (!looks_like_sas(text) || text.substr(scheme.size(), 1) != " ") {
        return malformed("the token does not begin with 'SharedAccessSignature '");
    }
    text.remove_prefix(scheme.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    TRY(const Members members, split(text));
    const auto resource = decoded(*members[0]);
    const auto key_name = decoded(members[3].value_or(""));
    const auto signature = decoded(*members[1]);
    if (!resource || !key_name || !signature) {
        return malformed("the token holds a broken %-escape");
    }
    const auto expires = read_expiry(*members[2]);
    if (!expires) {
        return malformed("the token's se is not a number of seconds since 1970");
    }
    const auto bytes = parse_base64(*signature);
    Sas sas;
    if (!bytes || bytes->size() != sas.signature.bytes.size()) {
        return malformed("the token's sig is not 32 bytes in base64: it may have been cut short");
    }
    std::copy(bytes->begin(), bytes->end(), sas.signature.bytes.begin());
    sas.resource = *resource;
    sas.signed_resource = std::string{*members[0]};
    sas.expiry = std::string{*members[2]};
    sas.expires = *expires;
    sas.key_name = *key_name;
    return sas;
}

std::string central_token(std::string_view application, std::string_view name, ByteView secret,
                          TimePoint expires) {
    const auto ends =
        std::chrono::duration_cast<std::chrono::milliseconds>(expires.time_since_epoch()).count();
    return std::string{scheme} + " sr=" + percent_encoded(application) +
           "&sig=" + percent_encoded(to_base64(secret)) + "&skn=" + percent_encoded(name) +
           "&se=" + std::to_string(ends);
}

Digest token_digest(const Sas& sas) {
    std::string text;
    for (const std::string_view member :
         {std::string_view{sas.resource}, std::string_view{sas.key_name},
          std::string_view{sas.expiry}}) {
        text += std::to_string(member.size()) + ":" + std::string{member} + "\n";
    }
    text += to_hex(sas.signature.bytes);
    return x509::sha256(as_bytes(text));
}

bool is_signed_with(const Sas& sas, const SymmetricKey& key) {
    return is_signature_of(sas, sas.signed_resource, key) ||
           (sas.resource != sas.signed_resource && is_signature_of(sas, sas.resource, key));
}

TimePoint end_of(const Sas& sas) {
    return sas.expires + limits::clock_skew;
}

bool is_expired(const Sas& sas, TimePoint now) {
    return now > end_of(sas);
}

bool names_registration(const Sas& sas, const ScopeId& scope, const RegistrationId& id) {
    const auto named = resource_of(sas, "registrations");
    return named && equal_ignoring_case(named->first, scope.str()) &&
           equal_ignoring_case(named->last, id.str()) &&
           (sas.key_name.empty() || equal_ignoring_case(sas.key_name, "registration"));
}

bool names_device(const Sas& sas, std::string_view hub, const DeviceId& id) {
    const auto named = resource_of(sas, "devices");
    return named && equal_ignoring_case(named->first, hub) && named->last == id.str();
}

}  // namespace rollcall::domain
