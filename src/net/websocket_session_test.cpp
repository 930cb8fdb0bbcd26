// SPDX-License-Identifier: Apache-2.0
// HTTP sessions that become WebSockets, over real sockets: net/http_session with net/websocket.
#include "net/http_session.hpp"
#include "net/websocket.hpp"
#include "support/pki.hpp"
#include "support/websocket_client.hpp"
#include "support/wire_client.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::binary;
using test::closing;
using test::ping;
using test::TlsClient;
using test::websocket_request;
using test::WebSocketClient;
using test::WireClient;
using namespace std::chrono_literals;

/// What a speaker does with its stream.
enum class Habit {
    echo,       ///< sends back what it reads
    tell,       ///< says how the connection looks, and leaves
    large,      ///< sends 300 kB, and leaves
    duplex,     ///< sends 300 kB over and over while it reads
    interrupt,  ///< has its read interrupted, says so, and leaves
    cut,        ///< has its stream closed
    fail,       ///< throws
};

constexpr std::size_t large_bytes = 300'000;
constexpr int duplex_messages = 40;

class Speaker final : public StreamHandler {
public:
    explicit Speaker(Habit habit) : habit_(habit) {}

    Task<void> serve(Core& core, Stream& stream) override {
        Session session(core, stream);
        ++open;
        switch (habit_) {
            case Habit::echo: co_await echo(stream); break;
            case Habit::tell: co_await say(stream, told(stream.facts())); break;
            case Habit::large: co_await say(stream, std::string(large_bytes, 'L')); break;
            case Habit::duplex: co_await read_and_write(core, stream); break;
            case Habit::interrupt:
                session.deadline.arm(30ms, Deadline::Then::interrupt_read);
                co_await echo(stream);
                co_await say(stream, "late");
                break;
            case Habit::cut:
                session.deadline.arm(30ms, Deadline::Then::close);
                co_await echo(stream);
                break;
            case Habit::fail: throw std::runtime_error("as asked");
        }
    }

    /// How the last reading ended, waiting for it.
    std::string ended() {
        for (int i = 0; i < 4'000; ++i) {
            {
                const std::scoped_lock lock(mutex_);
                if (!ended_.empty()) {
                    return std::exchange(ended_, {});
                }
            }
            std::this_thread::sleep_for(5ms);
        }
        return "goes on";
    }
    std::atomic<int> open{0};

private:
    struct Session final : public Resident {
        Session(Core& core, Stream& given) : Resident(core), stream(given), deadline(core, given) {}
        void drain() override { stream.interrupt_read(); }
        void close() override { stream.close(); }
        Stream& stream;
        Deadline deadline;
    };

    Task<void> echo(Stream& stream) {
        Bytes into(16 * 1024);
        for (;;) {
            const auto got = co_await stream.read_some(into);
            if (!got || *got == 0) {
                const std::scoped_lock lock(mutex_);
                ended_ = got ? "end" : std::string(to_string(got.error().kind));
                co_return;
            }
            const auto written = co_await stream.write(ByteView(into).first(*got));
            if (!written) {
                co_return;
            }
        }
    }
    static Task<void> say(Stream& stream, std::string words) {
        const auto written = co_await stream.write(as_bytes(words));
        static_cast<void>(written);
    }
    static Task<void> say_much(Stream& stream, bool& done) {
        for (int i = 0; i < duplex_messages; ++i) {
            co_await say(stream, std::string(large_bytes, static_cast<char>('A' + i)));
        }
        done = true;
    }
    Task<void> read_and_write(Core& core, Stream& stream) {
        bool done = false;
        core.spawn("say-much", say_much(stream, done));
        Bytes into(16 * 1024);
        for (std::size_t size = 1; size > 0;) {
            const auto got = co_await stream.read_some(into);
            size = got ? *got : 0;
        }
        while (!done && co_await core.sleep(1ms)) {
        }
    }
    static std::string told(const ConnectionFacts& facts) {
        return facts.door + " " + facts.tls_version + (facts.websocket ? " websocket" : "");
    }

