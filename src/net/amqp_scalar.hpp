// SPDX-License-Identifier: Apache-2.0
// Simple values by name, as AMQP has them in properties of links and messages. Used by
// amqp_performative, amqp_message and the fronts.
#pragma once

#include "net/amqp_codec.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::net::amqp {

/// What a map's values are read into; `std::string` also for symbols and UUIDs.
using Scalar = std::variant<std::monostate, bool, std::int32_t, std::int64_t, std::uint64_t, double,
                            std::string>;
using Scalars = std::vector<std::pair<std::string, Scalar>>;

/// 8-4-4-4-12 hex digits.
std::string uuid_text(ByteView sixteen);
/// The text of a scalar as a property of a message has it; none for null.
std::optional<std::string> to_text(const Scalar& value);
/// The value of `name` as a string; empty when it is not there or none.
std::string text_of(const Scalars& scalars, std::string_view name);

/// decode_error: no map with string or symbol keys and simple values, or not UTF-8;
/// resource_limit: more than `members_max`.
Result<Scalars> read_scalars(const Item& map, std::size_t members_max);

}  // namespace rollcall::net::amqp
