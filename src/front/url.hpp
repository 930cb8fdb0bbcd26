// SPDX-License-Identifier: Apache-2.0
// Paths and queries of request targets, decoded with bounds. Used by every HTTP front.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::front {

/// The decoded segments of "/a/b%2Fc/": {"a", "b/c"}; a trailing slash is dropped, other empty
/// segments are kept. malformed "malformed-path" for bad escapes and NUL.
Result<std::vector<std::string>> split_path(std::string_view path);

/// Decoded keys and values in order ('+' stays '+': clients here escape by RFC 3986).
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// One part of a path or value of a query: what is not unreserved (RFC 3986 2.3) is escaped, except
/// ':', which ids have and both allow.
std::string escape_url(std::string_view text);

}  // namespace rollcall::front
