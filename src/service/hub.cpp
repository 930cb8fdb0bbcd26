// SPDX-License-Identifier: Apache-2.0
// What devices do at their hub. What operators do with them: hub_orders.cpp.
#include "service/hub.hpp"

#include "base/limits.hpp"
#include "service/hub_calls.hpp"
#include "service/twin_document.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::service {
namespace {

Digest leaf_of(const HubRequest& request) {
    return request.peer.empty() ? Digest{} : request.peer.end_entity().sha256();
}

/// What a session has to keep of the adoption it rests on: a fleet of them is in memory.
domain::Adoption basis_of(const domain::Adoption& adoption) {
    domain::Adoption basis;
    basis.operation = adoption.operation;
    basis.entry = adoption.entry;
    basis.slot = adoption.slot;
    basis.attestation = adoption.attestation;
    basis.ca_sha256 = adoption.ca_sha256;
    basis.ca = adoption.ca;
    basis.leaf_sha256 = adoption.leaf_sha256;
    basis.leaf_spki = adoption.leaf_spki;
    basis.not_after = adoption.not_after;
    basis.path_keys = adoption.path_keys;
    return basis;
}

}  // namespace

Hub::Hub(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
         Sessions& sessions, store::Sink& sink, Admission& admission, const Clock& clock,
         Entropy& entropy, Metrics& metrics, std::string name)
    : reader_(reader),
      ledger_(ledger),
      trust_book_(trust_book),
      sessions_(sessions),
      sink_(sink),
      admission_(admission),
      clock_(clock),
      entropy_(entropy),
      calls_(std::make_unique<Calls>()),
      metrics_(metrics),
      name_(std::move(name)),
      connects_(metrics.counter("rollcall_hub_connects_total", "Devices let in by the hub.")),
      messages_(metrics.counter("rollcall_hub_messages_total", "Telemetry taken by the hub.")) {}

Hub::~Hub() = default;

Task<Result<Hub::Judgement>> Hub::judge(const HubRequest& request) {
    CO_TRY([[maybe_unused]] const Done admitted, admission_.enter(request.peer_address));
    CO_TRY(const auto trust, co_await trust_book_.current());
    CO_TRY(const auto device, co_await reader_.device(request.device));
    if (!device) {
        co_return Judgement{domain::HubRefusal::unknown_device};
    }
    CO_TRY(const auto context,
           co_await reader_.registration_context(device->registration, leaf_of(request)));
    if (context.device && context.device->id != request.device) {
        co_return Judgement{domain::HubRefusal::unknown_device};
    }
    const domain::HubCredentials shown{request.peer, request.sas, name_};
    co_return domain::may_connect(*trust, context, shown, clock_.now());
}

Error Hub::refused(const HubRequest& request, domain::HubRefusal why) {
    admission_.refused(request.peer_address);
    const std::string word{domain::to_string(why)};
    metrics_
        .counter("rollcall_hub_refusals_total", "Devices the hub did not let in, by cause.",
                 {{"cause", word}})
        .add();
    log_event(Severity::debug, "hub-refused",
              {{"device", request.device.str()}, {"cause", word}, {"peer", request.peer_address}});
    return {ErrorKind::forbidden, "The device is not authorized.", "hub-refused", word};
}

Task<Result<SessionFacts>> Hub::admit(const HubRequest& request) {
    CO_TRY(const auto judgement, co_await judge(request));
    if (const auto* const refusal = std::get_if<domain::HubRefusal>(&judgement)) {
        co_return refused(request, *refusal);
    }
    const auto& admitted = std::get<domain::HubAdmission>(judgement);
    admission_.succeeded(request.peer_address);
    connects_.add();
    SessionFacts facts;
    facts.device = request.device;
    facts.registration = admitted.registration;
    facts.basis = basis_of(admitted.basis);
    facts.until = admitted.until;
    facts.protocol = request.protocol;
    facts.peer_address = request.peer_address;
    facts.user_agent = request.user_agent;
    facts.since = clock_.now();
    co_return facts;
}

Task<Result<Done>> Hub::enter(const SessionFacts& facts, std::shared_ptr<LiveSession> session,
                              const HubRequest& request) {
    sessions_.enter(facts, session);
    const auto judgement = co_await judge(request);
    if (judgement && std::holds_alternative<domain::HubAdmission>(*judgement)) {
        co_return Done{};
    }
    sessions_.leave(facts.device, *session);
    if (!judgement) {
        co_return judgement.error();
    }
    co_return refused(request, std::get<domain::HubRefusal>(*judgement));
}

void Hub::leave(const DeviceId& device, const LiveSession& session) {
    sessions_.leave(device, session);
    if (!sessions_.of(device)) {
        calls_->device_left(device);
    }
}

