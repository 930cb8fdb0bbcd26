// SPDX-License-Identifier: Apache-2.0
#include "front/dps_wire.hpp"

#include "base/bytes.hpp"
#include "front/json_reader.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;

constexpr std::string_view reprovisioned_since = "2021-10-01";

json::object registration_state(const domain::Registration& registration,
                                std::string_view api_version);

}  // namespace

DpsError to_dps_error(const Error& error) {
    switch (error.kind) {
        case ErrorKind::malformed:
            if (error.reason == "wrong-method") {
                return {405, 405001, error.detail};
            }
            return {400, 400001, error.detail};
        case ErrorKind::attestation_failed:
            if (error.reason == "token-refused") {
                return {401, 401000, error.detail};
            }
            return {401, 401002, error.detail};
        case ErrorKind::unauthenticated: return {401, 401002, error.detail};
        case ErrorKind::forbidden: return {403, 403001, error.detail};
        case ErrorKind::not_found:
            if (error.reason == "operation-not-found") {
                return {404, 404203, error.detail};
            }
            if (error.reason == "registration-not-found") {
                return {404, 404202, error.detail};
            }
            return {404, 404001, error.detail};
        case ErrorKind::conflict:
        case ErrorKind::stale:
            if (error.reason == "registration-raced") {
                return {409, 409203, error.detail};
            }
            return {409, 409001, error.detail};
        case ErrorKind::too_large: return {413, 413001, error.detail};
        case ErrorKind::unsupported:
            if (error.reason == "media-type") {
                return {415, 415001, error.detail};
            }
            return {400, 400002, error.detail};
        case ErrorKind::throttled: return {429, 429001, error.detail};
        case ErrorKind::deadline: return {408, 408001, error.detail};
        case ErrorKind::unavailable:
            return {503, 503001, "The service is busy or away for a moment; try again."};
        case ErrorKind::internal: break;
    }
    return {500, 500001, "Internal error."};
}

std::string error_body(const DpsError& error, std::string_view tracking_id, TimePoint now) {
    const json::object body{{"errorCode", error.code},
                            {"trackingId", tracking_id},
                            {"message", error.message},
                            {"timestampUtc", to_iso8601_ticks(now)}};
    return json::serialize(body);
}

std::string assigning_body(const service::DeviceAnswer& answer) {
    const json::object state{{"registrationId", answer.registration.id.original()},
                             {"status", "assigning"}};
    const json::object body{{"operationId", answer.operation.str()},
                            {"status", "assigning"},
                            {"registrationState", state}};
    return json::serialize(body);
}

std::string operation_body(const service::DeviceAnswer& answer, std::string_view api_version) {
    const json::object body{
        {"operationId", answer.operation.str()},
        {"status", domain::to_string(answer.registration.status)},
        {"registrationState", registration_state(answer.registration, api_version)}};
    return json::serialize(body);
}

std::string registration_body(const domain::Registration& registration,
                              std::string_view api_version) {
    return json::serialize(registration_state(registration, api_version));
}

Result<DeviceRegistrationBody> parse_device_registration(std::string_view body,
                                                         const RegistrationId& expected) {
    const auto malformed = [](std::string detail) {
        return Error{ErrorKind::malformed, std::move(detail), "malformed-body"};
    };
    const auto object = parse_json_object(body, Unique::at_the_top);
    if (!object) {
        return malformed(object.error().reason == "repeated-member"
                             ? "A member of the body stands there twice."
                             : "The body is not a JSON object.");
    }
    DeviceRegistrationBody said;
    for (const auto& [key, member] : *object) {
        if (key == "registrationId" && !member.is_null()) {
            const auto* const text = member.if_string();
            if (text == nullptr || !equal_ignoring_case(*text, expected.str())) {
                return malformed("registrationId in the body is not the one in the address.");
            }
            said.registration_id = std::string{*text};
        } else if (key == "payload" && !member.is_null()) {
            said.payload = json::serialize(member);
        } else if ((key == "tpm" || key == "csr") && !member.is_null()) {
            return Error{ErrorKind::unsupported,
                         key == "tpm"
                             ? "TPM attestation is not offered here; use X.509 or a symmetric key."
                             : "Certificates are not issued at registration here.",
                         "not-offered"};
        }
    }
    return said;
}

Result<Done> check_api_version(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    constexpr std::string_view form = "dddd-dd-dd";
    bool good =
        text.size() == form.size() || text.substr(std::min(form.size(), text.size())) == "-preview";
    for (std::size_t i = 0; good && i < form.size(); ++i) {
        good = form[i] == 'd' ? is_digit(text[i]) : text[i] == form[i];
    }
    if (!good) {
        return Error{ErrorKind::malformed,
                     "api-version is missing or not of the form 2021-06-01 or 2021-11-01-preview.",
                     "api-version"};
    }
    return Done{};
}

namespace {

/// Members in the order of the recordings; the proof comes first and is empty for an individual
/// entry.
json::object registration_state(const domain::Registration& registration,
                                std::string_view api_version) {
    json::object state;
    const bool judged = registration.adoptions > 0;
    if (judged) {
        json::object proved;
        if (registration.last.entry.kind == domain::EntryRef::Kind::group) {
            proved["enrollmentGroupId"] = registration.last.entry.id;
        }
        state[domain::to_string(registration.last.attestation)] = std::move(proved);
    }
    state["registrationId"] = registration.id.original();
    if (judged) {
        state["createdDateTimeUtc"] = to_iso8601_ticks(registration.created);
    }
    if (registration.status == domain::RegistrationStatus::assigned) {
        state["assignedHub"] = registration.assigned_hub;
        state["deviceId"] = registration.device_id.str();
    }
    state["status"] = domain::to_string(registration.status);
    if (registration.status == domain::RegistrationStatus::assigned) {
        state["substatus"] = substatus_word(registration.substatus, api_version);
    }
    if (registration.failure.code != 0) {
        state["errorCode"] = registration.failure.code;
        state["errorMessage"] = registration.failure.message;
    }
    if (judged) {
        state["lastUpdatedDateTimeUtc"] = to_iso8601_ticks(registration.updated);
        state["etag"] = to_base64(as_bytes("\"" + registration.etag.str() + "\""));
    }
    if (registration.status == domain::RegistrationStatus::assigned &&
        !registration.payload.empty()) {
        boost::system::error_code unread;
        if (auto payload = json::parse(registration.payload, unread); !unread) {
            state["payload"] = std::move(payload);
        }
    }
    return state;
}

}  // namespace

std::string_view substatus_word(domain::Substatus substatus, std::string_view api_version) {
    const bool too_new = substatus == domain::Substatus::reprovisioned_to_initial_assignment &&
                         api_version < reprovisioned_since;
    return domain::to_string(too_new ? domain::Substatus::initial_assignment : substatus);
}

}  // namespace rollcall::front
