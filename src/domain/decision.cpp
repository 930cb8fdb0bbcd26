// SPDX-License-Identifier: Apache-2.0
#include "domain/decision.hpp"

#include "base/limits.hpp"
#include "domain/key_attestation.hpp"

namespace rollcall::domain {
namespace {

/// The version of the device API from which returning devices are told apart
/// (spec/dps-device-api.md 1.2).
constexpr std::string_view reprovisioned_since = "2021-10-01";

bool is_the_same_again(const Attested& attested, const Registration& prior, TimePoint now);
bool goes_back(const Registration& prior, const Attested& attested,
               const RegistrationRequest& request);
std::optional<Failure> unwelcome(const Device& device);
Device new_device(const Attested& attested, const RegistrationContext& context,
                  const RegistrationId& id, TimePoint now);
Registration known_or_new(const RegistrationContext& context, const RegistrationId& id,
                          TimePoint now);
/// Where a device goes. `hub` is nullptr where it stays at one that is not linked any more.
struct Place {
    std::string name{};
    const LinkedHub* hub = nullptr;
    std::optional<TwinContents> initial_twin{};  ///< the webhook's
    std::string payload{};
};
using Placing = std::variant<Place, Failure, AskWebhook>;
/// What a decision looks at.
struct Bench {
    const Attested& attested;
    const TrustView& trust;
    const RegistrationContext& context;
    const RegistrationRequest& request;
    const DecisionInputs& inputs;

