// SPDX-License-Identifier: Apache-2.0
#include "front/device_amqp.hpp"

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "domain/sas.hpp"
#include "front/amqp_address.hpp"
#include "net/amqp_message.hpp"

#include <optional>
#include <utility>

namespace rollcall::front {

namespace amqp = net::amqp;

namespace {

constexpr std::string_view api_version_name = "com.microsoft:api-version";
constexpr std::string_view client_version_name = "com.microsoft:client-version";
constexpr std::string_view operation_type_name = "iotdps-operation-type";
constexpr std::string_view operation_id_name = "iotdps-operation-id";
/// A device has one request under way.
constexpr std::uint32_t credit = 10;
/// A register body with its properties.
constexpr std::uint64_t message_bytes_max = limits::device_body_bytes_max + 8 * 1024;

/// The SDKs make exceptions of these. Never amqp:internal-error: Node asks again for ever.
std::string_view condition_for(unsigned status) {
    switch (status) {
        case 401: return amqp::condition::unauthorized;
        case 403: return amqp::condition::not_allowed;
        case 404: return amqp::condition::not_found;
        case 408: return amqp::condition::timeout;
        case 409: return amqp::condition::precondition_failed;
        case 413: return amqp::condition::message_size;
        case 429:
        case 503: return amqp::condition::throttled;
        default: return status >= 500 ? amqp::condition::timeout : amqp::condition::argument_error;
    }
}

std::string joined(const std::vector<std::string>& sections) {
    std::string body;
    for (const auto& section : sections) {
        body += section;
    }
    return body;
}

}  // namespace

class DeviceAmqp::Conversation final : public net::AmqpConversation {
public:
    Conversation(DeviceAmqp& front, net::AmqpPeer& peer, DpsLink name)
        : front_(front), peer_(peer), name_(std::move(name)) {
        peer_.end_in(limits::unregistered_session_time_max);
    }

    Task<Result<Done>> offered(const amqp::LinkOffered& offer) override;
    Task<Result<Done>> delivered(std::vector<amqp::Delivered>& batch) override;
    Task<Result<Done>> settled(const amqp::Settled&) override { co_return Done{}; }
    Task<Result<Done>> gone(amqp::LinkId link) override {
        if (answers_ == link) {
            answers_.reset();
        }
        co_return Done{};
    }
    Task<Result<Done>> woken() override { co_return Done{}; }
    Task<void> ended() override { co_return; }

private:
    Task<DpsAnswer> answer(const amqp::Message& message);
    domain::RegistrationRequest request() const;
    void tell(const amqp::Delivered& asked, const amqp::MessageId& correlation, DpsAnswer answer);