Task<Result<Done>> Hub::send(std::vector<domain::Telemetry>& batch) {
    const TimePoint now = clock_.now();
    for (auto& telemetry : batch) {
        telemetry.at = now;
    }
    CO_TRY([[maybe_unused]] const Done kept, co_await sink_.append(batch));
    messages_.add(static_cast<double>(batch.size()));
    co_return Done{};
}

/// Of the entry the device came in by; empty where that says nothing.
Task<Result<std::string>> Hub::initial_twin(const DeviceId& device) {
    CO_TRY(const auto record, co_await reader_.device(device));
    if (!record) {
        co_return Error{ErrorKind::not_found, "there is no device '" + device.str() + "'",
                        "device-not-found"};
    }
    if (record->entry.kind == domain::EntryRef::Kind::individual) {
        CO_TRY(const auto individual, co_await reader_.individual(record->registration));
        co_return individual ? individual->initial_twin : std::string{};
    }
    CO_TRY(const auto trust, co_await trust_book_.current());
    const auto* const group = trust->group(record->entry);
    co_return group != nullptr ? group->initial_twin : std::string{};
}

/// The twin, or one that is not stored yet (without an etag): empty, or as the entry says.
Task<Result<domain::Twin>> Hub::stored_twin(const DeviceId& device) {
    CO_TRY(auto twin, co_await reader_.twin(device));
    if (twin) {
        co_return *std::move(twin);
    }
    CO_TRY(const std::string text, co_await initial_twin(device));
    const domain::TwinContents initial = parse_initial_twin(text);
    domain::Twin fresh;
    fresh.device = device;
    fresh.tags = initial.tags;
    fresh.desired = initial.desired;
    co_return fresh;
}

/// What the entry says at the first question is kept: a twin does not change with its entry.
Task<Result<domain::Twin>> Hub::twin(const DeviceId& device) {
    for (int attempt = 0; attempt < twin_attempts_max; ++attempt) {
        CO_TRY(domain::Twin twin, co_await stored_twin(device));
        if (!twin.etag.empty() || (twin.desired == "{}" && twin.tags == "{}")) {
            co_return twin;
        }
        domain::Changes changes;
        changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::twin, device.str(), ETag{}});
        twin.etag = new_etag(entropy_);
        twin.updated = clock_.now();
        changes.writes.push_back(domain::PutTwin{twin});
        const auto receipt = co_await ledger_.commit(changes);
        if (receipt) {
            co_return twin;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
    }
    co_return Error{ErrorKind::unavailable, "the twin changes too often; try again", "twin-raced"};
}

Task<Result<std::uint64_t>> Hub::report(const DeviceId& device, const std::string& patch) {
    for (int attempt = 0; attempt < twin_attempts_max; ++attempt) {
        CO_TRY(domain::Twin twin, co_await stored_twin(device));
        CO_TRY(twin.reported, merge_into(TwinPart::reported, twin.reported, patch));
        domain::Changes changes;
        changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::twin, device.str(), twin.etag});
        ++twin.reported_version;
        twin.etag = new_etag(entropy_);
        twin.updated = clock_.now();
        const std::uint64_t version = twin.reported_version;
        changes.writes.push_back(domain::PutTwin{std::move(twin)});
        const auto receipt = co_await ledger_.commit(changes);
        if (receipt) {
            co_return version;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
    }
    co_return Error{ErrorKind::unavailable, "the twin changes too often; try again", "twin-raced"};
}

Task<Result<std::vector<domain::DeviceMessage>>> Hub::waiting(const DeviceId& device) {
    CO_TRY(auto messages, co_await reader_.messages(device));
    const TimePoint now = clock_.now();
    std::erase_if(messages, [now](const auto& message) { return message.expires <= now; });
    co_return messages;
}

Task<Result<Done>> Hub::complete(const DeviceId& device, std::uint64_t number) {
    domain::Changes changes;
    changes.writes.push_back(domain::RemoveMessage{device, number});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

Task<Result<domain::Subscriptions>> Hub::subscriptions(const DeviceId& device) {
    co_return co_await reader_.subscriptions(device);
}

Task<Result<Done>> Hub::keep_subscriptions(const DeviceId& device,
                                           const domain::Subscriptions& subscriptions) {
    domain::Changes changes;
    changes.writes.push_back(domain::PutSubscriptions{device, subscriptions});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

void Hub::method_answered(const DeviceId& device, std::uint64_t id, MethodAnswer answer) {
    calls_->answered(device, id, std::move(answer));
}

void Hub::tell(const DeviceId& device, Delivery delivery) {
    if (const auto session = sessions_.of(device)) {
        session->deliver(std::move(delivery));
    }
}

}  // namespace rollcall::service
