// SPDX-License-Identifier: Apache-2.0
#include "net/websocket.hpp"

#include "base/limits.hpp"
#include "net/runtime.hpp"
#include "support/websocket_client.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::binary;
using test::client_frame;
using test::closing;
using test::ping;

// --- handshake ---

HttpRequest a_handshake() {
    return {.method = "GET",
            .target = "/",
            .path = "/",
            .headers = {{"Host", "dps.example"},
                        {"Upgrade", "websocket"},
                        {"Connection", "Upgrade"},
                        {"Sec-WebSocket-Version", "13"},
                        {"Sec-WebSocket-Key", std::string(test::websocket_key)}}};
}

/// The handshake with another value of a field; without it when the value is empty.
HttpRequest with(std::string_view name, const std::string& value) {
    HttpRequest request = a_handshake();
    std::erase_if(request.headers,
                  [name](const auto& field) { return equal_ignoring_case(field.first, name); });
    if (!value.empty()) {
        request.headers.emplace_back(name, value);
    }
    return request;
}

unsigned refused_with(const HttpRequest& request) {
    const auto refusal = check_websocket_handshake(request);
    return refusal ? refusal->status : 0;
}

TEST(WebSocketHandshake, AsksWhenTheUpgradeFieldSaysSo) {
    EXPECT_TRUE(asks_for_websocket(a_handshake()));
    EXPECT_TRUE(asks_for_websocket(with("upgrade", "h2c, WebSocket")));
    EXPECT_FALSE(asks_for_websocket(with("upgrade", "")));
    EXPECT_FALSE(asks_for_websocket(with("upgrade", "websocket2")));
    EXPECT_FALSE(asks_for_websocket(with("upgrade", "h2c")));
}

TEST(WebSocketHandshake, MayBeSpelledInManyWays) {
    EXPECT_EQ(refused_with(a_handshake()), 0U);
    EXPECT_EQ(refused_with(with("connection", "keep-alive, UPGRADE")), 0U);
    EXPECT_EQ(refused_with(with("sec-websocket-VERSION", "13")), 0U);
    EXPECT_EQ(refused_with(with("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")), 0U);
}

TEST(WebSocketHandshake, IsRefusedWhenItIsWrong) {
    HttpRequest post = a_handshake();
    post.method = "POST";
    EXPECT_EQ(refused_with(post), 400U);
    EXPECT_EQ(refused_with(with("connection", "")), 400U);
    EXPECT_EQ(refused_with(with("connection", "keep-alive")), 400U);
    for (const std::string version : {"", "8", "0", "14", "13, 8", "013"}) {
        EXPECT_EQ(refused_with(with("sec-websocket-version", version)), 426U) << version;
    }
    for (const std::string key :
         {"", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZWU=",
          "dGhlIHNhbXBsZSBub25jZWVl", "dGhlIHNhbXBs ZSBub25jZ==", "dGhlIHNhbX    BsZSBub2==",
          "dGhlIHNhbXBs*SBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQAAdGhlIHNhbXBsZSBub25jZQ=="}) {
        EXPECT_EQ(refused_with(with("sec-websocket-key", key)), 400U) << key;
    }
    for (const std::string name : {"Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
        HttpRequest twice = a_handshake();
        twice.headers.emplace_back(name, *twice.header(name));
        EXPECT_NE(refused_with(twice), 0U) << name;
    }
}

TEST(WebSocketHandshake, IsAnsweredAsTheStandardShows) {
    const HttpResponse answer = accept_websocket(a_handshake(), "MQTT");
    const HttpResponse expected{
        .status = 101,
        .headers = {{"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Accept", std::string(test::websocket_accept)},
                    {"Sec-WebSocket-Protocol", "MQTT"}}};
    EXPECT_EQ(answer, expected);
    EXPECT_EQ(accept_websocket(a_handshake(), "").headers.size(), 3U);
}

TEST(WebSocketHandshake, OffersSubprotocolsInItsOwnSpelling) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(offered_subprotocols(a_handshake()), Names{});
    HttpRequest request = with("Sec-Websocket-Protocol", "MQTT ,, mqttv3.1\t,a b, \"q\"");
    request.headers.emplace_back("sec-websocket-protocol", "AMQPWSB10");
    EXPECT_EQ(offered_subprotocols(request), (Names{"MQTT", "mqttv3.1", "AMQPWSB10"}));
}

