// SPDX-License-Identifier: Apache-2.0
#include "front/central_wire.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <array>

namespace rollcall::front {
namespace {

namespace json = boost::json;

/// Before the tag of a certificate.
constexpr std::string_view certificate_mark = "c-";

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

std::string quoted_base64(const std::string& tag) {
    return to_base64(as_bytes("\"" + tag + "\""));
}

std::string_view unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
    return quoted ? text.substr(1, text.size() - 2) : text;
}

/// Mistakes in the address or in JSON itself; others of a request with a body are about that.
bool is_about_address(const Error& error) {
    constexpr std::array reasons{
        std::string_view{"malformed-json"},   std::string_view{"not-an-object"},
        std::string_view{"api-version"},      std::string_view{"malformed-path"},
        std::string_view{"malformed-page"},   std::string_view{"malformed-parameter"},
        std::string_view{"malformed-filter"}, std::string_view{"repeated-member"},
        std::string_view{"missing-body"},     std::string_view{"malformed-id"}};
    return std::find(reasons.begin(), reasons.end(), error.reason) != reasons.end();
}

CentralError of_status(unsigned status, const Error& error) {
    switch (status) {
        case 400: return {400, "BadRequest", error.detail};
        case 405: return {405, "MethodNotAllowed", error.detail};
        case 408: return {408, "RequestTimeout", error.detail};
        case 413: return {413, "RequestBodyTooLarge", error.detail};
        case 415: return {415, "UnsupportedMediaType", error.detail};
        case 503: return {503, "ServiceUnavailable", "busy or away for a moment; try again"};
        case 504: return {504, "GatewayTimeout", error.detail};
        default: break;
    }
    return status < 500
               ? CentralError{status, "BadRequest", error.detail}
               : CentralError{status, "InternalServerError", "this went wrong; the log tells more"};
}

}  // namespace

CentralError to_central_error(const Error& error, bool of_body, unsigned status) {
    if (status != 0) {
        return of_status(status, error);
    }
    switch (error.kind) {
        case ErrorKind::malformed:
            return of_body && !is_about_address(error)
                       ? CentralError{422, "InvalidBody", error.detail}
                       : of_status(400, error);
        case ErrorKind::unsupported:
            return error.reason == "media-type"    ? of_status(415, error)
                   : error.reason == "api-version" ? of_status(400, error)
                                                   : CentralError{422, "NotOffered", error.detail};
        case ErrorKind::too_large: return of_status(413, error);
        case ErrorKind::attestation_failed:
        case ErrorKind::unauthenticated: return {401, "Unauthorized", error.detail};
        case ErrorKind::forbidden: return {403, "Forbidden", error.detail};
        case ErrorKind::not_found: return {404, "NotFound", error.detail};
        case ErrorKind::conflict: return {409, "Conflict", error.detail};
        case ErrorKind::stale: return {412, "PreconditionFailed", error.detail};
        case ErrorKind::throttled: return {429, "TooManyRequests", error.detail};
        case ErrorKind::unavailable: return of_status(503, error);
        case ErrorKind::deadline: return of_status(504, error);
        case ErrorKind::internal: break;
    }
    return of_status(500, error);
}

json::object to_json(const CentralError& error, std::string_view request_id, TimePoint now) {
    return {{"error", json::object{{"code", error.code},
                                   {"message", error.message},
                                   {"requestId", view(request_id)},
                                   {"time", to_http_date(now)}}}};
}

std::string central_etag(const ETag& etag) {
    return quoted_base64(etag.str());
}

std::string central_certificate_etag(const ETag& etag) {
    return quoted_base64(std::string{certificate_mark} + etag.str());
}

CentralTag read_central_tag(std::string_view text) {
    std::string tag{unquoted(text)};
    if (const auto decoded = parse_base64(tag)) {
        const std::string inner{decoded->begin(), decoded->end()};
        if (inner.size() > 2 && inner.starts_with('"') && inner.ends_with('"')) {
            tag = unquoted(inner);
        }
    }
    if (tag.starts_with(certificate_mark)) {
        return {tag.substr(certificate_mark.size()), true};
    }
    return {std::move(tag), false};
}

std::optional<json::object> slot_json(const service::GroupSlotView& slot) {
    const auto& place = slot.pending ? slot.pending : slot.current;
    if (!place || !place->ca) {  // a reference whose record is gone shows nothing
        return std::nullopt;
    }
    const domain::CaCertificate& ca = *place->ca;
    return json::object{
        {"verified", ca.verified.has_value()},
        {"info", json::object{{"sha1Thumbprint", ca.certificate.sha1_thumbprint()}}},
        {"etag", central_certificate_etag(ca.etag)}};
}

json::object group_json(const service::GroupView& view, bool keys) {
    const domain::EnrollmentGroup& group = view.group;
    json::object attestation{{"type", front::view(domain::to_string(domain::kind_of(group)))}};
    if (group.keys && keys) {
        attestation["symmetricKey"] = json::object{{"primaryKey", group.keys->front().base64()},
                                                   {"secondaryKey", group.keys->back().base64()}};
    }
    if (!group.keys) {
        json::object slots;
        for (const auto slot : domain::both_slots) {
            if (auto shown = slot_json(view.at(slot))) {
                slots[front::view(domain::to_string(slot))] = *std::move(shown);
            }
        }
        attestation["x509"] = json::object{{"signingCertificates", std::move(slots)}};
    }
    return {{"id", group.id.str()},
            {"displayName", group.id.str()},
            {"enabled", group.enabled},
            {"type", group.notes.iot_edge.value_or(false) ? "iotEdge" : "iot"},
            {"attestation", std::move(attestation)},
            {"etag", central_etag(group.etag)}};
}

}  // namespace rollcall::front
