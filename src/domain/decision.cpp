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
void assign_hub(Registration& registration, const Attested& attested,
                const std::optional<Registration>& prior, const std::string& own_hub,
                const std::string& api_version);
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

std::variant<Decision, Refusal> decide(const Attested& attested, const TrustView& trust,
                                       const RegistrationContext& context,
                                       const RegistrationRequest& request,
                                       const std::string& own_hub, TimePoint now,
                                       const FreshIds& fresh) {
    const auto& prior = context.registration;
    if (prior && !request.force && is_the_same_again(attested, *prior, now) && context.device &&
        context.device->id == prior->device_id && !unwelcome(*context.device)) {
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
    const auto failure = unwelcome(device);
    Registration registration = known_or_new(context, request.id, now);
    registration.etag = fresh.registration_etag;
    registration.failure = failure.value_or(Failure{});
    if (failure) {
        registration.status = RegistrationStatus::failed;
    } else {
        assign_hub(registration, attested, prior, own_hub, request.api_version);
        registration.status = RegistrationStatus::assigned;
    }
    registration.last = adoption_of(attested, request, now, fresh.operation);
    registration.last.went_back = went_back;
    registration.last.status = registration.status;
    registration.last.substatus = registration.substatus;
    registration.last.failure = registration.failure;
    registration.adoptions += 1;

    Changes changes;
    assume(changes, attested, trust, context, request);
    write_device(changes, device, context, registration, fresh.device_etag);
    changes.writes.push_back(PutRegistration{registration});
    remember_intermediates(changes, attested, trust, now);
    return Decision{std::move(registration), std::move(changes), false};
}

namespace {

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

void assign_hub(Registration& registration, const Attested& attested,
                const std::optional<Registration>& prior, const std::string& own_hub,
                const std::string& api_version) {
    const bool returning = prior && !prior->assigned_hub.empty();
    if (!returning) {
        registration.assigned_hub = own_hub;
        registration.substatus = Substatus::initial_assignment;
        return;
    }
    if (prior->assigned_hub != own_hub && attested.reprovision.update_hub_assignment) {
        registration.assigned_hub = own_hub;
        registration.substatus = attested.reprovision.migrate_device_data
                                     ? Substatus::device_data_migrated
                                     : Substatus::device_data_reset;
        return;
    }
    registration.substatus = api_version >= reprovisioned_since
                                 ? Substatus::reprovisioned_to_initial_assignment
                                 : Substatus::initial_assignment;
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
