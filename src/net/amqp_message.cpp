// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_message.hpp"

#include "net/amqp_fields.hpp"

#include <utility>

namespace rollcall::net::amqp {
namespace {

enum Section : std::uint8_t {
    header = 0x70,
    delivery_annotations = 0x71,
    message_annotations = 0x72,
    properties_list = 0x73,
    application_properties = 0x74,
    data = 0x75,
    sequence = 0x76,
    value = 0x77,
    footer = 0x78,
};

Error twice() {
    return refusal(condition::decode_error, "a section of a message stands there twice");
}

Result<MessageId> read_id(const Item& item) {
    MessageId id;
    if (item.is_null()) {
        return id;
    }
    if (const auto text = item.text()) {
        if (!is_utf8(*text)) {
            return refusal(condition::decode_error, "an id is not UTF-8");
        }
        id.text = *text;
    } else if (const auto number = item.number()) {
        id.text = std::to_string(*number);
    } else if (item.type == Type::uuid) {
        id.text = uuid_text(item.body);
    } else if (item.type == Type::binary) {
        id.text = to_hex(item.body);
    } else {
        return wrong_type("an id");
    }
    id.encoded = as_text(item.whole);
    return id;
}

Result<std::string> read_text(Fields& fields, std::string_view what) {
    TRY(const auto text, fields.text(what));
    return text.value_or("");
}

Result<std::optional<std::int64_t>> read_time(Fields& fields, std::string_view what) {
    TRY(const Item item, fields.item());
    if (item.type != Type::timestamp && !item.is_null()) {
        return wrong_type(what);
    }
    return item.integer();
}

Result<Done> read_properties(const Item& list, Message& message) {
    if (list.type != Type::list) {
        return wrong_type("properties");
    }
    Fields fields{list};
    TRY(const Item id, fields.item());
    TRY(message.id, read_id(id));
    TRY(const Item user, fields.item());
    if (user.type == Type::binary) {
        message.user_id = as_text(user.body);
    } else if (!user.is_null()) {
        return wrong_type("user-id");
    }
    TRY(message.to, read_text(fields, "to"));
    TRY(message.subject, read_text(fields, "subject"));
    TRY(message.reply_to, read_text(fields, "reply-to"));
    TRY(const Item correlation, fields.item());
    TRY(message.correlation_id, read_id(correlation));
    TRY(message.content_type, read_text(fields, "content-type"));
    TRY(message.content_encoding, read_text(fields, "content-encoding"));
    TRY(message.expires, read_time(fields, "absolute-expiry-time"));
    TRY(message.created, read_time(fields, "creation-time"));
    return Done{};
}

class Sections {
public:
    explicit Sections(const MessageBounds& bounds) : bounds_(bounds) {}

    Result<Done> take(const Item& section) {
        switch (section.descriptor) {
            case header:
            case delivery_annotations:
            case footer: return once(section, [](const Item&) { return Result<Done>{Done{}}; });
            case message_annotations:
                return once(section, [this](const Item& map) {
                    return scalars(map, bounds_.annotations_max, message.annotations);
                });
            case properties_list:
                return once(section,
                            [this](const Item& list) { return read_properties(list, message); });
            case application_properties:
                return once(section, [this](const Item& map) {
                    return scalars(map, bounds_.properties_max, message.properties);
                });
            case data: return take_data(section);
            case value: return once(section, [this](const Item& body) { return take_value(body); });
            default:
                return refusal(condition::not_implemented,
                               "a message has a section of a kind "
                               "that is not taken");
        }
    }

    Message message{};

private:
    template <class F>
    Result<Done> once(const Item& section, F read) {
        const std::uint64_t bit = std::uint64_t{1} << (section.descriptor - header);
        if ((seen_ & bit) != 0) {
            return twice();
        }
        seen_ |= bit;
        return read(section);
    }

    static Result<Done> scalars(const Item& map, std::size_t most, Scalars& into) {
        TRY(into, read_scalars(map, most));
        return Done{};
    }

    Result<Done> take_data(const Item& section) {
        if (section.type != Type::binary) {
            return wrong_type("a data section");
        }
        return add(as_text(section.body));
    }