TEST(WebSocketHandshake, OffersNoEndOfSubprotocols) {
    std::string many;
    for (std::size_t i = 1; i < limits::websocket_subprotocols_max; ++i) {
        many += "p" + std::to_string(i) + ",";
    }
    const auto offered = [](const std::string& value) {
        return offered_subprotocols(with("sec-websocket-protocol", value));
    };
    EXPECT_EQ(offered(many + "last").back(), "last");
    EXPECT_EQ(offered(many + "last,more").size(), limits::websocket_subprotocols_max);
    EXPECT_EQ(offered(many + "last,more").back(), "last");
}

// --- the stream, over one that the test plays ---

/// A Stream whose peer is the test.
class PlayedStream final : public Stream {
public:
    explicit PlayedStream(Core& core) : reader_(core.context()), writer_(core.context()) {
        facts_.door = "played";
        facts_.tls_version = "TLSv1.3";
    }

    void arrive(std::string_view bytes) {
        arrived_ += bytes;
        reader_.cancel();
    }
    void end() {
        ended_ = true;
        reader_.cancel();
    }
    /// The peer reads again, or no more.
    void let_out(bool open) {
        writable_ = open;
        writer_.cancel();
    }
    std::string sent;
    bool closed = false;
    bool shut = false;

    Task<Result<Done>> open() override { co_return Done{}; }
    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override {
        for (;;) {
            if (closed) {
                co_return Error{ErrorKind::unavailable, "closed"};
            }
            if (std::exchange(interrupted_, false)) {
                co_return Error{ErrorKind::deadline, "interrupted"};
            }
            if (!arrived_.empty() || ended_) {
                const std::size_t size = std::min(into.size(), arrived_.size());
                std::copy_n(arrived_.begin(), size, into.begin());
                arrived_.erase(0, size);
                co_return size;
            }
            co_await wait(reader_);
        }
    }
    Task<Result<Done>> write(ByteView bytes) override {
        while (!writable_ && !closed) {
            co_await wait(writer_);
        }
        if (closed) {
            co_return Error{ErrorKind::unavailable, "closed"};
        }
        sent += as_text(bytes);
        co_return Done{};
    }
    Task<Result<Done>> shutdown() override {
        shut = true;
        co_return Done{};
    }
    void interrupt_read() override {
        interrupted_ = true;
        reader_.cancel();
        writer_.cancel();  // as a real one does
    }
    void close() override {
        closed = true;
        reader_.cancel();
        writer_.cancel();
    }
    const ConnectionFacts& facts() const override { return facts_; }

private:
    static Task<void> wait(asio::steady_timer& timer) {
        timer.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code woken;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    asio::steady_timer reader_;
    asio::steady_timer writer_;
    std::string arrived_;
    bool ended_ = false;
    bool interrupted_ = false;
    bool writable_ = true;
    ConnectionFacts facts_;
};

/// Reads and writes as a session would; what came of it stands in the members.
class Played : public ::testing::Test {
protected:
    static constexpr std::size_t message_bytes_max = 400'000;

    /// Goes on until everybody waits.
    void settle() { core.context().poll(); }
    void become_websocket(std::string received) {
        websocket = websocket_stream(core, below, std::move(received), message_bytes_max);
    }
    void arrive(std::string_view bytes) {
        below.arrive(bytes);
        settle();
    }
    /// Reads until there is no more: `got`, and then `ended`.
    void start_reading(std::size_t size = 16 * 1024) {
        asio::co_spawn(core.context(), read_all(size), asio::detached);
        settle();
    }
    void read_once() {
        asio::co_spawn(core.context(), read(), asio::detached);
        settle();
    }
    void start_writing(std::string bytes) {
        asio::co_spawn(core.context(), write(std::move(bytes)), asio::detached);
        settle();
    }
    void shut_down() {
        asio::co_spawn(core.context(), shutdown(), asio::detached);
        settle();
    }
    /// What the peer has received since the last call: "8a ping;88 1000;".
    std::string sent() {
        std::string text;
        while (const auto frame = test::take_frame(below.sent)) {
            text += frame->str() + ";";
        }
        return text;
    }

