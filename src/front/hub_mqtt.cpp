// SPDX-License-Identifier: Apache-2.0
#include "front/hub_mqtt.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "domain/sas.hpp"
#include "front/dps_wire.hpp"
#include "front/hub_mailbox.hpp"
#include "service/twin_document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace rollcall::front {

namespace mqtt = net::mqtt;
using mqtt::Qos;
using service::SessionEnd;

namespace {

/// What azure-sdk-for-c subscribes to instead of its own devices/ID/messages/devicebound/#; nobody
/// else's messages come with it.
constexpr std::string_view any_messages_filter = "devices/+/messages/devicebound/#";
constexpr std::string_view twin_answers_filter = "$iothub/twin/res/#";
constexpr std::string_view desired_filter = "$iothub/twin/PATCH/properties/desired/#";
constexpr std::string_view methods_filter = "$iothub/methods/POST/#";
constexpr std::string_view twin_get_topic = "$iothub/twin/GET/";
constexpr std::string_view reported_topic = "$iothub/twin/PATCH/properties/reported/";
constexpr std::string_view method_answer_topic = "$iothub/methods/res/";

/// Messages handed over at one go, so that a queue full of the largest never outgrows what may wait
/// for a client. Escaped, properties take three times their bytes.
constexpr std::size_t messages_at_once = limits::mqtt_unacknowledged_max / 2;
static_assert(messages_at_once * (limits::device_message_bytes_max +
                                  3 * limits::message_properties_bytes_max + 1024) <
              limits::mqtt_outgoing_bytes_max / 2);

bool begins_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

Error unknown_topic() {
    return {ErrorKind::malformed, "nothing is published to that topic here", "mqtt-unknown-topic"};
}

/// $rid behind the topic's `start`; none where there is none, or too long a one.
std::optional<std::string> request_id(std::string_view topic, std::string_view start) {
    auto rid = raw_parameter(topic.substr(start.size()), "$rid");
    const bool fits = rid && rid->size() <= limits::mqtt_request_id_chars_max;
    return fits ? std::move(rid) : std::nullopt;
}

/// What stands behind `devices/ID/messages/events`, or none for another topic.
std::optional<std::string_view> events_bag(std::string_view topic, const DeviceId& device) {
    const std::string prefix = "devices/" + device.str() + "/messages/events";
    if (!begins_with(topic, prefix)) {
        return std::nullopt;
    }
    topic.remove_prefix(prefix.size());
    if (topic.empty()) {
        return topic;
    }
    return topic.front() == '/' ? std::optional{topic.substr(1)} : std::nullopt;
}

Result<domain::Telemetry> telemetry_of(std::string_view bag, const DeviceId& device,
                                       std::string payload, bool retain) {
    if (payload.size() > limits::telemetry_body_bytes_max) {
        return Error{ErrorKind::too_large, "a message has more than 256 KB", "message-too-large"};
    }
    domain::Telemetry telemetry;
    telemetry.device = device;
    TRY(telemetry.properties, parse_property_bag(bag));
    telemetry.body = std::move(payload);
    if (retain) {
        telemetry.properties.push_back({"mqtt-retain", "true", false});
    }
    return telemetry;
}

Result<domain::Telemetry> telemetry_of(const mqtt::Will& will, const DeviceId& device) {
    const auto bag = events_bag(will.topic, device);
    if (!bag) {
        return unknown_topic();
    }
    TRY(auto telemetry, telemetry_of(*bag, device, will.payload, will.retain));
    telemetry.properties.push_back({"iothub-MessageType", "Will", false});
    return telemetry;
}

}  // namespace

class HubMqtt::Conversation final : public net::MqttConversation, public HubMailbox::Owner {
public:
    Conversation(HubMqtt& front, net::MqttPeer& peer, DeviceId device, const mqtt::Connect& connect)
        : front_(front),
          peer_(peer),
          device_(std::move(device)),
          lasting_(!connect.clean_session),
          will_(connect.will),
          mailbox_(std::make_shared<HubMailbox>(peer.executor(), *this)) {}
    ~Conversation() override { mailbox_->abandon(); }

