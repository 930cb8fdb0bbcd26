// SPDX-License-Identifier: Apache-2.0
#include "front/arm_wire.hpp"

#include "front/dps_wire.hpp"
#include "front/json_reader.hpp"
#include "front/operator_refusal.hpp"
#include "front/problem.hpp"
#include "front/url.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;

constexpr std::string_view service_type = "Microsoft.Devices/provisioningServices";

/// What ARM calls it; clients show it and tell some of them apart.
std::string_view code_of(unsigned status, const Error& error) {
    if (error.reason == "api-version-missing") {
        return "MissingApiVersionParameter";
    }
    if (error.reason == "api-version") {
        return "InvalidApiVersionParameter";
    }
    switch (status) {
        case 400: return "BadRequest";
        case 401: return "AuthenticationFailed";
        case 403: return "AuthorizationFailed";
        case 404: return "ResourceNotFound";
        case 405: return "MethodNotAllowed";
        case 408: return "RequestTimeout";
        case 409: return "Conflict";
        case 412: return "PreconditionFailed";
        case 413: return "RequestEntityTooLarge";
        case 421: return "MisdirectedRequest";
        case 429: return "TooManyRequests";
        case 503: return "ServiceUnavailable";
        default: return status >= 500 ? "InternalServerError" : "BadRequest";
    }
}

std::string message_of(const Error& error) {
    if (error.kind == ErrorKind::internal) {
        return "This is a fault of the server. Its log tells more under the request id.";
    }
    return error.detail.empty() ? std::string{to_string(error.kind)} : error.detail;
}

/// A bare CN, as the cloud shows it; the whole name where there is none.
std::string subject_of(const x509::Certificate& certificate) {
    return certificate.common_name().value_or(certificate.subject());
}

std::string word_of(domain::AllocationPolicy policy) {
    switch (policy) {
        case domain::AllocationPolicy::hashed: return "Hashed";
        case domain::AllocationPolicy::geo_latency: return "GeoLatency";
        case domain::AllocationPolicy::static_hub: return "Static";
        case domain::AllocationPolicy::custom: return "Custom";
    }
    return "Hashed";
}

Error malformed(std::string detail, std::string reason) {
    return {ErrorKind::malformed, std::move(detail), std::move(reason)};
}

Result<std::string> certificate_in(const json::object& object) {
    const auto* const certificate = object.if_contains("certificate");
    if (certificate == nullptr || !certificate->is_string() || certificate->as_string().empty()) {
        return malformed("'certificate' is a certificate file in base64, as text",
                         "malformed-member");
    }
    return std::string{certificate->as_string()};
}

}  // namespace

std::string ArmAddress::service_id() const {
    return "/subscriptions/" + subscription + "/resourceGroups/" + resource_group + "/providers/" +
           std::string{service_type} + "/" + service;
}

bool ArmAddress::is(const std::vector<std::string_view>& words) const {
    return std::equal(words.begin(), words.end(), rest.begin(), rest.end(),
                      [](std::string_view word, const std::string& part) {
                          return word == "*" ? !part.empty() : equal_ignoring_case(word, part);
                      });
}

Result<ArmAddress> parse_arm_address(std::string_view path) {
    TRY(auto parts, split_path(path));
    ArmAddress address;
    std::size_t at = 0;
    const auto word = [&](std::string_view expected) {
        return at < parts.size() && equal_ignoring_case(parts[at], expected) && ++at > 0;
    };
    const auto name = [&](std::string& into) {
        if (at < parts.size() && !parts[at].empty()) {
            into = parts[at++];
            return true;
        }
        return false;
    };
    bool known = word("subscriptions") && name(address.subscription);
    if (known && word("resourceGroups")) {
        known = name(address.resource_group);
    }
    known = known && word("providers") && word("Microsoft.Devices") && word("provisioningServices");
    if (known && at < parts.size()) {
        known = !address.resource_group.empty() && name(address.service);
    }
    if (!known) {
        return Error{ErrorKind::not_found,
                     "there is nothing at this address but provisioning services "
                     "(Microsoft.Devices/provisioningServices) and their certificates",
                     "no-such-address"};
    }
    address.rest.assign(parts.begin() + static_cast<std::ptrdiff_t>(at), parts.end());
    return address;
}

