// SPDX-License-Identifier: Apache-2.0
#include "front/device_mqtt.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "domain/sas.hpp"
#include "front/mqtt_topic.hpp"

#include <optional>
#include <utility>

namespace rollcall::front {

namespace mqtt = net::mqtt;

namespace {

constexpr std::string_view answers_filter = "$dps/registrations/res/#";
constexpr std::string_view register_topic = "$dps/registrations/PUT/iotdps-register/";
constexpr std::string_view poll_topic = "$dps/registrations/GET/iotdps-get-operationstatus/";

bool begins_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

Error unknown_topic() {
    return {ErrorKind::malformed, "nothing is published to that topic here", "mqtt-unknown-topic"};
}

}  // namespace

class DeviceMqtt::Conversation final : public net::MqttConversation {
public:
    Conversation(DeviceMqtt& front, net::MqttPeer& peer, DpsUsername name, std::string sas)
        : front_(front), peer_(peer), name_(std::move(name)), sas_(std::move(sas)) {}

    Task<Result<Done>> begin() override {
        peer_.end_in(limits::unregistered_session_time_max);
        co_return Done{};
    }
    Task<Result<Done>> published(std::vector<mqtt::Publish>& batch) override;
    Task<Result<Done>> subscribed(const mqtt::Subscribe& subscribe) override;
    Task<Result<Done>> unsubscribed(const mqtt::Unsubscribe& unsubscribe) override;
    Task<Result<Done>> acknowledged(std::uint64_t) override { co_return Done{}; }
    Task<Result<Done>> woken() override { co_return Done{}; }
    Task<void> ended(bool) override { co_return; }

private:
    Task<DpsAnswer> do_register(const mqtt::Publish& publish);
    Task<DpsAnswer> do_poll(std::string_view tail);
    domain::RegistrationRequest request() const;
    void tell(const std::string& rid, DpsAnswer answer);

    DeviceMqtt& front_;
    net::MqttPeer& peer_;
    const DpsUsername name_;
    const std::string sas_;
    std::optional<mqtt::Qos> granted_;
    std::uint64_t answers_ = 0;
};

/// The certificate, or the token in the password, is judged when the device registers, under the id
/// the user name says. Without either nothing it could ask for would be granted.
Task<net::MqttWelcome> DeviceMqtt::welcome(const mqtt::Connect& connect, net::MqttPeer& peer) {
    net::MqttWelcome welcome;
    const auto name = parse_dps_username(connect.username.value_or(""));
    if (!name) {
        welcome.refusal = mqtt::ConnectAnswer::bad_credentials;
        co_return welcome;
    }
    const bool has_certificate = !peer.facts().peer.empty() || peer.facts().peer_error;
    const std::string password = connect.password.value_or("");
    const bool has_token = domain::looks_like_sas(password);
    if (!has_certificate && !has_token) {
        welcome.refusal = mqtt::ConnectAnswer::not_authorized;
        co_return welcome;
    }
    welcome.conversation =
        std::make_unique<Conversation>(*this, peer, *name, has_token ? password : std::string{});
    co_return welcome;
}

/// PUBACK before the answer: C# insists on it.
Task<Result<Done>> DeviceMqtt::Conversation::published(std::vector<mqtt::Publish>& batch) {
    for (const auto& publish : batch) {
        const std::string_view topic = publish.topic;
        const bool registers = begins_with(topic, register_topic);
        if ((!registers && !begins_with(topic, poll_topic)) || publish.retain) {
            co_return unknown_topic();
        }
        const auto tail = topic.substr(registers ? register_topic.size() : poll_topic.size());
        const auto rid = raw_parameter(tail, "$rid");
        if (!rid || rid->size() > limits::mqtt_request_id_chars_max) {
            co_return unknown_topic();
        }
        peer_.acknowledge(publish);
        if (registers) {
            DpsAnswer answer = co_await do_register(publish);
            tell(*rid, std::move(answer));
        } else {
            DpsAnswer answer = co_await do_poll(tail);
            tell(*rid, std::move(answer));
        }
    }
    co_return Done{};
}

/// Its answers, and nothing else; a session needs no more than one subscription.
Task<Result<Done>> DeviceMqtt::Conversation::subscribed(const mqtt::Subscribe& subscribe) {
    std::vector<std::optional<mqtt::Qos>> granted;
    for (const auto& wish : subscribe.wishes) {
        if (wish.filter != answers_filter) {
            granted.emplace_back(std::nullopt);
            continue;
        }
        granted_ = std::min(wish.qos, mqtt::Qos::at_least_once);
        granted.emplace_back(granted_);
    }
    peer_.grant(subscribe.id, granted);
    co_return Done{};
}

Task<Result<Done>> DeviceMqtt::Conversation::unsubscribed(const mqtt::Unsubscribe& unsubscribe) {
    for (const auto& filter : unsubscribe.filters) {
        if (filter == answers_filter) {
            granted_.reset();
        }
    }
    peer_.release(unsubscribe.id);
    co_return Done{};
}

domain::RegistrationRequest DeviceMqtt::Conversation::request() const {
    const net::ConnectionFacts& connection = peer_.facts();
    domain::RegistrationRequest wish;
    wish.scope = name_.scope;
    wish.id = name_.id;
    wish.peer = connection.peer;
    wish.peer_error = connection.peer_error;
    wish.sas = sas_;
    wish.protocol = connection.websocket ? domain::Protocol::mqtt_ws : domain::Protocol::mqtt;
    wish.api_version = name_.api_version;
    wish.user_agent = name_.user_agent;
    wish.tls_version = connection.tls_version;
    wish.tls_cipher = connection.cipher;
    wish.peer_address = connection.peer_address;
    return wish;
}

Task<DpsAnswer> DeviceMqtt::Conversation::do_register(const mqtt::Publish& publish) {
    const domain::RegistrationRequest wish = request();
    DpsAnswer answer = co_await front_.messages_.register_device(wish, publish.payload);
    if (!answer.refuses()) {
        peer_.end_by_silence();
    }
    co_return answer;
}

Task<DpsAnswer> DeviceMqtt::Conversation::do_poll(std::string_view tail) {
    const std::string operation = raw_parameter(tail, "operationId").value_or("");
    const domain::RegistrationRequest wish = request();
    DpsAnswer answer = co_await front_.messages_.operation_status(wish, operation);
    if (!answer.refuses()) {
        peer_.end_by_silence();
    }
    co_return answer;
}

/// Nobody is sent what it did not subscribe to.
void DeviceMqtt::Conversation::tell(const std::string& rid, DpsAnswer answer) {
    if (!granted_) {
        return;
    }
    mqtt::Outgoing message;
    message.topic =
        "$dps/registrations/res/" + std::to_string(answer.status) + "/?$rid=" + rid +
        (answer.retry_after > 0 ? "&retry-after=" + std::to_string(answer.retry_after) : "");
    message.payload = std::move(answer.body);
    message.qos = *granted_;
    message.token = ++answers_;
    peer_.publish(std::move(message));
}

}  // namespace rollcall::front