    const std::shared_ptr<HubMailbox>& mailbox() const { return mailbox_; }
    void resume(const domain::Subscriptions& subscriptions) { subscribed_ = subscriptions; }
    /// The token it came in with does not reach further.
    void ends_at(TimePoint until) { until_ = until; }

    // --- MqttConversation ---
    Task<Result<Done>> begin() override;
    Task<Result<Done>> published(std::vector<mqtt::Publish>& batch) override;
    Task<Result<Done>> subscribed(const mqtt::Subscribe& subscribe) override;
    Task<Result<Done>> unsubscribed(const mqtt::Unsubscribe& unsubscribe) override;
    Task<Result<Done>> acknowledged(std::uint64_t token) override;
    Task<Result<Done>> woken() override;
    Task<void> ended(bool gracefully) override;

    // --- HubMailbox::Owner ---
    void mail_came() override { peer_.wake(); }
    void must_end(SessionEnd why) override {
        trusted_ = trusted_ && why == SessionEnd::taken_over;
        peer_.close();
    }

private:
    int* place_of(std::string_view filter);
    Task<Result<Done>> keep_subscriptions();
    Task<Result<Done>> send(std::vector<domain::Telemetry>& messages,
                            std::vector<const mqtt::Publish*>& unanswered);
    Task<Result<Done>> take_other(const mqtt::Publish& publish);
    Task<Result<Done>> answer_twin(const mqtt::Publish& publish);
    Task<Result<Done>> take_report(const mqtt::Publish& publish);
    Result<Done> take_method_answer(const mqtt::Publish& publish);
    void tell_twin(const std::string& status, const std::string& rid, const std::string& more,
                   std::string body);
    void tell_twin_error(const std::string& rid, const Error& error);
    Task<Result<Done>> deliver_messages();
    void deliver(const service::DesiredChange& change);
    void deliver(const service::MethodRequest& request);
    void tell(std::string topic, std::string payload, int qos, std::uint64_t token = 0);

    HubMqtt& front_;
    net::MqttPeer& peer_;
    const DeviceId device_;
    const bool lasting_;
    const std::optional<mqtt::Will> will_;
    std::shared_ptr<HubMailbox> mailbox_;
    std::optional<TimePoint> until_;
    domain::Subscriptions subscribed_;
    std::set<std::uint64_t> in_flight_;  ///< messages sent and not acknowledged
    bool more_wait_ = false;             ///< until some of those are acknowledged
    bool trusted_ = true;
};

Task<net::MqttWelcome> HubMqtt::welcome(const mqtt::Connect& connect, net::MqttPeer& peer) {
    net::MqttWelcome welcome;
    const auto name = parse_hub_username(connect.username.value_or(""));
    if (!name) {
        welcome.refusal = mqtt::ConnectAnswer::bad_credentials;
        co_return welcome;
    }
    if (connect.client_id != name->device.str()) {
        welcome.refusal = mqtt::ConnectAnswer::identifier_rejected;
        co_return welcome;
    }
    if (connect.will && !telemetry_of(*connect.will, name->device)) {
        co_return welcome;
    }
    co_return co_await let_in(connect, peer, *name);
}

