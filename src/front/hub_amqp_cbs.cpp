// SPDX-License-Identifier: Apache-2.0
#include "front/hub_amqp_cbs.hpp"

#include "base/limits.hpp"
#include "front/hub_amqp_message.hpp"

#include <utility>

namespace rollcall::front {

namespace amqp = net::amqp;

Task<Result<Done>> HubAmqpLobby::offered(const amqp::LinkOffered& offer) {
    if (offer.attach.address() == cbs_address) {
        (offer.attach.receives ? answers_ : requests_) = offer.link;
        amqp::LinkGrant grant;
        grant.message_bytes_max = limits::amqp_first_frame_bytes_max;
        grant.credit = 10;
        peer_.accept(offer.link, grant);
        co_return Done{};
    }
    if (!device_) {
        device_ = co_await front_.let_in(offer, peer_, token_);
        if (!device_) {
            co_return Done{};
        }
    }
    co_return co_await device_->offered(offer);
}

Task<Result<Done>> HubAmqpLobby::delivered(std::vector<amqp::Delivered>& batch) {
    std::vector<amqp::Delivered> others;
    for (auto& each : batch) {
        if (requests_ == each.id.link) {
            CO_TRY([[maybe_unused]] const Done taken, co_await take_token(each));
        } else {
            others.push_back(std::move(each));
        }
    }
    if (others.empty() || !device_) {
        co_return Done{};
    }
    co_return co_await device_->delivered(others);
}

/// A token that is no good leaves the one before it in force, until that ends.
Task<Result<Done>> HubAmqpLobby::take_token(const amqp::Delivered& delivered) {
    const auto request = read_hub_message(delivered.message);
    const bool known = request && amqp::text_of(request->properties, "operation") == "put-token" &&
                       request->id.encoded.size() <= limits::amqp_correlation_bytes_max;
    if (!known) {
        amqp::Condition why;
        why.name = amqp::condition::argument_error;
        why.description = "not a put-token request";
        peer_.settle(delivered.id, amqp::Outcome::rejected, why);
        co_return Done{};
    }
    peer_.settle(delivered.id, amqp::Outcome::accepted);
    std::string token = body_of(*request);
    const auto checked = co_await front_.check_token(token, peer_);
    if (checked) {
        token_ = std::move(token);
    }
    const bool ours = !checked && (checked.error().kind == ErrorKind::unavailable ||
                                   checked.error().kind == ErrorKind::internal);
    amqp::Message answer;
    answer.correlation_id = request->id;
    answer.properties.emplace_back("status-code", std::int32_t{checked ? 200 : ours ? 503 : 401});
    answer.properties.emplace_back("status-description", std::string{checked ? "OK"
                                                                     : ours  ? "ServiceUnavailable"
                                                                             : "Unauthorized"});
    answer.body.emplace_back();
    if (answers_) {
        peer_.send(*answers_, amqp::encode(answer), true);
    }
    co_return Done{};
}

Task<Result<Done>> HubAmqpLobby::settled(const amqp::Settled& settled) {
    if (!device_) {
        co_return Done{};
    }
    co_return co_await device_->settled(settled);
}

Task<Result<Done>> HubAmqpLobby::gone(amqp::LinkId link) {
    if (requests_ == link) {
        requests_.reset();
    }
    if (answers_ == link) {
        answers_.reset();
    }
    if (!device_) {
        co_return Done{};
    }
    co_return co_await device_->gone(link);
}

Task<Result<Done>> HubAmqpLobby::woken() {
    if (!device_) {
        co_return Done{};
    }
    co_return co_await device_->woken();
}

Task<void> HubAmqpLobby::ended() {
    if (device_) {
        co_await device_->ended();
    }
}

}  // namespace rollcall::front
