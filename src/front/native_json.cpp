// SPDX-License-Identifier: Apache-2.0
#include "front/native_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

std::string hex(const Digest& digest) {
    return to_upper_hex(digest.bytes);
}

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value flag_or_null(const std::optional<bool>& flag) {
    return flag ? json::value(*flag) : json::value(nullptr);
}

json::object policy_json(const domain::ReprovisionPolicy& policy) {
    return {{"updateHubAssignment", policy.update_hub_assignment},
            {"migrateDeviceData", policy.migrate_device_data}};
}

json::value twin_json(const std::string& text) {
    if (text.empty()) {
        return nullptr;
    }
    boost::json::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value(nullptr) : value;
}

json::value verification_json(const std::optional<domain::CaVerification>& verified) {
    if (!verified) {
        return nullptr;
    }
    const bool proof = verified->how == domain::CaVerification::How::proof;
    return json::object{{"how", proof ? "proof" : "vouched"},
                        {"at", to_iso8601_ticks(verified->at)},
                        {"by", verified->by}};
}

json::value held_json(const std::optional<service::SlotCertificate>& held, Pem pem) {
    if (!held) {
        return nullptr;
    }
    const auto& ca = held->ca;
    const auto verified = ca ? ca->verified : std::nullopt;
    return json::object{
        {"id", held->id.str()},
        {"dangling", !ca},
        {"name", ca ? ca->name : std::string{}},
        {"certificate", ca ? json::value(to_json(ca->certificate, pem)) : json::value(nullptr)},
        {"verified", verified.has_value()},
        {"verification", verification_json(verified)},
        {"attests", held->attests},
        {"codePending", ca && !ca->pending_code.empty()}};
}

json::object entry_json(const domain::EntryRef& entry) {
    return {{"kind", domain::to_string(entry.kind)}, {"id", entry.id}};
}

/// What tells its keys from others; the keys themselves are shown by native_keys.cpp only.
json::value key_ids_json(const std::optional<domain::SymmetricKeys>& keys) {
    if (!keys) {
        return nullptr;
    }
    return json::object{{"primary", hex(keys->front().id())},
                        {"secondary", hex(keys->back().id())}};
}

/// Members that every record ends with.
template <class Record>
void put_version(json::object& object, const Record& record) {
    object["etag"] = record.etag.str();
    object["created"] = to_iso8601_ticks(record.created);
    object["updated"] = to_iso8601_ticks(record.updated);
}

std::string_view word_of(x509::Gravity gravity) {
    switch (gravity) {
        case x509::Gravity::note: return "note";
        case x509::Gravity::warning: return "warning";
        case x509::Gravity::fatal: break;
    }
    return "fatal";
}

}  // namespace

json::object to_json(const x509::Certificate& certificate, Pem pem) {
    const auto& name = certificate.common_name();
    json::object object{{"subject", certificate.subject()},
                        {"issuer", certificate.issuer()},
                        {"commonName", name ? json::value(*name) : json::value(nullptr)},
                        {"serialNumber", certificate.serial()},
                        {"sha1Thumbprint", certificate.sha1_thumbprint()},
                        {"sha256Thumbprint", certificate.sha256_thumbprint()},
                        {"spkiSha256", hex(certificate.spki_sha256())},
                        {"version", certificate.version()},
                        {"notBefore", to_iso8601_seconds(certificate.not_before())},
                        {"notAfter", to_iso8601_seconds(certificate.not_after())},
                        {"key", certificate.key().name},
                        {"signatureAlgorithm", certificate.signature_algorithm()},
                        {"isCa", flag_or_null(certificate.ca_flag())}};
    if (pem == Pem::with) {
        object["pem"] = certificate.pem();
    }
    return object;
}

json::value to_json(const std::optional<x509::Certificate>& certificate, Pem pem) {
    return certificate ? json::value(to_json(*certificate, pem)) : json::value(nullptr);
}

json::object to_json(const service::CaView& view, Pem pem) {
    json::array uses;
    for (const auto& use : view.used_by) {
        uses.push_back(json::object{{"group", use.group.str()},
                                    {"slot", domain::to_string(use.slot)},
                                    {"as", use.pending ? "pending" : "current"}});
    }
    json::object object{{"id", view.ca.id.str()},
                        {"name", view.ca.name},
                        {"certificate", to_json(view.ca.certificate, pem)},
                        {"verified", view.ca.verified.has_value()},
                        {"verification", verification_json(view.ca.verified)},
                        {"attests", view.attests},
                        {"codePending", !view.ca.pending_code.empty()},
                        {"usedBy", std::move(uses)},
                        {"findings", to_json(view.findings)}};
    put_version(object, view.ca);
    return object;
}