    Habit habit_;
    std::mutex mutex_;
    std::string ended_;
};

/// Welcomes WebSockets on some paths: MQTT or none as subprotocol.
class Welcoming final : public HttpHandler {
public:
    Task<HttpResponse> handle(const HttpRequest& request) override {
        HttpResponse response;
        response.body = request.method + " " + request.path;
        co_return response;
    }
    HttpResponse refuse(unsigned status, const Error& error, const HttpRequest& so_far) override {
        return {.status = status, .body = error.reason + " " + so_far.path};
    }
    std::size_t body_bytes_max() const override { return 64; }
    std::optional<WebSocketWelcome> welcome_websocket(const HttpRequest& request) override {
        if (request.path == "/throw") {
            throw std::runtime_error("as asked");
        }
        const auto found = speakers.find(request.path);
        if (found == speakers.end()) {
            return std::nullopt;
        }
        for (const auto& name : offered_subprotocols(request)) {
            if (equal_ignoring_case(name, "mqtt")) {
                return WebSocketWelcome{.speaker = &found->second, .subprotocol = name};
            }
        }
        return WebSocketWelcome{.speaker = &found->second};
    }

    std::map<std::string, Speaker> speakers;
};

class WebSocketSession : public ::testing::Test {
protected:
    WebSocketSession() {
        const std::pair<std::string, Habit> all[] = {{"/$iothub/websocket", Habit::echo},
                                                     {"/", Habit::echo},
                                                     {"/tell", Habit::tell},
                                                     {"/large", Habit::large},
                                                     {"/duplex", Habit::duplex},
                                                     {"/interrupt", Habit::interrupt},
                                                     {"/cut", Habit::cut},
                                                     {"/fail", Habit::fail}};
        for (const auto& [path, habit] : all) {
            handler_.speakers.try_emplace(path, habit);
        }
    }
    ~WebSocketSession() override { stop(0ms); }

    void start() {
        const HandlerChoice choice = [this](const ConnectionFacts&) -> HttpHandler& {
            return handler_;
        };
        const TlsCredential credential{.chain_pem = test::self_signed("server").pem(),
                                       .key_pem = test::key_named("leaf of server").pem()};
        tls_ = TlsServer::make({credential}, metrics_).value();
        plain_door_ = std::make_unique<HttpDoor>(choice, clock_, metrics_, settings_);
        tls_door_ = std::make_unique<HttpDoor>(
            *tls_, [](std::string_view) { return true; }, choice, clock_, metrics_, settings_);
        plain_ = open("plain", *plain_door_);
        secure_ = open("tls", *tls_door_);
        runtime_.start();
        started_ = true;
    }
    void stop(std::chrono::milliseconds drain_time) {
        if (std::exchange(started_, false)) {
            runtime_.stop(drain_time);
            runtime_.wait();
        }
    }
    WireClient connect() const { return WireClient::to_port(plain_->address().port); }
    Speaker& speaker(const std::string& path) { return handler_.speakers.at(path); }
    /// One plain request and its answer.
    test::Answer answer_to(std::string_view wire) const {
        WireClient client = connect();
        client.send(wire);
        return test::AnswerReader(client).next();
    }

    HttpSettings settings_;
    std::unique_ptr<Listener> plain_;
    std::unique_ptr<Listener> secure_;
    Metrics metrics_;

private:
    std::unique_ptr<Listener> open(const std::string& name, ConnectionHandler& door) {
        const DoorSettings named{.name = name};
        const ListenAddress address{.host = "127.0.0.1"};
        return Listener::open(runtime_, address, named, door, metrics_).value();
    }

    SystemClock clock_;
    Welcoming handler_;
    std::unique_ptr<TlsServer> tls_;
    std::unique_ptr<HttpDoor> plain_door_;
    std::unique_ptr<HttpDoor> tls_door_;
    Runtime runtime_{2};
    bool started_ = false;
};

// --- handshakes ---

