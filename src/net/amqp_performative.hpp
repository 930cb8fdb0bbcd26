// SPDX-License-Identifier: Apache-2.0
// The performatives of AMQP 1.0 (part 2.7) and its delivery states (part 3.4): lists of values <->
// structs. No state. Used by amqp_engine.
#pragma once

#include "net/amqp_scalar.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rollcall::net::amqp {

struct Open {
    std::string container_id{};
    std::string hostname{};
    std::uint32_t frame_bytes_max = 0xffffffff;
    std::uint16_t channel_max = 0xffff;
    std::uint32_t idle_milliseconds = 0;  ///< 0: none
    bool operator==(const Open&) const = default;
};

struct Begin {
    std::optional<std::uint16_t> remote_channel{};
    std::uint32_t next_outgoing_id = 0;
    std::uint32_t incoming_window = 0;
    std::uint32_t outgoing_window = 0;
    std::uint32_t handle_max = 0xffffffff;
    bool operator==(const Begin&) const = default;
};

enum class SettleMode : std::uint8_t { unsettled = 0, settled = 1, mixed = 2 };

struct Attach {
    std::string name{};
    std::uint32_t handle = 0;
    bool receives = false;  ///< role: true when whoever attaches receives
    SettleMode sender_settles = SettleMode::mixed;
    /// None: no source or target, or one without an address.
    std::optional<std::string> source{};
    std::optional<std::string> target{};
    std::uint32_t initial_delivery_count = 0;
    std::uint64_t message_bytes_max = 0;  ///< 0: no bound
    Scalars properties{};
    bool refused = false;  ///< written without source and target: a detach follows
    bool operator==(const Attach&) const = default;

    /// Where messages come from or go to at the other side of whoever attaches.
    const std::optional<std::string>& address() const { return receives ? source : target; }
};

struct Flow {
    std::optional<std::uint32_t> next_incoming_id{};
    std::uint32_t incoming_window = 0;
    std::uint32_t next_outgoing_id = 0;
    std::uint32_t outgoing_window = 0;
    std::optional<std::uint32_t> handle{};
    std::optional<std::uint32_t> delivery_count{};
    std::uint32_t credit = 0;
    bool drain = false;
    bool echo = false;
    bool operator==(const Flow&) const = default;
};

enum class Outcome : std::uint8_t { none, accepted, rejected, released, modified };

/// A condition with its words: of a rejection, a detach, an end or a close.
struct Condition {
    std::string name{};  ///< empty: none
    std::string description{};
    int retry_after = 0;  ///< seconds, in `info`; 0: not told
    bool operator==(const Condition&) const = default;
};

struct Transfer {
    std::uint32_t handle = 0;
    std::optional<std::uint32_t> id{};
    std::string tag{};
    std::uint32_t format = 0;
    std::optional<bool> settled{};
    bool more = false;
    bool aborted = false;
    std::string payload{};
    bool operator==(const Transfer&) const = default;
};

struct Disposition {
    bool from_receiver = false;
    std::uint32_t first = 0;
    std::optional<std::uint32_t> last{};
    bool settled = false;
    Outcome outcome = Outcome::none;
    Condition condition{};  ///< with rejected
    bool operator==(const Disposition&) const = default;
};

struct Detach {
    std::uint32_t handle = 0;
    bool closed = false;
    Condition condition{};
    bool operator==(const Detach&) const = default;
};

struct End {
    Condition condition{};
    bool operator==(const End&) const = default;
};

struct Close {
    Condition condition{};
    bool operator==(const Close&) const = default;
};

using Performative =
    std::variant<Open, Begin, Attach, Flow, Transfer, Disposition, Detach, End, Close>;

/// decode_error, or invalid_field where one that must be there is missing.
Result<Performative> parse_performative(std::string_view frame_body);

/// Without the payload of a Transfer, which follows it in the frame.
std::string encode(const Performative& performative);

}  // namespace rollcall::net::amqp
