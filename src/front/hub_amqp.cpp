// SPDX-License-Identifier: Apache-2.0
#include "front/hub_amqp.hpp"

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "domain/sas.hpp"
#include "front/amqp_address.hpp"
#include "front/dps_wire.hpp"
#include "front/hub_amqp_cbs.hpp"
#include "front/hub_amqp_message.hpp"
#include "front/hub_mailbox.hpp"
#include "service/twin_document.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

namespace rollcall::front {

namespace amqp = net::amqp;
using service::SessionEnd;

namespace {

/// What a link is for.
enum class Use { telemetry, messages, twin_requests, twin_answers, method_answers, methods };

std::optional<Use> use_of(const std::string& endpoint, bool device_receives) {
    if (endpoint == "messages/events" && !device_receives) {
        return Use::telemetry;
    }
    if (endpoint == "messages/devicebound" && device_receives) {
        return Use::messages;
    }
    if (endpoint == "twin") {
        return device_receives ? Use::twin_answers : Use::twin_requests;
    }
    if (endpoint == "methods/devicebound") {
        return device_receives ? Use::methods : Use::method_answers;
    }
    return std::nullopt;
}

amqp::Condition told(std::string_view name, std::string description) {
    amqp::Condition condition;
    condition.name = name;
    condition.description = std::move(description);
    return condition;
}

/// Why one message is rejected. Ours to say are only words that the SDKs do not repeat for ever.
amqp::Condition rejection(const Error& error) {
    if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::internal) {
        return told(amqp::condition::timeout, "the service is busy or away for a moment");
    }
    return net::condition_of(error);
}

std::optional<int> whole_number(const std::string& text) {
    int number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}

service::HubRequest request_of(const DeviceId& device, const net::AmqpPeer& peer,
                               const std::string& sas) {
    const net::ConnectionFacts& connection = peer.facts();
    service::HubRequest request;
    request.device = device;
    request.peer = connection.peer;
    request.sas = sas;
    request.protocol = connection.websocket ? domain::Protocol::amqp_ws : domain::Protocol::amqp;
    request.peer_address = connection.peer_address;
    return request;
}

constexpr std::string_view reported_resource = "/properties/reported";
constexpr std::string_view desired_resource = "/notifications/twin/properties/desired";
/// How often a message is sent that the device gives back each time (spec/hub-mqtt.md 4.3).
constexpr int deliveries_max = 10;

}  // namespace

class HubAmqp::Conversation final : public net::AmqpConversation, public HubMailbox::Owner {
public:
    Conversation(HubAmqp& front, net::AmqpPeer& peer, DeviceId device)
        : front_(front),
          peer_(peer),
          device_(std::move(device)),
          mailbox_(std::make_shared<HubMailbox>(peer.executor(), *this)) {}
    ~Conversation() override { mailbox_->abandon(); }

    const std::shared_ptr<HubMailbox>& mailbox() const { return mailbox_; }

    // --- AmqpConversation ---
    Task<Result<Done>> offered(const amqp::LinkOffered& offer) override;
    Task<Result<Done>> delivered(std::vector<amqp::Delivered>& batch) override;
    Task<Result<Done>> settled(const amqp::Settled& settled) override;
    Task<Result<Done>> gone(amqp::LinkId link) override;
    Task<Result<Done>> woken() override;
    Task<void> ended() override {
        front_.hub_.leave(device_, *mailbox_);
        co_return;
    }

    // --- HubMailbox::Owner ---
    void mail_came() override { peer_.wake(); }
    void must_end(SessionEnd why) override {
        switch (why) {
            case SessionEnd::taken_over:
                return peer_.close(told(amqp::condition::stolen, "the device has come again"));
            case SessionEnd::moved:
                return peer_.close(
                    told(amqp::condition::unauthorized, "the device is at another hub now"));
            case SessionEnd::trust_withdrawn:
            case SessionEnd::device_gone: break;
        }
        peer_.close(told(amqp::condition::unauthorized, "the device may not stay"));
    }

private:
    struct Held {
        amqp::LinkId link = 0;
        Use use = Use::telemetry;
    };
    struct Taken {  ///< telemetry that is to be kept together
        std::vector<domain::Telemetry> messages{};
        std::vector<amqp::DeliveryId> unanswered{};
    };