Task<net::MqttWelcome> HubMqtt::let_in(const mqtt::Connect& connect, net::MqttPeer& peer,
                                       const HubUsername& name) {
    net::MqttWelcome welcome;
    const net::ConnectionFacts& connection = peer.facts();
    service::HubRequest request;
    request.device = name.device;
    request.peer = connection.peer;
    if (connect.password && domain::looks_like_sas(*connect.password)) {
        request.sas = *connect.password;
    }
    request.protocol = connection.websocket ? domain::Protocol::mqtt_ws : domain::Protocol::mqtt;
    request.peer_address = connection.peer_address;
    request.user_agent = name.user_agent;
    const auto refused = [&welcome](const Error& error) {
        welcome.refusal = error.kind == ErrorKind::forbidden
                              ? mqtt::ConnectAnswer::not_authorized
                              : mqtt::ConnectAnswer::server_unavailable;
    };
    const auto facts = co_await hub_.admit(request);
    if (!facts) {
        refused(facts.error());
        co_return welcome;
    }
    auto conversation = std::make_unique<Conversation>(*this, peer, name.device, connect);
    if (facts->until) {
        conversation->ends_at(*facts->until);
    }
    const auto kept = co_await hub_.subscriptions(name.device);
    if (!kept) {
        refused(kept.error());
        co_return welcome;
    }
    if (connect.clean_session && kept->any()) {
        const domain::Subscriptions none;
        const auto forgotten = co_await hub_.keep_subscriptions(name.device, none);
        if (!forgotten) {
            refused(forgotten.error());
            co_return welcome;
        }
    }
    if (!connect.clean_session) {
        conversation->resume(*kept);
        welcome.session_present = kept->any();
    }
    const std::shared_ptr<service::LiveSession> session = conversation->mailbox();
    const auto entered = co_await hub_.enter(*facts, session, request);
    if (!entered) {
        refused(entered.error());
        welcome.session_present = false;
        co_return welcome;
    }
    welcome.conversation = std::move(conversation);
    co_return welcome;
}

Task<Result<Done>> HubMqtt::Conversation::begin() {
    if (until_) {
        using std::chrono::ceil;
        using std::chrono::milliseconds;
        const milliseconds longest{limits::token_session_time_max};
        const auto left = ceil<milliseconds>(*until_ - front_.clock_.now());
        peer_.end_at_latest_in(std::clamp(left, milliseconds{0}, longest));
    }
    co_return co_await deliver_messages();
}

/// Telemetry that came together is kept together, then acknowledged in order [MQTT-4.6.0-2]; also
/// what came before something that ends the connection.
Task<Result<Done>> HubMqtt::Conversation::published(std::vector<mqtt::Publish>& batch) {
    std::vector<domain::Telemetry> messages;
    std::vector<const mqtt::Publish*> unanswered;
    for (auto& publish : batch) {
        const auto bag = events_bag(publish.topic, device_);
        if (bag) {
            auto message = telemetry_of(*bag, device_, std::move(publish.payload), publish.retain);
            if (!message) {
                CO_TRY([[maybe_unused]] const Done sent, co_await send(messages, unanswered));
                co_return message.error();
            }
            messages.push_back(*std::move(message));
            unanswered.push_back(&publish);
            continue;
        }
        CO_TRY([[maybe_unused]] const Done sent, co_await send(messages, unanswered));
        CO_TRY([[maybe_unused]] const Done taken, co_await take_other(publish));
    }
    co_return co_await send(messages, unanswered);
}

Task<Result<Done>> HubMqtt::Conversation::send(std::vector<domain::Telemetry>& messages,
                                               std::vector<const mqtt::Publish*>& unanswered) {
    if (messages.empty()) {
        co_return Done{};
    }
    CO_TRY([[maybe_unused]] const Done kept, co_await front_.hub_.send(messages));
    for (const auto* const publish : unanswered) {
        peer_.acknowledge(*publish);
    }
    messages.clear();
    unanswered.clear();
    co_return Done{};
}

Task<Result<Done>> HubMqtt::Conversation::take_other(const mqtt::Publish& publish) {
    const std::string_view topic = publish.topic;
    if (begins_with(topic, twin_get_topic)) {
        co_return co_await answer_twin(publish);
    }
    if (begins_with(topic, reported_topic)) {
        co_return co_await take_report(publish);
    }
    if (begins_with(topic, method_answer_topic)) {
        co_return take_method_answer(publish);
    }
    co_return unknown_topic();
}

/// Acknowledged once it is known to be a question; then answered.
Task<Result<Done>> HubMqtt::Conversation::answer_twin(const mqtt::Publish& publish) {
    const auto rid = request_id(publish.topic, twin_get_topic);
    if (!rid) {
        co_return unknown_topic();
    }
    peer_.acknowledge(publish);
    const auto twin = co_await front_.hub_.twin(device_);
    if (twin) {
        tell_twin("200", *rid, "", service::device_document(*twin));
    } else {
        tell_twin_error(*rid, twin.error());
    }
    co_return Done{};
}