json::object slot_json(const service::GroupView& view, domain::Slot slot, Pem pem) {
    return {{"slot", domain::to_string(slot)},
            {"current", held_json(view.at(slot).current, pem)},
            {"pending", held_json(view.at(slot).pending, pem)}};
}

json::object slots_json(const service::GroupView& view, Pem pem) {
    return {{"primary", slot_json(view, domain::Slot::primary, pem)},
            {"secondary", slot_json(view, domain::Slot::secondary, pem)}};
}

json::object to_json(const service::GroupView& view, Pem pem) {
    const auto& group = view.group;
    json::object object{{"id", group.id.str()},
                        {"enabled", group.enabled},
                        {"autoApprove", group.auto_approve},
                        {"refuseOlderLeaf", group.refuse_older_leaf},
                        {"reprovisionPolicy", policy_json(group.reprovision)},
                        {"initialTwin", twin_json(group.initial_twin)},
                        {"attestation", domain::to_string(domain::kind_of(group))},
                        {"keyIds", key_ids_json(group.keys)},
                        {"certificates", slots_json(view, pem)}};
    put_allocation(object, group.allocation);
    put_version(object, group);
    return object;
}

json::object to_json(const domain::IndividualEnrollment& enrollment, Pem pem) {
    json::object object{
        {"registrationId", enrollment.id.original()},
        {"deviceId",
         enrollment.device_id ? json::value(enrollment.device_id->str()) : json::value(nullptr)},
        {"enabled", enrollment.enabled},
        {"attestation", domain::to_string(domain::kind_of(enrollment))},
        {"keyIds", key_ids_json(enrollment.keys)},
        {"certificates",
         json::object{{"primary", to_json(enrollment.at(domain::Slot::primary), pem)},
                      {"secondary", to_json(enrollment.at(domain::Slot::secondary), pem)}}},
        {"reprovisionPolicy", policy_json(enrollment.reprovision)},
        {"initialTwin", twin_json(enrollment.initial_twin)}};
    put_allocation(object, enrollment.allocation);
    put_version(object, enrollment);
    return object;
}

json::object to_json(const domain::LinkedHub& hub) {
    json::object object{
        {"name", hub.name}, {"own", hub.own}, {"weight", hub.weight}, {"allocate", hub.allocate}};
    put_version(object, hub);
    return object;
}

void put_allocation(json::object& object, const domain::AllocationRule& rule) {
    object["allocationPolicy"] =
        rule.policy ? json::value(to_string(*rule.policy)) : json::value(nullptr);
    object["iotHubs"] = to_json(rule.hubs);
    object["customAllocationDefinition"] = nullptr;
    if (!rule.custom.webhook_url.empty()) {
        object["customAllocationDefinition"] =
            json::object{{"webhookUrl", domain::shown_url(rule.custom.webhook_url)},
                         {"apiVersion", rule.custom.api_version}};
    }
}

json::object to_json(const domain::Device& device) {
    json::object object{
        {"id", device.id.str()},
        {"registrationId", device.registration.original()},
        {"state", domain::to_string(domain::state_of(device))},
        {"approved", device.approved},
        {"blocked", device.blocked},
        {"leafSha256Thumbprint",
         device.leaf_sha256 ? json::value(hex(*device.leaf_sha256)) : json::value(nullptr)},
        {"entry",
         device.entry.id.empty() ? json::value(nullptr) : json::value(entry_json(device.entry))}};
    put_version(object, device);
    return object;
}