    const std::optional<Registration>& prior() const { return context.registration; }
};
bool belongs_where_it_is(const Bench& bench);
Placing place_of(const Bench& bench);
Decision write_down(const Bench& bench, const Device& device, const Placing& placing,
                    bool went_back);
void assign_hub(Registration& registration, const Bench& bench, const Place& place);
void settle_twin(Decision& decision, const Bench& bench, const Place& place);
void write_device(Changes& changes, const Device& before, const RegistrationContext& context,
                  const Registration& registration, const ETag& etag);
void rest_on_leaf(Adoption& adoption, const Attested& attested, const x509::PeerChain& peer);
Adoption adoption_of(const Attested& attested, const RegistrationRequest& request, TimePoint now,
                     const OperationId& operation);
void assume(Changes& changes, const Attested& attested, const TrustView& trust,
            const RegistrationContext& context, const RegistrationRequest& request);
void remember_intermediates(Changes& changes, const Attested& attested, const TrustView& trust,
                            TimePoint now);

}  // namespace

DeviceId device_id_of(const RegistrationContext& context, const RegistrationId& id) {
    if (context.individual && context.individual->device_id) {
        return *context.individual->device_id;
    }
    const auto& prior = context.registration;
    if (prior && equal_ignoring_case(prior->device_id.str(), id.str())) {
        return prior->device_id;
    }
    return DeviceId::trusted(id.original());
}

bool resets_twin(const Attested& attested) {
    return attested.reprovision.update_hub_assignment && !attested.reprovision.migrate_device_data;
}

Failure webhook_failure(unsigned status, std::string_view why) {
    Failure failure{400207, "Custom allocation failed with status code: " + std::to_string(status)};
    if (!why.empty()) {
        failure.message.append(" (").append(why).append(")");
    }
    return failure;
}

Verdict decide(const Attested& attested, const TrustView& trust, const RegistrationContext& context,
               const RegistrationRequest& request, const DecisionInputs& inputs) {
    const Bench bench{attested, trust, context, request, inputs};
    const auto& prior = context.registration;
    const TimePoint now = inputs.now;
    if (prior && !request.force && is_the_same_again(attested, *prior, now) &&
        belongs_where_it_is(bench) && context.device && context.device->id == prior->device_id &&
        !unwelcome(*context.device)) {
        return Decision{*prior, {}, true};
    }
    const bool went_back = prior && goes_back(*prior, attested, request);
    if (went_back && attested.refuse_older_leaf) {
        return Refusal{RefusalCause::older_leaf,
                       "the device came back with a certificate older than the one it last "
                       "registered with, and its group refuses that",
                       "let the device use its newer certificate, or allow older ones in the group",
                       {},
                       attested.entry};
    }
    INVARIANT(!context.device || context.device->id == device_id_of(context, request.id));
    const Device device = context.device.value_or(new_device(attested, context, request.id, now));
    Placing placing;
    if (auto failure = unwelcome(device)) {
        placing = *std::move(failure);
    } else {
        placing = place_of(bench);
    }
    if (auto* const ask = std::get_if<AskWebhook>(&placing)) {
        return std::move(*ask);
    }
    return write_down(bench, device, placing, went_back);
}

namespace {

Decision write_down(const Bench& bench, const Device& device, const Placing& placing,
                    bool went_back) {
    const auto& [attested, trust, context, request, inputs] = bench;
    Decision decision;
    Registration& registration = decision.registration;
    registration = known_or_new(context, request.id, inputs.now);
    registration.etag = inputs.fresh.registration_etag;
    registration.failure = {};
    registration.payload.clear();
    const auto* const place = std::get_if<Place>(&placing);
    if (place != nullptr) {
        assign_hub(registration, bench, *place);
        registration.status = RegistrationStatus::assigned;
        registration.payload = place->payload;
    } else {
        registration.failure = std::get<Failure>(placing);
        registration.status = RegistrationStatus::failed;
    }
    registration.last = adoption_of(attested, request, inputs.now, inputs.fresh.operation);
    registration.last.went_back = went_back;
    registration.last.status = registration.status;
    registration.last.substatus = registration.substatus;
    registration.last.failure = registration.failure;
    registration.adoptions += 1;

    Changes& changes = decision.changes;
    assume(changes, attested, trust, context, request);
    write_device(changes, device, context, registration, inputs.fresh.device_etag);
    changes.writes.push_back(PutRegistration{registration});
    if (place != nullptr) {
        settle_twin(decision, bench, *place);
    }
    remember_intermediates(changes, attested, trust, inputs.now);
    return decision;
}

/// PRODUCT section 3.16: the same leaf, or key, asking again gets the same operation.
bool is_the_same_again(const Attested& attested, const Registration& prior, TimePoint now) {
    return prior.status == RegistrationStatus::assigned &&
           prior.last.leaf_sha256 == attested.credential && prior.last.entry == attested.entry &&
           prior.last.slot == attested.slot && prior.last.ca_sha256 == attested.ca_sha256 &&
           prior.last.at <= now && now - prior.last.at < limits::repeat_window;
}

/// Keys have no age, and a device that changed from the one kind to the other went nowhere.
bool goes_back(const Registration& prior, const Attested& attested,
               const RegistrationRequest& request) {
    return attested.kind == AttestationKind::x509 && prior.adoptions > 0 &&
           prior.last.attestation == AttestationKind::x509 &&
           prior.last.leaf_sha256 != attested.credential &&
           request.peer.end_entity().not_before() < prior.last.not_before;
}

/// spec/dps-device-api.md 1.6: both come to the device as a failed registration, 400209.
std::optional<Failure> unwelcome(const Device& device) {
    if (device.blocked) {
        return Failure{400209, "The device is blocked."};
    }
    if (!device.approved) {
        return Failure{400209, "The device is waiting for approval."};
    }
    return std::nullopt;
}

Device new_device(const Attested& attested, const RegistrationContext& context,
                  const RegistrationId& id, TimePoint now) {
    Device device;
    device.id = device_id_of(context, id);
    device.approved = attested.auto_approve;
    device.created = now;
    return device;
}

Registration known_or_new(const RegistrationContext& context, const RegistrationId& id,
                          TimePoint now) {
    Registration registration = context.registration.value_or(Registration{});
    if (!context.registration) {
        registration.id = id;
        registration.created = now;
    }
    registration.device_id = device_id_of(context, id);
    registration.updated = now;
    return registration;
}

/// A device whose registration failed keeps the leaf it last came in with.
void write_device(Changes& changes, const Device& before, const RegistrationContext& context,
                  const Registration& registration, const ETag& etag) {
    changes.expects.push_back(ExpectEtag{RecordKind::device, before.id.str(),
                                         context.device ? context.device->etag : ETag{}});
    Device device = before;
    device.registration = registration.id;
    if (registration.status == RegistrationStatus::assigned) {
        device.leaf_sha256 = registration.last.leaf_sha256;
        device.entry = registration.last.entry;
    }
    if (!context.device || device != before) {
        device.etag = etag;
        device.updated = registration.updated;
        changes.writes.push_back(PutDevice{device});
    }
}

bool is_returning(const Bench& bench) {
    return bench.prior() && !bench.prior()->assigned_hub.empty();
}

/// "never": the hub stays, whatever the policy says, and even where it is not linked any more.
bool keeps_hub(const Bench& bench) {
    return is_returning(bench) && !bench.attested.reprovision.update_hub_assignment;
}

Candidates candidates_of(const Bench& bench) {
    const auto& records = bench.trust.records();
    return candidates_of(bench.attested.allocation, records.allocation, records.hubs);
}

/// Would it be assigned to the same hub? A webhook is not asked for that.
bool belongs_where_it_is(const Bench& bench) {
    if (keeps_hub(bench)) {
        return true;
    }
    const std::string& current = bench.prior()->assigned_hub;
    const auto candidates = candidates_of(bench);
    const LinkedHub* const hub = candidates.policy == AllocationPolicy::custom
                                     ? candidates.find(current)
                                     : allocate(candidates, bench.request.id);
    return hub != nullptr && equal_ignoring_case(hub->name, current);
}

AskWebhook question(const Bench& bench, const Candidates& candidates) {
    AskWebhook ask{bench.attested.allocation.custom, {}};
    for (const auto* const each : candidates.hubs) {
        ask.hubs.push_back(each->name);
    }
    if (is_returning(bench)) {
        ask.current_hub = bench.prior()->assigned_hub;
        ask.current_device = bench.prior()->device_id.str();
    }
    return ask;
}

/// spec/dps-device-api.md 1.6. Also "never" asks the webhook, which may have something to say to
/// the device; what it says about hubs and twins then counts for nothing.
Placing place_of(const Bench& bench) {
    const auto candidates = candidates_of(bench);
    Place place;
    place.hub = allocate(candidates, bench.request.id);
    if (candidates.policy == AllocationPolicy::custom && !candidates.hubs.empty()) {
        const auto& reply = bench.inputs.reply;
        if (!reply) {
            return question(bench, candidates);
        }
        if (reply->failure.code != 0) {
            return reply->failure;
        }
        place.hub = candidates.find(reply->hub);
        if (place.hub == nullptr) {
            return webhook_failure(webhook_lied, "it named a hub that it was not offered");
        }
        place.initial_twin = reply->initial_twin;
        place.payload = reply->payload;
    }
    if (keeps_hub(bench)) {
        place.name = bench.prior()->assigned_hub;
        place.hub = find_hub(bench.trust.records().hubs, place.name);
        return place;
    }
    if (place.hub == nullptr) {
        return Failure{400208, "There is no linked hub for this device."};
    }
    place.name = place.hub->name;
    return place;
}

void assign_hub(Registration& registration, const Bench& bench, const Place& place) {
    const bool returning = is_returning(bench);
    if (!returning || !equal_ignoring_case(registration.assigned_hub, place.name)) {
        const bool anew = resets_twin(bench.attested) || place.initial_twin;
        registration.assigned_hub = place.name;
        registration.substatus = !returning ? Substatus::initial_assignment
                                 : anew     ? Substatus::device_data_reset
                                            : Substatus::device_data_migrated;
        return;
    }
    registration.substatus = bench.request.api_version >= reprovisioned_since
                                 ? Substatus::reprovisioned_to_initial_assignment
                                 : Substatus::initial_assignment;
}

/// All names of ours share a device's one twin, and it is kept while the device is at another's
/// hub: to move it is to leave it alone. A twin that a webhook gives outranks that where the device
/// comes to a hub; "reset" begins anew at every registration, at the same hub too.
void settle_twin(Decision& decision, const Bench& bench, const Place& place) {
    auto& changes = decision.changes;
    if (place.hub != nullptr) {
        changes.expects.push_back(ExpectEtag{RecordKind::hub, place.hub->name, place.hub->etag});
    }
    if (keeps_hub(bench)) {
        return;
    }
    const bool resets = resets_twin(bench.attested);
    const bool is_ours = place.hub != nullptr && place.hub->own;
    bool was_ours = false;
    bool moves = true;
    if (is_returning(bench)) {
        const auto& before = bench.prior()->assigned_hub;
        const auto* const hub = find_hub(bench.trust.records().hubs, before);
        was_ours = hub == nullptr || hub->own;  // a name we had and do not have any more
        moves = !equal_ignoring_case(before, place.name);
        decision.left_us = was_ours && !is_ours;
    }
    const bool given = place.initial_twin && is_ours && (moves || resets);
    if (given || (resets && was_ours) || (resets && is_ours && is_returning(bench))) {
        const auto& contents = given ? *place.initial_twin : bench.inputs.initial_twin;
        changes.writes.push_back(ResetTwin{decision.registration.device_id, contents,
                                           bench.inputs.fresh.twin_etag, bench.inputs.now});
    }
}

void rest_on_leaf(Adoption& adoption, const Attested& attested, const x509::PeerChain& peer) {
    const auto& leaf = peer.end_entity();
    adoption.leaf_sha256 = leaf.sha256();
    adoption.leaf_spki = leaf.spki_sha256();
    adoption.serial = leaf.serial();
    adoption.not_before = leaf.not_before();
    adoption.not_after = leaf.not_after();
    adoption.key = leaf.key().name;
    adoption.signature_algorithm = leaf.signature_algorithm();
    adoption.chain_length = static_cast<std::uint32_t>(peer.certificates.size());
    for (const auto& certificate : attested.path) {
        adoption.path_keys.push_back(certificate.spki_sha256());
    }
}

Adoption adoption_of(const Attested& attested, const RegistrationRequest& request, TimePoint now,
                     const OperationId& operation) {
    Adoption adoption;
    adoption.operation = operation;
    adoption.at = now;
    adoption.entry = attested.entry;
    adoption.slot = attested.slot;
    if (attested.kind == AttestationKind::symmetric_key) {
        rest_on_key(adoption, {attested.slot, attested.ca_sha256, attested.credential});
    } else {
        adoption.ca_sha256 = attested.ca_sha256;
        adoption.ca = attested.ca;
        rest_on_leaf(adoption, attested, request.peer);
    }
    adoption.completed = attested.completed;
    adoption.protocol = request.protocol;
    adoption.api_version = request.api_version;
    adoption.user_agent = request.user_agent;
    adoption.tls_version = request.tls_version;
    adoption.tls_cipher = request.tls_cipher;
    return adoption;
}

/// What the decision rests on and what must still be so when it is committed.
void assume(Changes& changes, const Attested& attested, const TrustView& trust,
            const RegistrationContext& context, const RegistrationRequest& request) {
    changes.expects.push_back(ExpectTrust{attested.entry, attested.entry_trust_version});
    if (attested.entry.kind == EntryRef::Kind::group) {
        changes.expects.push_back(
            ExpectTrust{{EntryRef::Kind::individual, request.id.str(), ""}, 0});
    }
    changes.expects.push_back(ExpectAnchors{trust.anchors_version()});
    if (attested.kind == AttestationKind::x509) {
        changes.expects.push_back(ExpectLeafNotDisabled{attested.credential});
    }
    changes.expects.push_back(
        ExpectEtag{RecordKind::registration, request.id.str(),
                   context.registration ? context.registration->etag : ETag{}});
}

void remember_intermediates(Changes& changes, const Attested& attested, const TrustView& trust,
                            TimePoint now) {
    if (attested.entry.kind != EntryRef::Kind::group) {
        return;
    }
    for (std::size_t i = 1; i + 1 < attested.path.size(); ++i) {
        if (!trust.remembers(attested.path[i])) {
            changes.writes.push_back(RememberIntermediate{attested.path[i], now});
        }
    }
}

}  // namespace
}  // namespace rollcall::domain