    std::optional<Use> use_of_link(amqp::LinkId link) const;
    std::optional<amqp::LinkId> link_for(Use use) const;
    void take_telemetry(const amqp::Delivered& delivered, Taken& taken);
    Task<Result<Done>> keep(Taken& taken);
    Task<Result<Done>> take_twin_request(const amqp::Delivered& delivered);
    Task<amqp::Message> answer_twin(const amqp::Message& request);
    amqp::Message twin_refusal(const Error& error);
    void take_method_answer(const amqp::Delivered& delivered);
    Task<Result<Done>> deliver_messages();
    void deliver(const service::DesiredChange& change);
    void deliver(const service::MethodRequest& request);

    HubAmqp& front_;
    net::AmqpPeer& peer_;
    const DeviceId device_;
    std::shared_ptr<HubMailbox> mailbox_;
    std::vector<Held> links_;
    bool wants_desired_ = false;
    std::map<std::uint64_t, int> sent_;  ///< messages not completed, how often they were sent
};

Task<std::unique_ptr<net::AmqpConversation>> HubAmqp::welcome(const amqp::LinkOffered& offer,
                                                              net::AmqpPeer& peer) {
    if (offer.attach.address() == cbs_address) {
        peer.end_in(limits::unregistered_session_time_max);
        co_return std::make_unique<HubAmqpLobby>(*this, peer);
    }
    const auto& plain = peer.credential();
    const bool has_token = plain && domain::looks_like_sas(plain->password);
    const std::string sas = has_token ? plain->password : "";
    co_return co_await let_in(offer, peer, sas);
}

Task<std::unique_ptr<net::AmqpConversation>> HubAmqp::let_in(const amqp::LinkOffered& offer,
                                                             net::AmqpPeer& peer,
                                                             const std::string& sas) {
    const auto link = parse_hub_link(offer.attach.address().value_or(""));
    if (!link) {
        peer.refuse(offer.link, told(amqp::condition::not_found, link.error().detail));
        co_return nullptr;
    }
    service::HubRequest request = request_of(link->device, peer, sas);
    request.user_agent =
        repaired_utf8(amqp::text_of(offer.attach.properties, "com.microsoft:client-version")
                          .substr(0, limits::user_agent_chars_max));
    const auto facts = co_await hub_.admit(request);
    if (!facts) {
        peer.refuse(offer.link, rejection(facts.error()));
        co_return nullptr;
    }
    auto conversation = std::make_unique<Conversation>(*this, peer, link->device);
    const std::shared_ptr<service::LiveSession> session = conversation->mailbox();
    const auto entered = co_await hub_.enter(*facts, session, request);
    if (!entered) {
        peer.refuse(offer.link, rejection(entered.error()));
        co_return nullptr;
    }
    peer.end_by_silence();
    limit_life(facts->until, peer);
    co_return conversation;
}

Task<Result<Done>> HubAmqp::check_token(const std::string& sas, net::AmqpPeer& peer) {
    constexpr std::string_view devices = "/devices/";
    CO_TRY(const auto token, domain::parse_sas(sas));
    const auto at = token.resource.find(devices);
    const std::string name =
        at == std::string::npos ? "" : token.resource.substr(at + devices.size());
    CO_TRY(const auto device, parse_device_id(name));
    const service::HubRequest request = request_of(device, peer, sas);
    CO_TRY(const auto facts, co_await hub_.admit(request));
    peer.end_by_silence();
    limit_life(facts.until, peer);
    co_return Done{};
}

/// A token that is renewed in time goes on; one does not reach further than it says.
void HubAmqp::limit_life(const std::optional<TimePoint>& until, net::AmqpPeer& peer) {
    if (!until) {
        return;
    }
    using std::chrono::milliseconds;
    const milliseconds longest{limits::token_session_time_max};
    const auto left = std::chrono::ceil<milliseconds>(*until - clock_.now());
    peer.end_at_latest_in(std::clamp(left, milliseconds{0}, longest));
}

Task<Result<Done>> HubAmqp::Conversation::offered(const amqp::LinkOffered& offer) {
    const auto address = parse_hub_link(offer.attach.address().value_or(""));
    if (address && address->device != device_) {
        peer_.refuse(offer.link,
                     told(amqp::condition::unauthorized, "one connection is for one device"));
        co_return Done{};
    }
    const auto use =
        address ? use_of(address->endpoint, offer.attach.receives) : std::optional<Use>{};
    if (!use) {
        peer_.refuse(offer.link,
                     told(amqp::condition::not_found, "there is nothing at this address"));
        co_return Done{};
    }
    std::erase_if(links_, [&use](const Held& held) {
        return held.use == *use && held.use != Use::telemetry;  // the newest one serves
    });
    links_.push_back({offer.link, *use});
    peer_.accept(offer.link, {});
    if (*use == Use::messages) {
        co_return co_await deliver_messages();
    }
    co_return Done{};
}

