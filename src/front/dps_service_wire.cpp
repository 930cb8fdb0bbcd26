// SPDX-License-Identifier: Apache-2.0
#include "front/dps_service_wire.hpp"

#include "base/bytes.hpp"
#include "front/dps_wire.hpp"
#include "front/if_match.hpp"
#include "service/dps_json.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

json::object parsed(const std::string& stored) {
    boost::system::error_code unread;
    auto value = json::parse(stored, unread);
    return unread || !value.is_object() ? json::object{} : std::move(value.as_object());
}

json::object info_json(const x509::Certificate& certificate) {
    return {{"info", service::certificate_info(certificate)}};
}

/// An absent secondary mirrors the primary, as the cloud has it (PRODUCT section 3.17).
json::object slots_json(const std::array<std::optional<x509::Certificate>, 2>& slots) {
    json::object shown;
    if (slots[0]) {
        shown["primary"] = info_json(*slots[0]);
    }
    if (slots[1] || slots[0]) {
        shown["secondary"] = info_json(slots[1] ? *slots[1] : *slots[0]);
    }
    return shown;
}

json::object keys_json(const domain::SymmetricKeys& keys, Secrets secrets) {
    json::object shown{{"type", "symmetricKey"}};
    if (secrets == Secrets::told) {
        shown["symmetricKey"] = json::object{{"primaryKey", keys.front().base64()},
                                             {"secondaryKey", keys.back().base64()}};
    }
    return shown;
}

/// What stands in the slot for its reader: what waits there, else what attests. None: empty, or
/// the record was deleted.
const domain::CaCertificate* shown_in(const service::GroupSlotView& slot) {
    const auto& place = slot.pending ? slot.pending : slot.current;
    return place && place->ca ? &*place->ca : nullptr;
}

/// By name where they have one and did not come inline.
json::object group_slots_json(const service::GroupView& view) {
    json::object by_name;
    std::array<std::optional<x509::Certificate>, 2> certificates;
    bool all_named = !view.group.notes.inline_certificates;
    for (const auto slot : domain::both_slots) {
        if (const auto* const ca = shown_in(view.at(slot))) {
            certificates.at(domain::index(slot)) = ca->certificate;
            by_name[front::view(domain::to_string(slot))] = ca->name;
            all_named = all_named && !ca->name.empty();
        }
    }
    if (by_name.empty()) {
        return {};
    }
    return all_named ? json::object{{"caReferences", std::move(by_name)}}
                     : json::object{{"signingCertificates", slots_json(certificates)}};
}

/// The members after the attestation, which both kinds of entry share.
template <class Entry>
void put_settings(json::object& shown, const Entry& entry) {
    const domain::ClientNotes& notes = entry.notes;
    if (notes.iot_edge) {
        shown["capabilities"] = json::object{{"iotEdge", *notes.iot_edge}};
    }
    if (!entry.initial_twin.empty()) {
        shown["initialTwin"] = parsed(entry.initial_twin);
    }
    shown["etag"] = wire_etag(entry.etag);
    if (entry.enabled && notes.null_status) {
        shown["provisioningStatus"] = nullptr;
    } else {
        shown["provisioningStatus"] = entry.enabled ? "enabled" : "disabled";
    }
    const auto& policy = entry.reprovision;
    if (!notes.no_reprovision_policy || policy != domain::ReprovisionPolicy{}) {
        shown["reprovisionPolicy"] =
            json::object{{"updateHubAssignment", policy.update_hub_assignment},
                         {"migrateDeviceData", policy.migrate_device_data}};
    }
    shown["createdDateTimeUtc"] = to_iso8601_cut(entry.created);
    shown["lastUpdatedDateTimeUtc"] = to_iso8601_cut(entry.updated);
    const auto& rule = entry.allocation;
    if (rule.policy) {
        shown["allocationPolicy"] = view(domain::to_string(*rule.policy));
    }
    if (!rule.hubs.empty()) {
        shown["iotHubs"] = json::array(rule.hubs.begin(), rule.hubs.end());
    }
    if (!rule.custom.webhook_url.empty()) {
        shown["customAllocationDefinition"] =
            json::object{{"webhookUrl", domain::shown_url(rule.custom.webhook_url)},
                         {"apiVersion", rule.custom.api_version}};
    }
}

