// SPDX-License-Identifier: Apache-2.0
// Native API: the server itself.
#include "front/native_routes.hpp"

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
    answer.body = json::object{{"scopeId", facts.scope.str()},
                               {"hub", facts.hub},
                               {"version", facts.version},
                               {"started", to_iso8601_ticks(facts.started)},
                               {"time", to_iso8601_ticks(services.clock.now())},
                               {"doors", std::move(doors)},
                               {"caller", caller_json(call.caller)}};
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
    routes.push_back(
        {"GET", "/openapi.json", "getOpenapi", Permission::none, {}, Body::none, get_openapi});
}

}  // namespace rollcall::front
