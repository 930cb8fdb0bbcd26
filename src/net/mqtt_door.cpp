// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_door.hpp"

#include "base/limits.hpp"
#include "net/deadline.hpp"

#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace rollcall::net {
namespace {

using mqtt::ConnectAnswer;

/// Where all sessions of a thread read into; used up before the next co_await.
std::span<std::uint8_t> scratch() {
    thread_local std::array<std::uint8_t, 16 * 1024> bytes;
    return bytes;
}

}  // namespace

struct MqttDoor::Held {
    Held(MqttHandler& handler_, Metrics& metrics, const MqttSettings& settings_)
        : handler(handler_),
          settings(settings_),
          accepted(metrics.counter("rollcall_mqtt_connects_total", "MQTT CONNECTs, by outcome.",
                                   {{"outcome", "accepted"}})),
          refused(metrics.counter("rollcall_mqtt_connects_total", "MQTT CONNECTs, by outcome.",
                                  {{"outcome", "refused"}})),
          broken(metrics.counter("rollcall_mqtt_protocol_refusals_total",
                                 "MQTT connections closed because a rule was broken.")) {}

    MqttHandler& handler;
    const MqttSettings settings;
    Counter& accepted;
    Counter& refused;
    Counter& broken;
};

namespace {

/// One connection: reads, asks the conversation, writes.
class MqttConnection final : public Resident, public MqttPeer {
public:
    MqttConnection(Core& core, Stream& stream, MqttDoor::Held& door)
        : Resident(core),
          core_(core),
          stream_(stream),
          door_(door),
          deadline_(core, stream),
          session_(door.settings.session) {}

    /// false: the stream counted and logged why.
    Task<bool> shake_hands();
    Task<void> run();

    // --- Resident ---
    void drain() override {
        gracefully_ = true;  // the client did nothing wrong
        draining_ = true;
        stream_.interrupt_read();
    }
    void close() override {
        closing_ = true;
        stream_.close();
    }

    // --- MqttPeer ---
    const ConnectionFacts& facts() const override { return stream_.facts(); }
    asio::any_io_executor executor() override { return core_.context().get_executor(); }
    void acknowledge(const mqtt::Publish& publish) override {
        if (publish.id != 0) {
            session_.acknowledge(publish.id);
        }
    }
    void grant(mqtt::PacketId id, const std::vector<std::optional<mqtt::Qos>>& granted) override {
        session_.grant(id, granted);
    }
    void release(mqtt::PacketId id) override { session_.release(id); }
    void publish(mqtt::Outgoing message) override {
        if (const auto queued = session_.publish(std::move(message)); !queued) {
            refuse(queued.error());
        }
    }
    void wake() override {
        if (!std::exchange(woken_, true)) {
            stream_.interrupt_read();
        }
    }
    void end_in(std::chrono::milliseconds time) override {
        ends_by_silence_ = false;
        deadline_.arm(time, Deadline::Then::close);
    }
    void end_by_silence() override {
        ends_by_silence_ = true;
        heard();
    }
    void end_at_latest_in(std::chrono::milliseconds time) override {
        lifetime_.emplace(core_, stream_);
        lifetime_->arm(time, Deadline::Then::close);
    }

private:
    using Publishes = std::vector<mqtt::Publish>;

    Task<void> converse();
    Task<bool> take_events();
    Task<Result<Done>> take(const mqtt::Event& event);
    Task<Result<Done>> open(const mqtt::Connect& connect);
    Task<Result<Done>> hand_over(Publishes& publishes);
    void heard();
    void refuse(const Error& why);
    Task<void> write_much();
    Task<void> write_out();
    Task<void> say_goodbye();

