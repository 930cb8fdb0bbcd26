// SPDX-License-Identifier: Apache-2.0
#include "front/url.hpp"

#include "base/bytes.hpp"
#include "base/utf8.hpp"

namespace rollcall::front {
namespace {

Result<std::string> decoded(std::string_view text) {
    const Error refusal{ErrorKind::malformed, "The address holds a broken %-escape.",
                        "malformed-path"};
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain.push_back(text[i]);
            continue;
        }
        const auto byte = parse_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1 || byte->front() == 0) {
            return refusal;
        }
        plain.push_back(static_cast<char>(byte->front()));
        i += 2;
    }
    if (!is_utf8(plain)) {
        return Error{ErrorKind::malformed, "The address holds bytes that are not UTF-8.",
                     "malformed-path"};
    }
    return plain;
}

}  // namespace

Result<std::vector<std::string>> split_path(std::string_view path) {
    std::vector<std::string> parts;
    if (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    if (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        TRY(auto part, decoded(path.substr(0, end)));
        parts.push_back(std::move(part));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) {
            continue;
        }
        const auto equals = std::min(pair.find('='), pair.size());
        TRY(auto key, decoded(pair.substr(0, equals)));
        TRY(auto value, decoded(pair.substr(std::min(equals + 1, pair.size()))));
        pairs.emplace_back(std::move(key), std::move(value));
    }
    return pairs;
}

std::string escape_url(std::string_view text) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:";
    std::string escaped;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            escaped.push_back(c);
        } else {
            escaped += '%' + to_upper_hex(as_bytes({&c, 1}));
        }
    }
    return escaped;
}

}  // namespace rollcall::front
