// SPDX-License-Identifier: Apache-2.0
#include "service/jwt.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <optional>

#include <boost/json/parse.hpp>

namespace rollcall::service {
namespace {

Error malformed(std::string note) {
    return {ErrorKind::unauthenticated, "the OpenID provider's token cannot be read",
            "token-malformed", std::move(note)};
}

Error forged(std::string note) {
    return {ErrorKind::unauthenticated, "the OpenID provider's token is not signed by its keys",
            "token-forged", std::move(note)};
}

/// A text member; empty where it is none.
std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

Result<json::object> parse_object(std::string_view text) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    auto value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error || !value.is_object()) {
        return malformed("no JSON object");
    }
    return std::move(value.as_object());
}

/// The three parts of the compact form (RFC 7515 section 7.1).
struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signed_text;
};

Result<Parts> split(std::string_view token) {
    if (token.size() > limits::openid_token_bytes_max) {
        return malformed("longer than the bound");
    }
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == std::string_view::npos || first == last || token.find('.', first + 1) != last) {
        return malformed("not of three parts");
    }
    return Parts{token.substr(0, first), token.substr(first + 1, last - first - 1),
                 token.substr(last + 1), token.substr(0, last)};
}

Result<json::object> parse_part(std::string_view part) {
    TRY(const Bytes bytes, parse_base64url(part));
    return parse_object(as_text(bytes));
}

/// None: a key that verifies nothing here.
std::optional<SetKey> read_key(const json::object& object) {
    const std::string use = text_in(object, "use");
    if (!use.empty() && use != "sig") {
        return std::nullopt;
    }
    const auto bytes = [&object](std::string_view name) {
        return parse_base64url(text_in(object, name)).value_or(Bytes{});
    };
    const std::string kind = text_in(object, "kty");
    const auto key = kind == "RSA"  ? x509::SignatureKey::rsa(bytes("n"), bytes("e"))
                     : kind == "EC" ? x509::SignatureKey::elliptic(text_in(object, "crv"),
                                                                   bytes("x"), bytes("y"))
                                    : Result<x509::SignatureKey>{Error{ErrorKind::unsupported}};
    if (!key) {
        return std::nullopt;
    }
    return SetKey{text_in(object, "kid"), text_in(object, "alg"), *key};
}

}  // namespace

std::string to_base64url(ByteView bytes) {
    std::string text = to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text.substr(0, text.find('='));
}

Result<Bytes> parse_base64url(std::string_view text) {
    std::string standard{text};
    for (char& c : standard) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!plain) {
            return malformed("no base64url");
        }
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    auto bytes = parse_base64(standard);
    return bytes ? bytes : malformed("no base64url");
}

Result<std::vector<SetKey>> parse_key_set(std::string_view text) {
    const Error no_set{ErrorKind::malformed, "the OpenID provider's keys cannot be read",
                       "malformed-key-set"};
    const auto document = parse_object(text);
    const auto* const list = document ? document->if_contains("keys") : nullptr;
    if (list == nullptr || !list->is_array()) {
        return no_set;
    }
    if (list->as_array().size() > limits::openid_keys_max) {
        return Error{ErrorKind::too_large, "the OpenID provider has too many keys",
                     "malformed-key-set"};
    }
    std::vector<SetKey> keys;
    for (const auto& each : list->as_array()) {
        if (!each.is_object()) {
            return no_set;
        }
        if (auto key = read_key(each.as_object())) {
            keys.push_back(*std::move(key));
        }
    }
    return keys;
}

bool has_key(const std::vector<SetKey>& keys, std::string_view id) {
    return std::any_of(keys.begin(), keys.end(),
                       [id](const auto& key) { return id.empty() || key.id == id; });
}

std::string key_id_of(std::string_view token) {
    const auto parts = split(token);
    const auto header = parts ? parse_part(parts->header) : Result<json::object>{parts.error()};
    return header ? text_in(*header, "kid") : std::string{};
}

Result<json::object> verified_claims(std::string_view token, const std::vector<SetKey>& keys) {
    TRY(const Parts parts, split(token));
    TRY(const json::object header, parse_part(parts.header));
    TRY(const Bytes signature, parse_base64url(parts.signature));
    if (header.contains("crit")) {  // RFC 7515 section 4.1.11: we understand none
        return malformed("critical headers");
    }
    const std::string algorithm = text_in(header, "alg");
    const std::string id = text_in(header, "kid");
    const bool verified = std::any_of(keys.begin(), keys.end(), [&](const SetKey& each) {
        return (id.empty() || each.id == id) &&
               (each.algorithm.empty() || each.algorithm == algorithm) &&
               each.key.verifies(algorithm, as_bytes(parts.signed_text), signature);
    });
    if (!verified) {
        return forged("alg " + algorithm.substr(0, 16) + ", kid " + id.substr(0, 64));
    }
    return parse_part(parts.payload);
}

}  // namespace rollcall::service
