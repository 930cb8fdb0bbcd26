// SPDX-License-Identifier: Apache-2.0
#include "front/registry_wire.hpp"

#include "base/bytes.hpp"
#include "service/dps_json.hpp"
#include "service/twin_document.hpp"

namespace rollcall::front {
namespace {

namespace json = boost::json;

/// What the cloud says where there is no time to tell.
constexpr const char* no_time = "0001-01-01T00:00:00Z";

/// By the registry's words: `enabled` is who may connect as far as the operator goes.
bool is_enabled(const domain::Device& device) {
    return device.approved && !device.blocked;
}

/// The members that an identity and a twin share, from status on.
void put_state(json::object& into, const RegistryDevice& shown) {
    const auto& session = shown.session;
    into["status"] = is_enabled(shown.device) ? "enabled" : "disabled";
    into["statusReason"] = nullptr;
    into["connectionState"] = session ? "Connected" : "Disconnected";
}

}  // namespace

json::object identity_json(const RegistryDevice& shown) {
    const domain::Device& device = shown.device;
    json::object body{{"deviceId", device.id.str()},
                      {"generationId", std::to_string(device.created.time_since_epoch().count())},
                      {"etag", device.etag.str()}};
    put_state(body, shown);
    body["connectionStateUpdatedTime"] =
        shown.session ? to_iso8601_ticks(shown.session->since) : std::string{no_time};
    body["statusUpdatedTime"] = to_iso8601_ticks(device.updated);
    body["lastActivityTime"] = no_time;
    body["cloudToDeviceMessageCount"] = 0;
    const json::object no_key{{"primaryKey", nullptr}, {"secondaryKey", nullptr}};
    const json::object no_thumbprint{{"primaryThumbprint", nullptr},
                                     {"secondaryThumbprint", nullptr}};
    body["authentication"] = json::object{{"symmetricKey", no_key},
                                          {"x509Thumbprint", no_thumbprint},
                                          {"type", shown.by_key ? "sas" : "selfSigned"}};
    body["capabilities"] = json::object{{"iotEdge", false}};
    return body;
}

json::object registry_twin_json(const RegistryDevice& shown, const domain::Twin& twin) {
    json::object body{{"deviceId", shown.device.id.str()},
                      {"etag", twin.etag.str()},
                      {"deviceEtag", shown.device.etag.str()}};
    put_state(body, shown);
    body["statusUpdateTime"] = to_iso8601_ticks(shown.device.updated);
    body["lastActivityTime"] = no_time;
    body["cloudToDeviceMessageCount"] = 0;
    body["authenticationType"] = shown.by_key ? "sas" : "selfSigned";
    body["x509Thumbprint"] =
        json::object{{"primaryThumbprint", nullptr}, {"secondaryThumbprint", nullptr}};
    body["version"] = twin.desired_version + twin.reported_version;
    body["tags"] = service::stored_json(twin.tags);
    body["properties"] = service::stored_json(service::device_document(twin));
    body["capabilities"] = json::object{{"iotEdge", false}};
    return body;
}

RegistryError to_registry_error(const Error& error, unsigned status) {
    switch (status != 0 ? ErrorKind::internal : error.kind) {
        case ErrorKind::malformed:
        case ErrorKind::unsupported: return {400, "ArgumentInvalid", error.detail};
        case ErrorKind::too_large: return {413, "MessageTooLarge", error.detail};
        case ErrorKind::attestation_failed:
        case ErrorKind::unauthenticated: return {401, "IotHubUnauthorizedAccess", error.detail};
        case ErrorKind::forbidden: return {403, "IotHubForbidden", error.detail};
        case ErrorKind::not_found:
            return {404, error.reason == "device-not-found" ? "DeviceNotFound" : "NotFound",
                    error.detail};
        case ErrorKind::conflict:
            if (error.reason == "device-not-connected") {
                return {404, "DeviceNotOnline", error.detail};
            }
            return {409, "PreconditionFailed", error.detail};
        case ErrorKind::stale: return {412, "PreconditionFailed", error.detail};
        case ErrorKind::throttled: return {429, "ThrottlingException", error.detail};
        case ErrorKind::deadline: return {504, "GatewayTimeout", error.detail};
        case ErrorKind::unavailable: return {503, "ServiceUnavailable", error.detail};
        case ErrorKind::internal: break;
    }
    if (status >= 400 && status < 500) {
        return {status, "ArgumentInvalid", error.detail};
    }
    return {status != 0 ? status : 500, "ServerError", "this went wrong here; the log says what"};
}

}  // namespace rollcall::front
