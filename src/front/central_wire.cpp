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
        case ErrorKind::conflict:
            if (error.reason == "device-not-connected") {
                return {404, "DeviceNotOnline", error.detail};
            }
            return {409, "Conflict", error.detail};
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

const domain::CaCertificate* shown_in(const service::GroupSlotView& slot) {
    const auto& place = slot.pending ? slot.pending : slot.current;
    return place && place->ca ? &*place->ca : nullptr;  // a record that was deleted shows nothing
}

json::object certificate_json(const domain::CaCertificate& ca) {
    return {{"verified", ca.verified.has_value()},
            {"info", json::object{{"sha1Thumbprint", ca.certificate.sha1_thumbprint()}}},
            {"etag", central_certificate_etag(ca.etag)}};
}

namespace {

json::object keys_json(const domain::SymmetricKeys& keys) {
    return {{"primaryKey", keys.front().base64()}, {"secondaryKey", keys.back().base64()}};
}

}  // namespace

json::object group_json(const service::GroupView& view, bool keys) {
    const domain::EnrollmentGroup& group = view.group;
    json::object attestation{{"type", front::view(domain::to_string(domain::kind_of(group)))}};
    if (group.keys && keys) {
        attestation["symmetricKey"] = keys_json(*group.keys);
    }
    if (!group.keys) {
        json::object slots;
        for (const auto slot : domain::both_slots) {
            if (const auto* const ca = shown_in(view.at(slot))) {
                slots[front::view(domain::to_string(slot))] = certificate_json(*ca);
            }
        }
        attestation["x509"] = json::object{{"signingCertificates", std::move(slots)}};
    }
    const std::string& name = group.notes.display_name;
    return {{"id", group.id.str()},
            {"displayName", name.empty() ? group.id.str() : name},
            {"enabled", group.enabled},
            {"type", group.notes.iot_edge.value_or(false) ? "iotEdge" : "iot"},
            {"attestation", std::move(attestation)},
            {"etag", central_etag(group.etag)}};
}

json::object attestation_json(const domain::IndividualEnrollment& enrollment, bool keys) {
    json::object shown{{"type", view(domain::to_string(domain::kind_of(enrollment)))}};
    if (enrollment.keys && keys) {
        shown["symmetricKey"] = keys_json(*enrollment.keys);
    }
    if (!enrollment.keys) {
        json::object slots;
        for (const auto slot : domain::both_slots) {
            if (const auto& leaf = enrollment.at(slot)) {
                slots[view(domain::to_string(slot))] = json::object{
                    {"info", json::object{{"sha1Thumbprint", leaf->sha1_thumbprint()}}}};
            }
        }
        shown["x509"] = json::object{{"clientCertificates", std::move(slots)}};
    }
    return shown;
}

// --- Bodies ---

