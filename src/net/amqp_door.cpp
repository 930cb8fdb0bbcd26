// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_door.hpp"

#include "net/deadline.hpp"

#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace rollcall::net {

struct AmqpDoor::Held {
    Held(AmqpHandler& handler_, Metrics& metrics, const AmqpSettings& settings_)
        : handler(handler_),
          settings(settings_),
          accepted(metrics.counter("rollcall_amqp_first_links_total",
                                   "First links of AMQP connections, by outcome.",
                                   {{"outcome", "accepted"}})),
          refused(metrics.counter("rollcall_amqp_first_links_total",
                                  "First links of AMQP connections, by outcome.",
                                  {{"outcome", "refused"}})),
          broken(metrics.counter("rollcall_amqp_protocol_refusals_total",
                                 "AMQP connections closed because a rule was broken.")) {}

    AmqpHandler& handler;
    const AmqpSettings settings;
    Counter& accepted;
    Counter& refused;
    Counter& broken;
};

namespace {

constexpr std::chrono::seconds patience{2};  ///< for a client that is told goodbye

/// Where all sessions of a thread read into; used up before the next co_await.
std::span<std::uint8_t> scratch() {
    thread_local std::array<std::uint8_t, 16 * 1024> bytes;
    return bytes;
}

/// One connection: reads, asks the conversation, writes.
class AmqpConnection final : public Resident, public AmqpPeer {
public:
    AmqpConnection(Core& core, Stream& stream, AmqpDoor::Held& door)
        : Resident(core),
          core_(core),
          stream_(stream),
          door_(door),
          life_(core, stream),
          pulse_(core, stream),
          engine_(door.settings.engine) {}

    /// false: the stream counted and logged why.
    Task<bool> shake_hands();
    Task<void> run();

    // --- Resident ---
    void drain() override {
        amqp::Condition going;
        going.name = amqp::condition::forced;
        going.description = "the server goes down";
        close(going);
    }
    void close() override {
        closing_ = true;
        stream_.close();
    }