DpsServiceError of_protocol(unsigned status, const Error& error) {
    return {status, static_cast<int>(status * 1000 + 1),
            status == 503 ? "The service is busy or away for a moment; try again."
            : status >= 500 && error.kind == ErrorKind::internal ? "Internal error."
                                                                 : error.detail};
}

}  // namespace

std::string_view item_type_of(DpsCollection collection) {
    switch (collection) {
        case DpsCollection::enrollments: return "Enrollment";
        case DpsCollection::groups: return "EnrollmentGroup";
        case DpsCollection::registrations: break;
    }
    return "DeviceRegistration";
}

std::string_view id_name_of(DpsCollection collection) {
    return collection == DpsCollection::groups ? "enrollmentGroupId" : "registrationId";
}

DpsServiceError to_service_error(const Error& error, unsigned status) {
    if (status != 0) {
        return of_protocol(status, error);
    }
    switch (error.kind) {
        case ErrorKind::malformed: return {400, 400001, error.detail};
        case ErrorKind::unsupported: return {400, 400002, error.detail};
        case ErrorKind::too_large: return {400, 400003, error.detail};
        case ErrorKind::attestation_failed:
        case ErrorKind::unauthenticated: return {401, 401002, "Unauthorized: " + error.detail};
        case ErrorKind::forbidden: return {403, 403001, error.detail};
        case ErrorKind::not_found:
            if (error.reason == "group-not-found") {
                return {404, 404202, "EnrollmentGroup not found."};
            }
            if (error.reason == "enrollment-not-found") {
                return {404, 404201, "Enrollment not found."};
            }
            return {404, error.reason == "registration-not-found" ? 404201 : 404001, error.detail};
        case ErrorKind::conflict:
            if (error.reason == "enrollment-exists") {
                return {409, 409201, "Enrollment already exists."};
            }
            if (error.reason == "group-exists") {
                return {409, 409202, "EnrollmentGroup already exists."};
            }
            return {409, 409001, error.detail};
        case ErrorKind::stale: return {412, 412001, error.detail};
        case ErrorKind::throttled: return {429, 429001, error.detail};
        case ErrorKind::unavailable: return of_protocol(503, error);
        case ErrorKind::deadline: return of_protocol(504, error);
        case ErrorKind::internal: break;
    }
    return of_protocol(500, error);
}

json::object to_json(const DpsServiceError& error, std::string_view tracking_id, TimePoint now) {
    return {{"errorCode", error.code},
            {"trackingId", view(tracking_id)},
            {"message", error.message},
            {"timestampUtc", to_iso8601_ticks(now)},
            {"info", json::object{}}};
}

json::object attestation_json(const service::GroupView& view, Secrets secrets) {
    if (view.group.keys) {
        return keys_json(*view.group.keys, secrets);
    }
    return {{"type", "x509"}, {"x509", group_slots_json(view)}};
}

json::object attestation_json(const domain::IndividualEnrollment& enrollment, Secrets secrets) {
    if (enrollment.keys) {
        return keys_json(*enrollment.keys, secrets);
    }
    json::object slots = slots_json(enrollment.slots);
    return {{"type", "x509"},
            {"x509", slots.empty() ? json::object{}
                                   : json::object{{"clientCertificates", std::move(slots)}}}};
}

json::object enrollment_json(const service::GroupView& view, Secrets secrets) {
    json::object shown{{"enrollmentGroupId", view.group.id.str()},
                       {"attestation", attestation_json(view, secrets)}};
    put_settings(shown, view.group);
    return shown;
}

json::object enrollment_json(const domain::IndividualEnrollment& enrollment, Secrets secrets,
                             const std::optional<json::object>& state) {
    json::object shown{{"registrationId", enrollment.id.original()}};
    if (enrollment.device_id) {
        shown["deviceId"] = enrollment.device_id->str();
    }
    if (state) {
        shown["registrationState"] = *state;
    }
    if (!enrollment.notes.device_information.empty()) {
        shown["optionalDeviceInformation"] = parsed(enrollment.notes.device_information);
    }
    shown["attestation"] = attestation_json(enrollment, secrets);
    put_settings(shown, enrollment);
    return shown;
}