    Core core{0};
    PlayedStream below{core};
    std::unique_ptr<Stream> websocket = websocket_stream(core, below, "", message_bytes_max);
    std::string got;
    std::string ended;    ///< "end", or the kind of the error
    std::string written;  ///< "done" or the kind of the error, for each write

private:
    Task<void> read_all(std::size_t size) {
        Bytes into(size);
        for (;;) {
            const auto read = co_await websocket->read_some(into);
            if (!read || *read == 0) {
                ended = read ? "end" : std::string(to_string(read.error().kind));
                co_return;
            }
            got += as_text(into).substr(0, *read);
        }
    }
    Task<void> read() {
        Bytes into(16 * 1024);
        const auto read = co_await websocket->read_some(into);
        got += read ? as_text(into).substr(0, *read) : to_string(read.error().kind);
    }
    Task<void> write(std::string bytes) {
        const auto done = co_await websocket->write(as_bytes(bytes));
        written += done ? "done;" : std::string(to_string(done.error().kind)) + ";";
    }
    Task<void> shutdown() {
        const auto done = co_await websocket->shutdown();
        written += done ? "done;" : std::string(to_string(done.error().kind)) + ";";
    }
};

TEST_F(Played, KnowsWhatLiesBelow) {
    EXPECT_TRUE(websocket->facts().websocket);
    EXPECT_EQ(websocket->facts().door, "played");
    EXPECT_EQ(websocket->facts().tls_version, "TLSv1.3");
    EXPECT_FALSE(below.facts().websocket);
}

TEST_F(Played, ReadsPayloadInOrderHoweverItComes) {
    const std::string wire = binary("one") + client_frame(0x02, "t") + ping("p") +
                             client_frame(0x00, "") + client_frame(0x80, "wo") + binary("") +
                             binary(std::string(300, '3')) + closing(1000);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{9}, wire.size()}) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{16'384}}) {
            PlayedStream fresh{core};
            websocket = websocket_stream(core, fresh, "", message_bytes_max);
            got = ended = "";
            start_reading(size);
            for (std::size_t at = 0; at < wire.size(); at += piece) {
                fresh.arrive(wire.substr(at, piece));
                settle();
            }
            EXPECT_EQ(got, "onetwo" + std::string(300, '3')) << piece << " into " << size;
            EXPECT_EQ(ended, "end") << piece << " into " << size;
        }
    }
}

TEST_F(Played, ReadsFirstWhatCameWithTheHandshake) {
    become_websocket(binary("early") + binary("bird").substr(0, 8));
    start_reading(4);
    EXPECT_EQ(got, "earlybi");
    arrive(binary("bird").substr(8));
    EXPECT_EQ(got, "earlybird");
}

