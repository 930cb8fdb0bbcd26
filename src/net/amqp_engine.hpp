// SPDX-License-Identifier: Apache-2.0
// The AMQP 1.0 conversation of one client as a state machine, the server's side: bytes and the
// front's decisions go in, events for the front and bytes for the client come out. No sockets, no
// clock, no devices. It polices order, windows, credit and bounds; which addresses there are is the
// front's to say. net/amqp_door drives it on a Stream. Why it is not a library's:
// docs/decisions/amqp-engine.md.
#pragma once

#include "base/limits.hpp"
#include "net/amqp_performative.hpp"
#include "net/amqp_sasl.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::net::amqp {

/// Bounds of a connection; tests inject small ones.
struct EngineBounds {
    std::size_t frame_bytes_max = limits::amqp_frame_bytes_max;
    std::size_t first_frame_bytes_max = limits::amqp_first_frame_bytes_max;
    std::size_t partial_bytes_max = limits::amqp_partial_bytes_max;
    std::size_t sessions_max = limits::amqp_sessions_max;
    std::size_t links_max = limits::amqp_links_max;
    std::size_t refused_links_max = limits::amqp_refused_links_max;
    std::uint32_t session_window = limits::amqp_session_window;
    std::size_t unsettled_max = limits::amqp_unsettled_max;
    std::size_t outgoing_bytes_max = limits::amqp_outgoing_bytes_max;
    std::chrono::milliseconds idle_time_min = limits::amqp_idle_time_min;
    std::chrono::milliseconds silence_max = limits::amqp_silence_max;
    std::chrono::milliseconds transfer_time_max = limits::amqp_transfer_time_max;
    std::chrono::milliseconds pulse = limits::amqp_pulse;
};

/// Never used twice in a connection.
using LinkId = std::uint32_t;

/// A client attaches. Answered with accept() or refuse() before the next event is asked for.
struct LinkOffered {
    LinkId link = 0;
    Attach attach{};
    bool operator==(const LinkOffered&) const = default;
};

/// What settle() needs to know of a message that came.
struct DeliveryId {
    LinkId link = 0;
    std::uint16_t channel = 0;
    std::uint32_t number = 0;
    bool settled = false;  ///< by the client: it wants no answer
    bool operator==(const DeliveryId&) const = default;
};

/// A whole message. Is settled by the front, also where the client wants no answer: only then may
/// another one come.
struct Delivered {
    DeliveryId id{};
    std::uint32_t format = 0;
    std::string message{};
    bool operator==(const Delivered&) const = default;
};

/// What became of a message that was sent unsettled.
struct Settled {
    LinkId link = 0;
    std::uint64_t token = 0;
    Outcome outcome = Outcome::none;
    bool operator==(const Settled&) const = default;
};

/// The client detached, or did what ends a link.
struct LinkGone {
    LinkId link = 0;
    bool operator==(const LinkGone&) const = default;
};

/// The client closed the connection.
struct Ended {
    bool operator==(const Ended&) const = default;
};

using Event = std::variant<LinkOffered, Delivered, Settled, LinkGone, Ended>;

/// What a front lets a client do on a link on which it sends. Where it receives, the bound is told
/// for its own sake.
struct LinkGrant {
    std::uint64_t message_bytes_max = limits::amqp_message_bytes_max;
    std::uint32_t credit = limits::amqp_credit;
};

class Engine {
public:
    explicit Engine(const EngineBounds& bounds) : bounds_(bounds) {}

    // --- What came ---
    void received(ByteView bytes) { reader_.feed(bytes); }

    /// The next event; none while more bytes are needed. After an error nothing more may be asked:
    /// what is outgoing is sent, it tells the client why, and the connection closed. The error's
    /// reason is the condition told.
    Result<std::optional<Event>> next();

    /// To be called every pulse(): says to the client that we are there, and finds out whether it
    /// still is. Errors as next().
    Result<Done> ticked();
    std::chrono::milliseconds pulse() const;

    /// Of SASL PLAIN. Nothing was judged.
    const std::optional<PlainCredential>& credential() const { return credential_; }
    /// open was exchanged, and close not.
    bool running() const { return phase_ == Phase::running; }
    bool closed() const { return phase_ == Phase::closed; }

    // --- The front's decisions ---
    void accept(LinkId link, const LinkGrant& grant);
    void refuse(LinkId link, const Condition& why);
    void detach(LinkId link, const Condition& why);
    void settle(const DeliveryId& delivery, Outcome outcome, const Condition& why = {});
    /// Queues a message for a link on which the client receives; nothing when that is gone. Comes
    /// back as Settled with its token where neither side wants it settled at once. resource_limit
    /// beyond outgoing_bytes_max: close.
    Result<Done> send(LinkId link, std::string message, bool settled, std::uint64_t token = 0);
    /// Nothing more is taken or told afterwards.
    void close(const Condition& why);