json::object unassigned_json(const RegistrationId& id) {
    return {{"registrationId", id.original()}, {"status", "unassigned"}};
}

json::object registration_json(const domain::Registration& registration,
                               std::string_view api_version) {
    json::object state{{"registrationId", registration.id.original()},
                       {"createdDateTimeUtc", to_iso8601_cut(registration.created)}};
    const bool assigned = registration.status == domain::RegistrationStatus::assigned;
    if (assigned) {
        state["assignedHub"] = registration.assigned_hub;
        state["deviceId"] = registration.device_id.str();
    }
    state["status"] = view(domain::to_string(registration.status));
    if (assigned) {
        state["substatus"] = view(substatus_word(registration.substatus, api_version));
    }
    if (registration.failure.code != 0) {
        state["errorCode"] = registration.failure.code;
        state["errorMessage"] = registration.failure.message;
    }
    state["lastUpdatedDateTimeUtc"] = to_iso8601_cut(registration.updated);
    state["etag"] = wire_etag(registration.etag);
    if (assigned && !registration.payload.empty()) {
        boost::system::error_code unread;
        if (auto payload = json::parse(registration.payload, unread); !unread) {
            state["payload"] = std::move(payload);
        }
    }
    return state;
}

json::object bulk_json(DpsCollection collection, const std::vector<BulkFailure>& failures) {
    json::array errors;
    for (const auto& failure : failures) {
        json::object error;
        error[view(id_name_of(collection))] = failure.id;
        error["errorCode"] = failure.error.code;
        error["errorStatus"] = failure.error.message;
        errors.push_back(std::move(error));
    }
    return {{"errors", std::move(errors)}, {"isSuccessful", failures.empty()}};
}

std::string wire_etag(const ETag& etag) {
    return to_base64(as_bytes("\"" + etag.str() + "\""));
}

std::string plain_etag(std::string_view text) {
    const auto unquoted = [](std::string_view each) {
        const bool quoted = each.size() >= 2 && each.starts_with('"') && each.ends_with('"');
        return quoted ? each.substr(1, each.size() - 2) : each;
    };
    text = unquoted(text);
    if (const auto decoded = parse_base64(text)) {
        const std::string inner{decoded->begin(), decoded->end()};
        if (inner.size() > 2 && inner.starts_with('"') && inner.ends_with('"')) {
            return std::string{unquoted(inner)};
        }
    }
    return std::string{text};
}

service::EtagCondition read_condition(const net::HttpRequest& request) {
    service::EtagCondition condition = read_if_match(request);
    for (auto& tag : condition.one_of) {
        tag = plain_etag(tag);
    }
    return condition;
}

std::string continuation(DpsCollection collection, const std::string& after) {
    const json::array token{view(item_type_of(collection)), after};
    return to_base64(as_bytes(json::serialize(token)));
}

Result<std::string> read_continuation(DpsCollection collection, std::string_view token) {
    const auto decoded = parse_base64(token);
    if (decoded) {
        boost::system::error_code unread;
        const std::string text{decoded->begin(), decoded->end()};
        const auto value = json::parse(text, unread);
        const auto* const array = unread ? nullptr : value.if_array();
        const bool ours = array != nullptr && array->size() == 2 && (*array)[0].is_string() &&
                          (*array)[1].is_string() &&
                          (*array)[0].get_string() == view(item_type_of(collection));
        if (ours) {
            return std::string{(*array)[1].get_string()};
        }
    }
    return Error{ErrorKind::malformed,
                 "x-ms-continuation is not one that a page of this list came with",
                 "malformed-page"};
}

std::string to_iso8601_cut(TimePoint at) {
    std::string text = to_iso8601_ticks(at);
    text.pop_back();  // the Z
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text + 'Z';
}

}  // namespace rollcall::front