TEST_F(WebSocketSession, TakesTheHandshakesOfRealClients) {
    start();
    const std::string key = "Sec-WebSocket-Key: " + std::string(test::websocket_key) + "\r\n";
    const std::pair<std::string, std::string> rows[] = {
        // Node SDK
        {"GET /$iothub/websocket HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n" + key +
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: "
             "permessage-deflate; client_max_window_bits\r\nSec-WebSocket-Protocol: mqtt\r\n"
             "Host: dps.example\r\n\r\n",
         "mqtt"},
        // Python SDK
        {"GET /$iothub/websocket HTTP/1.1\r\nHost: dps.example:443\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\nSec-Websocket-Protocol: mqtt\r\n" +
             key + "Sec-Websocket-Version: 13\r\nOrigin: https://dps.example:443\r\n\r\n",
         "mqtt"},
        // C SDK
        {"GET /$iothub/websocket HTTP/1.1\r\nHost: dps.example:443\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\n" +
             key + "Sec-WebSocket-Protocol: MQTT\r\nSec-WebSocket-Version: 13\r\n\r\n",
         "MQTT"},
        // C# and Java SDKs
        {"GET / HTTP/1.1\r\nhost: dps.example\r\nconnection: keep-alive, upgrade\r\n"
         "upgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: amqp, "
         "Mqtt\r\n" +
             key + "\r\n",
         "Mqtt"},
    };
    for (const auto& [wire, subprotocol] : rows) {
        WireClient client = connect();
        WebSocketClient websocket(client);
        const std::string head = websocket.ask(wire);
        const std::string expected =
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            std::string(test::websocket_accept) + "\r\nSec-WebSocket-Protocol: " + subprotocol +
            "\r\n\r\n";
        EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\nDate: ")) << head;
        EXPECT_TRUE(head.ends_with("\r\n" + expected)) << head;
        websocket.send(binary("hello"));
        EXPECT_EQ(websocket.next_str(), "82 hello") << wire;
    }
    EXPECT_NE(metrics_.text().find("rollcall_http_answers_total{class=\"1xx\"} 4"),
              std::string::npos);
}

TEST_F(WebSocketSession, NamesNoSubprotocolWhereNoneIsChosen) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    EXPECT_EQ(websocket.ask(websocket_request("/")).find("Protocol:"), std::string::npos);
}

TEST_F(WebSocketSession, RefusesHandshakesInTheHandlersWords) {
    start();
    struct Refused {
        std::string from;
        std::string to;
        unsigned status;
        std::string body;
    };
    const Refused rows[] = {
        {"GET /", "POST /", 400, "malformed-websocket-handshake /"},
        {"Connection: Upgrade", "Connection: keep-alive", 400, "malformed-websocket-handshake /"},
        {"Sec-WebSocket-Key", "X-Key", 400, "malformed-websocket-handshake /"},
        {"dGhlIHNh", "dGhl", 400, "malformed-websocket-handshake /"},
        {"Version: 13", "Version: 8", 426, "unsupported-websocket-version /"},
    };
    for (const auto& [from, to, status, body] : rows) {
        std::string wire = websocket_request("/");
        wire.replace(wire.find(from), from.size(), to);
        WireClient client = connect();
        client.send(wire);
        const test::Answer answer = test::AnswerReader(client).next();
        EXPECT_EQ(answer.status, status) << to;
        EXPECT_EQ(answer.body, body) << to;
        EXPECT_TRUE(answer.says("Connection: close")) << to;
        EXPECT_EQ(answer.says("Sec-WebSocket-Version: 13"), status == 426) << to;
        EXPECT_EQ(answer.says("Upgrade: websocket"), status == 426) << to;
        EXPECT_TRUE(client.ended()) << to;
    }
    EXPECT_NE(metrics_.text().find("rollcall_http_protocol_refusals_total 5"), std::string::npos);
    EXPECT_EQ(speaker("/").open, 0);
}

