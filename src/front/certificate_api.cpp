// SPDX-License-Identifier: Apache-2.0
#include "front/certificate_api.hpp"

#include "base/limits.hpp"
#include "front/if_match.hpp"
#include "front/json_response.hpp"
#include "front/operator_caller.hpp"
#include "front/operator_refusal.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

/// One request, understood: its caller is known and may.
struct ArmCall {
    const ArmAddress& address;
    const net::HttpRequest& request;
    service::Order order{};

    /// The certificate's or the key's name.
    const std::string& name() const { return address.rest.at(1); }
};

using ArmHandler = Task<Result<net::HttpResponse>> (*)(const CertificateServices& services,
                                                       const ArmCall& call);

struct ArmRoute {
    std::string_view method;
    std::vector<std::string_view> rest;  ///< "*": a name
    bool of_service;                     ///< behind a service's name, not their list
    Permission permission;
    ArmHandler handler;
};

Result<Done> check_name(const std::string& name) {
    const bool fits = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '.' || c == '_';
    });
    if (fits && name.size() <= limits::arm_certificate_name_chars_max) {
        return Done{};
    }
    return Error{ErrorKind::malformed,
                 "a certificate's name has letters, digits and - . _, at most " +
                     std::to_string(limits::arm_certificate_name_chars_max),
                 "malformed-name"};
}

Task<Result<net::HttpResponse>> list_certificates(const CertificateServices& services,
                                                  const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    std::vector<const domain::CaCertificate*> named;
    for (const auto& ca : trust->records().cas) {
        if (!ca.name.empty()) {  // others were uploaded into a slot: no resources in the cloud
            named.push_back(&ca);
        }
    }
    std::sort(named.begin(), named.end(), [](const auto* a, const auto* b) {
        return to_lower_ascii(a->name) < to_lower_ascii(b->name);
    });
    json::array value;
    for (const auto* const ca : named) {
        value.push_back(to_arm(*ca, call.address));
    }
    co_return json_response(json::object{{"value", std::move(value)}});
}

Task<Result<net::HttpResponse>> get_certificate(const CertificateServices& services,
                                                const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const ca, service::find_named_ca(*trust, call.name()));
    CO_TRY([[maybe_unused]] const Done same, call.order.if_match.check(ca->etag));
    co_return json_response(to_arm(*ca, call.address));
}

Task<Result<net::HttpResponse>> put_certificate(const CertificateServices& services,
                                                const ArmCall& call) {
    CO_TRY([[maybe_unused]] const Done fits, check_name(call.name()));
    CO_TRY(auto upload, read_arm_upload(call.request.body));
    service::NewCa request;
    request.name = call.name();
    request.certificate = std::move(upload.certificate);
    request.vouch = upload.verified;
    CO_TRY(const auto outcome, co_await services.enroller.put_ca(call.order, request));
    co_return json_response(to_arm(outcome.record->ca, call.address));
}

/// What is not there is deleted already, as everywhere in ARM.
Task<Result<net::HttpResponse>> delete_certificate(const CertificateServices& services,
                                                   const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto ca = service::find_named_ca(*trust, call.name());
    net::HttpResponse response;
    if (!ca) {
        response.status = 204;
        co_return response;
    }
    CO_TRY([[maybe_unused]] const Done meant, service::want_if_match(call.order));
    const std::string id = (*ca)->id.str();
    const auto gone =
        co_await services.enroller.delete_ca(call.order, id, domain::Removal::immediate);
    if (!gone && gone.error().kind != ErrorKind::not_found) {
        co_return gone.error();
    }
    co_return response;
}

Task<Result<net::HttpResponse>> generate_code(const CertificateServices& services,
                                              const ArmCall& call) {
    CO_TRY(const auto before, co_await services.trust_book.current());
    CO_TRY(const auto* const meant, service::find_named_ca(*before, call.name()));
    const std::string id = meant->id.str();
    CO_TRY(const auto code, co_await services.enroller.ask_ca_code(call.order, id));
    CO_TRY(const auto after, co_await services.trust_book.current());
    CO_TRY(const auto* const ca, service::find_ca(*after, id));
    co_return json_response(to_arm(*ca, call.address, code.code));
}

Task<Result<net::HttpResponse>> verify_certificate(const CertificateServices& services,
                                                   const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const meant, service::find_named_ca(*trust, call.name()));
    const std::string id = meant->id.str();
    service::CaProof proof;
    CO_TRY(proof.certificate, read_arm_proof(call.request.body));
    const auto outcome = co_await services.enroller.verify_ca(call.order, id, proof);
    if (!outcome) {
        Error error = outcome.error();
        if (error.kind == ErrorKind::conflict && error.reason != "already-verified") {
            error.kind = ErrorKind::malformed;  // a proof that proves nothing, as in the cloud
        }
        co_return error;
    }
    co_return json_response(to_arm(outcome->record->ca, call.address));
}

Task<Result<net::HttpResponse>> get_service(const CertificateServices& services,
                                            const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    co_return json_response(to_arm(services.facts, call.address, trust->records()));
}

