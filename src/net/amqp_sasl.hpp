// SPDX-License-Identifier: Apache-2.0
// The frames of AMQP's SASL layer (part 5.3), the server's side, and PLAIN. Used by amqp_engine.
#pragma once

#include "net/amqp_codec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::net::amqp {

struct SaslInit {
    std::string mechanism{};
    std::string response{};
};
Result<SaslInit> parse_sasl_init(std::string_view frame_body);

/// sasl-mechanisms.
std::string offer_mechanisms(const std::vector<std::string_view>& names);
enum class SaslCode : std::uint8_t { ok = 0, auth = 1 };
std::string sasl_outcome(SaslCode code);

/// User name and password of PLAIN (RFC 4616).
struct PlainCredential {
    std::string user{};
    std::string password{};
};
/// The authorization identity may be empty or the user's name.
Result<PlainCredential> parse_plain(std::string_view response);

}  // namespace rollcall::net::amqp
