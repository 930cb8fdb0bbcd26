// SPDX-License-Identifier: Apache-2.0
// Engine, continued: links, the messages on them, and who may send how much.
#include "net/amqp_engine.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::net::amqp {
namespace {

/// Room for frame header, transfer and its fields.
constexpr std::size_t transfer_head_bytes = 64;

/// Serial numbers wrap (part 2.8.10).
bool within(std::uint32_t first, std::uint32_t number, std::uint32_t last) {
    return number - first <= last - first;
}

Condition told(std::string_view name, std::string description) {
    Condition condition;
    condition.name = name;
    condition.description = std::move(description);
    return condition;
}

}  // namespace

// --- Links come and go ---------------------------------------------------------------------------

Result<Done> Engine::attached(Session& session, Attach& attach) {
    if (links_.size() >= bounds_.links_max) {
        return fail(condition::resource_limit, "too many links");
    }
    if (attach.handle >= bounds_.links_max || attach.handle > session.handle_max) {
        return fail(condition::not_allowed, "a handle beyond handle-max");
    }
    if (link_of(session.channel, attach.handle) != nullptr) {
        return fail(condition::handle_in_use, "the handle is in use");
    }
    if (attach.name.size() > limits::amqp_link_name_bytes_max) {
        return fail(condition::invalid_field, "the link's name is too long");
    }
    Link link;
    link.id = ++last_link_;
    link.channel = session.channel;
    link.handle = attach.handle;
    link.attach = attach;
    link.delivery_count = attach.receives ? 0 : attach.initial_delivery_count;
    LinkOffered offered;
    offered.link = link.id;
    offered.attach = std::move(attach);
    links_.push_back(std::move(link));
    events_.emplace_back(std::move(offered));
    return Done{};
}

void Engine::accept(LinkId id, const LinkGrant& grant) {
    Link* const link = link_of(id);
    if (link == nullptr || link->state != Link::State::offered) {
        return;
    }
    link->state = Link::State::open;
    link->grant = grant;
    Attach ours;
    ours.name = std::move(link->attach.name);
    ours.handle = link->handle;
    ours.receives = !link->attach.receives;
    ours.sender_settles = link->attach.sender_settles;
    ours.source = std::move(link->attach.source);
    ours.target = std::move(link->attach.target);
    // Where we send it bounds nothing, but the Azure SDK for C logs an error where it is missing.
    ours.message_bytes_max = grant.message_bytes_max;
    put(link->channel, ours);
    link->attach.properties = Scalars{};
    if (!link->attach.receives) {
        give_credit(*session_of(link->channel), *link);
    }
}

/// A link is refused by opening it to nowhere and closing it (part 2.6.3).
void Engine::refuse(LinkId id, const Condition& why) {
    Link* const link = link_of(id);
    if (link == nullptr || link->state != Link::State::offered) {
        return;
    }
    Attach ours;
    ours.name = std::move(link->attach.name);
    ours.handle = link->handle;
    ours.receives = !link->attach.receives;
    ours.refused = true;
    put(link->channel, ours);
    link->state = Link::State::open;
    detach(id, why);
    if (++refused_links_ >= bounds_.refused_links_max) {
        close(told(condition::resource_limit, "too many links were refused"));
    }
}

void Engine::detach(LinkId id, const Condition& why) {
    Link* const link = link_of(id);
    if (link == nullptr || link->state != Link::State::open) {
        return;
    }
    Detach ours;
    ours.handle = link->handle;
    ours.closed = true;
    ours.condition = why;
    put(link->channel, ours);
    link->state = Link::State::closing;
    forget_messages(*link);
}

void Engine::break_link(Link& link, std::string_view condition, std::string detail) {
    events_.emplace_back(LinkGone{link.id});
    detach(link.id, told(condition, std::move(detail)));
}

Result<Done> Engine::detached(Session& session, const Detach& detach) {
    const Link* const link = link_of(session.channel, detach.handle);
    if (link == nullptr) {
        return fail(condition::unattached_handle, "no link has that handle");
    }
    if (link->state != Link::State::closing) {
        events_.emplace_back(LinkGone{link->id});
        Detach ours;
        ours.handle = detach.handle;
        ours.closed = detach.closed;
        put(session.channel, ours);
    }
    remove(link->id);
    return Done{};
}

void Engine::forget_messages(Link& link) {
    link.partial.reset();
    if (link.waiting) {
        for (const auto& each : *link.waiting) {
            waiting_bytes_ -= each.message.size();
        }
        link.waiting.reset();
    }
    const LinkId id = link.id;
    std::erase_if(unsettled_, [id](const Unsettled& each) { return each.link == id; });
}

void Engine::remove(LinkId id) {
    forget_messages(*link_of(id));
    std::erase_if(links_, [id](const Link& each) { return each.id == id; });
}