    // --- AmqpPeer ---
    const ConnectionFacts& facts() const override { return stream_.facts(); }
    const std::optional<amqp::PlainCredential>& credential() const override {
        return engine_.credential();
    }
    asio::any_io_executor executor() override { return core_.context().get_executor(); }
    void accept(amqp::LinkId link, const amqp::LinkGrant& grant) override {
        engine_.accept(link, grant);
    }
    void refuse(amqp::LinkId link, const amqp::Condition& why) override {
        engine_.refuse(link, why);
    }
    void detach(amqp::LinkId link, const amqp::Condition& why) override {
        engine_.detach(link, why);
    }
    void settle(const amqp::DeliveryId& delivery, amqp::Outcome outcome,
                const amqp::Condition& why) override {
        engine_.settle(delivery, outcome, why);
    }
    void send(amqp::LinkId link, std::string message, bool settled, std::uint64_t token) override {
        if (const auto queued = engine_.send(link, std::move(message), settled, token); !queued) {
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
        life_.arm(time, Deadline::Then::close);
    }
    void end_by_silence() override {
        ends_by_silence_ = true;
        life_.disarm();
    }
    void end_at_latest_in(std::chrono::milliseconds time) override {
        lifetime_.emplace(core_, stream_);
        lifetime_->arm(time, Deadline::Then::close);
    }
    void close(const amqp::Condition& why) override {
        engine_.close(why);
        closing_ = true;
        ends_by_silence_ = false;
        life_.arm(patience, Deadline::Then::close);
        stream_.interrupt_read();
    }

private:
    using Deliveries = std::vector<amqp::Delivered>;

    Task<void> converse();
    Task<bool> take_events();
    Task<Result<Done>> take(const amqp::Event& event);
    Task<Result<Done>> open(const amqp::LinkOffered& offer);
    Task<Result<Done>> hand_over(Deliveries& deliveries);
    Task<bool> interrupted();
    void look_at_phase();
    void refuse(const Error& why);
    Task<void> write_out();
    Task<void> say_goodbye();

    Core& core_;
    Stream& stream_;
    AmqpDoor::Held& door_;
    Deadline life_;                     ///< ends everything
    Deadline pulse_;                    ///< for the engine's ticks
    std::optional<Deadline> lifetime_;  ///< of few connections
    amqp::Engine engine_;
    std::unique_ptr<AmqpConversation> conversation_;
    bool ends_by_silence_ = false;
    bool opened_ = false;
    bool woken_ = false;
    bool closing_ = false;
};

Task<bool> AmqpConnection::shake_hands() {
    life_.arm(door_.settings.handshake_time, Deadline::Then::close);
    const auto opened = co_await stream_.open();
    co_return opened.has_value();
}

Task<void> AmqpConnection::run() {
    life_.arm(door_.settings.connect_time, Deadline::Then::close);
    try {
        co_await converse();
    } catch (const std::exception& exception) {
        log_event(Severity::error, "amqp-conversation-failed",
                  {{"door", stream_.facts().door}, {"note", exception.what()}});
    }
    if (conversation_) {
        co_await conversation_->ended();
        conversation_.reset();
    }
    co_await say_goodbye();
}

/// Until the connection has to end.
Task<void> AmqpConnection::converse() {
    for (;;) {
        bool goes_on = false;
        if (!closing_) {
            goes_on = co_await take_events();
        }
        co_await write_out();
        if (!goes_on || closing_ || engine_.closed()) {
            co_return;
        }
        look_at_phase();
        const auto got = co_await stream_.read_some(scratch());
        if (!got && got.error().kind == ErrorKind::deadline) {
            const bool lives = co_await interrupted();
            if (lives) {
                continue;
            }
            co_await write_out();
            co_return;
        }
        if (!got || *got == 0) {
            co_return;
        }
        engine_.received(scratch().first(*got));
    }
}

/// Once open was exchanged, there is time for the first link, and the engine is told of the time.
void AmqpConnection::look_at_phase() {
    if (!opened_ && engine_.running()) {
        opened_ = true;
        pulse_.arm(engine_.pulse(), Deadline::Then::interrupt_read);
        if (!conversation_) {
            life_.arm(door_.settings.linkless_time, Deadline::Then::close);
        }
    }
}

/// The read was ended: the engine's time has come, somebody wants something done, or both.
Task<bool> AmqpConnection::interrupted() {
    if (closing_) {
        co_return false;
    }
    if (opened_ && pulse_.passed()) {
        pulse_.arm(engine_.pulse(), Deadline::Then::interrupt_read);
        if (const auto ticked = engine_.ticked(); !ticked) {
            refuse(ticked.error());
            co_return false;
        }
    }
    if (std::exchange(woken_, false) && conversation_) {
        const auto done = co_await conversation_->woken();
        if (!done) {
            refuse(done.error());
            co_return false;
        }
    }
    co_return true;
}

/// Everything that has come whole. Messages that follow one another are handed over together: one
/// write to the disk for all of them.
Task<bool> AmqpConnection::take_events() {
    Deliveries deliveries;
    for (;;) {
        auto event = engine_.next();
        const bool another = event && *event;
        const bool message_came = another && std::holds_alternative<amqp::Delivered>(**event);
        if (message_came) {
            deliveries.push_back(std::move(std::get<amqp::Delivered>(**event)));
            if (deliveries.size() < limits::amqp_together_max) {
                continue;
            }
        }
        const auto handed = co_await hand_over(deliveries);
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
        if (!message_came) {
            const amqp::Event next = **std::move(event);
            const auto taken = co_await take(next);
            if (!taken) {
                refuse(taken.error());
                co_return false;
            }
        }
        // Who asks for much at once is answered in parts: only who does not read is too slow.
        if (engine_.outgoing_bytes() > limits::amqp_outgoing_bytes_max / 4) {
            co_await write_out();
        }
        if (closing_) {
            co_return false;
        }
    }
}

Task<Result<Done>> AmqpConnection::hand_over(Deliveries& deliveries) {
    if (deliveries.empty() || !conversation_) {
        co_return Done{};
    }
    const auto taken = co_await conversation_->delivered(deliveries);
    deliveries.clear();
    co_return taken;
}

Task<Result<Done>> AmqpConnection::take(const amqp::Event& event) {
    if (const auto* const offer = std::get_if<amqp::LinkOffered>(&event)) {
        co_return co_await open(*offer);
    }
    if (!conversation_) {
        co_return Done{};
    }
    if (const auto* const settled = std::get_if<amqp::Settled>(&event)) {
        co_return co_await conversation_->settled(*settled);
    }
    if (const auto* const gone = std::get_if<amqp::LinkGone>(&event)) {
        co_return co_await conversation_->gone(gone->link);
    }
    co_return Done{};
}

Task<Result<Done>> AmqpConnection::open(const amqp::LinkOffered& offer) {
    if (!conversation_) {
        conversation_ = co_await door_.handler.welcome(offer, *this);
        (conversation_ ? door_.accepted : door_.refused).add();
        if (!conversation_) {
            co_return Done{};
        }
    }
    co_return co_await conversation_->offered(offer);
}

void AmqpConnection::refuse(const Error& why) {
    door_.broken.add();
    log_event(Severity::debug, "amqp-connection-refused",
              {{"door", stream_.facts().door},
               {"peer", stream_.facts().peer_address},
               {"reason", why.reason},
               {"detail", why.detail}});
    close(condition_of(why));
}

/// What gathered, while nothing is read: a client that does not read is not listened to either.
Task<void> AmqpConnection::write_out() {
    while (engine_.has_outgoing()) {
        if (ends_by_silence_) {
            life_.arm(door_.settings.answer_time, Deadline::Then::close);
        }
        const std::string bytes = engine_.take_outgoing();
        const auto written = co_await stream_.write(as_bytes(bytes));
        if (!written) {
            close();
            co_return;
        }
        if (ends_by_silence_) {
            life_.disarm();
        }
    }
}

/// What it still sends is read and dropped for a while: a connection closed on unread bytes is
/// reset, and the client would not see why.
Task<void> AmqpConnection::say_goodbye() {
    life_.arm(patience, Deadline::Then::close);
    const auto told = co_await stream_.shutdown();
    while (told) {
        const auto got = co_await stream_.read_some(scratch());
        const bool goes_on = got ? *got > 0 : got.error().kind == ErrorKind::deadline;
        if (!goes_on) {
            co_return;
        }
    }
}

/// Owns the stream of one session.
Task<void> serve_stream(Core& core, std::unique_ptr<Stream> stream, AmqpDoor::Held& door) {
    AmqpConnection connection(core, *stream, door);
    const bool open = co_await connection.shake_hands();
    if (open) {
        co_await connection.run();
    }
}

}  // namespace

amqp::Condition condition_of(const Error& error) {
    amqp::Condition told;
    told.description = error.detail;
    switch (error.kind) {
        case ErrorKind::unauthenticated:
        case ErrorKind::attestation_failed:
        case ErrorKind::forbidden: told.name = amqp::condition::unauthorized; break;
        case ErrorKind::too_large: told.name = amqp::condition::message_size; break;
        case ErrorKind::not_found: told.name = amqp::condition::not_found; break;
        case ErrorKind::throttled: told.name = amqp::condition::throttled; break;
        case ErrorKind::unsupported: told.name = amqp::condition::not_implemented; break;
        case ErrorKind::malformed:
            told.name = error.reason.find(':') != std::string::npos
                            ? error.reason
                            : std::string{amqp::condition::argument_error};
            break;
        default:  // our own trouble; its words are for the log
            told.name = amqp::condition::forced;
            told.description = "the service is busy or away for a moment; try again";
            break;
    }
    return told;
}

AmqpDoor::AmqpDoor(TlsServer& tls, AmqpHandler& handler, Metrics& metrics,
                   const AmqpSettings& settings)
    : ask_([](std::string_view) { return true; }),
      tls_(tls),
      held_(std::make_unique<Held>(handler, metrics, settings)) {}

AmqpDoor::~AmqpDoor() = default;

Task<void> AmqpDoor::serve(Core& core, AcceptedSocket socket) {
    auto stream = tls_.stream(core, std::move(socket), ask_);
    return serve_stream(core, std::move(stream), *held_);
}

Task<void> AmqpDoor::serve(Core& core, Stream& stream) {
    AmqpConnection connection(core, stream, *held_);
    co_await connection.run();
}

}  // namespace rollcall::net