TEST_F(WebSocketSession, LetsRequestsThatAreNotWelcomedBeRequests) {
    start();
    WireClient client = connect();
    test::AnswerReader answers(client);
    for (const std::string& wire :
         {websocket_request("/elsewhere"), std::string("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
          "GET / HTTP/1.0\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
              std::string(test::websocket_key) + "\r\n\r\n"}) {
        client.send(wire);
        const test::Answer answer = answers.next();
        EXPECT_EQ(answer.status, 200U) << wire;
        EXPECT_TRUE(answer.body.starts_with("GET /")) << wire;
    }
}

TEST_F(WebSocketSession, TurnsAnExceptionOfTheWelcomeIntoAnError) {
    start();
    EXPECT_EQ(answer_to(websocket_request("/throw")).status, 500U);
}

TEST_F(WebSocketSession, TakesWhatComesWithTheRequestForTheWebSocket) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    const std::string large(4'000, 'L');
    websocket.ask("GET /first HTTP/1.1\r\nHost: h\r\n\r\n" + websocket_request("/") +
                  binary("early") + binary(large).substr(0, 2'000));
    websocket.ask("");
    websocket.send(binary(large).substr(2'000));
    std::string echoed;
    while (echoed.size() < 5 + large.size()) {
        const auto frame = websocket.next();
        ASSERT_EQ(frame.first, 0x82U);
        echoed += frame.payload;
    }
    EXPECT_EQ(echoed, "early" + large);
}

// --- after them ---

TEST_F(WebSocketSession, ReadsBytesOneByOne) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    for (const char& c : binary("ab") + ping("p")) {
        websocket.send({&c, 1});
    }
    std::string echoed;
    std::string ponged;
    while (echoed.size() + ponged.size() < 3) {
        const auto frame = websocket.next();
        ASSERT_NE(frame.first, 0U);
        (frame.first == 0x82 ? echoed : ponged) += frame.payload;
    }
    EXPECT_EQ(echoed, "ab");
    EXPECT_EQ(ponged, "p");
}

TEST_F(WebSocketSession, SpeaksOverTls) {
    start();
    TlsClient client(secure_->address().port, {});
    WebSocketClient websocket(client);
    EXPECT_TRUE(websocket.ask(websocket_request("/tell")).starts_with("HTTP/1.1 101"));
    EXPECT_EQ(websocket.next_str(), "82 tls TLSv1.3 websocket");
    EXPECT_EQ(websocket.next_str(), "88 1000");
}

TEST_F(WebSocketSession, EndsWhenItsSpeakerLeaves) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/large"));
    EXPECT_EQ(websocket.next().payload, std::string(large_bytes, 'L'));
    EXPECT_EQ(websocket.next_str(), "88 1000");
    // It waits for our close, and takes what was on its way before.
    websocket.send(binary("on its way") + closing(1000));
    EXPECT_TRUE(client.ended());
}

TEST_F(WebSocketSession, EndsWhenTheClientCloses) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    websocket.send(closing(1000, "done"));
    EXPECT_EQ(websocket.next_str(), "88 1000");
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(speaker("/").ended(), "end");
}

TEST_F(WebSocketSession, EndsWhenTheClientVanishes) {
    start();
    {
        WireClient client = connect();
        WebSocketClient websocket(client);
        websocket.ask(websocket_request("/"));
        websocket.send(binary("half a message").substr(0, 10));
    }
    EXPECT_NE(speaker("/").ended(), "goes on");
    while (plain_->connections() > 0) {
        std::this_thread::sleep_for(1ms);
    }
}

TEST_F(WebSocketSession, GetsItsRefusalThroughToAClientThatIsStillSending) {
    settings_.websocket_message_bytes_max = 1'000;
    start();
    const std::pair<std::string, std::string> rows[] = {
        {binary(std::string(300'000, 'x')), "88 1009"},
        {test::client_frame(0x81, std::string(300'000, 'x')), "88 1003"},
        {test::client_frame(0xf2, std::string(300'000, 'x')), "88 1002"},
    };
    for (const auto& [wire, answer] : rows) {
        WireClient client = connect();
        WebSocketClient websocket(client);
        websocket.ask(websocket_request("/"));
        websocket.send(wire);
        EXPECT_EQ(websocket.next_str(), answer);
        EXPECT_NE(speaker("/").ended(), "end");
    }
}

TEST_F(WebSocketSession, TakesMessagesUpToItsBound) {
    settings_.websocket_message_bytes_max = 1'000;
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    websocket.send(binary(std::string(1'000, 'x')));
    EXPECT_EQ(websocket.next().payload.front(), 'x');
}

TEST_F(WebSocketSession, KeepsFramesWholeWhenReadingAndWritingMeet) {
    start();
    WireClient client = connect();
    client.keep_little_unread();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/duplex"));
    int messages = 0;
    int pongs = 0;
    for (int i = 0; messages < duplex_messages; ++i) {
        websocket.send(ping(std::to_string(i)));
        const auto frame = websocket.next();
        ASSERT_TRUE(frame.first == 0x82 || frame.first == 0x8a) << frame.first;
        if (frame.first == 0x82) {
            EXPECT_EQ(frame.payload, std::string(large_bytes, static_cast<char>('A' + messages++)));
        } else {
            ++pongs;
        }
    }
    while (pongs == 0) {  // each ping is answered, if only after the last message
        ASSERT_EQ(websocket.next().first, 0x8a);
        ++pongs;
    }
    websocket.send(closing(1000));
    auto last = websocket.next();
    while (last.first == 0x8a) {
        last = websocket.next();
    }
    EXPECT_EQ(last.str(), "88 1000");
}

TEST_F(WebSocketSession, IsNoConcernOfTheHttpDeadlines) {
    settings_.request_time = 40ms;
    settings_.idle_time = 40ms;
    settings_.answer_time = 40ms;
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    std::this_thread::sleep_for(150ms);
    websocket.send(binary("still there"));
    EXPECT_EQ(websocket.next_str(), "82 still there");
}

TEST_F(WebSocketSession, MaySpeakAfterAnInterruptedRead) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/interrupt"));
    EXPECT_EQ(websocket.next_str(), "82 late");
    EXPECT_EQ(websocket.next_str(), "88 1000");
    EXPECT_EQ(speaker("/interrupt").ended(), "deadline");
}

TEST_F(WebSocketSession, IsClosedBySpeakers) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/cut"));
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(speaker("/cut").ended(), "unavailable");
}

TEST_F(WebSocketSession, OutlivesASpeakerThatThrows) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/fail"));
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(answer_to("GET /after HTTP/1.1\r\nHost: h\r\n\r\n").status, 200U);
}

// --- shutting down ---

TEST_F(WebSocketSession, SaysThatTheServerGoesWhenDrained) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    websocket.send(binary("x"));
    EXPECT_EQ(websocket.next_str(), "82 x");
    std::thread stopping([this] { stop(1h); });  // would hang if somebody waited for the idle one
    EXPECT_EQ(websocket.next_str(), "88 1001");
    websocket.send(closing(1001));
    EXPECT_TRUE(client.ended());
    stopping.join();
    EXPECT_EQ(speaker("/").ended(), "deadline");
}

TEST_F(WebSocketSession, DoesNotWaitLongForAClientThatDoesNotClose) {
    start();
    WireClient client = connect();
    WebSocketClient websocket(client);
    websocket.ask(websocket_request("/"));
    websocket.send(binary("x"));
    EXPECT_EQ(websocket.next_str(), "82 x");
    stop(1h);
    EXPECT_EQ(websocket.next_str(), "88 1001");
}

TEST_F(WebSocketSession, BeginsNoWebSocketWhileDraining) {
    start();
    WireClient idle = connect();  // keeps a request under way, so that its session stays
    const std::string wire = websocket_request("/");
    idle.send(wire.substr(0, 40));
    while (plain_->connections() == 0) {
        std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(50ms);
    std::thread stopping([this] { stop(1h); });
    while (connect().connected()) {
        std::this_thread::sleep_for(1ms);
    }
    idle.send(wire.substr(40));
    const test::Answer answer = test::AnswerReader(idle).next();
    stopping.join();
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(speaker("/").open, 0);
}

}  // namespace
}  // namespace rollcall::net
