// SPDX-License-Identifier: Apache-2.0
// What operators do with devices at their hub: messages, twins, methods. Each leaves an audit event
// before the device is told.
#include "service/audit_detail.hpp"
#include "service/hub_calls.hpp"
#include "service/twin_document.hpp"
#include "service/views.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::service {
namespace {

Result<Done> check_message(const NewMessage& message) {
    if (message.body.size() > limits::device_message_bytes_max) {
        return Error{
            ErrorKind::too_large,
            "a message has at most " + std::to_string(limits::device_message_bytes_max) + " bytes",
            "message-too-large"};
    }
    if (message.properties.size() > limits::message_properties_max) {
        return Error{ErrorKind::too_large,
                     "a message has at most " + std::to_string(limits::message_properties_max) +
                         " properties",
                     "too-many-properties"};
    }
    std::size_t bytes = message.id.size();
    for (const auto& property : message.properties) {
        bytes += property.name.size() + property.value.size();
        if (property.name.empty()) {
            return Error{ErrorKind::malformed, "a property has no name", "malformed-property"};
        }
    }
    if (bytes > limits::message_properties_bytes_max) {  // the topic they travel in is bounded
        return Error{ErrorKind::too_large,
                     "the properties of a message have at most " +
                         std::to_string(limits::message_properties_bytes_max) + " bytes together",
                     "properties-too-large"};
    }
    const auto life = message.time_to_live.value_or(limits::message_life);
    if (life <= std::chrono::seconds{0} || life > limits::message_life_max) {
        return Error{
            ErrorKind::malformed,
            "a message lives 1 to " + std::to_string(limits::message_life_max.count()) + " seconds",
            "malformed-time-to-live"};
    }
    return Done{};
}

bool good_method_name(const std::string& name) {
    return !name.empty() && name.size() <= limits::method_name_chars_max &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == '*' || c == ':';
           });
}

Result<Done> check_call(const std::string& method, const std::string& payload,
                        std::chrono::seconds timeout) {
    if (!good_method_name(method)) {
        return Error{ErrorKind::malformed,
                     "a method's name has letters, digits and - _ . * :, at most " +
                         std::to_string(limits::method_name_chars_max),
                     "malformed-method"};
    }
    if (payload.size() > limits::method_payload_bytes_max) {
        return Error{
            ErrorKind::too_large,
            "a payload has at most " + std::to_string(limits::method_payload_bytes_max) + " bytes",
            "payload-too-large"};
    }
    if (timeout < std::chrono::seconds{1} || timeout > limits::method_timeout_max) {
        return Error{ErrorKind::malformed,
                     "a method may take 1 to " +
                         std::to_string(limits::method_timeout_max.count()) + " seconds",
                     "malformed-timeout"};
    }
    return Done{};
}

}  // namespace

Task<Result<domain::Device>> Hub::known(const std::string& device) {
    const auto id = parse_device_id(device);
    if (!id) {
        co_return no_device(device);
    }
    CO_TRY(auto record, co_await reader_.device(*id));
    if (!record) {
        co_return no_device(device);
    }
    co_return *std::move(record);
}

Task<Result<domain::DeviceMessage>> Hub::send_message(const Order& order, const std::string& device,
                                                      NewMessage message) {
    CO_TRY([[maybe_unused]] const Done sound, check_message(message));
    CO_TRY(const domain::Device record, co_await known(device));
    const TimePoint now = clock_.now();
    domain::DeviceMessage queued;
    queued.device = record.id;
    queued.id = message.id.empty() ? new_guid(entropy_) : std::move(message.id);
    queued.properties = std::move(message.properties);
    queued.body = std::move(message.body);
    queued.enqueued = now;
    queued.expires = now + message.time_to_live.value_or(limits::message_life);
    std::erase_if(queued.properties, [](const auto& each) { return each.name == "$.mid"; });
    queued.properties.push_back({"$.mid", queued.id, false});
    queued.properties.push_back(
        {"$.to", "/devices/" + record.id.str() + "/messages/devicebound", false});
    domain::Changes changes;
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::device, record.id.str(), record.etag});
    changes.expects.push_back(domain::ExpectQueueRoom{record.id, limits::device_messages_max, now});
    AuditDetail detail;
    detail.text("messageId", queued.id).text("bytes", std::to_string(queued.body.size()));
    changes.audit.push_back(
        audit_event(order, "device.send", "device/" + record.id.str(), detail, now));
    changes.writes.push_back(domain::QueueMessage{queued});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    const Delivery news = MessagesWait{};
    tell(record.id, news);
    co_return queued;
}

