// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_engine.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::net::amqp {
namespace {

constexpr std::string_view container_id = "rollcall";
/// Every peer takes frames of this size (part 2.4.1).
constexpr std::uint32_t frame_bytes_min = 512;

/// MSSBCBS is ANONYMOUS with the promise of a token put to $cbs: the Azure SDK for C asks for it
/// and for nothing else when it has a symmetric key.
const std::vector<std::string_view>& mechanisms() {
    static const std::vector<std::string_view> names{"PLAIN", "EXTERNAL", "ANONYMOUS", "MSSBCBS"};
    return names;
}

}  // namespace

// --- The connection ------------------------------------------------------------------------------

Result<std::optional<Event>> Engine::next() {
    for (;;) {
        if (!events_.empty()) {
            Event event = std::move(events_.front());
            events_.erase(events_.begin());
            return std::optional{std::move(event)};
        }
        if (phase_ == Phase::closed) {
            return std::optional<Event>{};
        }
        pump();  // before each frame: what is sent does not depend on how bytes were cut
        TRY(const bool advanced, advance());
        if (!advanced) {
            return std::optional<Event>{};
        }
    }
}

/// false: more bytes are needed.
Result<bool> Engine::advance() {
    switch (phase_) {
        case Phase::header:
        case Phase::header_again: return take_header();
        case Phase::sasl: return take_sasl();
        default: return take_frame();
    }
}

/// Clients with a certificate come without SASL (spec/real-clients.md 1.6). To whom wants something
/// else is said what we speak.
Result<bool> Engine::take_header() {
    const auto header = reader_.header();
    if (!header) {
        return false;
    }
    if (*header == sasl_header && phase_ == Phase::header) {
        outgoing_.append(sasl_header);
        put_frame(outgoing_, FrameType::sasl, 0, offer_mechanisms(mechanisms()));
        phase_ = Phase::sasl;
        return true;
    }
    outgoing_.append(amqp_header);
    if (*header != amqp_header) {
        phase_ = Phase::closed;
        return refusal(condition::framing_error, "no AMQP 1.0 header");
    }
    phase_ = Phase::open;
    return true;
}

/// One exchange is enough for every mechanism we offer. Who it is is judged by the front.
Result<bool> Engine::take_sasl() {
    auto frame = reader_.frame(FrameType::sasl, bounds_.first_frame_bytes_max);
    if (frame && !*frame) {
        return false;
    }
    const auto init = frame ? parse_sasl_init((*frame)->body) : Result<SaslInit>{frame.error()};
    if (!init) {
        phase_ = Phase::closed;
        return init.error();
    }
    const auto& names = mechanisms();
    bool known = std::ranges::find(names, init->mechanism) != names.end();
    if (init->mechanism == "PLAIN") {
        const auto credential = parse_plain(init->response);
        known = credential.has_value();
        if (known) {
            credential_ = *credential;
        }
    }
    put_frame(outgoing_, FrameType::sasl, 0, sasl_outcome(known ? SaslCode::ok : SaslCode::auth));
    if (!known) {
        phase_ = Phase::closed;
        return refusal(condition::unauthorized, "no such SASL mechanism, or not its response");
    }
    phase_ = Phase::header_again;
    return true;
}

Result<bool> Engine::take_frame() {
    const std::size_t most =
        phase_ == Phase::open ? bounds_.first_frame_bytes_max : bounds_.frame_bytes_max;
    auto frame = reader_.frame(FrameType::amqp, most);
    if (!frame) {
        return fail(frame.error());
    }
    if (!*frame) {
        return false;
    }
    heard_ = true;
    if ((*frame)->body.empty()) {
        return true;
    }
    auto performative = parse_performative((*frame)->body);
    if (!performative) {
        return fail(performative.error());
    }
    TRY([[maybe_unused]] const Done taken, take((*frame)->channel, *performative));
    return true;
}

Result<Done> Engine::take(std::uint16_t channel, Performative& performative) {
    if (const auto* const open = std::get_if<Open>(&performative)) {
        return opened(*open);
    }
    if (phase_ == Phase::open) {
        return fail(condition::illegal_state, "the first frame is not open");
    }
    if (std::holds_alternative<Close>(performative)) {
        close({});
        events_.emplace_back(Ended{});
        return Done{};
    }
    if (const auto* const begin = std::get_if<Begin>(&performative)) {
        return begun(channel, *begin);
    }
    Session* const session = session_of(channel);
    if (session == nullptr) {
        return fail(condition::illegal_state, "a frame of a session that has not begun");
    }
    if (auto* const attach = std::get_if<Attach>(&performative)) {
        return attached(*session, *attach);
    }
    if (const auto* const flow = std::get_if<Flow>(&performative)) {
        return flowed(*session, *flow);
    }
    if (auto* const transfer = std::get_if<Transfer>(&performative)) {
        return transferred(*session, *transfer);
    }
    if (const auto* const disposition = std::get_if<Disposition>(&performative)) {
        return disposed(*session, *disposition);
    }
    if (const auto* const detach = std::get_if<Detach>(&performative)) {
        return detached(*session, *detach);
    }
    return ended(*session);
}

