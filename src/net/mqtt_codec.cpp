// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt_codec.hpp"

#include "base/invariant.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace rollcall::net::mqtt {
namespace {

/// Section 2.2.1.
enum class Kind : std::uint8_t {
    connect = 1,
    connack,
    publish,
    puback,
    pubrec,
    pubrel,
    pubcomp,
    subscribe,
    suback,
    unsubscribe,
    unsuback,
    pingreq,
    pingresp,
    disconnect,
};

/// Four bytes of seven bits (section 2.2.3).
constexpr std::size_t remaining_length_max = 268'435'455;
constexpr std::size_t length_bytes_max = 4;
constexpr std::uint8_t our_level = 4;

Error broken(const char* reason, std::string detail) {
    return {ErrorKind::malformed, std::move(detail), reason};
}

/// The inside of a packet, read from front to back. A field that is not there is noted once; what
/// was read since is empty.
class Fields {
public:
    explicit Fields(std::string_view bytes) : left_(bytes) {}

    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
    std::uint16_t number() {
        const auto bytes = take(2);
        return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 |
                                          static_cast<std::uint8_t>(bytes[1]));
    }
    /// Bytes with their length before them (section 1.5.3 without the rules for text).
    std::string binary() {
        const std::size_t size = number();
        if (left_.size() < size) {
            short_ = true;
            left_ = {};
            return {};
        }
        std::string result{left_.substr(0, size)};
        left_.remove_prefix(size);
        return result;
    }
    /// UTF-8 without U+0000 [MQTT-1.5.3-1] [MQTT-1.5.3-2].
    std::string text() {
        std::string result = binary();
        bad_text_ = bad_text_ || !is_utf8(result) || result.find('\0') != std::string::npos;
        return result;
    }
    std::string rest() { return std::string{std::exchange(left_, {})}; }
    bool empty() const { return left_.empty(); }

    /// Was all that was asked for there?
    Result<Done> present() const {
        if (short_) {
            return broken("mqtt-short-packet", "a packet ends before its last field");
        }
        return Done{};
    }
    /// And nothing else?
    Result<Done> whole() const {
        TRY([[maybe_unused]] const auto all, present());
        if (bad_text_) {
            return broken("mqtt-bad-text", "a text is not UTF-8, or has a null character");
        }
        if (!left_.empty()) {
            return broken("mqtt-long-packet", "bytes follow a packet's last field");
        }
        return Done{};
    }

private:
    std::string_view take(std::size_t count) {
        static constexpr std::string_view zeros{"\0\0", 2};
        if (left_.size() < count) {
            short_ = true;
            left_ = {};
            return zeros.substr(0, count);
        }
        const auto taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }

    std::string_view left_;
    bool short_ = false;
    bool bad_text_ = false;
};

bool has_wildcard(std::string_view topic) {
    return topic.find_first_of("+#") != std::string_view::npos;
}

/// A name to publish to: not empty [MQTT-4.7.3-1], no wildcard [MQTT-3.3.2-2].
Result<Done> check_topic(const std::string& topic) {
    if (topic.empty() || has_wildcard(topic)) {
        return broken("mqtt-bad-topic", "a topic is empty or has a wildcard");
    }
    return Done{};
}

Result<Done> check_filter(const std::string& filter) {
    if (!is_topic_filter(filter)) {
        return broken("mqtt-bad-filter", "a topic filter is empty or its wildcards stand wrong");
    }
    return Done{};
}

Result<Done> check_id(PacketId id) {
    if (id == 0) {
        return broken("mqtt-no-packet-id", "a packet that is acknowledged has the id 0");
    }
    return Done{};
}

/// The bits of CONNECT (section 3.1.2.3 and after).
struct ConnectFlags {
    explicit ConnectFlags(std::uint8_t bits)
        : reserved((bits & 0x01U) != 0),
          clean_session((bits & 0x02U) != 0),
          will((bits & 0x04U) != 0),
          will_qos((bits >> 3) & 0x03U),
          will_retain((bits & 0x20U) != 0),
          password((bits & 0x40U) != 0),
          username((bits & 0x80U) != 0) {}