Task<Result<std::size_t>> Hub::purge_messages(const Order& order, const std::string& device) {
    CO_TRY(const domain::Device record, co_await known(device));
    CO_TRY(const auto messages, co_await reader_.messages(record.id));
    if (messages.empty()) {
        co_return std::size_t{0};
    }
    domain::Changes changes;
    for (const auto& message : messages) {
        changes.writes.push_back(domain::RemoveMessage{record.id, message.number});
    }
    AuditDetail detail;
    detail.text("messages", std::to_string(messages.size()));
    changes.audit.push_back(
        audit_event(order, "device.purge", "device/" + record.id.str(), detail, clock_.now()));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return messages.size();
}

Task<Result<domain::Twin>> Hub::change_twin(const Order& order, const std::string& device,
                                            const TwinChange& change) {
    CO_TRY(const domain::Device record, co_await known(device));
    const domain::Changes nothing_else;
    co_return co_await write_twin(record.id, change, &order, nothing_else);
}

Task<Result<domain::Twin>> Hub::set_desired(const DeviceId& device, const std::string& patch,
                                            const domain::Changes& also) {
    TwinChange change;
    change.desired = patch;
    co_return co_await write_twin(device, change, nullptr, also);
}

/// `order`: whose condition has to hold, and who stands in the audit log; nullptr: nobody.
Task<Result<domain::Twin>> Hub::write_twin(const DeviceId& device, const TwinChange& change,
                                           const Order* order, const domain::Changes& also) {
    for (int attempt = 0; attempt < twin_attempts_max; ++attempt) {
        CO_TRY(domain::Twin twin, co_await stored_twin(device));
        if (order != nullptr) {
            CO_TRY([[maybe_unused]] const Done same, order->if_match.check(twin.etag));
        }
        domain::Changes changes = also;
        changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::twin, device.str(), twin.etag});
        AuditDetail detail;
        std::string patch;
        if (change.tags) {
            detail.text("tagsBefore", twin.tags).text("tags", *change.tags);
            CO_TRY(twin.tags, merge_into(TwinPart::tags, twin.tags, *change.tags));
        }
        if (change.desired) {
            CO_TRY(patch, patch_for(change.desired_is, twin.desired, *change.desired));
            detail.text("desiredBefore", twin.desired).text("desired", patch);
            CO_TRY(twin.desired, merge_into(TwinPart::desired, twin.desired, patch));
            ++twin.desired_version;
        }
        twin.etag = new_etag(entropy_);
        twin.updated = clock_.now();
        if (order != nullptr) {
            changes.audit.push_back(
                audit_event(*order, "device.twin", "device/" + device.str(), detail, twin.updated));
        }
        changes.writes.push_back(domain::PutTwin{twin});
        const auto receipt = co_await ledger_.commit(changes);
        if (receipt) {
            if (change.desired) {
                const DesiredChange told{with_version(patch, twin.desired_version),
                                         twin.desired_version};
                tell(device, told);
            }
            co_return twin;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
    }
    co_return Error{ErrorKind::unavailable, "the twin changes too often; try again", "twin-raced"};
}

Task<Result<MethodAnswer>> Hub::call(const Order& order, const std::string& device,
                                     const std::string& method, const std::string& payload,
                                     std::chrono::seconds timeout) {
    CO_TRY([[maybe_unused]] const Done sound, check_call(method, payload, timeout));
    CO_TRY(const domain::Device record, co_await known(device));
    AuditDetail detail;
    detail.text("method", method);
    domain::Changes also;
    also.audit.push_back(
        audit_event(order, "device.call", "device/" + record.id.str(), detail, clock_.now()));
    co_return co_await call_with(record.id, method, payload, timeout, also);
}

Task<Result<MethodAnswer>> Hub::call_with(const DeviceId& device, const std::string& method,
                                          const std::string& payload, std::chrono::seconds timeout,
                                          const domain::Changes& also) {
    CO_TRY([[maybe_unused]] const Done sound, check_call(method, payload, timeout));
    const Error absent{ErrorKind::conflict, "the device is not connected", "device-not-connected"};
    if (!sessions_.of(device)) {
        co_return absent;
    }
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(also));
    const auto executor = co_await asio::this_coro::executor;
    auto pending = std::make_shared<Calls::Pending>(device, executor);
    pending->timer.expires_after(timeout);
    const auto id = calls_->add(pending);
    if (!id) {
        co_return Error{ErrorKind::throttled, "too many methods wait for their devices",
                        "too-many-calls"};
    }
    const auto session = sessions_.of(device);
    if (!session) {
        calls_->drop(*id);
        co_return absent;
    }
    session->deliver(MethodRequest{*id, method, payload.empty() ? "null" : payload});
    boost::system::error_code cancelled;
    co_await pending->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    calls_->drop(*id);
    if (pending->answer) {
        co_return *std::move(pending->answer);
    }
    co_return Error{ErrorKind::deadline, "the device did not answer in time", "method-timeout"};
}

}  // namespace rollcall::service
