// SPDX-License-Identifier: Apache-2.0
// Native API: shared access policies. Their keys are in those answers only that were asked for
// them.
#include "front/native_routes.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

/// Keys, and what tools are given instead of them.
json::object with_keys(const domain::SasPolicy& policy, const std::string& host) {
    json::object body = to_json(policy);
    body["primaryKey"] = policy.keys.front().base64();
    body["secondaryKey"] = policy.keys.back().base64();
    body["primaryConnectionString"] = domain::connection_string(host, policy, policy.keys.front());
    body["secondaryConnectionString"] = domain::connection_string(host, policy, policy.keys.back());
    return body;
}

Task<Result<Answer>> list_policies(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    CO_TRY(const auto all, co_await services.access.list_policies());
    store::Page<domain::SasPolicy> page;
    for (const auto& policy : all) {
        if (to_lower_ascii(policy.name) <= request.after) {
            continue;
        }
        if (page.items.size() == request.count) {
            page.next = to_lower_ascii(page.items.back().name);
            break;
        }
        page.items.push_back(policy);
    }
    Answer answer;
    answer.body = page_of(page);
    co_return answer;
}

Task<Result<Answer>> create_policy(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string name = fields.text("name");
    const auto rights = domain::parse_sas_rights(
        fields.optional_texts("rights").value_or(std::vector<std::string>{}));
    if (!rights) {
        fields.refuse(rights.error());
    }
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto made, co_await services.access.create_policy(order, name, *rights));
    Answer answer;
    answer.status = 201;
    answer.body = with_keys(made, services.facts.tools_host);
    answer.etag = made.etag;
    answer.location = location_of("/policies", made.name);
    co_return answer;
}

Task<Result<Answer>> rotate_policy(const NativeServices& services, const Call& call) {
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto rotated,
           co_await services.access.rotate_policy(order, call.in_path("policy"), slot));
    Answer answer;
    answer.body = with_keys(rotated, services.facts.tools_host);
    answer.etag = rotated.etag;
    co_return answer;
}

Task<Result<Answer>> show_policy(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto policy, co_await services.access.show_policy(order, call.in_path("policy")));
    Answer answer;
    answer.body = with_keys(policy, services.facts.tools_host);
    answer.etag = policy.etag;
    co_return answer;
}

Task<Result<Answer>> revoke_policy(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto policy,
           co_await services.access.revoke_policy(order, call.in_path("policy")));
    Answer answer;
    answer.body = json::object{{"deleted", "policy/" + policy.name}, {"warnings", json::array{}}};
    co_return answer;
}

}  // namespace

void add_policy_routes(std::vector<Route>& routes) {
    const auto write = Permission::token_write;
    routes.push_back({"GET",
                      "/policies",
                      "listPolicies",
                      Permission::token_read,
                      {"limit", "after"},
                      Body::none,
                      list_policies});
    routes.push_back(
        {"POST", "/policies", "createPolicy", write, {}, Body::required, create_policy});
    routes.push_back({"DELETE",
                      "/policies/{policy}",
                      "revokePolicy",
                      write,
                      {"reason"},
                      Body::none,
                      revoke_policy});
    routes.push_back({"POST",
                      "/policies/{policy}/show-keys",
                      "showPolicyKeys",
                      Permission::token_show,
                      {},
                      Body::optional,
                      show_policy});
    routes.push_back({"PUT",
                      "/policies/{policy}/keys/{slot}",
                      "rotatePolicyKey",
                      write,
                      {},
                      Body::optional,
                      rotate_policy});
}

}  // namespace rollcall::front