Task<Result<Done>> HubMqtt::Conversation::take_report(const mqtt::Publish& publish) {
    const auto rid = request_id(publish.topic, reported_topic);
    if (!rid) {
        co_return unknown_topic();
    }
    peer_.acknowledge(publish);
    const auto version = co_await front_.hub_.report(device_, publish.payload);
    if (version) {
        tell_twin("204", *rid, "&$version=" + std::to_string(*version), "");
    } else {
        tell_twin_error(*rid, version.error());
    }
    co_return Done{};
}

/// STATUS/?$rid=ID: what nobody waits for any more is no mistake of the device's.
Result<Done> HubMqtt::Conversation::take_method_answer(const mqtt::Publish& publish) {
    const auto rest = std::string_view{publish.topic}.substr(method_answer_topic.size());
    const auto slash = rest.find('/');
    const auto status_text = rest.substr(0, slash);
    const auto tail = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    int status = 0;
    const auto* const end = status_text.data() + status_text.size();
    const auto read = std::from_chars(status_text.data(), end, status);
    const auto rid = raw_parameter(tail, "$rid");
    if (read.ec != std::errc{} || read.ptr != end || !rid) {
        return unknown_topic();
    }
    peer_.acknowledge(publish);
    std::uint64_t id = 0;
    const auto* const rid_end = rid->data() + rid->size();
    const auto found = std::from_chars(rid->data(), rid_end, id, 16);
    if (found.ec == std::errc{} && found.ptr == rid_end &&
        publish.payload.size() <= limits::method_payload_bytes_max) {
        front_.hub_.method_answered(device_, id, {status, publish.payload});
    }
    return Done{};
}

void HubMqtt::Conversation::tell_twin(const std::string& status, const std::string& rid,
                                      const std::string& more, std::string body) {
    tell("$iothub/twin/res/" + status + "/?$rid=" + rid + more, std::move(body),
         subscribed_.twin_answers);
}

void HubMqtt::Conversation::tell_twin_error(const std::string& rid, const Error& error) {
    const DpsError told = to_dps_error(error);
    tell_twin(std::to_string(told.status), rid, "",
              error_body(told, new_guid(front_.entropy_), front_.clock_.now()));
}

int* HubMqtt::Conversation::place_of(std::string_view filter) {
    if (filter == any_messages_filter ||
        filter == "devices/" + device_.str() + "/messages/devicebound/#") {
        return &subscribed_.messages;
    }
    if (filter == twin_answers_filter) {
        return &subscribed_.twin_answers;
    }
    if (filter == desired_filter) {
        return &subscribed_.desired;
    }
    return filter == methods_filter ? &subscribed_.methods : nullptr;
}

Task<Result<Done>> HubMqtt::Conversation::subscribed(const mqtt::Subscribe& subscribe) {
    std::vector<std::optional<Qos>> granted;
    bool changed = false;
    for (const auto& wish : subscribe.wishes) {
        int* const place =
            granted.size() < limits::mqtt_wishes_max ? place_of(wish.filter) : nullptr;
        if (place == nullptr) {
            granted.emplace_back(std::nullopt);
            continue;
        }
        const Qos qos = std::min(wish.qos, Qos::at_least_once);
        changed = changed || *place != static_cast<int>(qos);
        *place = static_cast<int>(qos);
        granted.emplace_back(qos);
    }
    if (changed) {
        CO_TRY([[maybe_unused]] const Done kept, co_await keep_subscriptions());
    }
    peer_.grant(subscribe.id, granted);
    co_return co_await deliver_messages();
}

Task<Result<Done>> HubMqtt::Conversation::unsubscribed(const mqtt::Unsubscribe& unsubscribe) {
    bool changed = false;
    for (const auto& filter : unsubscribe.filters) {
        if (int* const place = place_of(filter); place != nullptr) {
            changed = changed || *place >= 0;
            *place = -1;
        }
    }
    if (changed) {
        CO_TRY([[maybe_unused]] const Done kept, co_await keep_subscriptions());
    }
    peer_.release(unsubscribe.id);
    co_return Done{};
}

