// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_engine.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::net::amqp {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

EngineBounds small() {
    EngineBounds bounds;
    bounds.frame_bytes_max = 1'024;
    bounds.first_frame_bytes_max = 512;
    bounds.partial_bytes_max = 1'500;
    bounds.sessions_max = 2;
    bounds.links_max = 3;
    bounds.refused_links_max = 2;
    bounds.session_window = 8;
    bounds.unsettled_max = 2;
    bounds.outgoing_bytes_max = 4'096;
    bounds.silence_max = 120s;
    bounds.transfer_time_max = 60s;
    bounds.pulse = 30s;
    return bounds;
}

std::string wire(std::uint16_t channel, const Performative& performative,
                 std::string_view payload = {}) {
    std::string frame;
    put_frame(frame, FrameType::amqp, channel, encode(performative), payload);
    return frame;
}

Attach link(std::uint32_t handle, bool receives) {
    return {.name = "l", .handle = handle, .receives = receives, .source = "a", .target = "a"};
}

Transfer part(std::uint32_t number, bool more = false) {
    return {.handle = 0, .id = number, .tag = "t", .settled = false, .more = more};
}

/// What a server said, frame by frame.
std::vector<Performative> frames_of(const std::string& bytes) {
    FrameReader reader;
    reader.feed(as_bytes(bytes));
    std::vector<Performative> said;
    for (;;) {
        const auto frame = reader.frame(FrameType::amqp, 1'000'000);
        if (!frame || !*frame) {
            return said;
        }
        if ((*frame)->body.empty()) {
            continue;
        }
        auto performative = parse_performative((*frame)->body);
        EXPECT_TRUE(performative);
        said.push_back(*std::move(performative));
    }
}

/// A connection whose client has a session.
struct Connected {
    Engine engine{small()};
    explicit Connected(const Open& open = {.container_id = "c"}) {
        engine.received(as_bytes(std::string{amqp_header}));
        engine.received(as_bytes(wire(0, open)));
        engine.received(as_bytes(wire(0, Begin{.incoming_window = 5, .outgoing_window = 5})));
        EXPECT_FALSE(*engine.next());
        EXPECT_EQ(engine.take_outgoing().substr(0, 8), amqp_header);
    }