    Core& core_;
    Stream& stream_;
    MqttDoor::Held& door_;
    Deadline deadline_;
    std::optional<Deadline> lifetime_;  ///< of few connections
    mqtt::Session session_;
    std::unique_ptr<MqttConversation> conversation_;
    bool ends_by_silence_ = false;
    bool woken_ = false;
    bool closing_ = false;
    bool draining_ = false;
    bool gracefully_ = false;
};

Task<bool> MqttConnection::shake_hands() {
    deadline_.arm(door_.settings.handshake_time, Deadline::Then::close);
    const auto opened = co_await stream_.open();
    co_return opened.has_value();
}

Task<void> MqttConnection::run() {
    deadline_.arm(door_.settings.connect_time, Deadline::Then::close);
    try {
        co_await converse();
    } catch (const std::exception& exception) {
        log_event(Severity::error, "mqtt-conversation-failed",
                  {{"door", stream_.facts().door}, {"note", exception.what()}});
    }
    if (conversation_) {
        co_await conversation_->ended(gracefully_);
        conversation_.reset();
    }
    co_await say_goodbye();
}

/// Until the connection has to end.
Task<void> MqttConnection::converse() {
    for (;;) {
        bool goes_on = false;
        if (!closing_) {
            goes_on = co_await take_events();
        }
        co_await write_out();
        if (!goes_on || closing_ || draining_) {
            co_return;
        }
        const auto got = co_await stream_.read_some(scratch());
        if (!got && got.error().kind == ErrorKind::deadline && woken_ && conversation_) {
            woken_ = false;
            const auto done = co_await conversation_->woken();
            if (!done) {
                refuse(done.error());
            }
            continue;
        }
        if (!got || *got == 0) {
            co_return;
        }
        if (ends_by_silence_) {
            heard();
        }
        session_.received(scratch().first(*got));
    }
}

/// Everything that has come whole. Publishes that follow one another are handed over together: one
/// write to the disk for all of them.
Task<bool> MqttConnection::take_events() {
    Publishes publishes;
    for (;;) {
        auto event = session_.next();
        const bool another = event && *event;
        const bool publish_came = another && std::holds_alternative<mqtt::Publish>(**event);
        if (publish_came) {
            publishes.push_back(std::move(std::get<mqtt::Publish>(**event)));
            if (publishes.size() < limits::mqtt_batch_max) {
                continue;
            }
        }
        const auto handed = co_await hand_over(publishes);
        if (!handed) {
            refuse(handed.error());
            co_return false;
        }
        if (!event) {
            refuse(event.error());
            co_return false;
        }
        if (!another) {
            co_return true;
        }
        if (!publish_came) {
            const mqtt::Event next = **std::move(event);
            const auto taken = co_await take(next);
            if (!taken) {
                refuse(taken.error());
                co_return false;
            }
        }
        co_await write_much();
        if (gracefully_ || closing_ || !session_.connected()) {
            co_return false;
        }
    }
}

/// Who asks for much at once is answered in parts: only a client that does not read is too slow.
Task<void> MqttConnection::write_much() {
    if (session_.outgoing_bytes() > limits::mqtt_outgoing_bytes_max / 4) {
        co_await write_out();
    }
}

Task<Result<Done>> MqttConnection::hand_over(Publishes& publishes) {
    if (publishes.empty()) {
        co_return Done{};
    }
    const auto taken = co_await conversation_->published(publishes);
    publishes.clear();
    co_return taken;
}

Task<Result<Done>> MqttConnection::take(const mqtt::Event& event) {
    if (const auto* const connect = std::get_if<mqtt::Connect>(&event)) {
        co_return co_await open(*connect);
    }
    if (const auto* const subscribe = std::get_if<mqtt::Subscribe>(&event)) {
        co_return co_await conversation_->subscribed(*subscribe);
    }
    if (const auto* const unsubscribe = std::get_if<mqtt::Unsubscribe>(&event)) {
        co_return co_await conversation_->unsubscribed(*unsubscribe);
    }
    if (const auto* const acknowledged = std::get_if<mqtt::Acknowledged>(&event)) {
        co_return co_await conversation_->acknowledged(acknowledged->token);
    }
    gracefully_ = true;
    co_return Done{};
}

Task<Result<Done>> MqttConnection::open(const mqtt::Connect& connect) {
    auto welcome = co_await door_.handler.welcome(connect, *this);
    if (!welcome.conversation) {
        door_.refused.add();
        session_.refuse(welcome.refusal);
        co_return Done{};
    }
    door_.accepted.add();
    conversation_ = std::move(welcome.conversation);
    session_.accept(welcome.session_present);
    end_by_silence();
    co_return co_await conversation_->begin();
}

void MqttConnection::heard() {
    deadline_.arm(session_.silence_max(door_.settings.keep_alive_max), Deadline::Then::close);
}

void MqttConnection::refuse(const Error& why) {
    door_.broken.add();
    log_event(Severity::debug, "mqtt-connection-refused",
              {{"door", stream_.facts().door},
               {"peer", stream_.facts().peer_address},
               {"reason", why.reason},
               {"detail", why.detail}});
    closing_ = true;
}

/// What gathered, while nothing is read: a client that does not read is not listened to either.
Task<void> MqttConnection::write_out() {
    while (session_.has_outgoing()) {
        const std::string bytes = session_.take_outgoing();
        const auto written = co_await stream_.write(as_bytes(bytes));
        if (!written) {
            close();
            co_return;
        }
    }
}

Task<void> MqttConnection::say_goodbye() {
    constexpr std::chrono::seconds patience{2};
    deadline_.arm(patience, Deadline::Then::close);
    if (closing_) {
        stream_.close();
    }
    const auto told = co_await stream_.shutdown();
    static_cast<void>(told);  // nothing follows that could depend on it
}

/// Owns the stream of one session.
Task<void> serve_stream(Core& core, std::unique_ptr<Stream> stream, MqttDoor::Held& door) {
    MqttConnection connection(core, *stream, door);
    const bool open = co_await connection.shake_hands();
    if (open) {
        co_await connection.run();
    }
}

}  // namespace

MqttDoor::MqttDoor(TlsServer& tls, MqttHandler& handler, Metrics& metrics,
                   const MqttSettings& settings)
    : ask_([](std::string_view) { return true; }),
      tls_(tls),
      held_(std::make_unique<Held>(handler, metrics, settings)) {}

MqttDoor::~MqttDoor() = default;

Task<void> MqttDoor::serve(Core& core, AcceptedSocket socket) {
    auto stream = tls_.stream(core, std::move(socket), ask_);
    return serve_stream(core, std::move(stream), *held_);
}

Task<void> MqttDoor::serve(Core& core, Stream& stream) {
    MqttConnection connection(core, stream, *held_);
    co_await connection.run();
}

}  // namespace rollcall::net
