// SPDX-License-Identifier: Apache-2.0
// Fuzz target: what an MQTT client sends, through codec and session. However it is cut into pieces
// (the first byte says how), the same events must come out, the same answers and the same refusal;
// a PUBLISH that was read can be written and read again.
#include "base/invariant.hpp"
#include "net/mqtt_session.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace rollcall {
namespace {

namespace mqtt = net::mqtt;
using mqtt::Connect;
using mqtt::Event;
using mqtt::PacketReader;
using mqtt::Publish;
using mqtt::Qos;
using mqtt::Session;
using mqtt::SessionBounds;
using mqtt::Subscribe;
using mqtt::Unsubscribe;

constexpr SessionBounds bounds{.connect_bytes_max = 512,
                               .packet_bytes_max = 4'096,
                               .unacknowledged_max = 2,
                               .outgoing_bytes_max = 262'144};

struct Conversation {
    std::vector<Event> events{};
    std::string answers{};
    std::string refusal{};
    bool operator==(const Conversation&) const = default;
};

/// Answers as a front would. true: it goes on.
bool answer(Session& session, const Event& event) {
    if (std::holds_alternative<Connect>(event)) {
        session.accept(false);
        for (std::uint64_t token = 1; token < 5; ++token) {
            INVARIANT(session.publish({.topic = "t",
                                       .payload = "p",
                                       .qos = Qos::at_least_once,
                                       .token = token,
                                       .duplicate = false}));
        }
    } else if (const auto* const publish = std::get_if<Publish>(&event)) {
        if (publish->id != 0) {
            session.acknowledge(publish->id);
        }
    } else if (const auto* const subscribe = std::get_if<Subscribe>(&event)) {
        session.grant(subscribe->id,
                      std::vector<std::optional<Qos>>(subscribe->wishes.size(), std::nullopt));
    } else if (const auto* const unsubscribe = std::get_if<Unsubscribe>(&event)) {
        session.release(unsubscribe->id);
    }
    return session.connected();
}

Conversation converse(ByteView bytes, std::size_t piece) {
    Session session{bounds};
    Conversation conversation;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.subspan(part.size());
        session.received(part);
        for (auto event = session.next();; event = session.next()) {
            conversation.answers += session.take_outgoing();
            if (!event) {
                conversation.refusal = event.error().reason;
                return conversation;
            }
            if (!*event) {
                break;
            }
            conversation.events.push_back(**event);
            if (!answer(session, **event)) {
                return conversation;
            }
        }
    }
    conversation.answers += session.take_outgoing();
    return conversation;
}

void write_again(const Event& event) {
    const auto* const publish = std::get_if<Publish>(&event);
    if (publish == nullptr) {
        return;
    }
    const std::string wire = encode(*publish);
    PacketReader reader{bounds.packet_bytes_max};
    reader.feed(as_bytes(wire));
    const auto packet = reader.next();
    INVARIANT(packet && *packet && std::get<Publish>(**packet) == *publish);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const ByteView bytes{data + 1, size - 1};
    const Conversation whole = converse(bytes, bytes.size());
    const Conversation pieces = converse(bytes, std::size_t{1} + data[0] % 64);
    INVARIANT(whole == pieces);
    std::for_each(whole.events.begin(), whole.events.end(), write_again);
    return 0;
}

}  // namespace rollcall
