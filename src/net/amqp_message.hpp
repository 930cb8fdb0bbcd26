// SPDX-License-Identifier: Apache-2.0
// Messages of AMQP 1.0 (part 3.2): sections <-> values. The order of the sections is not insisted
// on: the C SDK puts annotations behind properties in its batches. Used by the fronts.
#pragma once

#include "net/amqp_scalar.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::net::amqp {

/// message-id or correlation-id, which have four types. Goes back as it came.
struct MessageId {
    std::string encoded{};  ///< as it stands on the wire; empty: none
    std::string text{};     ///< for the rest of the program

    static MessageId of_text(std::string_view text);
    static MessageId of_uuid(ByteView sixteen);
    bool operator==(const MessageId&) const = default;
};

struct Message {
    Scalars annotations{};
    MessageId id{};
    std::string user_id{};
    std::string to{};
    std::string subject{};
    std::string reply_to{};
    MessageId correlation_id{};
    std::string content_type{};
    std::string content_encoding{};
    std::optional<std::int64_t> expires{};  ///< absolute-expiry-time, milliseconds
    std::optional<std::int64_t> created{};  ///< creation-time
    Scalars properties{};                   ///< of the application
    /// Data sections. A body that is one value counts as one section, when it is a text or bytes.
    std::vector<std::string> body{};

    bool operator==(const Message&) const = default;
};

/// Bounds of what one message may hold beside its bytes.
struct MessageBounds {
    std::size_t annotations_max;
    std::size_t properties_max;
    std::size_t sections_max;  ///< of data
};

/// decode_error; resource_limit beyond a bound.
Result<Message> parse_message(std::string_view encoded, const MessageBounds& bounds);

/// Annotations' names are symbols, numbers of them int and long as given.
std::string encode(const Message& message);

}  // namespace rollcall::net::amqp