    DeviceAmqp& front_;
    net::AmqpPeer& peer_;
    const DpsLink name_;
    std::string api_version_;
    std::string user_agent_;
    std::optional<amqp::LinkId> answers_;
};

/// What the device proves is judged when it registers, under the id the address says. With nothing
/// to prove, nothing it could ask for would be granted.
Task<std::unique_ptr<net::AmqpConversation>> DeviceAmqp::welcome(const amqp::LinkOffered& offer,
                                                                 net::AmqpPeer& peer) {
    const auto name = parse_dps_link(offer.attach.address().value_or(""));
    const bool has_certificate = !peer.facts().peer.empty() || peer.facts().peer_error;
    const bool has_token = peer.credential() && domain::looks_like_sas(peer.credential()->password);
    if (!name || (!has_certificate && !has_token)) {
        amqp::Condition why;
        why.name = name ? amqp::condition::unauthorized : amqp::condition::not_found;
        why.description = name ? "A client certificate or a shared access signature is needed."
                               : name.error().detail;
        peer.refuse(offer.link, why);
        co_return nullptr;
    }
    co_return std::make_unique<Conversation>(*this, peer, *name);
}

Task<Result<Done>> DeviceAmqp::Conversation::offered(const amqp::LinkOffered& offer) {
    const auto name = parse_dps_link(offer.attach.address().value_or(""));
    if (!name || *name != name_) {
        amqp::Condition why;
        why.name = amqp::condition::not_allowed;
        why.description = "one connection is for one registration";
        peer_.refuse(offer.link, why);
        co_return Done{};
    }
    for (const auto& [known, kept] : {std::pair{api_version_name, &api_version_},
                                      std::pair{client_version_name, &user_agent_}}) {
        if (const auto said = amqp::text_of(offer.attach.properties, known); !said.empty()) {
            *kept = repaired_utf8(said.substr(0, limits::user_agent_chars_max));
        }
    }
    if (offer.attach.receives) {
        answers_ = offer.link;
    }
    amqp::LinkGrant grant;
    grant.message_bytes_max = message_bytes_max;
    grant.credit = credit;
    peer_.accept(offer.link, grant);
    co_return Done{};
}

/// The disposition before the answer.
Task<Result<Done>> DeviceAmqp::Conversation::delivered(std::vector<amqp::Delivered>& batch) {
    constexpr amqp::MessageBounds bounds{.annotations_max = limits::amqp_annotations_max,
                                         .properties_max = limits::message_properties_max,
                                         .sections_max = limits::amqp_batch_messages_max};
    for (const auto& asked : batch) {
        const auto message = amqp::parse_message(asked.message, bounds);
        if (!message) {
            Error error = message.error();
            error.detail = "The message cannot be read: " + error.detail + ".";
            tell(asked, {}, front_.messages_.refusal(error));
            continue;
        }
        if (message->correlation_id.encoded.size() > limits::amqp_correlation_bytes_max) {
            const Error error{ErrorKind::malformed, "The correlation id is too long.",
                              "correlation-id"};
            tell(asked, {}, front_.messages_.refusal(error));
            continue;
        }
        DpsAnswer said = co_await answer(*message);
        if (!said.refuses()) {
            peer_.end_by_silence();
        }
        tell(asked, message->correlation_id, std::move(said));
    }
    co_return Done{};
}

Task<DpsAnswer> DeviceAmqp::Conversation::answer(const amqp::Message& message) {
    const std::string operation = amqp::text_of(message.properties, operation_type_name);
    const domain::RegistrationRequest wish = request();
    if (operation == "iotdps-register") {
        const std::string body = joined(message.body);
        co_return co_await front_.messages_.register_device(wish, body);
    }
    if (operation == "iotdps-get-operationstatus") {
        const std::string id = amqp::text_of(message.properties, operation_id_name);
        co_return co_await front_.messages_.operation_status(wish, id);
    }
    if (operation == "iotdps-get-registration") {
        co_return co_await front_.messages_.registration(wish);
    }
    const Error unknown{ErrorKind::malformed,
                        "iotdps-operation-type is missing or names no operation.",
                        "operation-type"};
    co_return front_.messages_.refusal(unknown);
}

domain::RegistrationRequest DeviceAmqp::Conversation::request() const {
    const net::ConnectionFacts& connection = peer_.facts();
    domain::RegistrationRequest wish;
    wish.scope = name_.scope;
    wish.id = name_.id;
    wish.peer = connection.peer;
    wish.peer_error = connection.peer_error;
    if (const auto& plain = peer_.credential(); plain && domain::looks_like_sas(plain->password)) {
        wish.sas = plain->password;
    }
    wish.protocol = connection.websocket ? domain::Protocol::amqp_ws : domain::Protocol::amqp;
    wish.api_version = api_version_;
    wish.user_agent = user_agent_;
    wish.tls_version = connection.tls_version;
    wish.tls_cipher = connection.cipher;
    wish.peer_address = connection.peer_address;
    return wish;
}

void DeviceAmqp::Conversation::tell(const amqp::Delivered& asked,
                                    const amqp::MessageId& correlation, DpsAnswer answer) {
    if (answer.refuses()) {
        amqp::Condition why;
        why.name = condition_for(answer.status);
        why.description = std::move(answer.body);
        why.retry_after = answer.retry_after;
        peer_.settle(asked.id, amqp::Outcome::rejected, why);
        return;
    }
    peer_.settle(asked.id, amqp::Outcome::accepted);
    if (!answers_) {
        return;
    }
    amqp::Message told;
    told.correlation_id = correlation;
    told.content_type = "application/json";
    if (answer.retry_after > 0) {
        told.properties.emplace_back("retry-after", std::int32_t{answer.retry_after});
    }
    told.body.push_back(std::move(answer.body));
    peer_.send(*answers_, amqp::encode(told), true);
}

}  // namespace rollcall::front