json::object to_json(const domain::Adoption& adoption) {
    const bool by_key = adoption.attestation == domain::AttestationKind::symmetric_key;
    const auto time = [by_key](TimePoint at) {
        return by_key ? json::value(nullptr) : json::value(to_iso8601_seconds(at));
    };
    return {{"operationId", adoption.operation.str()},
            {"at", to_iso8601_ticks(adoption.at)},
            {"entry", entry_json(adoption.entry)},
            {"slot", domain::to_string(adoption.slot)},
            {"attestation", domain::to_string(adoption.attestation)},
            {"caSha256Thumbprint", hex(adoption.ca_sha256)},
            {"leafSha256Thumbprint", hex(adoption.leaf_sha256)},
            {"leafSpkiSha256", hex(adoption.leaf_spki)},
            {"serialNumber", adoption.serial},
            {"notBefore", time(adoption.not_before)},
            {"notAfter", time(adoption.not_after)},
            {"key", adoption.key},
            {"signatureAlgorithm", adoption.signature_algorithm},
            {"chainLength", adoption.chain_length},
            {"completed", adoption.completed},
            {"wentBack", adoption.went_back},
            {"protocol", domain::to_string(adoption.protocol)},
            {"apiVersion", adoption.api_version},
            {"userAgent", adoption.user_agent},
            {"tlsVersion", adoption.tls_version},
            {"tlsCipher", adoption.tls_cipher},
            {"status", domain::to_string(adoption.status)},
            {"substatus", domain::to_string(adoption.substatus)},
            {"errorCode", adoption.failure.code},
            {"errorMessage", adoption.failure.message}};
}

json::object to_json(const domain::Registration& registration) {
    json::object object{{"registrationId", registration.id.original()},
                        {"deviceId", registration.device_id.str()},
                        {"assignedHub", registration.assigned_hub},
                        {"status", domain::to_string(registration.status)},
                        {"substatus", domain::to_string(registration.substatus)},
                        {"errorCode", registration.failure.code},
                        {"errorMessage", registration.failure.message},
                        {"payload", twin_json(registration.payload)},
                        {"registrations", registration.adoptions},
                        {"last", to_json(registration.last)}};
    put_version(object, registration);
    return object;
}

json::object to_json(const domain::Distrusted& distrusted) {
    return {{"spkiSha256", hex(distrusted.spki)},
            {"subject", distrusted.subject},
            {"reason", distrusted.reason},
            {"by", distrusted.by},
            {"at", to_iso8601_ticks(distrusted.at)}};
}

json::object to_json(const domain::AccessToken& token) {
    const bool central = token.form == domain::TokenForm::central;
    return {{"name", token.name},
            {"role", domain::to_string(token.role)},
            {"form", central ? "central" : "bearer"},
            {"created", to_iso8601_ticks(token.created)},
            {"createdBy", token.created_by},
            {"expires", token.expires ? json::value(to_iso8601_seconds(*token.expires))
                                      : json::value(nullptr)},
            {"lastUsed", token.last_used ? json::value(to_iso8601_seconds(*token.last_used))
                                         : json::value(nullptr)}};
}

json::object to_json(const domain::SasPolicy& policy) {
    return {{"name", policy.name},
            {"rights", to_json(policy.rights.words())},
            {"created", to_iso8601_ticks(policy.created)},
            {"createdBy", policy.created_by},
            {"updated", to_iso8601_ticks(policy.updated)}};
}

json::object to_json(const domain::User& user) {
    json::value identity;
    if (user.identity) {
        identity = {{"issuer", user.identity->issuer}, {"subject", user.identity->subject}};
    }
    return {{"id", user.id},
            {"name", user.name},
            {"kind", domain::to_string(user.kind)},
            {"role", domain::to_string(user.role)},
            {"roleByClaim", user.role_by_claim},
            {"enabled", user.enabled},
            {"identity", std::move(identity)},
            {"tenantId", user.tenant_id},
            {"objectId", user.object_id},
            {"created", to_iso8601_ticks(user.created)},
            {"createdBy", user.created_by},
            {"updated", to_iso8601_ticks(user.updated)}};
}

json::object to_json(const store::AuditRecord& record) {
    const json::value detail = twin_json(record.event.detail);
    json::object object{{"sequence", record.sequence},
                        {"at", to_iso8601_ticks(record.event.at)},
                        {"actor", record.event.actor},
                        {"source", record.event.source},
                        {"action", record.event.action},
                        {"object", record.event.object},
                        {"detail", detail},
                        {"reason", record.event.reason},
                        {"previous", hex(record.previous)},
                        {"hash", hex(record.hash)}};
    // The hash is over the text: where it was spelled otherwise, that spelling comes too.
    if (!record.event.detail.empty() && json::serialize(detail) != record.event.detail) {
        object["detailText"] = record.event.detail;
    }
    return object;
}