Engine::Link* Engine::link_of(std::uint16_t channel, std::uint32_t handle) {
    const auto found = std::find_if(links_.begin(), links_.end(), [&](const Link& each) {
        return each.channel == channel && each.handle == handle;
    });
    return found == links_.end() ? nullptr : &*found;
}

Engine::Link* Engine::link_of(LinkId id) {
    const auto found = std::find_if(links_.begin(), links_.end(),
                                    [id](const Link& each) { return each.id == id; });
    return found == links_.end() ? nullptr : &*found;
}

// --- The client sends ----------------------------------------------------------------------------

Result<Done> Engine::transferred(Session& session, Transfer& transfer) {
    if (session.incoming_window == 0) {
        return fail(condition::window_violation, "a transfer beyond the session's window");
    }
    ++session.next_incoming_id;
    if (--session.incoming_window <= bounds_.session_window / 2) {
        session.incoming_window = bounds_.session_window;
        tell_flow(session, nullptr);
    }
    Link* const link = link_of(session.channel, transfer.handle);
    if (link == nullptr) {
        return fail(condition::unattached_handle, "no link has that handle");
    }
    if (link->attach.receives) {
        return fail(condition::not_allowed, "a transfer on a link on which the client receives");
    }
    if (link->state == Link::State::closing) {
        return Done{};  // sent before our detach was seen
    }
    if (!link->partial) {
        if (!transfer.id) {
            return fail(condition::invalid_field, "delivery-id is missing");
        }
        if (link->credit == 0) {
            break_link(*link, condition::transfer_limit, "more messages than there was credit for");
            return Done{};
        }
        --link->credit;
        ++link->delivery_count;
        ++link->unsettled;
        link->partial = Partial{.number = *transfer.id, .format = transfer.format};
    } else if (transfer.id && *transfer.id != link->partial->number) {
        return fail(condition::invalid_field, "another delivery-id within a message");
    }
    return take_part(*link, transfer);
}

Result<Done> Engine::take_part(Link& link, Transfer& transfer) {
    Partial& partial = *link.partial;
    DeliveryId id;
    id.link = link.id;
    id.channel = link.channel;
    id.number = partial.number;
    id.settled = partial.settled = partial.settled || transfer.settled.value_or(false);
    if (transfer.aborted) {
        link.partial.reset();
        id.settled = true;
        settle(id, Outcome::none);
        return Done{};
    }
    if (partial.bytes.size() + transfer.payload.size() > link.grant.message_bytes_max) {
        break_link(
            link, condition::message_size,
            "a message of more than " + std::to_string(link.grant.message_bytes_max) + " bytes");
        return Done{};
    }
    partial.pulses = 0;
    if (partial.bytes.empty()) {
        partial.bytes = std::move(transfer.payload);
    } else {
        partial.bytes.append(transfer.payload);
    }
    if (transfer.more) {
        if (partial_bytes() > bounds_.partial_bytes_max) {
            return fail(condition::resource_limit, "too many messages that have not come whole");
        }
        return Done{};
    }
    Delivered delivered;
    delivered.id = id;
    delivered.format = partial.format;
    delivered.message = std::move(partial.bytes);
    link.partial.reset();
    events_.emplace_back(std::move(delivered));
    return Done{};
}

std::size_t Engine::partial_bytes() const {
    std::size_t bytes = 0;
    for (const auto& link : links_) {
        bytes += link.partial ? link.partial->bytes.size() : 0;
    }
    return bytes;
}

void Engine::settle(const DeliveryId& delivery, Outcome outcome, const Condition& why) {
    Link* const link = link_of(delivery.link);
    if (link == nullptr || link->state != Link::State::open) {
        return;
    }
    link->unsettled -= link->unsettled > 0 ? 1 : 0;
    if (!delivery.settled) {
        Disposition ours;
        ours.from_receiver = true;
        ours.first = delivery.number;
        ours.settled = true;
        ours.outcome = outcome;
        ours.condition = why;
        put(delivery.channel, ours);
    }
    give_credit(*session_of(link->channel), *link);
}

/// Anew when half of it is used; what is with the front counts as used.
void Engine::give_credit(Session& session, Link& link) {
    const std::uint32_t room = link.grant.credit - std::min(link.grant.credit, link.unsettled);
    if (link.credit > link.grant.credit / 2 || link.credit >= room) {
        return;
    }
    link.credit = room;
    tell_flow(session, &link);
}

void Engine::tell_flow(const Session& session, const Link* link) {
    Flow flow;
    flow.next_incoming_id = session.next_incoming_id;
    flow.incoming_window = session.incoming_window;
    flow.next_outgoing_id = session.next_outgoing_id;
    flow.outgoing_window = bounds_.session_window;
    if (link != nullptr) {
        flow.handle = link->handle;
        flow.delivery_count = link->delivery_count;
        flow.credit = link->credit;
        flow.drain = link->drain;
    }
    put(session.channel, flow);
}

// --- The client receives -------------------------------------------------------------------------

