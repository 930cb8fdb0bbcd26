// SPDX-License-Identifier: Apache-2.0
#include "service/webhook.hpp"

#include "base/bytes.hpp"
#include "service/dps_json.hpp"
#include "service/twin_document.hpp"

#include <boost/json.hpp>

namespace rollcall::service {
namespace {

namespace json = boost::json;
using domain::Slot;

/// What individual enrollments and groups have in common, in the order of the documented sample.
template <class Entry>
void put_settings(json::object& object, const Entry& entry, const domain::AskWebhook& ask) {
    object["etag"] = "\"" + entry.etag.str() + "\"";
    object["provisioningStatus"] = entry.enabled ? "enabled" : "disabled";
    object["reprovisionPolicy"] =
        json::object{{"updateHubAssignment", entry.reprovision.update_hub_assignment},
                     {"migrateDeviceData", entry.reprovision.migrate_device_data}};
    if (!entry.initial_twin.empty()) {
        object["initialTwin"] = stored_json(entry.initial_twin);
    }
    object["createdDateTimeUtc"] = to_iso8601_ticks(entry.created);
    object["lastUpdatedDateTimeUtc"] = to_iso8601_ticks(entry.updated);
    object["allocationPolicy"] = to_string(domain::AllocationPolicy::custom);
    json::array hubs;
    for (const auto& hub : entry.allocation.hubs) {
        hubs.emplace_back(hub);
    }
    object["iotHubs"] = std::move(hubs);
    object["customAllocationDefinition"] =
        json::object{{"webhookUrl", domain::shown_url(ask.custom.webhook_url)},
                     {"apiVersion", ask.custom.api_version}};
}

/// Of keys nothing is told.
json::object attestation_json(domain::AttestationKind kind, const char* slots_name,
                              json::object slots) {
    json::object object{{"type", domain::to_string(kind)}};
    if (kind == domain::AttestationKind::x509) {
        object["x509"] = json::object{{slots_name, std::move(slots)}};
    }
    return object;
}

json::object individual_json(const domain::IndividualEnrollment& entry,
                             const domain::AskWebhook& ask) {
    json::object slots;
    for (const auto slot : domain::both_slots) {
        if (const auto& leaf = entry.at(slot)) {
            slots[domain::to_string(slot)] = json::object{{"info", certificate_info(*leaf)}};
        }
    }
    json::object object{{"registrationId", entry.id.original()}};
    if (entry.device_id) {
        object["deviceId"] = entry.device_id->str();
    }
    object["attestation"] =
        attestation_json(domain::kind_of(entry), "clientCertificates", std::move(slots));
    put_settings(object, entry, ask);
    return object;
}

json::object group_json(const domain::EnrollmentGroup& group, const domain::TrustView& trust,
                        const domain::AskWebhook& ask) {
    json::object slots;
    for (const auto slot : domain::both_slots) {
        const auto& current = group.at(slot).current;
        if (const auto* const ca = current ? trust.ca(*current) : nullptr) {
            slots[domain::to_string(slot)] =
                json::object{{"info", certificate_info(ca->certificate)}};
        }
    }
    json::object object{{"enrollmentGroupId", group.id.str()}};
    object["attestation"] =
        attestation_json(domain::kind_of(group), "signingCertificates", std::move(slots));
    put_settings(object, group, ask);
    return object;
}

json::object runtime_json(const domain::AskWebhook& ask, const domain::Attested& attested,
                          const domain::RegistrationRequest& request) {
    json::object context{{"registrationId", request.id.original()}};
    if (!ask.current_hub.empty()) {
        context["currentIotHubHostName"] = ask.current_hub;
        context["currentDeviceId"] = ask.current_device;
    }
    if (attested.kind == domain::AttestationKind::symmetric_key) {
        context["symmetricKey"] = json::object{};
    } else {
        const json::object leaf{{"info", certificate_info(request.peer.end_entity())}};
        context["x509"] = json::object{{"clientCertificates", json::object{{"primary", leaf}}}};
    }
    if (!request.payload.empty()) {
        context["payload"] = stored_json(request.payload);
    }
    return context;
}

// --- The answer -----------------------------------------------------------------------------

domain::WebhookReply failed(unsigned status, std::string_view why = {}) {
    domain::WebhookReply reply;
    reply.failure = domain::webhook_failure(status, why);
    return reply;
}

domain::WebhookReply nonsense() {
    return failed(domain::webhook_lied, "its answer is not an allocation response");
}

/// nullptr: not there, or null.
const json::value* member_of(const json::object& object, std::string_view name) {
    for (const auto& [key, value] : object) {
        if (equal_ignoring_case({key.data(), key.size()}, name) && !value.is_null()) {
            return &value;
        }
    }
    return nullptr;
}

/// A part of a twin under the rules for twins; "{}" where it is not there.
Result<std::string> twin_part(TwinPart part, const json::value* value) {
    if (value == nullptr) {
        return std::string{"{}"};
    }
    return merge_into(part, "{}", json::serialize(*value));
}

Result<domain::TwinContents> read_twin(const json::value& value) {
    const Error wrong{ErrorKind::malformed, "a twin is an object", "twin-not-object"};
    if (!value.is_object()) {
        return wrong;
    }
    domain::TwinContents contents;
    TRY(contents.tags, twin_part(TwinPart::tags, member_of(value.get_object(), "tags")));
    if (const auto* const properties = member_of(value.get_object(), "properties")) {
        if (!properties->is_object()) {
            return wrong;
        }
        TRY(contents.desired,
            twin_part(TwinPart::desired, member_of(properties->get_object(), "desired")));
    }
    return contents;
}

domain::WebhookReply read_body(const std::string& body) {
    boost::system::error_code error;
    const json::value parsed = json::parse(body, error);
    if (error || !parsed.is_object()) {
        return nonsense();
    }
    const auto& object = parsed.get_object();
    const auto* const hub = member_of(object, "iotHubHostName");
    if (hub == nullptr || !hub->is_string()) {
        return nonsense();
    }
    domain::WebhookReply reply;
    reply.hub = std::string{hub->get_string()};
    if (const auto* const payload = member_of(object, "payload")) {
        if (!payload->is_object()) {
            return nonsense();
        }
        reply.payload = json::serialize(*payload);
    }
    if (const auto* const twin = member_of(object, "initialTwin")) {
        auto contents = read_twin(*twin);
        if (!contents) {
            return failed(domain::webhook_lied, "its initial twin is none");
        }
        reply.initial_twin = *std::move(contents);
    }
    return reply;
}

}  // namespace

std::string_view to_string(WebhookAnswer::Outcome outcome) {
    using Outcome = WebhookAnswer::Outcome;
    switch (outcome) {
        case Outcome::answered: return "answered";
        case Outcome::silent: return "silent";
        case Outcome::unreachable: return "unreachable";
        case Outcome::untrusted: return "untrusted";
        case Outcome::too_large: return "too-large";
        case Outcome::not_allowed: break;
    }
    return "not-allowed";
}

std::string webhook_request(const domain::AskWebhook& ask, const domain::Attested& attested,
                            const domain::TrustView& trust,
                            const domain::RegistrationContext& context,
                            const domain::RegistrationRequest& request) {
    json::object body;
    if (attested.entry.kind == domain::EntryRef::Kind::individual && context.individual) {
        body["individualEnrollment"] = individual_json(*context.individual, ask);
    } else if (const auto* const group = trust.group(attested.entry)) {
        body["enrollmentGroup"] = group_json(*group, trust, ask);
    }
    body["deviceRuntimeContext"] = runtime_json(ask, attested, request);
    json::array hubs;
    for (const auto& hub : ask.hubs) {
        hubs.emplace_back(hub);
    }
    body["linkedHubs"] = std::move(hubs);
    return json::serialize(body);
}

domain::WebhookReply read_webhook_answer(const WebhookAnswer& answer) {
    using Outcome = WebhookAnswer::Outcome;
    switch (answer.outcome) {
        case Outcome::silent:
            return failed(domain::webhook_silent, "the webhook did not answer in time");
        case Outcome::unreachable:
            return failed(domain::webhook_lied, "the webhook cannot be reached");
        case Outcome::untrusted:
            return failed(domain::webhook_lied, "the webhook's certificate is not trusted");
        case Outcome::too_large:
            return failed(domain::webhook_lied, "the webhook answered too much");
        case Outcome::not_allowed: return failed(domain::webhook_lied, "the webhook is not https");
        case Outcome::answered: break;
    }
    if (answer.status < 200 || answer.status > 299) {
        return failed(answer.status);
    }
    return read_body(answer.body);
}

}  // namespace rollcall::service