namespace {

/// Certificates are kept as DER in a refusal; one that cannot be read is what it is about, and is
/// left out.
json::array sent_json(const std::vector<Bytes>& sent) {
    json::array certificates;
    for (const auto& der : sent) {
        if (const auto certificate = x509::Certificate::parse_der(der)) {
            certificates.push_back(to_json(*certificate));
        }
    }
    return certificates;
}

json::value certificate_of(const json::object& judged) {
    const auto* const text = judged.if_contains("der");
    if (text == nullptr || !text->is_string()) {
        return nullptr;
    }
    const auto& base64 = text->get_string();
    const auto der = parse_base64({base64.data(), base64.size()});
    if (!der) {
        return nullptr;
    }
    const auto certificate = x509::Certificate::parse_der(*der);
    return certificate ? json::value(to_json(*certificate)) : json::value(nullptr);
}

/// As service/verdict_json wrote it, with every certificate spelled out.
json::object verdict_json(const store::RefusalRecord& refusal) {
    json::object shown{{"reason", ""},
                       {"sent", sent_json(refusal.sent)},
                       {"path", json::array{}},
                       {"findings", json::array{}}};
    boost::json::error_code error;
    json::value kept = json::parse(refusal.verdict_json, error);
    if (error || !kept.is_object()) {
        return shown;
    }
    auto& object = kept.as_object();
    for (const auto* const name : {"reason", "findings"}) {
        if (auto* const value = object.if_contains(name)) {
            shown[name] = std::move(*value);
        }
    }
    auto* const path = object.if_contains("path");
    if (path == nullptr || !path->is_array()) {
        return shown;
    }
    for (auto& judged : path->get_array()) {
        if (judged.is_object()) {
            judged.get_object()["certificate"] = certificate_of(judged.get_object());
            judged.get_object().erase("der");
        }
    }
    shown["path"] = std::move(*path);
    return shown;
}

}  // namespace

json::object to_json(const store::RefusalRecord& refusal) {
    return {
        {"registrationId", refusal.id.original()},
        {"at", to_iso8601_ticks(refusal.at)},
        {"cause", domain::to_string(refusal.cause)},
        {"explanation", refusal.explanation},
        {"fix", refusal.fix},
        {"errorCode", refusal.told.code},
        {"errorMessage", refusal.told.message},
        {"entry", refusal.entry ? json::value(entry_json(*refusal.entry)) : json::value(nullptr)},
        {"verdict", verdict_json(refusal)},
        {"protocol", domain::to_string(refusal.protocol)},
        {"apiVersion", refusal.api_version},
        {"userAgent", refusal.user_agent},
        {"tlsVersion", refusal.tls_version},
        {"tlsCipher", refusal.tls_cipher},
        {"peerAddress", refusal.peer_address}};
}

json::object to_json(const service::Preview& preview, const std::vector<x509::Finding>& findings,
                     const std::vector<std::string>& warnings, Pem pem) {
    const auto list = [pem](const std::vector<x509::Certificate>& certificates) {
        json::array array;
        for (const auto& certificate : certificates) {
            array.push_back(to_json(certificate, pem));
        }
        return array;
    };
    json::array keys;
    for (const auto& key : preview.distrusts) {
        keys.push_back(json::value(hex(key)));
    }
    return {{"dryRun", true},
            {"change", service::to_string(preview.change)},
            {"incoming", list(preview.incoming)},
            {"outgoing", list(preview.outgoing)},
            {"pending", preview.pending},
            {"distrusts", std::move(keys)},
            {"impact", json::object{{"devices", preview.impact.devices},
                                    {"first", to_json(preview.impact.first)}}},
            {"findings", to_json(findings)},
            {"warnings", to_json(warnings)},
            {"summary", to_json(preview.summary)}};
}

json::array to_json(const std::vector<x509::Finding>& findings) {
    json::array array;
    for (const auto& finding : findings) {
        array.push_back(json::object{{"fault", x509::to_string(finding.fault)},
                                     {"gravity", word_of(finding.gravity)},
                                     {"detail", finding.detail},
                                     {"fix", finding.fix}});
    }
    return array;
}

json::array to_json(const std::vector<std::string>& texts) {
    json::array array;
    for (const auto& text : texts) {
        array.push_back(json::value(text));
    }
    return array;
}

std::string_view word_of(service::CertificateAdoption::Standing standing) {
    using Standing = service::CertificateAdoption::Standing;
    switch (standing) {
        case Standing::current: return "current";
        case Standing::pending: return "pending";
        case Standing::gone: break;
    }
    return "gone";
}

json::object page_json(json::array items, const std::string& next) {
    return {{"items", std::move(items)}, {"next", text_or_null(next)}};
}

}  // namespace rollcall::front
