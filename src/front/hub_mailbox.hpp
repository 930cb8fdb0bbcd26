// SPDX-License-Identifier: Apache-2.0
// HubMailbox: what other threads want of a hub session, brought to its core. For hub_mqtt and
// hub_amqp.
#pragma once

#include "base/limits.hpp"
#include "base/task.hpp"
#include "service/sessions.hpp"

#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace rollcall::front {

class HubMailbox final : public service::LiveSession,
                         public std::enable_shared_from_this<HubMailbox> {
public:
    /// Who empties it; called on the session's core.
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void mail_came() = 0;
        virtual void must_end(service::SessionEnd why) = 0;
    };

    HubMailbox(asio::any_io_executor executor, Owner& owner)
        : executor_(std::move(executor)), owner_(&owner) {}

    // --- LiveSession ---
    void deliver(service::Delivery delivery) override {
        asio::post(executor_,
                   [self = shared_from_this(), delivery = std::move(delivery)]() mutable {
                       self->take_in(std::move(delivery));
                   });
    }
    void end(service::SessionEnd why) override {
        asio::post(executor_, [self = shared_from_this(), why] {
            if (self->owner_ != nullptr) {
                self->owner_->must_end(why);
            }
        });
    }

    // --- On the session's core ---
    /// Empties it: each DesiredChange and MethodRequest goes to `deliver`. true: there may be
    /// messages to fetch.
    template <class Deliver>
    bool hand_out(const Deliver& deliver) {
        bool messages_wait = false;
        const auto mail = std::exchange(waiting_, {});
        for (const auto& delivery : mail) {
            if (const auto* const change = std::get_if<service::DesiredChange>(&delivery)) {
                deliver(*change);
            } else if (const auto* const request = std::get_if<service::MethodRequest>(&delivery)) {
                deliver(*request);
            } else {
                messages_wait = true;
            }
        }
        return messages_wait;
    }
    /// The owner goes; what comes from now on is dropped.
    void abandon() { owner_ = nullptr; }

private:
    void take_in(service::Delivery delivery) {
        if (owner_ == nullptr) {
            return;
        }
        waiting_.push_back(std::move(delivery));
        if (waiting_.size() > limits::session_mail_max) {
            owner_->must_end(service::SessionEnd::device_gone);
            return;
        }
        owner_->mail_came();
    }

    asio::any_io_executor executor_;
    Owner* owner_;
    std::vector<service::Delivery> waiting_;
};

}  // namespace rollcall::front