    // --- What goes out ---
    bool has_outgoing() const { return !outgoing_.empty(); }
    std::size_t outgoing_bytes() const { return outgoing_.size(); }
    std::string take_outgoing() { return std::exchange(outgoing_, {}); }

private:
    enum class Phase : std::uint8_t { header, sasl, header_again, open, running, closed };

    struct Session {
        std::uint16_t channel = 0;
        std::uint32_t next_incoming_id = 0;
        std::uint32_t incoming_window = 0;
        std::uint32_t next_outgoing_id = 0;
        std::uint32_t next_delivery_id = 0;
        std::uint32_t remote_window = 0;
        std::uint32_t handle_max = 0;
    };

    /// A message of which not all frames have come.
    struct Partial {
        std::uint32_t number = 0;
        std::uint32_t format = 0;
        bool settled = false;
        int pulses = 0;  ///< without a further frame
        std::string bytes{};
    };

    struct Waiting {
        std::string message{};
        bool settled = false;
        std::uint64_t token = 0;
    };

    struct Link {
        enum class State : std::uint8_t { offered, open, closing };

        LinkId id = 0;
        std::uint16_t channel = 0;
        std::uint32_t handle = 0;  ///< the same number for both sides
        State state = State::offered;
        Attach attach{};  ///< as the client said it; name and properties until it is answered
        std::uint32_t delivery_count = 0;
        std::uint32_t credit = 0;

        // The client sends.
        LinkGrant grant{};
        std::uint32_t unsettled = 0;  ///< with the front
        std::optional<Partial> partial{};

        // The client receives. Allocated while something waits: an empty deque is half a kilobyte.
        std::optional<std::deque<Waiting>> waiting{};
        std::size_t sent_bytes = 0;  ///< of the first that waits
        std::uint32_t number = 0;    ///< its delivery id, once a frame of it was sent
        bool drain = false;
    };

    struct Unsettled {
        std::uint16_t channel = 0;
        std::uint32_t number = 0;
        LinkId link = 0;
        std::uint64_t token = 0;
    };

    // amqp_engine.cpp: the connection and its sessions
    Result<bool> advance();
    Result<bool> take_header();
    Result<bool> take_sasl();
    Result<bool> take_frame();
    Result<Done> take(std::uint16_t channel, Performative& performative);
    Result<Done> opened(const Open& open);
    Result<Done> begun(std::uint16_t channel, const Begin& begin);
    Result<Done> ended(Session& session);
    Error fail(std::string_view condition, std::string detail);
    Error fail(const Error& error);
    Session* session_of(std::uint16_t channel);
    Link* link_of(std::uint16_t channel, std::uint32_t handle);
    Link* link_of(LinkId id);
    void put(std::uint16_t channel, const Performative& performative,
             std::string_view payload = {});

    // amqp_links.cpp: links, messages and credit
    Result<Done> attached(Session& session, Attach& attach);
    Result<Done> flowed(Session& session, const Flow& flow);
    Result<Done> transferred(Session& session, Transfer& transfer);
    Result<Done> take_part(Link& link, Transfer& transfer);
    Result<Done> disposed(const Session& session, const Disposition& disposition);
    Result<Done> detached(Session& session, const Detach& detach);
    void give_credit(Session& session, Link& link);
    void tell_flow(const Session& session, const Link* link);
    void break_link(Link& link, std::string_view condition, std::string detail);
    void forget_messages(Link& link);
    void remove(LinkId id);
    std::size_t partial_bytes() const;
    void pump();
    bool pump_frame(Session& session, Link& link);

    EngineBounds bounds_;
    FrameReader reader_;
    Phase phase_ = Phase::header;
    bool said_open_ = false;
    std::optional<PlainCredential> credential_;
    Open peer_;
    std::vector<Session> sessions_;
    std::vector<Link> links_;
    LinkId last_link_ = 0;
    std::size_t refused_links_ = 0;
    std::vector<Unsettled> unsettled_;
    std::size_t waiting_bytes_ = 0;
    std::vector<Event> events_;  ///< in order; taken from the front
    std::string outgoing_;
    bool heard_ = false;
    int silent_pulses_ = 0;
    int mute_pulses_ = 0;
};

}  // namespace rollcall::net::amqp
