// SPDX-License-Identifier: Apache-2.0
// Native API: the server itself.
#include "front/native_routes.hpp"
#include "x509/path.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

/// With the role of a token, or the rights of a policy.
json::object caller_json(const service::Caller& caller) {
    json::object object{{"name", caller.name}, {"source", caller.source}};
    if (const auto* const role = std::get_if<domain::Role>(&caller.grants)) {
        object["role"] = domain::to_string(*role);
    } else {
        object["rights"] = to_json(std::get<domain::SasRights>(caller.grants).words());
    }
    return object;
}

Task<Result<Answer>> get_server(const NativeServices& services, const Call& call) {
    const ServerFacts& facts = services.facts;
    json::array doors;
    for (const auto& door : facts.doors) {
        doors.push_back(json::object{{"name", door.name}, {"address", door.address}});
    }
    Answer answer;
    answer.body = json::object{
        {"scopeId", facts.scope.str()},
        {"hub", facts.hub},
        {"version", facts.version},
        {"started", to_iso8601_ticks(facts.started)},
        {"time", to_iso8601_ticks(services.clock.now())},
        {"doors", std::move(doors)},
        {"names", to_json(facts.names)},
        {"serverCa", facts.ca_pem.empty() ? json::value(nullptr) : json::value(facts.ca_pem)},
        {"caller", caller_json(call.caller)}};
    co_return answer;
}

/// What the page to sign in offers, asked by somebody who is not known yet.
Task<Result<Answer>> get_sign_in_methods(const NativeServices& services, const Call&) {
    Answer answer;
    answer.body = json::object{
        {"password", true},
        {"openId", services.facts.openid ? json::value(json::object{{"start", "/auth/oidc/start"}})
                                         : json::value(nullptr)}};
    co_return answer;
}

/// Is it fit for a slot: as an upload would tell, and changes nothing.
Task<Result<Answer>> inspect_certificate(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    const std::string text = fields.text("certificate");
    const bool as_leaf = fields.word<bool>("as", {{"ca", false}, {"device", true}}).value_or(false);
    const std::string id = fields.optional_text("registrationId").value_or("");
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto certificate, x509::read_one_certificate(text));
    const TimePoint now = services.clock.now();
    Answer answer;
    answer.body =
        json::object{{"certificate", to_json(certificate, pem)},
                     {"findings", to_json(as_leaf ? x509::examine_leaf(certificate, id, now)
                                                  : x509::examine_ca(certificate, now))}};
    co_return answer;
}

Task<Result<Answer>> get_openapi(const NativeServices&, const Call&) {
    Answer answer;
    answer.document = openapi_document();
    co_return answer;
}

}  // namespace

void add_server_routes(std::vector<Route>& routes) {
    routes.push_back(
        {"GET", "/server", "getServer", Permission::server_read, {}, Body::none, get_server});
    routes.push_back({"GET",
                      "/sign-in-methods",
                      "listSignInMethods",
                      Permission::none,
                      {},
                      Body::none,
                      get_sign_in_methods});
    routes.push_back({"POST",
                      "/certificates/inspect",
                      "inspectCertificate",
                      Permission::server_read,
                      {"pem"},
                      Body::required,
                      inspect_certificate});
    routes.push_back(
        {"GET", "/openapi.json", "getOpenapi", Permission::none, {}, Body::none, get_openapi});
}

}  // namespace rollcall::front