Result<Done> Engine::flowed(Session& session, const Flow& flow) {
    // What the client had not seen when it said this is on its way (part 2.5.6).
    const std::uint32_t seen = flow.next_incoming_id.value_or(0);
    session.remote_window = seen + flow.incoming_window - session.next_outgoing_id;
    if (session.remote_window > flow.incoming_window) {
        session.remote_window = 0;  // it counts differently: nothing fits
    }
    if (!flow.handle) {
        if (flow.echo) {
            tell_flow(session, nullptr);
        }
        return Done{};
    }
    Link* const link = link_of(session.channel, *flow.handle);
    if (link == nullptr) {
        return fail(condition::unattached_handle, "no link has that handle");
    }
    if (link->state != Link::State::open) {
        return Done{};
    }
    if (link->attach.receives) {
        const std::uint32_t limit = flow.delivery_count.value_or(0) + flow.credit;
        const std::uint32_t left = limit - link->delivery_count;
        link->credit = left <= flow.credit ? left : 0;
        link->drain = flow.drain;
        pump();
    }
    if (flow.echo && link_of(session.channel, *flow.handle) != nullptr) {
        tell_flow(session, link);
    }
    return Done{};
}

Result<Done> Engine::send(LinkId id, std::string message, bool settled, std::uint64_t token) {
    Link* const link = link_of(id);
    if (link == nullptr || link->state != Link::State::open || !link->attach.receives) {
        return Done{};
    }
    if (waiting_bytes_ + outgoing_.size() + message.size() > bounds_.outgoing_bytes_max) {
        return fail(condition::resource_limit, "the client takes too little of what it is sent");
    }
    waiting_bytes_ += message.size();
    if (!link->waiting) {
        link->waiting.emplace();
    }
    Waiting waiting;
    waiting.message = std::move(message);
    waiting.settled = link->attach.sender_settles == SettleMode::settled ||
                      (settled && link->attach.sender_settles != SettleMode::unsettled);
    waiting.token = token;
    link->waiting->push_back(std::move(waiting));
    pump();
    return Done{};
}

/// Puts what credit and windows allow.
void Engine::pump() {
    for (auto& link : links_) {
        if (link.state != Link::State::open || !link.attach.receives) {
            continue;
        }
        Session& session = *session_of(link.channel);
        while (link.waiting && pump_frame(session, link)) {
        }
        if (link.drain && !link.waiting && link.credit > 0) {
            link.delivery_count += std::exchange(link.credit, 0);
            tell_flow(session, &link);
        }
    }
}

/// One frame of the first message that waits. false: nothing may be sent.
bool Engine::pump_frame(Session& session, Link& link) {
    Waiting& first = link.waiting->front();
    const bool begins = link.sent_bytes == 0;
    if (session.remote_window == 0 || (begins && link.credit == 0) ||
        (begins && !first.settled && unsettled_.size() >= bounds_.unsettled_max)) {
        return false;
    }
    if (begins) {
        --link.credit;
        ++link.delivery_count;
        link.number = session.next_delivery_id++;
        if (!first.settled) {
            unsettled_.push_back({link.channel, link.number, link.id, first.token});
        }
    }
    const std::size_t room =
        std::min<std::size_t>(peer_.frame_bytes_max, bounds_.frame_bytes_max) - transfer_head_bytes;
    const auto part = std::string_view{first.message}.substr(link.sent_bytes, room);
    Transfer transfer;
    transfer.handle = link.handle;
    transfer.id = link.number;
    transfer.tag = std::to_string(link.number);
    transfer.settled = first.settled;
    transfer.more = link.sent_bytes + part.size() < first.message.size();
    put(link.channel, transfer, part);
    --session.remote_window;
    ++session.next_outgoing_id;
    link.sent_bytes += part.size();
    if (!transfer.more) {
        waiting_bytes_ -= first.message.size();
        link.sent_bytes = 0;
        link.waiting->pop_front();
        if (link.waiting->empty()) {
            link.waiting.reset();
        }
    }
    return true;
}

Result<Done> Engine::disposed(const Session& session, const Disposition& disposition) {
    if (!disposition.from_receiver) {
        return Done{};  // we settle first, always
    }
    const std::uint32_t last = disposition.last.value_or(disposition.first);
    if (last - disposition.first > INT32_MAX) {
        return fail(condition::invalid_field, "last comes before first");
    }
    if (!disposition.settled && disposition.outcome == Outcome::none) {
        return Done{};
    }
    std::erase_if(unsettled_, [&](const Unsettled& each) {
        if (each.channel != session.channel || !within(disposition.first, each.number, last)) {
            return false;
        }
        Settled settled;
        settled.link = each.link;
        settled.token = each.token;
        settled.outcome = disposition.outcome;
        events_.emplace_back(settled);
        return true;
    });
    if (!disposition.settled) {
        Disposition ours = disposition;
        ours.from_receiver = false;
        ours.settled = true;
        ours.condition = {};
        put(session.channel, ours);
    }
    return Done{};
}

}  // namespace rollcall::net::amqp