    Result<Done> take_value(const Item& body) {
        if (body.is_null()) {
            return Done{};
        }
        if (body.type != Type::string && body.type != Type::binary) {
            return refusal(condition::not_implemented, "a message's body is neither data nor text");
        }
        return add(as_text(body.body));
    }

    Result<Done> add(std::string_view bytes) {
        if (message.body.size() == bounds_.sections_max) {
            return refusal(condition::resource_limit, "more than " +
                                                          std::to_string(bounds_.sections_max) +
                                                          " data sections in one message");
        }
        message.body.emplace_back(bytes);
        return Done{};
    }

    const MessageBounds& bounds_;
    std::uint64_t seen_ = 0;
};

void put_scalar(std::string& into, const Scalar& scalar) {
    struct Writer {
        std::string& into;
        void operator()(std::monostate) const { put_null(into); }
        void operator()(bool is) const { put_boolean(into, is); }
        void operator()(std::int32_t number) const { put_int(into, number); }
        void operator()(std::int64_t number) const { put_long(into, number); }
        void operator()(std::uint64_t number) const { put_ulong(into, number); }
        void operator()(double number) const { put_double(into, number); }
        void operator()(const std::string& text) const { put_string(into, text); }
    };
    std::visit(Writer{into}, scalar);
}

void put_scalars(std::string& into, Section section, const Scalars& scalars) {
    if (scalars.empty()) {
        return;
    }
    std::string members;
    for (const auto& [name, scalar] : scalars) {
        if (section == message_annotations) {
            put_symbol(members, name);
        } else {
            put_string(members, name);
        }
        put_scalar(members, scalar);
    }
    put_descriptor(into, section);
    put_map(into, static_cast<std::uint32_t>(scalars.size() * 2), members);
}

void add_id(List& list, const MessageId& id) {
    if (id.encoded.empty()) {
        list.null();
    } else {
        list.encoded(id.encoded);
    }
}

void add_text(List& list, std::string_view text) {
    if (text.empty()) {
        list.null();
    } else {
        list.string(text);
    }
}

void add_time(List& list, const std::optional<std::int64_t>& time) {
    if (!time) {
        list.null();
        return;
    }
    std::string encoded;
    put_timestamp(encoded, *time);
    list.encoded(encoded);
}

/// Content type and encoding are symbols.
void add_symbol(List& list, std::string_view text) {
    if (text.empty()) {
        list.null();
    } else {
        list.symbol(text);
    }
}

std::string properties_text(const Message& message) {
    List list{properties_list};
    add_id(list, message.id);
    if (message.user_id.empty()) {
        list.null();
    } else {
        list.binary(message.user_id);
    }
    add_text(list, message.to);
    add_text(list, message.subject);
    add_text(list, message.reply_to);
    add_id(list, message.correlation_id);
    add_symbol(list, message.content_type);
    add_symbol(list, message.content_encoding);
    add_time(list, message.expires);
    add_time(list, message.created);
    return list.done();
}

}  // namespace

MessageId MessageId::of_text(std::string_view text) {
    MessageId id;
    id.text = text;
    put_string(id.encoded, text);
    return id;
}

MessageId MessageId::of_uuid(ByteView sixteen) {
    MessageId id;
    id.text = uuid_text(sixteen);
    put_uuid(id.encoded, sixteen);
    return id;
}

Result<Message> parse_message(std::string_view encoded, const MessageBounds& bounds) {
    Sections sections{bounds};
    ItemReader reader{as_bytes(encoded)};
    while (!reader.done()) {
        TRY(const Item section, reader.next());
        if (!section.described) {
            return refusal(condition::decode_error, "a message is not made of sections");
        }
        TRY([[maybe_unused]] const Done taken, sections.take(section));
    }
    return std::move(sections.message);
}

std::string encode(const Message& message) {
    std::string encoded;
    put_scalars(encoded, message_annotations, message.annotations);
    encoded.append(properties_text(message));
    put_scalars(encoded, application_properties, message.properties);
    for (const auto& bytes : message.body) {
        put_descriptor(encoded, data);
        put_binary(encoded, bytes);
    }
    return encoded;
}

}  // namespace rollcall::net::amqp
