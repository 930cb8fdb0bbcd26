// SPDX-License-Identifier: Apache-2.0
// Messages of the hub as AMQP has them <-> the hub's values. Used by hub_amqp.
#pragma once

#include "domain/twin.hpp"
#include "net/amqp_message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::front {

/// Several messages in one: each data section is a whole one.
inline constexpr std::uint32_t batch_format = 0x80013700;

/// A message of ours to read: within the hub's bounds.
Result<net::amqp::Message> read_hub_message(std::string_view encoded);
/// Its data sections as one.
std::string body_of(const net::amqp::Message& message);

/// What a device sent, one or a batch; added to `into` whole or not at all.
Result<Done> add_telemetry(std::string_view encoded, std::uint32_t format, const DeviceId& device,
                           std::vector<domain::Telemetry>& into);

std::string write_device_message(const domain::DeviceMessage& message);

/// A method's call has a UUID, which the C SDK insists on; ours is the call's number.
std::string write_method(std::uint64_t id, std::string_view name, std::string_view payload);
/// The number in a UUID that comes back, as a UUID or as its text.
std::optional<std::uint64_t> method_of(const net::amqp::MessageId& correlation);

}  // namespace rollcall::front