    Result<Done> check() const {
        const bool will_parts = will_qos != 0 || will_retain;
        // [MQTT-3.1.2-3], [MQTT-3.1.2-13 to 15], [MQTT-3.1.2-22]
        if (reserved || will_qos > 2 || (!will && will_parts) || (!username && password)) {
            return broken("mqtt-bad-flags", "the flags of CONNECT contradict one another");
        }
        return Done{};
    }

    bool reserved;
    bool clean_session;
    bool will;
    unsigned will_qos;
    bool will_retain;
    bool password;
    bool username;
};

Result<Packet> read_connect(Fields fields) {
    const std::string protocol = fields.text();
    Connect connect;
    connect.protocol_level = fields.byte();
    // 3.1 called itself otherwise, at level 3; its client deserves the same answer.
    if (protocol != "MQTT" && protocol != "MQIsdp") {
        return broken("mqtt-other-protocol", "the first packet is not a CONNECT of MQTT");
    }
    TRY([[maybe_unused]] const auto has_level, fields.present());
    if (protocol != "MQTT" || connect.protocol_level != our_level) {
        connect.protocol_level = protocol == "MQTT" ? connect.protocol_level : 3;
        return Packet{std::move(connect)};
    }
    const ConnectFlags flags{fields.byte()};
    TRY([[maybe_unused]] const auto sound, flags.check());
    connect.clean_session = flags.clean_session;
    connect.keep_alive_seconds = fields.number();
    connect.client_id = fields.text();
    if (flags.will) {
        Will& will = connect.will.emplace();
        will.topic = fields.text();
        will.payload = fields.binary();
        will.qos = static_cast<Qos>(flags.will_qos);
        will.retain = flags.will_retain;
    }
    if (flags.username) {
        connect.username = fields.text();
    }
    if (flags.password) {
        connect.password = fields.binary();
    }
    TRY([[maybe_unused]] const auto whole, fields.whole());
    if (connect.will) {
        TRY([[maybe_unused]] const auto named, check_topic(connect.will->topic));
    }
    return Packet{std::move(connect)};
}

Result<Packet> read_publish(Fields fields, unsigned flags) {
    Publish publish;
    publish.retain = (flags & 1U) != 0;
    const unsigned qos = (flags >> 1) & 3U;
    publish.duplicate = (flags & 8U) != 0;
    if (qos > 2 || (qos == 0 && publish.duplicate)) {  // [MQTT-3.3.1-4], [MQTT-3.3.1-2]
        return broken("mqtt-bad-flags", "the flags of PUBLISH contradict one another");
    }
    publish.qos = static_cast<Qos>(qos);
    publish.topic = fields.text();
    if (qos > 0) {
        publish.id = fields.number();
    }
    publish.payload = fields.rest();
    TRY([[maybe_unused]] const auto whole, fields.whole());
    TRY([[maybe_unused]] const auto named, check_topic(publish.topic));
    if (qos > 0) {
        TRY([[maybe_unused]] const auto numbered, check_id(publish.id));
    }
    return Packet{std::move(publish)};
}

Result<Packet> read_puback(Fields fields) {
    const Puback puback{fields.number()};
    TRY([[maybe_unused]] const auto whole, fields.whole());
    TRY([[maybe_unused]] const auto numbered, check_id(puback.id));
    return Packet{puback};
}

Result<Packet> read_subscribe(Fields fields) {
    Subscribe subscribe;
    subscribe.id = fields.number();
    while (!fields.empty()) {
        Subscribe::Wish wish;
        wish.filter = fields.text();
        const std::uint8_t qos = fields.byte();
        if (qos > 2) {  // [MQTT-3.8.3-4]
            return broken("mqtt-bad-flags", "SUBSCRIBE asks for a quality of service of 3 or more");
        }
        wish.qos = static_cast<Qos>(qos);
        subscribe.wishes.push_back(std::move(wish));
    }
    TRY([[maybe_unused]] const auto whole, fields.whole());
    TRY([[maybe_unused]] const auto numbered, check_id(subscribe.id));
    for (const auto& wish : subscribe.wishes) {
        TRY([[maybe_unused]] const auto filter, check_filter(wish.filter));
    }
    if (subscribe.wishes.empty()) {
        return broken("mqtt-empty-packet", "SUBSCRIBE without a topic filter");
    }
    return Packet{std::move(subscribe)};
}