Task<Result<Done>> HubAmqp::Conversation::gone(amqp::LinkId link) {
    if (link_for(Use::twin_answers) == link) {
        wants_desired_ = false;
    }
    if (link_for(Use::messages) == link) {
        sent_.clear();  // what was not settled is sent again to the next link
    }
    std::erase_if(links_, [link](const Held& held) { return held.link == link; });
    co_return Done{};
}

std::optional<Use> HubAmqp::Conversation::use_of_link(amqp::LinkId link) const {
    const auto held = std::find_if(links_.begin(), links_.end(),
                                   [link](const Held& each) { return each.link == link; });
    return held == links_.end() ? std::nullopt : std::optional{held->use};
}

std::optional<amqp::LinkId> HubAmqp::Conversation::link_for(Use use) const {
    const auto held = std::find_if(links_.begin(), links_.end(),
                                   [use](const Held& each) { return each.use == use; });
    return held == links_.end() ? std::nullopt : std::optional{held->link};
}

// --- The device speaks ---------------------------------------------------------------------------

Task<Result<Done>> HubAmqp::Conversation::delivered(std::vector<amqp::Delivered>& batch) {
    Taken taken;
    for (const auto& each : batch) {
        const auto use = use_of_link(each.id.link);
        if (use == Use::telemetry) {
            take_telemetry(each, taken);
            continue;
        }
        CO_TRY([[maybe_unused]] const Done kept, co_await keep(taken));
        if (use == Use::twin_requests) {
            CO_TRY([[maybe_unused]] const Done answered, co_await take_twin_request(each));
        } else if (use == Use::method_answers) {
            take_method_answer(each);
        } else {  // a link that another one has replaced
            peer_.settle(each.id, amqp::Outcome::rejected,
                         told(amqp::condition::not_found, "the link was replaced"));
        }
    }
    co_return co_await keep(taken);
}

void HubAmqp::Conversation::take_telemetry(const amqp::Delivered& delivered, Taken& taken) {
    const auto added = add_telemetry(delivered.message, delivered.format, device_, taken.messages);
    if (!added) {
        peer_.settle(delivered.id, amqp::Outcome::rejected, rejection(added.error()));
        return;
    }
    taken.unanswered.push_back(delivered.id);
}

/// Accepted once it is durable.
Task<Result<Done>> HubAmqp::Conversation::keep(Taken& taken) {
    if (taken.unanswered.empty()) {
        co_return Done{};
    }
    Result<Done> kept = Done{};
    if (!taken.messages.empty()) {
        kept = co_await front_.hub_.send(taken.messages);
    }
    for (const auto& id : taken.unanswered) {
        if (kept) {
            peer_.settle(id, amqp::Outcome::accepted);
        } else {
            peer_.settle(id, amqp::Outcome::rejected, rejection(kept.error()));
        }
    }
    taken.messages.clear();
    taken.unanswered.clear();
    co_return Done{};
}

Task<Result<Done>> HubAmqp::Conversation::take_twin_request(const amqp::Delivered& delivered) {
    const auto request = read_hub_message(delivered.message);
    if (!request || request->correlation_id.encoded.size() > limits::amqp_correlation_bytes_max) {
        peer_.settle(delivered.id, amqp::Outcome::rejected,
                     told(amqp::condition::argument_error, "the request cannot be read"));
        co_return Done{};
    }
    peer_.settle(delivered.id, amqp::Outcome::accepted);
    amqp::Message answer = co_await answer_twin(*request);
    answer.correlation_id = request->correlation_id;
    if (const auto link = link_for(Use::twin_answers)) {
        peer_.send(*link, amqp::encode(answer), true);
    }
    co_return Done{};
}

/// `operation` and `resource` stand in annotations, and so does the answer's status: an int, which
/// the C SDK insists on.
Task<amqp::Message> HubAmqp::Conversation::answer_twin(const amqp::Message& request) {
    const std::string operation = amqp::text_of(request.annotations, "operation");
    const std::string resource = amqp::text_of(request.annotations, "resource");
    amqp::Message answer;
    answer.annotations.emplace_back("status", std::int32_t{200});
    if (operation == "GET") {
        const auto twin = co_await front_.hub_.twin(device_);
        if (!twin) {
            co_return twin_refusal(twin.error());
        }
        answer.body.push_back(service::device_document(*twin));
        co_return answer;
    }
    if (operation == "PATCH" && resource == reported_resource) {
        const std::string patch = body_of(request);
        const auto version = co_await front_.hub_.report(device_, patch);
        if (!version) {
            co_return twin_refusal(version.error());
        }
        answer.annotations.emplace_back("version", static_cast<std::int64_t>(*version));
        answer.body.emplace_back();
        co_return answer;
    }
    if ((operation == "PUT" || operation == "DELETE") && resource == desired_resource) {
        wants_desired_ = operation == "PUT";
        answer.body.emplace_back();
        co_return answer;
    }
    const Error unknown{ErrorKind::malformed, "The request names no operation of a twin.",
                        "twin-operation"};
    co_return twin_refusal(unknown);
}

