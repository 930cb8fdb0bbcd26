// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_session.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::net::mqtt {
namespace {

constexpr std::uint8_t mqtt_5 = 5;
constexpr std::uint8_t our_level = 4;

std::size_t size_of(const Outgoing& message) {
    return message.topic.size() + message.payload.size();
}

}  // namespace

Session::Session(const SessionBounds& bounds)
    : bounds_(bounds), reader_(bounds.connect_bytes_max) {}

Result<std::optional<Event>> Session::next() {
    INVARIANT(phase_ == Phase::waiting || phase_ == Phase::connected);
    for (;;) {
        auto packet = reader_.next();
        if (!packet) {
            phase_ = Phase::ended;
            return std::move(packet).error();
        }
        if (!*packet) {
            return std::optional<Event>{};
        }
        auto event = taken(**std::move(packet));
        if (!event) {
            phase_ = Phase::ended;
            return event;
        }
        if (*event) {
            return event;
        }
    }
}

/// none: nothing for the front to do.
Result<std::optional<Event>> Session::taken(Packet packet) {
    auto* const connect = std::get_if<Connect>(&packet);
    if ((connect != nullptr) != (phase_ == Phase::waiting)) {
        return connect != nullptr
                   ? Error{ErrorKind::malformed, "a second CONNECT", "mqtt-second-connect"}
                   : Error{ErrorKind::malformed, "the first packet is not a CONNECT",
                           "mqtt-no-connect"};
    }
    if (connect != nullptr) {
        return opened(std::move(*connect));
    }
    if (auto* const publish = std::get_if<Publish>(&packet)) {
        if (publish->qos == Qos::exactly_once) {
            return Error{ErrorKind::unsupported, "quality of service 2 is not offered",
                         "mqtt-exactly-once"};
        }
        return std::optional<Event>{std::move(*publish)};
    }
    if (auto* const subscribe = std::get_if<Subscribe>(&packet)) {
        return std::optional<Event>{std::move(*subscribe)};
    }
    if (auto* const unsubscribe = std::get_if<Unsubscribe>(&packet)) {
        return std::optional<Event>{std::move(*unsubscribe)};
    }
    if (const auto* const puback = std::get_if<Puback>(&packet)) {
        return acknowledged(puback->id);
    }
    if (std::holds_alternative<Pingreq>(packet)) {
        outgoing_ += encode_pingresp();
        if (outgoing_.size() > bounds_.outgoing_bytes_max) {
            return Error{ErrorKind::too_large, "the client does not read", "client-too-slow"};
        }
        return std::optional<Event>{};
    }
    phase_ = Phase::ended;
    return std::optional<Event>{Disconnect{}};
}

Result<std::optional<Event>> Session::opened(Connect connect) {
    if (connect.protocol_level != our_level) {
        outgoing_ += connect.protocol_level == mqtt_5
                         ? encode_connack_for_mqtt_5()
                         : encode_connack(ConnectAnswer::unacceptable_protocol, false);
        return Error{ErrorKind::unsupported, "MQTT 3.1.1 is spoken here, nothing else",
                     "mqtt-version"};
    }
    if (connect.client_id.empty() && !connect.clean_session) {
        outgoing_ += encode_connack(ConnectAnswer::identifier_rejected, false);
        return Error{ErrorKind::malformed, "a lasting session without a client id",
                     "mqtt-no-client-id"};
    }
    if (connect.will && connect.will->qos == Qos::exactly_once) {
        return Error{ErrorKind::unsupported, "quality of service 2 is not offered",
                     "mqtt-exactly-once"};
    }
    phase_ = Phase::deciding;
    keep_alive_seconds_ = connect.keep_alive_seconds;
    return std::optional<Event>{std::move(connect)};
}

/// A PUBACK for nothing is let pass: after a lasting session came back, it may be of the last one.
std::optional<Event> Session::acknowledged(PacketId id) {
    const auto found = std::find_if(unacknowledged_.begin(), unacknowledged_.end(),
                                    [id](const Unacknowledged& each) { return each.id == id; });
    if (found == unacknowledged_.end()) {
        return std::nullopt;
    }
    const Acknowledged event{found->token};
    unacknowledged_.erase(found);
    if (waiting_) {
        Outgoing message = std::move(waiting_->front());
        waiting_->pop_front();
        waiting_bytes_ -= size_of(message);
        if (waiting_->empty()) {
            waiting_.reset();
        }
        send(message);
    }
    return event;
}

void Session::accept(bool session_present) {
    INVARIANT(phase_ == Phase::deciding);
    phase_ = Phase::connected;
    reader_.set_packet_bytes_max(bounds_.packet_bytes_max);
    outgoing_ += encode_connack(ConnectAnswer::accepted, session_present);
}

void Session::refuse(ConnectAnswer why) {
    INVARIANT(phase_ == Phase::deciding && why != ConnectAnswer::accepted);
    phase_ = Phase::ended;
    outgoing_ += encode_connack(why, false);
}

void Session::acknowledge(PacketId id) {
    outgoing_ += encode(Puback{id});
}

void Session::grant(PacketId id, const std::vector<std::optional<Qos>>& granted) {
    outgoing_ += encode_suback(id, granted);
}

void Session::release(PacketId id) {
    outgoing_ += encode_unsuback(id);
}

/// Messages keep their order [MQTT-4.6.0-6]: once one waits, the later ones of its kind do too.
Result<Done> Session::publish(Outgoing message) {
    if (outgoing_.size() + waiting_bytes_ + size_of(message) > bounds_.outgoing_bytes_max) {
        return Error{ErrorKind::too_large, "the client does not read", "client-too-slow"};
    }
    if (message.qos == Qos::at_most_once || unacknowledged_.size() < bounds_.unacknowledged_max) {
        send(message);
        return Done{};
    }
    waiting_bytes_ += size_of(message);
    if (!waiting_) {
        waiting_.emplace();
    }
    waiting_->push_back(std::move(message));
    return Done{};
}

void Session::send(Outgoing& message) {
    Publish publish{.topic = std::move(message.topic),
                    .payload = std::move(message.payload),
                    .qos = message.qos,
                    .retain = false,
                    .duplicate = message.duplicate,
                    .id = 0};
    if (message.qos != Qos::at_most_once) {
        publish.id = fresh_id();
        unacknowledged_.push_back({publish.id, message.token});
    }
    outgoing_ += encode(publish);
}

PacketId Session::fresh_id() {
    const auto in_use = [this](PacketId id) {
        return id == 0 || std::any_of(unacknowledged_.begin(), unacknowledged_.end(),
                                      [id](const Unacknowledged& each) { return each.id == id; });
    };
    do {
        ++last_id_;
    } while (in_use(last_id_));
    return last_id_;
}

std::string Session::take_outgoing() {
    return std::exchange(outgoing_, {});
}

std::chrono::milliseconds Session::silence_max(std::chrono::seconds cap) const {
    const std::chrono::seconds said{keep_alive_seconds_};
    const auto counted = said.count() == 0 ? cap : std::min(said, cap);
    return std::chrono::milliseconds{counted} * 3 / 2;
}

}  // namespace rollcall::net::mqtt