Result<Packet> read_unsubscribe(Fields fields) {
    Unsubscribe unsubscribe;
    unsubscribe.id = fields.number();
    while (!fields.empty()) {
        unsubscribe.filters.push_back(fields.text());
    }
    TRY([[maybe_unused]] const auto whole, fields.whole());
    TRY([[maybe_unused]] const auto numbered, check_id(unsubscribe.id));
    for (const auto& filter : unsubscribe.filters) {
        TRY([[maybe_unused]] const auto sound, check_filter(filter));
    }
    if (unsubscribe.filters.empty()) {
        return broken("mqtt-empty-packet", "UNSUBSCRIBE without a topic filter");
    }
    return Packet{std::move(unsubscribe)};
}

template <class Nothing>
Result<Packet> read_empty(const Fields& fields) {
    TRY([[maybe_unused]] const auto whole, fields.whole());
    return Packet{Nothing{}};
}

/// Bits that each kind but PUBLISH must have [MQTT-2.2.2-2].
Result<Done> check_first(std::uint8_t first) {
    const auto kind = static_cast<Kind>(first >> 4);
    const unsigned flags = first & 0x0fU;
    const bool has_two =
        kind == Kind::pubrel || kind == Kind::subscribe || kind == Kind::unsubscribe;
    if (kind != Kind::publish && flags != (has_two ? 2U : 0U)) {
        return broken("mqtt-bad-flags", "reserved bits of a packet's first byte are set");
    }
    return Done{};
}

/// `first` was found right.
Result<Packet> read_packet(std::uint8_t first, std::string_view inside) {
    const unsigned flags = first & 0x0fU;
    const Fields fields{inside};
    switch (static_cast<Kind>(first >> 4)) {
        case Kind::connect: return read_connect(fields);
        case Kind::publish: return read_publish(fields, flags);
        case Kind::puback: return read_puback(fields);
        case Kind::subscribe: return read_subscribe(fields);
        case Kind::unsubscribe: return read_unsubscribe(fields);
        case Kind::pingreq: return read_empty<Pingreq>(fields);
        case Kind::disconnect: return read_empty<Disconnect>(fields);
        case Kind::pubrec:
        case Kind::pubrel:
        case Kind::pubcomp:
            return Error{ErrorKind::unsupported, "quality of service 2 is not offered",
                         "mqtt-exactly-once"};
        default: break;
    }
    return broken("mqtt-bad-packet", "a packet of a kind that no client sends");
}

/// Where a packet's inside begins and how long it is.
struct Frame {
    std::size_t header = 0;
    std::size_t length = 0;
};

/// None: the length has not come whole.
Result<std::optional<Frame>> read_frame(std::string_view bytes) {
    Frame frame;
    for (std::size_t i = 0; i < length_bytes_max; ++i) {
        if (bytes.size() < i + 2) {
            return std::optional<Frame>{};
        }
        const auto byte = static_cast<std::uint8_t>(bytes[i + 1]);
        frame.length |= std::size_t{byte & 0x7fU} << (7 * i);
        if ((byte & 0x80U) == 0) {
            frame.header = i + 2;
            return std::optional{frame};
        }
    }
    return broken("mqtt-bad-length", "a packet's length takes more than four bytes");
}

void put_number(std::string& into, std::uint16_t number) {
    into.push_back(static_cast<char>(number >> 8));
    into.push_back(static_cast<char>(number & 0xffU));
}

std::string framed(Kind kind, unsigned flags, const std::string& inside) {
    INVARIANT(inside.size() <= remaining_length_max);
    std::string packet;
    packet.reserve(inside.size() + 1 + length_bytes_max);
    packet.push_back(static_cast<char>(static_cast<unsigned>(kind) << 4 | flags));
    std::size_t length = inside.size();
    do {
        const std::size_t more = length > 0x7f ? 0x80 : 0;
        packet.push_back(static_cast<char>((length & 0x7f) | more));
        length >>= 7;
    } while (length > 0);
    return packet += inside;
}