/// There is one, whatever group or subscription is asked.
Task<Result<net::HttpResponse>> list_services(const CertificateServices& services,
                                              const ArmCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    ArmAddress address = call.address;
    address.service = services.facts.operators_host;
    address.service.resize(std::min(address.service.find('.'), address.service.size()));
    if (address.resource_group.empty()) {
        address.resource_group = "rollcall";
    }
    const json::array value{to_arm(services.facts, address, trust->records())};
    co_return json_response(json::object{{"value", value}});
}

Task<Result<net::HttpResponse>> list_keys(const CertificateServices& services,
                                          const ArmCall& call) {
    CO_TRY(const auto policies, co_await services.access.list_policies());
    json::array value;
    for (const auto& policy : policies) {
        CO_TRY(const auto shown, co_await services.access.show_policy(call.order, policy.name));
        value.push_back(to_arm(shown));
    }
    co_return json_response(json::object{{"value", std::move(value)}});
}

Task<Result<net::HttpResponse>> get_key(const CertificateServices& services, const ArmCall& call) {
    CO_TRY(const auto policy, co_await services.access.show_policy(call.order, call.name()));
    co_return json_response(to_arm(policy));
}

const std::vector<ArmRoute>& arm_routes() {
    static const std::vector<ArmRoute> routes{
        {"GET", {}, false, Permission::server_read, list_services},
        {"GET", {}, true, Permission::server_read, get_service},
        {"POST", {"listkeys"}, true, Permission::token_show, list_keys},
        {"POST", {"keys", "*", "listkeys"}, true, Permission::token_show, get_key},
        {"GET", {"certificates"}, true, Permission::ca_read, list_certificates},
        {"GET", {"certificates", "*"}, true, Permission::ca_read, get_certificate},
        {"PUT", {"certificates", "*"}, true, Permission::ca_write, put_certificate},
        {"DELETE", {"certificates", "*"}, true, Permission::ca_write, delete_certificate},
        {"POST",
         {"certificates", "*", "generateVerificationCode"},
         true,
         Permission::ca_write,
         generate_code},
        {"POST", {"certificates", "*", "verify"}, true, Permission::ca_write, verify_certificate}};
    return routes;
}

/// What is asked for, and which methods there are at that address.
struct ArmMatch {
    const ArmRoute* route = nullptr;
    std::string allowed{};
};
ArmMatch find_route(const ArmAddress& address, std::string_view method) {
    ArmMatch match;
    for (const auto& route : arm_routes()) {
        if (address.service.empty() == route.of_service || !address.is(route.rest)) {
            continue;
        }
        match.allowed.append(match.allowed.empty() ? "" : ", ").append(route.method);
        if (route.method == method) {
            match.route = &route;
        }
    }
    return match;
}

}  // namespace

Task<net::HttpResponse> CertificateApi::handle(const net::HttpRequest& request) {
    auto answered = co_await answer(request);
    if (!answered) {
        co_return refusal(answered.error(), request);
    }
    co_return *std::move(answered);
}

Task<Result<net::HttpResponse>> CertificateApi::answer(const net::HttpRequest& request) {
    CO_TRY(const auto address, parse_arm_address(request.path));
    const ArmMatch match = find_route(address, request.method == "HEAD" ? "GET" : request.method);
    if (match.allowed.empty()) {
        co_return Error{ErrorKind::not_found, "there is no such resource of a provisioning service",
                        "no-such-address"};
    }
    if (match.route == nullptr) {
        const Error error{ErrorKind::malformed, "this address takes " + match.allowed + " only",
                          "method-not-allowed"};
        auto response = refusal(error, request, 405);
        response.headers.emplace_back("Allow", match.allowed);
        co_return response;
    }
    CO_TRY(auto caller, co_await recognise(services_.access, request, match.route->permission));
    CO_TRY([[maybe_unused]] const Done version, check_arm_version(request.query));
    const ArmCall call{address, request, {std::move(caller), {}, read_if_match(request)}};
    CO_TRY(auto response, co_await match.route->handler(services_, call));
    response.headers.emplace_back("x-ms-request-id", new_guid(services_.entropy));
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    co_return response;
}

net::HttpResponse CertificateApi::refuse(unsigned status, const Error& error,
                                         const net::HttpRequest& so_far) {
    auto response = refusal(error, so_far, status);
    response.close = true;
    return response;
}

DeclaredRoutes CertificateApi::declared_routes() {
    DeclaredRoutes declared;
    for (const auto& route : arm_routes()) {
        std::string path =
            "/subscriptions/x/resourceGroups/x/providers/Microsoft.Devices/provisioningServices";
        path += route.of_service ? "/x" : "";
        declared.push_back({std::string{route.method},
                            path + sample_path(route.rest) + "?api-version=2021-10-15",
                            route.permission});
    }
    return declared;
}

std::size_t CertificateApi::body_bytes_max() const {
    return limits::operator_body_bytes_max;
}

net::HttpResponse CertificateApi::refusal(const Error& error, const net::HttpRequest& request,
                                          unsigned status) const {
    const std::string tracking_id = new_guid(services_.entropy);
    auto response = arm_refusal(error, tracking_id, status);
    log_operator_refusal(error, response.status, tracking_id, request);
    return response;
}

}  // namespace rollcall::front
