// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_performative.hpp"

#include "base/limits.hpp"
#include "net/amqp_fields.hpp"

#include <utility>

namespace rollcall::net::amqp {
namespace {

enum Descriptor : std::uint8_t {
    open_list = 0x10,
    begin_list = 0x11,
    attach_list = 0x12,
    flow_list = 0x13,
    transfer_list = 0x14,
    disposition_list = 0x15,
    detach_list = 0x16,
    end_list = 0x17,
    close_list = 0x18,
    error_list = 0x1d,
    accepted_list = 0x24,
    rejected_list = 0x25,
    released_list = 0x26,
    modified_list = 0x27,
    source_list = 0x28,
    target_list = 0x29,
};

Result<Open> read_open(Fields& fields) {
    Open open;
    TRY(const auto container, fields.text("container-id"));
    if (!container) {
        return missing("container-id");
    }
    open.container_id = *container;
    TRY(const auto hostname, fields.text("hostname"));
    open.hostname = hostname.value_or("");
    TRY(const auto frame, fields.number<std::uint32_t>("max-frame-size"));
    open.frame_bytes_max = frame.value_or(open.frame_bytes_max);
    TRY(const auto channels, fields.number<std::uint16_t>("channel-max"));
    open.channel_max = channels.value_or(open.channel_max);
    TRY(const auto idle, fields.number<std::uint32_t>("idle-time-out"));
    open.idle_milliseconds = idle.value_or(0);
    return open;
}

Result<Begin> read_begin(Fields& fields) {
    Begin begin;
    TRY(begin.remote_channel, fields.number<std::uint16_t>("remote-channel"));
    TRY(begin.next_outgoing_id, fields.required<std::uint32_t>("next-outgoing-id"));
    TRY(begin.incoming_window, fields.required<std::uint32_t>("incoming-window"));
    TRY(begin.outgoing_window, fields.required<std::uint32_t>("outgoing-window"));
    TRY(const auto handles, fields.number<std::uint32_t>("handle-max"));
    begin.handle_max = handles.value_or(begin.handle_max);
    return begin;
}

/// Address of a source or target: their first field.
Result<std::optional<std::string>> read_address(const Item& terminus, std::uint8_t descriptor) {
    if (terminus.is_null() || terminus.descriptor != descriptor) {
        return std::optional<std::string>{};  // none, or a coordinator of transactions
    }
    if (terminus.type != Type::list) {
        return wrong_type("source or target");
    }
    Fields fields{terminus};
    return fields.text("address");
}

Result<Attach> read_attach(Fields& fields) {
    Attach attach;
    TRY(const auto name, fields.text("name"));
    if (!name) {
        return missing("name");
    }
    attach.name = *name;
    TRY(attach.handle, fields.required<std::uint32_t>("handle"));
    TRY(const auto role, fields.boolean("role"));
    if (!role) {
        return missing("role");
    }
    attach.receives = *role;
    TRY(const auto sender, fields.number<std::uint8_t>("snd-settle-mode"));
    if (sender.value_or(0) > 2) {
        return refusal(condition::invalid_field, "snd-settle-mode is none");
    }
    attach.sender_settles = static_cast<SettleMode>(sender.value_or(2));
    TRY([[maybe_unused]] const auto receiver, fields.number<std::uint8_t>("rcv-settle-mode"));
    TRY(const Item source, fields.item());
    TRY(attach.source, read_address(source, source_list));
    TRY(const Item target, fields.item());
    TRY(attach.target, read_address(target, target_list));
    TRY([[maybe_unused]] const Done skipped, fields.skip(2));  // unsettled, incomplete-unsettled
    TRY(const auto count, fields.number<std::uint32_t>("initial-delivery-count"));
    attach.initial_delivery_count = count.value_or(0);
    TRY(const auto bytes, fields.number<std::uint64_t>("max-message-size"));
    attach.message_bytes_max = bytes.value_or(0);
    TRY([[maybe_unused]] const Done capabilities, fields.skip(2));
    TRY(const Item properties, fields.item());
    if (!properties.is_null()) {
        TRY(attach.properties, read_scalars(properties, limits::amqp_link_properties_max));
    }
    return attach;
}

Result<Flow> read_flow(Fields& fields) {
    Flow flow;
    TRY(flow.next_incoming_id, fields.number<std::uint32_t>("next-incoming-id"));
    TRY(flow.incoming_window, fields.required<std::uint32_t>("incoming-window"));
    TRY(flow.next_outgoing_id, fields.required<std::uint32_t>("next-outgoing-id"));
    TRY(flow.outgoing_window, fields.required<std::uint32_t>("outgoing-window"));
    TRY(flow.handle, fields.number<std::uint32_t>("handle"));
    TRY(flow.delivery_count, fields.number<std::uint32_t>("delivery-count"));
    TRY(const auto credit, fields.number<std::uint32_t>("link-credit"));
    flow.credit = credit.value_or(0);
    TRY([[maybe_unused]] const auto available, fields.number<std::uint32_t>("available"));
    TRY(const auto drain, fields.boolean("drain"));
    flow.drain = drain.value_or(false);
    TRY(const auto echo, fields.boolean("echo"));
    flow.echo = echo.value_or(false);
    return flow;
}

Result<Transfer> read_transfer(Fields& fields, ByteView payload) {
    Transfer transfer;
    TRY(transfer.handle, fields.required<std::uint32_t>("handle"));
    TRY(transfer.id, fields.number<std::uint32_t>("delivery-id"));
    TRY(const Item tag, fields.item());
    if (!tag.is_null()) {
        constexpr std::size_t tag_bytes_max = 32;  // part 2.8.7
        if (tag.type != Type::binary || tag.body.size() > tag_bytes_max) {
            return wrong_type("delivery-tag");
        }
        transfer.tag = as_text(tag.body);
    }
    TRY(const auto format, fields.number<std::uint32_t>("message-format"));
    transfer.format = format.value_or(0);
    TRY(transfer.settled, fields.boolean("settled"));
    TRY(const auto more, fields.boolean("more"));
    transfer.more = more.value_or(false);
    TRY([[maybe_unused]] const Done skipped, fields.skip(3));  // rcv-settle-mode, state, resume
    TRY(const auto aborted, fields.boolean("aborted"));
    transfer.aborted = aborted.value_or(false);
    transfer.payload = as_text(payload);
    return transfer;
}

/// An error's condition; what cannot be read of it is left out: it is for the log only.
Condition read_condition(const Item& item) {
    Condition told;
    if (item.type != Type::list || item.descriptor != error_list) {
        return told;
    }
    Fields fields{item};
    const auto name = fields.text("condition");
    const auto description = fields.text("description");
    if (name && *name) {
        told.name = **name;
    }
    if (description && *description) {
        told.description = **description;
    }
    return told;
}

Outcome outcome_of(const Item& state) {
    switch (state.descriptor) {
        case accepted_list: return Outcome::accepted;
        case rejected_list: return Outcome::rejected;
        case released_list: return Outcome::released;
        case modified_list: return Outcome::modified;
        default: return Outcome::none;
    }
}

Result<Disposition> read_disposition(Fields& fields) {
    Disposition disposition;
    TRY(const auto role, fields.boolean("role"));
    if (!role) {
        return missing("role");
    }
    disposition.from_receiver = *role;
    TRY(disposition.first, fields.required<std::uint32_t>("first"));
    TRY(disposition.last, fields.number<std::uint32_t>("last"));
    TRY(const auto settled, fields.boolean("settled"));
    disposition.settled = settled.value_or(false);
    TRY(const Item state, fields.item());
    disposition.outcome = outcome_of(state);
    if (disposition.outcome == Outcome::rejected && state.type == Type::list) {
        Fields inside{state};
        TRY(const Item error, inside.item());
        disposition.condition = read_condition(error);
    }
    return disposition;
}

Result<Detach> read_detach(Fields& fields) {
    Detach detach;
    TRY(detach.handle, fields.required<std::uint32_t>("handle"));
    TRY(const auto closed, fields.boolean("closed"));
    detach.closed = closed.value_or(false);
    TRY(const Item error, fields.item());
    detach.condition = read_condition(error);
    return detach;
}

std::string error_text(const Condition& told) {
    std::string error;
    if (told.name.empty()) {
        put_null(error);
        return error;
    }
    std::string members;
    put_symbol(members, told.name);
    put_string(members, told.description);
    std::uint32_t count = 2;
    if (told.retry_after > 0) {
        std::string info;
        put_symbol(info, "retry-after");
        put_int(info, told.retry_after);
        put_map(members, 2, info);
        ++count;
    }
    put_descriptor(error, error_list);
    put_list(error, count, members);
    return error;
}

std::string terminus_text(Descriptor descriptor, const std::optional<std::string>& address) {
    if (!address) {
        return List{descriptor}.done();
    }
    return List{descriptor}.string(*address).done();
}

std::string state_text(const Disposition& disposition) {
    switch (disposition.outcome) {
        case Outcome::accepted: return List{accepted_list}.done();
        case Outcome::rejected:
            return List{rejected_list}.encoded(error_text(disposition.condition)).done();
        case Outcome::released: return List{released_list}.done();
        case Outcome::modified: return List{modified_list}.done();
        case Outcome::none: break;
    }
    std::string none;
    put_null(none);
    return none;
}

std::string write(const Open& open) {
    List list{open_list};
    list.string(open.container_id).string(open.hostname).uint(open.frame_bytes_max);
    list.ushort(open.channel_max);
    if (open.idle_milliseconds > 0) {
        list.uint(open.idle_milliseconds);
    }
    return list.done();
}

std::string write(const Begin& begin) {
    List list{begin_list};
    if (begin.remote_channel) {
        list.ushort(*begin.remote_channel);
    } else {
        list.null();
    }
    list.uint(begin.next_outgoing_id).uint(begin.incoming_window).uint(begin.outgoing_window);
    return list.uint(begin.handle_max).done();
}

std::string write(const Attach& attach) {
    List list{attach_list};
    list.string(attach.name).uint(attach.handle).boolean(attach.receives);
    list.ubyte(static_cast<std::uint8_t>(attach.sender_settles)).ubyte(0);
    if (attach.refused) {
        list.null(2);
    } else {
        list.encoded(terminus_text(source_list, attach.source));
        list.encoded(terminus_text(target_list, attach.target));
    }
    list.null(2);
    if (attach.receives) {
        list.null();
    } else {
        list.uint(attach.initial_delivery_count);
    }
    if (attach.message_bytes_max > 0) {
        list.ulong(attach.message_bytes_max);
    }
    return list.done();
}

std::string write(const Flow& flow) {
    List list{flow_list};
    list.uint(flow.next_incoming_id).uint(flow.incoming_window);
    list.uint(flow.next_outgoing_id).uint(flow.outgoing_window);
    if (flow.handle) {
        list.uint(*flow.handle).uint(flow.delivery_count).uint(flow.credit);
        list.uint(0U).boolean(flow.drain);
    }
    return list.done();
}

std::string write(const Transfer& transfer) {
    List list{transfer_list};
    list.uint(transfer.handle).uint(transfer.id).binary(transfer.tag).uint(transfer.format);
    list.boolean(transfer.settled.value_or(false)).boolean(transfer.more);
    return list.done();
}

std::string write(const Disposition& disposition) {
    List list{disposition_list};
    list.boolean(disposition.from_receiver).uint(disposition.first).uint(disposition.last);
    list.boolean(disposition.settled).encoded(state_text(disposition));
    return list.done();
}

std::string write(const Detach& detach) {
    return List{detach_list}
        .uint(detach.handle)
        .boolean(detach.closed)
        .encoded(error_text(detach.condition))
        .done();
}

std::string write(const End& end) {
    return List{end_list}.encoded(error_text(end.condition)).done();
}

std::string write(const Close& close) {
    return List{close_list}.encoded(error_text(close.condition)).done();
}

template <class T>
Result<Performative> whole(Result<T> read) {
    if (!read) {
        return std::move(read).error();
    }
    return Performative{*std::move(read)};
}

}  // namespace

Result<Performative> parse_performative(std::string_view frame_body) {
    ItemReader reader{as_bytes(frame_body)};
    TRY(const Item list, performative_of(reader));
    Fields fields{list};
    switch (list.descriptor) {
        case open_list: return whole(read_open(fields));
        case begin_list: return whole(read_begin(fields));
        case attach_list: return whole(read_attach(fields));
        case flow_list: return whole(read_flow(fields));
        case transfer_list: return whole(read_transfer(fields, reader.rest()));
        case disposition_list: return whole(read_disposition(fields));
        case detach_list: return whole(read_detach(fields));
        case end_list: {
            TRY(const Item error, fields.item());
            return Performative{End{read_condition(error)}};
        }
        case close_list: {
            TRY(const Item error, fields.item());
            return Performative{Close{read_condition(error)}};
        }
        default: return refusal(condition::decode_error, "an unknown performative");
    }
}

std::string encode(const Performative& performative) {
    return std::visit([](const auto& each) { return write(each); }, performative);
}

}  // namespace rollcall::net::amqp