Result<Done> Engine::opened(const Open& open) {
    if (phase_ != Phase::open) {
        return fail(condition::illegal_state, "a second open");
    }
    if (open.frame_bytes_max < frame_bytes_min) {
        return fail(condition::invalid_field, "max-frame-size is below 512");
    }
    const std::chrono::milliseconds idle{open.idle_milliseconds};
    if (idle.count() > 0 && idle < bounds_.idle_time_min) {
        return fail(condition::invalid_field,
                    "idle-time-out is below " + std::to_string(bounds_.idle_time_min.count()));
    }
    peer_ = open;
    phase_ = Phase::running;
    Open ours;
    ours.container_id = container_id;
    ours.frame_bytes_max = static_cast<std::uint32_t>(bounds_.frame_bytes_max);
    ours.channel_max = static_cast<std::uint16_t>(bounds_.sessions_max - 1);
    ours.idle_milliseconds = static_cast<std::uint32_t>(bounds_.silence_max.count() / 2);
    put(0, ours);
    said_open_ = true;
    return Done{};
}

// --- Sessions ------------------------------------------------------------------------------------

/// We answer on the channel of the same number.
Result<Done> Engine::begun(std::uint16_t channel, const Begin& begin) {
    if (channel >= bounds_.sessions_max) {
        return fail(condition::not_allowed, "a channel beyond channel-max");
    }
    if (session_of(channel) != nullptr || begin.remote_channel) {
        return fail(condition::illegal_state, "a session that has begun already, or that is ours");
    }
    Session session;
    session.channel = channel;
    session.next_incoming_id = begin.next_outgoing_id;
    session.incoming_window = bounds_.session_window;
    session.remote_window = begin.incoming_window;
    session.handle_max = begin.handle_max;
    sessions_.push_back(session);
    Begin ours;
    ours.remote_channel = channel;
    ours.incoming_window = session.incoming_window;
    ours.outgoing_window = bounds_.session_window;
    ours.handle_max = static_cast<std::uint32_t>(bounds_.links_max - 1);
    put(channel, ours);
    return Done{};
}

Result<Done> Engine::ended(Session& session) {
    const std::uint16_t channel = session.channel;
    std::vector<LinkId> gone;
    for (const auto& link : links_) {
        if (link.channel == channel) {
            gone.push_back(link.id);
        }
    }
    for (const LinkId id : gone) {
        if (link_of(id)->state == Link::State::open) {
            events_.emplace_back(LinkGone{id});
        }
        remove(id);
    }
    std::erase_if(sessions_, [channel](const Session& each) { return each.channel == channel; });
    put(channel, End{});
    return Done{};
}

Engine::Session* Engine::session_of(std::uint16_t channel) {
    const auto found =
        std::find_if(sessions_.begin(), sessions_.end(),
                     [channel](const Session& each) { return each.channel == channel; });
    return found == sessions_.end() ? nullptr : &*found;
}

// --- Time ----------------------------------------------------------------------------------------

std::chrono::milliseconds Engine::pulse() const {
    const std::chrono::milliseconds wanted{peer_.idle_milliseconds / 2};
    return wanted.count() == 0 ? bounds_.pulse : std::min(wanted, bounds_.pulse);
}

Result<Done> Engine::ticked() {
    if (phase_ != Phase::running) {
        return Done{};
    }
    const std::chrono::milliseconds due{peer_.idle_milliseconds / 2};
    if (due.count() > 0 && (++mute_pulses_ + 1) * pulse() > due) {
        put_frame(outgoing_, FrameType::amqp, 0, {});
        mute_pulses_ = 0;
    }
    silent_pulses_ = std::exchange(heard_, false) ? 0 : silent_pulses_ + 1;
    if (silent_pulses_ * pulse() >= bounds_.silence_max) {
        return fail(condition::resource_limit, "nothing was heard within the idle-time-out");
    }
    for (auto& link : links_) {
        if (link.partial && ++link.partial->pulses * pulse() >= bounds_.transfer_time_max) {
            return fail(condition::resource_limit, "a transfer was begun and not finished");
        }
    }
    return Done{};
}

// --- The end -------------------------------------------------------------------------------------

void Engine::close(const Condition& why) {
    if (phase_ == Phase::closed) {
        return;
    }
    if (phase_ == Phase::open) {  // close may not come first (part 2.4.3)
        Open ours;
        ours.container_id = container_id;
        put(0, ours);
        said_open_ = true;
    }
    if (!why.name.empty()) {  // the Node SDK waits 45 seconds for its links after a bare close
        for (const auto& session : sessions_) {
            put(session.channel, End{why});
        }
    }
    if (said_open_) {
        put(0, Close{why});
    }
    phase_ = Phase::closed;
    links_.clear();
    sessions_.clear();
    unsettled_.clear();
    waiting_bytes_ = 0;
}

Error Engine::fail(std::string_view condition, std::string detail) {
    return fail(refusal(condition, std::move(detail)));
}

Error Engine::fail(const Error& error) {
    Condition told;
    told.name = error.reason;
    told.description = error.detail;
    close(told);
    return error;
}

void Engine::put(std::uint16_t channel, const Performative& performative,
                 std::string_view payload) {
    put_frame(outgoing_, FrameType::amqp, channel, encode(performative), payload);
}

}  // namespace rollcall::net::amqp