namespace {

Error malformed(std::string detail, std::string reason = "malformed-member") {
    return {ErrorKind::malformed, std::move(detail), std::move(reason)};
}

std::optional<domain::AttestationKind> read_kind(Fields& attestation, CentralMembers members) {
    const auto type = attestation.optional_text("type");
    if (!type) {
        if (members == CentralMembers::all) {
            attestation.refuse(malformed("'type' of an attestation is missing", "missing-member"));
        }
        return std::nullopt;
    }
    for (const auto kind :
         {domain::AttestationKind::x509, domain::AttestationKind::symmetric_key}) {
        if (equal_ignoring_case(*type, domain::to_string(kind))) {
            return kind;
        }
    }
    if (equal_ignoring_case(*type, "tpm")) {
        attestation.refuse({ErrorKind::unsupported,
                            "TPM attestation is not offered here; use x509 or symmetricKey",
                            "not-offered"});
    } else {
        attestation.refuse(
            malformed("'type' of an attestation is one of: x509, symmetricKey", "attestation"));
    }
    return std::nullopt;
}

/// Both members; one that is not given stays, or is made up.
std::optional<service::KeyUploads> read_keys(Fields& attestation) {
    std::optional<service::KeyUploads> keys;
    attestation.object("symmetricKey", [&keys](Fields& given) {
        keys.emplace();
        constexpr std::array<std::string_view, 2> names{"primaryKey", "secondaryKey"};
        for (const auto slot : domain::both_slots) {
            auto key = given.optional_text(names.at(domain::index(slot)));
            if (key && !key->empty()) {
                keys->slots.at(domain::index(slot)) = *std::move(key);
            }
        }
    });
    return keys;
}

void read_signing_certificates(Fields& attestation, service::GroupWrite& write) {
    attestation.object("x509", [&write](Fields& x509) {
        x509.object("signingCertificates", [&write](Fields& slots) {
            for (const auto slot : domain::both_slots) {
                slots.object(domain::to_string(slot), [&write, slot](Fields& certificate) {
                    if (certificate.has("certificate") && !certificate.is_null("certificate")) {
                        write.slots.at(domain::index(slot)) = read_slot_upload(certificate);
                    }
                });
            }
        });
    });
}

/// The certificate of one slot, or none where only `info` came back.
std::optional<std::string> read_client_certificate(Fields& certificate) {
    auto text = certificate.optional_text("certificate");
    return text && !text->empty() ? std::move(text) : std::nullopt;
}

void read_client_certificates(Fields& slots, CentralMembers members,
                              service::IndividualWrite& write) {
    auto& leaves = write.leaves.slots;
    if (members == CentralMembers::all) {
        leaves.back().emplace();  // goes, unless it is given
    }
    for (const auto slot : domain::both_slots) {
        const auto name = domain::to_string(slot);
        auto& leaf = leaves.at(domain::index(slot));
        const bool emptied = slots.nullable_object(name, [&leaf](Fields& certificate) {
            const bool told = certificate.has("info") && !certificate.has("certificate");
            if (auto text = read_client_certificate(certificate)) {
                leaf.emplace(std::move(text));
            } else if (told) {
                leaf.reset();  // what was read comes back: it stays
            } else {
                certificate.refuse(malformed("a slot holds 'certificate'", "missing-member"));
            }
        });
        if (emptied && members == CentralMembers::some) {
            leaf.emplace();
        }
    }
    const auto& primary = leaves.front();
    const bool gone = primary && !*primary;
    if (gone ||
        (members == CentralMembers::all && (!slots.has("primary") || slots.is_null("primary")))) {
        slots.refuse(
            malformed("a device that attests by certificate has a primary one", "missing-member"));
    }
}

}  // namespace

std::optional<CentralTag> read_body_tag(Fields& fields) {
    const auto text = fields.optional_text("etag");
    return text && !text->empty() ? std::optional{read_central_tag(*text)} : std::nullopt;
}

void check_body_id(Fields& fields, const std::string& id) {
    const auto said = fields.optional_text("id");
    if (said && !equal_ignoring_case(*said, id)) {
        fields.refuse(malformed("'id' of the body is not the one of the address", "other-id"));
    }
}

service::GroupWrite read_group_write(Fields& fields, CentralMembers members) {
    const bool all = members == CentralMembers::all;
    service::GroupWrite write;
    write.settings.display_name =
        all ? std::optional{fields.text("displayName")} : fields.optional_text("displayName");
    write.settings.enabled = fields.optional_flag("enabled");
    if (all && !write.settings.enabled) {
        write.settings.enabled = true;
    }
    using Words = std::vector<std::pair<std::string_view, bool>>;
    const Words types{{"iot", false}, {"iotEdge", true}};
    write.settings.iot_edge = fields.word("type", types);
    for (const char* const required : {"type", "attestation"}) {
        if (all && (!fields.has(required) || fields.is_null(required))) {
            fields.refuse(
                malformed("'" + std::string{required} + "' is missing", "missing-member"));
        }
    }
    fields.object("attestation", [&write, members](Fields& attestation) {
        write.attestation = read_kind(attestation, members);
        write.settings.keys = read_keys(attestation);
        read_signing_certificates(attestation, write);
    });
    return write;
}

service::SlotUpload read_slot_upload(Fields& fields) {
    service::SlotUpload upload;
    upload.certificate = fields.text("certificate");
    upload.vouch = fields.flag("verified", false);
    upload.replacement =
        upload.vouch ? domain::Replacement::immediate : domain::Replacement::staged;
    upload.force = true;  // the cloud takes what could never attest; the finding is audited
    return upload;
}

service::IndividualWrite read_attestation(Fields& fields, CentralMembers members) {
    service::IndividualWrite write;
    write.leaves.removal = domain::Removal::immediate;
    write.leaves.force = true;
    write.attestation = read_kind(fields, members);
    write.settings.keys = read_keys(fields);
    bool certificates = false;
    fields.object("x509", [&](Fields& x509) {
        x509.object("clientCertificates", [&](Fields& slots) {
            certificates = true;
            read_client_certificates(slots, members, write);
        });
    });
    const bool by_certificate = write.attestation == domain::AttestationKind::x509;
    if (members == CentralMembers::all && by_certificate && !certificates) {
        fields.refuse(malformed("'x509.clientCertificates.primary' is missing", "missing-member"));
    }
    return write;
}

}  // namespace rollcall::front