TEST_F(Played, PassesALargeMessageOnAsItComes) {
    const std::string payload(message_bytes_max, 'L');
    const std::string wire = binary(payload);
    start_reading();
    arrive(wire.substr(0, 100'000));
    EXPECT_EQ(got.size(), 100'000U - 14);
    arrive(wire.substr(100'000));
    EXPECT_EQ(got, payload);
    arrive(binary(payload + "!"));
    EXPECT_EQ(ended, "too_large");
    EXPECT_EQ(sent(), "88 1009;");
}

TEST_F(Played, WritesEachTimeOneMessage) {
    start_writing("one");
    start_writing("");
    start_writing(std::string(126, '2'));
    EXPECT_EQ(sent(), "82 one;82 " + std::string(126, '2') + ";");
    EXPECT_EQ(written, "done;done;done;");
    for (const std::size_t size : {16'380U, 16'384U, 65'535U, 65'536U, 300'000U}) {
        const std::string large(size, 'L');
        start_writing(large);
        EXPECT_EQ(sent(), "82 " + large + ";") << size;
        EXPECT_EQ(below.sent, "") << size;
    }
}

TEST_F(Played, AnswersPingsWhileItReads) {
    start_reading();
    arrive(ping("one"));
    EXPECT_EQ(sent(), "8a one;");
    arrive(ping(""));
    EXPECT_EQ(sent(), "8a ;");
    arrive(client_frame(0x02, "Hel") + ping(std::string(125, 'p')) + client_frame(0x80, "lo"));
    EXPECT_EQ(sent(), "8a " + std::string(125, 'p') + ";");
    EXPECT_EQ(got, "Hello");
    arrive(client_frame(0x8a, "unasked"));
    EXPECT_EQ(sent(), "");
}

TEST_F(Played, AnswersOnlyTheLatestOfManyPings) {
    start_reading();
    arrive(ping("1") + ping("2") + ping("3"));
    EXPECT_EQ(sent(), "8a 3;");
}

TEST_F(Played, OwesThePongToWhoeverComesNext) {
    arrive(binary("x") + ping("p"));
    read_once();
    EXPECT_EQ(got, "x");
    EXPECT_EQ(sent(), "");
    start_writing("y");
    EXPECT_EQ(sent(), "8a p;82 y;");
}

TEST_F(Played, OwesTheReasonToASpeakerThatStillAnswers) {
    arrive(binary("x") + client_frame(0x81, "text"));
    read_once();
    EXPECT_EQ(got, "x");
    EXPECT_EQ(sent(), "");
    start_writing("y");
    EXPECT_EQ(written, "unavailable;");
    EXPECT_EQ(sent(), "88 1003;");
}

TEST_F(Played, AnswersAClose) {
    start_reading();
    arrive(binary("last") + closing(1001, "bye") + binary("ignored"));
    EXPECT_EQ(got, "last");
    EXPECT_EQ(ended, "end");
    EXPECT_EQ(sent(), "88 1001;");
    start_writing("too late");
    shut_down();
    read_once();
    EXPECT_EQ(got, "last");
    EXPECT_EQ(written, "unavailable;done;");
    EXPECT_EQ(sent(), "");
}

TEST_F(Played, AnswersACloseWithoutACodeByOneWithout) {
    start_reading();
    arrive(client_frame(0x88, ""));
    EXPECT_EQ(sent(), "88 ;");
}

TEST_F(Played, ClosesAndGoesOnReading) {
    start_reading();
    shut_down();
    EXPECT_EQ(sent(), "88 1000;");
    EXPECT_FALSE(below.shut);
    start_writing("too late");
    shut_down();
    EXPECT_EQ(written, "done;unavailable;done;");
    arrive(binary("on its way") + ping("p"));
    EXPECT_EQ(got, "on its way");
    EXPECT_EQ(ended, "");
    arrive(closing(1000));
    EXPECT_EQ(ended, "end");
    EXPECT_EQ(sent(), "");
}

TEST_F(Played, EndsWithThePeer) {
    start_reading();
    arrive(client_frame(0x02, "Hel"));
    below.end();
    settle();
    EXPECT_EQ(got, "Hel");
    EXPECT_EQ(ended, "end");
    EXPECT_EQ(sent(), "");
}

TEST_F(Played, RefusesAndSaysWhy) {
    struct Refused {
        std::string wire;
        std::string kind;
        std::string sent;
    };
    const Refused rows[] = {
        {binary("x") + test::big_endian(0x8200, 2), "malformed", "88 1002;"},
        {binary("x") + client_frame(0xc2, "c"), "malformed", "88 1002;"},
        {binary("x") + closing(1005), "malformed", "88 1002;"},
        {binary("x") + closing(1000, "\xff"), "malformed", "88 1007;"},
        {binary("x") + client_frame(0x81, "text"), "unsupported", "88 1003;"},
        {binary("x") + ping("p") + client_frame(0x81, "text"), "unsupported", "8a p;88 1003;"},
        {binary("x") + client_frame(0x82, std::string(400'001, 'x')), "too_large", "88 1009;"},
    };
    for (const auto& [wire, kind, answer] : rows) {
        PlayedStream fresh{core};
        websocket = websocket_stream(core, fresh, "", message_bytes_max);
        got = ended = written = "";
        start_reading();
        fresh.arrive(wire);
        settle();
        EXPECT_EQ(got, "x") << answer;
        EXPECT_EQ(ended, kind) << answer;
        std::swap(below.sent, fresh.sent);
        EXPECT_EQ(sent(), answer);
        start_writing("too late");
        read_once();
        EXPECT_EQ(written, "unavailable;") << answer;
        EXPECT_EQ(got, "x" + kind) << "it stays so";
        EXPECT_EQ(fresh.sent, "");
    }
}

TEST_F(Played, IsInterruptedAndMayStillSpeak) {
    start_reading();
    websocket->interrupt_read();
    settle();
    EXPECT_EQ(ended, "deadline");
    start_writing("late");
    shut_down();
    EXPECT_EQ(sent(), "82 late;88 1000;");
    EXPECT_FALSE(below.closed);
}

TEST_F(Played, IsClosedWhileReadingAndWriting) {
    start_reading();
    below.let_out(false);
    start_writing("x");
    websocket->close();
    settle();
    EXPECT_EQ(ended, "unavailable");
    EXPECT_EQ(written, "unavailable;");
    websocket->close();
    start_writing("y");
    EXPECT_EQ(written, "unavailable;unavailable;");
}

TEST_F(Played, GivesNothingAfterItWasClosed) {
    become_websocket(binary("early"));
    websocket->close();
    start_reading();
    EXPECT_EQ(got, "");
    EXPECT_EQ(ended, "unavailable");
}

// --- two who want to send ---

TEST_F(Played, SendsThePongAfterTheMessageThatIsOnItsWay) {
    const std::string large(300'000, 'L');
    below.let_out(false);
    start_reading();
    start_writing(large);
    arrive(ping("1"));
    arrive(ping("2") + binary("x"));
    EXPECT_EQ(got, "x") << "reading goes on meanwhile";
    below.let_out(true);
    settle();
    EXPECT_EQ(sent(), "82 " + large + ";8a 2;");
    EXPECT_EQ(written, "done;");
}

TEST_F(Played, SendsTheCloseAfterTheMessageThatIsOnItsWay) {
    below.let_out(false);
    start_reading();
    start_writing("x");
    arrive(closing(1000));
    EXPECT_EQ(ended, "end");
    below.let_out(true);
    settle();
    EXPECT_EQ(sent(), "82 x;88 1000;");
}

TEST_F(Played, SendsTheMessageAfterThePongThatIsOnItsWay) {
    below.let_out(false);
    start_reading();
    arrive(ping("p"));
    start_writing("x");
    below.let_out(true);
    settle();
    EXPECT_EQ(sent(), "8a p;82 x;");
    EXPECT_EQ(written, "done;");
}

TEST_F(Played, SendsNoMessageAfterTheCloseThatIsOnItsWay) {
    below.let_out(false);
    start_reading();
    arrive(closing(1000));
    start_writing("x");
    below.let_out(true);
    settle();
    EXPECT_EQ(sent(), "88 1000;");
    EXPECT_EQ(written, "unavailable;");
}

TEST_F(Played, IsClosedWhileAWriterWaitsForItsTurn) {
    below.let_out(false);
    start_reading();
    arrive(ping("p"));
    start_writing("x");
    websocket->close();
    settle();
    EXPECT_EQ(written, "unavailable;");
    EXPECT_EQ(ended, "unavailable");
}

TEST_F(Played, GivesUpAPeerThatPingsAndDoesNotRead) {
    below.let_out(false);
    start_reading();
    arrive(ping("p"));
    websocket->interrupt_read();
    settle();
    EXPECT_TRUE(below.closed);
    EXPECT_EQ(ended, "unavailable");
}

}  // namespace
}  // namespace rollcall::net
