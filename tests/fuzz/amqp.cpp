// SPDX-License-Identifier: Apache-2.0
// Fuzz target: what an AMQP client sends, through codec and engine. However it is cut into pieces
// (the first byte says how), the same events must come out, the same answers and the same refusal;
// a message that was read can be written and read again. Every second link is refused, every third
// message rejected, so that what follows is met as well.
#include "base/invariant.hpp"
#include "net/amqp_engine.hpp"
#include "net/amqp_message.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace rollcall {
namespace {

namespace amqp = net::amqp;

amqp::EngineBounds small() {
    amqp::EngineBounds bounds;
    bounds.frame_bytes_max = 4'096;
    bounds.first_frame_bytes_max = 1'024;
    bounds.partial_bytes_max = 4'096;
    bounds.sessions_max = 2;
    bounds.links_max = 6;
    bounds.refused_links_max = 3;
    bounds.session_window = 8;
    bounds.unsettled_max = 2;
    bounds.outgoing_bytes_max = 16'384;
    return bounds;
}

struct Conversation {
    std::vector<amqp::Event> events{};
    std::string answers{};
    std::string refusal{};
    bool operator==(const Conversation&) const = default;
};

/// Answers as a front would.
void answer(amqp::Engine& engine, const amqp::Event& event) {
    if (const auto* const offer = std::get_if<amqp::LinkOffered>(&event)) {
        if (offer->link % 2 == 0) {
            engine.refuse(offer->link, {.name = "amqp:not-found", .description = "no"});
            return;
        }
        engine.accept(offer->link, {.message_bytes_max = 2'048, .credit = 3});
        for (std::uint64_t token = 1; token < 4; ++token) {
            const auto sent =
                engine.send(offer->link, std::string(token * 300, 'x'), token == 2, token);
            static_cast<void>(sent);  // too much is a close, which is seen below
        }
    } else if (const auto* const delivered = std::get_if<amqp::Delivered>(&event)) {
        engine.settle(
            delivered->id,
            delivered->id.number % 3 == 0 ? amqp::Outcome::rejected : amqp::Outcome::accepted,
            {.name = "a:b", .description = "no", .retry_after = 5});
    }
}

Conversation converse(ByteView bytes, std::size_t piece) {
    amqp::Engine engine{small()};
    Conversation conversation;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.subspan(part.size());
        engine.received(part);
        for (auto event = engine.next();; event = engine.next()) {
            conversation.answers += engine.take_outgoing();
            if (!event) {
                conversation.refusal = event.error().reason;
                INVARIANT(engine.closed());
                return conversation;
            }
            if (!*event) {
                break;
            }
            conversation.events.push_back(**event);
            answer(engine, **event);
        }
        if (engine.closed()) {
            break;
        }
    }
    for (int i = 0; i < 40 && !engine.closed(); ++i) {
        const auto ticked = engine.ticked();
        INVARIANT(ticked.has_value() != engine.closed());
        if (!engine.running()) {
            break;
        }
    }
    conversation.answers += engine.take_outgoing();
    return conversation;
}

void write_again(const amqp::Event& event) {
    const auto* const delivered = std::get_if<amqp::Delivered>(&event);
    if (delivered == nullptr) {
        return;
    }
    constexpr amqp::MessageBounds bounds{
        .annotations_max = 8, .properties_max = 8, .sections_max = 4};
    const auto read = amqp::parse_message(delivered->message, bounds);
    if (read) {
        const auto again = amqp::parse_message(amqp::encode(*read), bounds);
        INVARIANT(again);
        INVARIANT(again->body == read->body && again->correlation_id == read->correlation_id);
    }
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