    std::vector<Event> events() {
        std::vector<Event> all;
        for (;;) {
            auto event = engine.next();
            EXPECT_TRUE(event) << event.error().detail;
            if (!event || !*event) {
                return all;
            }
            all.push_back(**std::move(event));
        }
    }
    std::vector<Event> after(const std::string& bytes) {
        engine.received(as_bytes(bytes));
        return events();
    }
    /// The condition with which it closes.
    std::string refusal(const std::string& bytes) {
        engine.received(as_bytes(bytes));
        for (;;) {
            const auto event = engine.next();
            if (!event) {
                const auto said = frames_of(engine.take_outgoing());
                EXPECT_TRUE(engine.closed());
                EXPECT_TRUE(std::holds_alternative<Close>(said.back()));
                EXPECT_EQ(std::get<Close>(said.back()).condition.name, event.error().reason);
                return event.error().reason;
            }
            if (!*event) {
                return "";
            }
            if (const auto* const offer = std::get_if<LinkOffered>(&**event)) {
                engine.accept(offer->link, {.message_bytes_max = 1'000, .credit = 2});
            }
        }
    }
    LinkId attach(bool receives, std::uint32_t handle = 0, std::uint32_t credit = 0) {
        const auto all = after(wire(0, link(handle, receives)));
        const LinkId id = std::get<LinkOffered>(all.at(0)).link;
        engine.accept(id, {.message_bytes_max = 1'000, .credit = 2});
        if (credit > 0) {
            flow(credit, 5, handle);
        }
        engine.take_outgoing();
        return id;
    }
    void flow(std::uint32_t credit, std::uint32_t window, std::uint32_t handle = 0,
              std::uint32_t seen = 0, std::uint32_t count = 0) {
        after(wire(0, Flow{.next_incoming_id = seen,
                           .incoming_window = window,
                           .outgoing_window = 5,
                           .handle = handle,
                           .delivery_count = count,
                           .credit = credit}));
    }
    std::vector<Performative> said() { return frames_of(engine.take_outgoing()); }
};

std::string sasl_init(std::string_view mechanism, std::string_view response = {}) {
    std::string members;
    put_symbol(members, mechanism);
    if (!response.empty()) {
        put_binary(members, response);
    }
    std::string init = "\0\x53\x41"s;
    put_list(init, response.empty() ? 1 : 2, members);
    std::string frame;
    put_frame(frame, FrameType::sasl, 0, init);
    return frame;
}

TEST(AmqpEngine, ComesWithoutSaslOrWith) {
    Engine bare{small()};
    bare.received(as_bytes(std::string{amqp_header}));
    EXPECT_FALSE(*bare.next());
    EXPECT_EQ(bare.take_outgoing(), amqp_header);

    Engine plain{small()};
    plain.received(as_bytes(std::string{sasl_header}));
    plain.received(as_bytes(sasl_init("PLAIN", "\0user\0secret"s)));
    EXPECT_FALSE(*plain.next());
    EXPECT_EQ(plain.credential()->user, "user");
    EXPECT_EQ(plain.credential()->password, "secret");
    const std::string said = plain.take_outgoing();
    EXPECT_THAT(said, testing::StartsWith(std::string{sasl_header}));
    EXPECT_THAT(said, testing::EndsWith("\0\x53\x44\xc0\3\1\x50\0"s));
    plain.received(as_bytes(std::string{amqp_header}));
    EXPECT_FALSE(*plain.next());
    EXPECT_EQ(plain.take_outgoing(), amqp_header);
}

TEST(AmqpEngine, TakesTheMechanismsItOffersAndNoOthers) {
    for (const auto& [mechanism, taken] : {std::pair{"EXTERNAL", true},
                                           {"ANONYMOUS", true},
                                           {"MSSBCBS", true},
                                           {"PLAIN", false},  // says nobody
                                           {"mssbcbs", false},
                                           {"SCRAM-SHA-256", false}}) {
        Engine engine{small()};
        engine.received(as_bytes(std::string{sasl_header}));
        EXPECT_FALSE(*engine.next());
        const std::string offer = engine.take_outgoing();
        engine.received(as_bytes(sasl_init(mechanism)));
        EXPECT_EQ(engine.next().has_value(), taken) << mechanism;
        EXPECT_EQ(engine.closed(), !taken) << mechanism;
        EXPECT_FALSE(engine.credential()) << mechanism;
        if (taken) {
            EXPECT_THAT(offer, testing::HasSubstr(mechanism));
        }
    }
}

TEST(AmqpEngine, TellsTheLargestMessageOfEveryLink) {
    Connected connected;
    for (const bool receives : {false, true}) {
        const auto offer = connected.after(wire(0, link(receives ? 1 : 0, receives)));
        connected.engine.accept(std::get<LinkOffered>(offer.at(0)).link,
                                {.message_bytes_max = 1'000, .credit = 2});
        EXPECT_EQ(std::get<Attach>(connected.said().front()).message_bytes_max, 1'000U);
    }
}

TEST(AmqpEngine, OpensAndBegins) {
    Engine engine{small()};
    engine.received(as_bytes(std::string{amqp_header} + wire(0, Open{.container_id = "c"}) +
                             wire(1, Begin{.incoming_window = 5, .outgoing_window = 5})));
    EXPECT_FALSE(*engine.next());
    EXPECT_TRUE(engine.running());
    const auto said = frames_of(engine.take_outgoing().substr(8));
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(std::get<Open>(said[0]).frame_bytes_max, 1'024U);
    EXPECT_EQ(std::get<Open>(said[0]).channel_max, 1);
    EXPECT_EQ(std::get<Open>(said[0]).idle_milliseconds, 60'000U);
    EXPECT_EQ(std::get<Begin>(said[1]).remote_channel, 1);
}

TEST(AmqpEngine, ToldWhatIsWrong) {
    const std::string offer = wire(0, link(0, false));
    const std::vector<std::pair<std::string, std::string>> rows{
        {wire(0, Open{.container_id = "c"}), "amqp:illegal-state"},
        {wire(0, Begin{}), "amqp:illegal-state"},
        {wire(2, Begin{}), "amqp:not-allowed"},
        {wire(1, link(0, false)), "amqp:illegal-state"},
        {offer + offer, "amqp:session:handle-in-use"},
        {wire(0, link(3, false)), "amqp:not-allowed"},
        {wire(0, Transfer{.handle = 2, .id = 1}), "amqp:session:unattached-handle"},
        {offer + wire(0, Transfer{.handle = 0, .more = true}), "amqp:invalid-field"},
        {offer + wire(0, part(1, true)) + wire(0, part(2)), "amqp:invalid-field"},
        {wire(0, link(0, true)) + wire(0, part(1)), "amqp:not-allowed"},
        {wire(0, Detach{.handle = 1}), "amqp:session:unattached-handle"},
        {wire(0, Flow{.handle = 1}), "amqp:session:unattached-handle"},
        {wire(0, Disposition{.from_receiver = true, .first = 2, .last = 1}), "amqp:invalid-field"},
        {"\xff\xff\xff\xff"s, "amqp:connection:framing-error"},
        {"\0\0\0\x0c\2\0\0\0\0\x53\x99\x45"s, "amqp:decode-error"},
    };
    for (const auto& [bytes, reason] : rows) {
        EXPECT_EQ(Connected{}.refusal(bytes), reason);
    }
}

TEST(AmqpEngine, LinksAreBoundedAndSoAreRefusals) {
    Connected connected;
    for (std::uint32_t handle = 0; handle < 3; ++handle) {
        connected.attach(false, handle);
    }
    EXPECT_EQ(connected.refusal(wire(1, Begin{}) + wire(1, link(0, false))),
              "amqp:resource-limit-exceeded");

    Connected other;
    for (std::uint32_t handle = 0; handle < 2; ++handle) {
        const auto offer = other.after(wire(0, link(handle, handle == 1)));
        other.engine.refuse(std::get<LinkOffered>(offer.at(0)).link, {.name = "a:b"});
    }
    const auto said = other.said();
    ASSERT_EQ(said.size(), 6U);
    EXPECT_FALSE(std::get<Attach>(said[0]).target);
    EXPECT_EQ(std::get<Detach>(said[1]).condition.name, "a:b");
    EXPECT_TRUE(std::holds_alternative<End>(said[4]));
    EXPECT_EQ(std::get<Close>(said[5]).condition.name, "amqp:resource-limit-exceeded");
    EXPECT_TRUE(other.engine.closed());
}

TEST(AmqpEngine, TakesMessagesInPartsAndGivesCreditWhenTheyAreSettled) {
    Connected connected;
    const LinkId id = connected.attach(false);
    EXPECT_TRUE(connected.after(wire(0, part(7, true), "ab")).empty());
    const auto events = connected.after(wire(0, part(7), "cd") + wire(0, part(8), "e"));
    ASSERT_EQ(events.size(), 2U);
    const Delivered first = std::get<Delivered>(events[0]);
    EXPECT_EQ(first.id, (DeliveryId{.link = id, .channel = 0, .number = 7, .settled = false}));
    EXPECT_EQ(first.message, "abcd");
    EXPECT_TRUE(connected.said().empty());
    connected.engine.settle(first.id, Outcome::accepted);
    const auto said = connected.said();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(
        std::get<Disposition>(said[0]),
        (Disposition{
            .from_receiver = true, .first = 7, .settled = true, .outcome = Outcome::accepted}));
    EXPECT_EQ(std::get<Flow>(said[1]).credit, 1U);
    EXPECT_EQ(std::get<Flow>(said[1]).delivery_count, 2U);
}

TEST(AmqpEngine, MoreThanThereIsCreditForEndsTheLink) {
    Connected connected;
    connected.attach(false);
    const auto events =
        connected.after(wire(0, part(0)) + wire(0, part(1)) + wire(0, part(2)) + wire(0, part(3)));
    ASSERT_EQ(events.size(), 3U);  // and the fourth is dropped
    EXPECT_TRUE(std::holds_alternative<LinkGone>(events[2]));
    EXPECT_EQ(std::get<Detach>(connected.said().front()).condition.name,
              "amqp:link:transfer-limit-exceeded");
    connected.engine.settle(std::get<Delivered>(events[0]).id, Outcome::accepted);
    EXPECT_TRUE(connected.said().empty());
    EXPECT_TRUE(connected.after(wire(0, Detach{.handle = 0, .closed = true})).empty());
    connected.attach(false);
}

TEST(AmqpEngine, MessagesAreBounded) {
    Connected connected;
    connected.attach(false);
    EXPECT_EQ(connected.after(wire(0, part(0), std::string(900, 'x'))).size(), 1U);
    connected.after(wire(0, part(1, true), std::string(900, 'x')));
    connected.after(wire(0, part(1), std::string(101, 'x')));
    EXPECT_EQ(std::get<Detach>(connected.said().back()).condition.name,
              "amqp:link:message-size-exceeded");

    Connected other;
    for (std::uint32_t handle = 0; handle < 2; ++handle) {
        other.attach(false, handle);
    }
    const std::string half(800, 'x');
    Transfer second = part(1, true);
    second.handle = 1;
    EXPECT_EQ(other.refusal(wire(0, part(0, true), half) + wire(0, second, half)),
              "amqp:resource-limit-exceeded");
}

TEST(AmqpEngine, SessionWindowsAreRenewed) {
    Connected connected;
    connected.attach(false);
    for (std::uint32_t i = 0; i < 20; ++i) {
        EXPECT_TRUE(connected.after(wire(0, part(0, true), "x")).empty());
    }
    const auto said = connected.said();
    ASSERT_EQ(said.size(), 5U);
    EXPECT_EQ(std::get<Flow>(said.back()).next_incoming_id, 20U);
    EXPECT_FALSE(std::get<Flow>(said.back()).handle);
}

TEST(AmqpEngine, SendsWithinCreditAndWindow) {
    Connected connected;
    const LinkId id = connected.attach(true);
    ASSERT_TRUE(connected.engine.send(id, "one", true));
    EXPECT_FALSE(connected.engine.has_outgoing());  // no credit
    connected.flow(2, 5);
    auto said = connected.said();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(std::get<Transfer>(said[0]).payload, "one");
    EXPECT_EQ(std::get<Transfer>(said[0]).settled, true);
    ASSERT_TRUE(connected.engine.send(id, std::string(3'000, 'x'), true));
    said = connected.said();
    ASSERT_EQ(said.size(), 4U);  // frames of 1024 bytes
    EXPECT_TRUE(std::get<Transfer>(said[2]).more);
    EXPECT_FALSE(std::get<Transfer>(said[3]).more);
    ASSERT_TRUE(connected.engine.send(id, std::string(2'000, 'y'), true));
    EXPECT_TRUE(connected.said().empty());  // credit is used up
    connected.flow(5, 1, 0, 5, 2);
    EXPECT_EQ(connected.said().size(), 1U);  // and now the window is
    connected.flow(5, 5, 0, 6, 3);
    EXPECT_EQ(connected.said().size(), 2U);
}

TEST(AmqpEngine, SmallFramesForWhoWantsThem) {
    Connected connected{{.container_id = "c", .frame_bytes_max = 512}};
    const LinkId id = connected.attach(true, 0, 5);
    for (const auto& [bytes, frames] : {std::pair{448U, 1U}, {449U, 2U}}) {
        ASSERT_TRUE(connected.engine.send(id, std::string(bytes, 'x'), true));
        const std::string said = connected.engine.take_outgoing();
        EXPECT_EQ(frames_of(said).size(), frames);
        EXPECT_LE(said.size(), frames * 512);
    }
}

TEST(AmqpEngine, UnsettledMessagesComeBack) {
    Connected connected;
    const LinkId id = connected.attach(true, 0, 5);
    for (std::uint64_t token = 1; token < 4; ++token) {
        ASSERT_TRUE(connected.engine.send(id, "m", false, token));
    }
    EXPECT_EQ(connected.said().size(), 2U);  // unsettled_max
    const auto events = connected.after(wire(0, Disposition{.from_receiver = true,
                                                            .first = 0,
                                                            .last = 900,
                                                            .settled = true,
                                                            .outcome = Outcome::accepted}));
    EXPECT_EQ(events, (std::vector<Event>{Settled{id, 1, Outcome::accepted},
                                          Settled{id, 2, Outcome::accepted}}));
    EXPECT_EQ(connected.said().size(), 1U);
    const auto last = connected.after(
        wire(0, Disposition{.from_receiver = true, .first = 2, .outcome = Outcome::released}));
    EXPECT_EQ(last, (std::vector<Event>{Settled{id, 3, Outcome::released}}));
    EXPECT_TRUE(std::get<Disposition>(connected.said().at(0)).settled);  // it settles second
}

/// Found by fuzzing: who takes messages and closes in one breath is sent what waited for that.
TEST(AmqpEngine, SendsBetweenFramesThatComeTogether) {
    Connected connected;
    const LinkId id = connected.attach(true, 0, 9);
    for (std::uint64_t token = 1; token < 4; ++token) {
        ASSERT_TRUE(connected.engine.send(id, "x", false, token));
    }
    EXPECT_EQ(connected.said().size(), 2U);  // the third waits until one of them is settled
    connected.after(wire(0, Disposition{.from_receiver = true,
                                        .first = 0,
                                        .last = 1,
                                        .settled = true,
                                        .outcome = Outcome::accepted}) +
                    wire(0, Close{}));
    const auto said = connected.said();
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(std::get<Transfer>(said[0]).id, 2U);
    EXPECT_TRUE(std::holds_alternative<Close>(said[1]));
}

TEST(AmqpEngine, TakesWhatTheClientWantsSettledAsSettled) {
    Connected connected;
    Attach attach = link(0, true);
    attach.sender_settles = SettleMode::settled;
    const auto offer = connected.after(wire(0, attach));
    const LinkId id = std::get<LinkOffered>(offer.at(0)).link;
    connected.engine.accept(id, {});
    connected.flow(5, 5);
    connected.engine.take_outgoing();
    ASSERT_TRUE(connected.engine.send(id, "m", false, 1));
    EXPECT_EQ(std::get<Transfer>(connected.said().at(0)).settled, true);
}

TEST(AmqpEngine, AClientThatTakesNothingIsClosed) {
    Connected connected;
    const LinkId id = connected.attach(true);
    ASSERT_TRUE(connected.engine.send(id, std::string(4'000, 'x'), true));
    const auto refused = connected.engine.send(id, std::string(100, 'x'), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "amqp:resource-limit-exceeded");
    EXPECT_TRUE(connected.engine.closed());
}

TEST(AmqpEngine, DrainsAndEchoes) {
    Connected connected;
    connected.attach(true);
    connected.after(wire(0, Flow{.next_incoming_id = 0,
                                 .incoming_window = 5,
                                 .outgoing_window = 5,
                                 .handle = 0,
                                 .delivery_count = 0,
                                 .credit = 9,
                                 .drain = true}));
    const auto said = connected.said();
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(std::get<Flow>(said[0]).delivery_count, 9U);
    EXPECT_EQ(std::get<Flow>(said[0]).credit, 0U);
}

TEST(AmqpEngine, SaysThatItIsThereAndFindsOutWhetherTheClientIs) {
    Connected connected{{.container_id = "c", .idle_milliseconds = 10'000}};
    EXPECT_EQ(connected.engine.pulse(), 5s);
    ASSERT_TRUE(connected.engine.ticked());
    EXPECT_EQ(connected.engine.take_outgoing(), "\0\0\0\x08\2\0\0\0"s);

    Connected quiet;  // wants no heartbeats; is heard every second pulse
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(quiet.engine.ticked());
        EXPECT_FALSE(quiet.engine.has_outgoing());
        if (i % 2 == 0) {
            quiet.after("\0\0\0\x08\2\0\0\0"s);
        }
    }
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(quiet.engine.ticked()) << i;
    }
    EXPECT_EQ(quiet.engine.ticked().error().reason, "amqp:resource-limit-exceeded");
}

TEST(AmqpEngine, ATransferThatIsNeverFinishedEnds) {
    Connected connected;
    connected.attach(false);
    connected.after(wire(0, part(0, true), "x"));
    ASSERT_TRUE(connected.engine.ticked());
    connected.after(wire(0, part(0, true), "x"));
    ASSERT_TRUE(connected.engine.ticked());
    connected.after("\0\0\0\x08\2\0\0\0"s);
    EXPECT_FALSE(connected.engine.ticked());
}

TEST(AmqpEngine, SessionsTakeTheirLinksWithThem) {
    Connected connected;
    const LinkId id = connected.attach(false);
    const auto events = connected.after(wire(0, End{}) + wire(0, Begin{}) + wire(0, Close{}));
    EXPECT_EQ(events, (std::vector<Event>{LinkGone{id}, Ended{}}));
    const auto said = connected.said();
    ASSERT_EQ(said.size(), 3U);
    EXPECT_TRUE(std::holds_alternative<End>(said[0]));
    EXPECT_TRUE(std::holds_alternative<Close>(said[2]));
}

}  // namespace
}  // namespace rollcall::net::amqp