Task<Result<Done>> HubMqtt::Conversation::keep_subscriptions() {
    if (!lasting_) {
        co_return Done{};
    }
    co_return co_await front_.hub_.keep_subscriptions(device_, subscribed_);
}

Task<Result<Done>> HubMqtt::Conversation::acknowledged(std::uint64_t token) {
    if (token == 0) {  // not a message
        co_return Done{};
    }
    CO_TRY([[maybe_unused]] const Done done, co_await front_.hub_.complete(device_, token));
    in_flight_.erase(token);
    if (more_wait_ && in_flight_.size() <= messages_at_once) {
        co_return co_await deliver_messages();
    }
    co_return Done{};
}

Task<Result<Done>> HubMqtt::Conversation::woken() {
    const bool messages_wait = mailbox_->hand_out([this](const auto& wish) { deliver(wish); });
    if (messages_wait) {
        co_return co_await deliver_messages();
    }
    co_return Done{};
}

/// Each message once in a session; a later session gets again what was not acknowledged. Some at a
/// time: the rest when these are written, or acknowledged.
Task<Result<Done>> HubMqtt::Conversation::deliver_messages() {
    more_wait_ = false;
    if (subscribed_.messages < 0) {
        co_return Done{};
    }
    CO_TRY(const auto messages, co_await front_.hub_.waiting(device_));
    std::size_t handed_over = 0;
    for (const auto& message : messages) {
        if (in_flight_.contains(message.number)) {
            continue;
        }
        more_wait_ = in_flight_.size() >= limits::mqtt_unacknowledged_max;
        if (more_wait_) {
            break;
        }
        if (++handed_over > messages_at_once) {
            mailbox_->deliver(service::MessagesWait{});
            break;
        }
        in_flight_.insert(message.number);
        tell("devices/" + device_.str() + "/messages/devicebound/" +
                 write_property_bag(message.properties),
             message.body, subscribed_.messages, message.number);
        if (subscribed_.messages == 0) {
            CO_TRY([[maybe_unused]] const Done done,
                   co_await front_.hub_.complete(device_, message.number));
            in_flight_.erase(message.number);
        }
    }
    co_return Done{};
}

void HubMqtt::Conversation::deliver(const service::DesiredChange& change) {
    tell("$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(change.version),
         change.patch, subscribed_.desired);
}

void HubMqtt::Conversation::deliver(const service::MethodRequest& request) {
    std::array<char, 16> digits{};
    const auto written = std::to_chars(digits.begin(), digits.end(), request.id, 16);
    tell("$iothub/methods/POST/" + request.name +
             "/?$rid=" + std::string{digits.data(), written.ptr},
         request.payload, std::min(subscribed_.methods, 0));
}

/// Nothing to who is not subscribed. Only messages are waited for to be acknowledged.
void HubMqtt::Conversation::tell(std::string topic, std::string payload, int qos,
                                 std::uint64_t token) {
    if (qos < 0) {
        return;
    }
    mqtt::Outgoing message;
    message.topic = std::move(topic);
    message.payload = std::move(payload);
    message.qos = qos > 0 ? Qos::at_least_once : Qos::at_most_once;
    message.token = token;
    peer_.publish(std::move(message));
}

Task<void> HubMqtt::Conversation::ended(bool gracefully) {
    front_.hub_.leave(device_, *mailbox_);
    if (gracefully || !will_ || !trusted_) {
        co_return;
    }
    auto will = telemetry_of(*will_, device_);
    if (!will) {  // cannot be: it was looked at before the device was let in
        co_return;
    }
    std::vector<domain::Telemetry> batch;
    batch.push_back(*std::move(will));
    const auto kept = co_await front_.hub_.send(batch);
    if (!kept) {
        log_event(Severity::warning, "will-lost",
                  {{"device", device_.str()}, {"detail", kept.error().detail}});
    }
}

}  // namespace rollcall::front