std::string acknowledgement(Kind kind, PacketId id) {
    std::string inside;
    put_number(inside, id);
    return framed(kind, 0, inside);
}

}  // namespace

bool is_topic_filter(std::string_view filter) {
    if (filter.empty()) {
        return false;
    }
    while (true) {
        const auto end = filter.find('/');
        const bool last = end == std::string_view::npos;
        const auto level = filter.substr(0, end);
        const bool wild = has_wildcard(level);
        if (wild && (level.size() > 1 || (level == "#" && !last))) {
            return false;
        }
        if (last) {
            return true;
        }
        filter.remove_prefix(end + 1);
    }
}

PacketReader::PacketReader(std::size_t packet_bytes_max) : bytes_max_(packet_bytes_max) {}

void PacketReader::feed(ByteView bytes) {
    held_.erase(0, std::exchange(at_, 0));
    held_ += as_text(bytes);
}

Result<std::optional<Packet>> PacketReader::next() {
    const auto left = std::string_view{held_}.substr(at_);
    if (!left.empty()) {  // who speaks another protocol is not waited for
        TRY([[maybe_unused]] const auto right, check_first(static_cast<std::uint8_t>(left[0])));
    }
    TRY(const auto frame, read_frame(left));
    if (frame && frame->length > bytes_max_) {
        return Error{ErrorKind::too_large,
                     "a packet of " + std::to_string(frame->length) + " bytes; the bound is " +
                         std::to_string(bytes_max_),
                     "packet-too-large"};
    }
    if (!frame || left.size() < frame->header + frame->length) {
        return std::optional<Packet>{};
    }
    TRY(auto packet,
        read_packet(static_cast<std::uint8_t>(left[0]), left.substr(frame->header, frame->length)));
    at_ += frame->header + frame->length;
    if (at_ == held_.size()) {
        // An idle session keeps no buffer.
        std::string{}.swap(held_);
        at_ = 0;
    }
    return std::optional{std::move(packet)};
}

std::string encode_connack(ConnectAnswer answer, bool session_present) {
    INVARIANT(answer == ConnectAnswer::accepted || !session_present);
    const std::string inside{session_present ? '\1' : '\0', static_cast<char>(answer)};
    return framed(Kind::connack, 0, inside);
}

std::string encode_connack_for_mqtt_5() {
    constexpr char unsupported_version = '\x84';
    return framed(Kind::connack, 0, {'\0', unsupported_version, '\0'});
}

std::string encode(const Publish& publish) {
    INVARIANT((publish.id != 0) == (publish.qos != Qos::at_most_once));
    INVARIANT(publish.topic.size() <= 0xffff);
    std::string inside;
    inside.reserve(publish.topic.size() + publish.payload.size() + 4);
    put_number(inside, static_cast<std::uint16_t>(publish.topic.size()));
    inside += publish.topic;
    if (publish.id != 0) {
        put_number(inside, publish.id);
    }
    inside += publish.payload;
    const unsigned flags = (publish.duplicate ? 8U : 0U) | static_cast<unsigned>(publish.qos) << 1 |
                           (publish.retain ? 1U : 0U);
    return framed(Kind::publish, flags, inside);
}

std::string encode(const Puback& puback) {
    return acknowledgement(Kind::puback, puback.id);
}

std::string encode_suback(PacketId id, const std::vector<std::optional<Qos>>& granted) {
    constexpr char refused = '\x80';
    std::string inside;
    put_number(inside, id);
    for (const auto& qos : granted) {
        inside.push_back(qos ? static_cast<char>(*qos) : refused);
    }
    return framed(Kind::suback, 0, inside);
}

std::string encode_unsuback(PacketId id) {
    return acknowledgement(Kind::unsuback, id);
}

std::string encode_pingresp() {
    return framed(Kind::pingresp, 0, {});
}

}  // namespace rollcall::net::mqtt