amqp::Message HubAmqp::Conversation::twin_refusal(const Error& error) {
    const DpsError refused = to_dps_error(error);
    amqp::Message answer;
    answer.annotations.emplace_back("status", static_cast<std::int32_t>(refused.status));
    answer.body.push_back(error_body(refused, new_guid(front_.entropy_), front_.clock_.now()));
    return answer;
}

/// What nobody waits for any more is no mistake of the device's.
void HubAmqp::Conversation::take_method_answer(const amqp::Delivered& delivered) {
    const auto answer = read_hub_message(delivered.message);
    std::optional<std::string> status_text;
    if (answer) {
        for (const auto& [name, value] : answer->properties) {
            if (name == "IoThub-status") {
                status_text = amqp::to_text(value);
            }
        }
    }
    const auto id = answer ? method_of(answer->correlation_id) : std::nullopt;
    const auto status = status_text ? whole_number(*status_text) : std::nullopt;
    if (!id || !status) {
        peer_.settle(delivered.id, amqp::Outcome::rejected,
                     told(amqp::condition::argument_error, "no answer of a method"));
        return;
    }
    const std::string payload = body_of(*answer);
    if (payload.size() <= limits::method_payload_bytes_max) {
        front_.hub_.method_answered(device_, *id, {*status, payload});
    }
    peer_.settle(delivered.id, amqp::Outcome::accepted);
}

// --- The device is told --------------------------------------------------------------------------

Task<Result<Done>> HubAmqp::Conversation::woken() {
    const bool messages_wait = mailbox_->hand_out([this](const auto& wish) { deliver(wish); });
    if (messages_wait) {
        co_return co_await deliver_messages();
    }
    co_return Done{};
}

/// What was sent and not settled is not sent again on this link.
Task<Result<Done>> HubAmqp::Conversation::deliver_messages() {
    const auto link = link_for(Use::messages);
    if (!link) {
        co_return Done{};
    }
    CO_TRY(const auto messages, co_await front_.hub_.waiting(device_));
    for (const auto& message : messages) {
        if (sent_.emplace(message.number, 1).second) {
            peer_.send(*link, write_device_message(message), false, message.number);
        }
    }
    co_return Done{};
}

/// Rejecting is completing: there is no dead-letter queue. What is given back is sent again, until
/// it has been often enough for this session.
Task<Result<Done>> HubAmqp::Conversation::settled(const amqp::Settled& settled) {
    const auto sent = sent_.find(settled.token);
    if (sent == sent_.end()) {  // not a message
        co_return Done{};
    }
    if (settled.outcome == amqp::Outcome::accepted || settled.outcome == amqp::Outcome::rejected) {
        CO_TRY([[maybe_unused]] const Done done,
               co_await front_.hub_.complete(device_, settled.token));
        sent_.erase(settled.token);
        co_return Done{};
    }
    if (++sent->second > deliveries_max) {
        co_return Done{};
    }
    CO_TRY(const auto messages, co_await front_.hub_.waiting(device_));
    for (const auto& message : messages) {
        if (message.number == settled.token) {
            peer_.send(settled.link, write_device_message(message), false, message.number);
        }
    }
    co_return Done{};
}

void HubAmqp::Conversation::deliver(const service::DesiredChange& change) {
    const auto link = link_for(Use::twin_answers);
    if (!link || !wants_desired_) {
        return;
    }
    amqp::Message news;
    news.annotations.emplace_back("resource", std::string{desired_resource});
    news.annotations.emplace_back("version", static_cast<std::int64_t>(change.version));
    news.body.push_back(change.patch);
    peer_.send(*link, amqp::encode(news), true);
}

void HubAmqp::Conversation::deliver(const service::MethodRequest& request) {
    if (const auto link = link_for(Use::methods)) {
        peer_.send(*link, write_method(request.id, request.name, request.payload), true);
    }
}

}  // namespace rollcall::front