Result<Done> check_arm_version(std::string_view query) {
    TRY(const auto pairs, parse_query(query));
    for (const auto& [key, value] : pairs) {
        if (equal_ignoring_case(key, "api-version")) {
            return check_api_version(value);
        }
    }
    return malformed("give the parameter api-version, such as api-version=2022-02-05",
                     "api-version-missing");
}

net::HttpResponse arm_refusal(const Error& error, std::string_view tracking_id, unsigned status) {
    net::HttpResponse response;
    response.status = status != 0 ? status : status_of(error.kind);
    response.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    response.headers.emplace_back("x-ms-request-id", std::string{tracking_id});
    if (response.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="rollcall")");
    }
    if (response.status == 503 || response.status == 429) {
        response.headers.emplace_back("Retry-After", retry_after_of(error));
    }
    const json::object body{{"code", code_of(response.status, error)},
                            {"message", message_of(error)}};
    response.body = json::serialize(json::object{{"error", body}});
    return response;
}

json::object to_arm(const domain::CaCertificate& ca, const ArmAddress& address,
                    const std::optional<std::string>& code) {
    json::object properties{{"subject", subject_of(ca.certificate)},
                            {"expiry", to_http_date(ca.certificate.not_after())},
                            {"thumbprint", ca.certificate.sha1_thumbprint()},
                            {"isVerified", ca.verified.has_value()},
                            {"created", to_http_date(ca.created)},
                            {"updated", to_http_date(ca.updated)},
                            {"certificate", to_base64(ca.certificate.der())}};
    if (code) {
        properties["verificationCode"] = *code;
    }
    return {{"properties", std::move(properties)},
            {"id", address.service_id() + "/certificates/" + ca.name},
            {"name", ca.name},
            {"type", std::string{service_type} + "/Certificates"},
            {"etag", ca.etag.str()}};
}

json::object to_arm(const ArmService& service, const ArmAddress& address,
                    const domain::TrustRecords& records) {
    const domain::AllocationRule whatever;
    const auto policy = domain::candidates_of(whatever, records.allocation, records.hubs).policy;
    json::array linked;
    for (const auto& hub : records.hubs) {
        linked.push_back(json::object{{"name", hub.name},
                                      {"connectionString", "HostName=" + hub.name},
                                      {"location", "here"},
                                      {"applyAllocationPolicy", hub.allocate},
                                      {"allocationWeight", hub.weight}});
    }
    json::object properties{{"state", "Active"},
                            {"provisioningState", "Succeeded"},
                            {"iotHubs", std::move(linked)},
                            {"allocationPolicy", word_of(policy)},
                            {"serviceOperationsHostName", service.operators_host},
                            {"deviceProvisioningHostName", service.devices_host},
                            {"idScope", service.scope},
                            {"enableDataResidency", false}};
    return {{"etag", service.scope},
            {"name", address.service},
            {"location", "here"},
            {"properties", std::move(properties)},
            {"sku", json::object{{"name", "S1"}, {"tier", "Standard"}, {"capacity", 1}}},
            {"id", address.service_id()},
            {"type", service_type},
            {"tags", json::object{}}};
}

json::object to_arm(const domain::SasPolicy& policy) {
    std::string rights;
    for (const auto& word : policy.rights.words()) {
        rights.append(rights.empty() ? "" : ", ").append(word);
    }
    return {{"keyName", policy.name},
            {"primaryKey", policy.keys.front().base64()},
            {"secondaryKey", policy.keys.back().base64()},
            {"rights", rights}};
}

Result<ArmUpload> read_arm_upload(std::string_view body) {
    TRY(const auto outer, parse_json_object(body));
    const auto* const inner = outer.if_contains("properties");
    if (inner != nullptr && !inner->is_object()) {
        return malformed("'properties' is an object", "malformed-member");
    }
    const json::object& object = inner != nullptr ? inner->as_object() : outer;
    ArmUpload upload;
    TRY(upload.certificate, certificate_in(object));
    if (const auto* const verified = object.if_contains("isVerified");
        verified != nullptr && !verified->is_null()) {
        if (!verified->is_bool()) {
            return malformed("'isVerified' is true or false", "malformed-member");
        }
        upload.verified = verified->as_bool();
    }
    return upload;
}

Result<std::string> read_arm_proof(std::string_view body) {
    TRY(const auto object, parse_json_object(body));
    return certificate_in(object);
}

}  // namespace rollcall::front
