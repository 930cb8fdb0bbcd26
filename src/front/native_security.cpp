// SPDX-License-Identifier: Apache-2.0
// Native API: the distrust list and bearer tokens.
#include "front/native_routes.hpp"

#include <algorithm>

namespace rollcall::front {
namespace {

using service::Permission;

/// 64 hex digits, with or without colons.
Result<Digest> read_key(std::string text) {
    std::erase(text, ':');
    const auto digest = parse_digest(text);
    if (!digest) {
        return Error{ErrorKind::malformed,
                     "a key is named by the SHA-256 of its SubjectPublicKeyInfo: 64 hex digits",
                     "malformed-key"};
    }
    return *digest;
}

std::string key_name(const domain::Distrusted& distrusted) {
    return to_upper_hex(distrusted.spki.bytes);
}

Task<Result<Answer>> list_distrusted(const NativeServices& services, const Call& call) {
    CO_TRY(auto request, call.page());
    CO_TRY(const auto all, co_await services.reader.distrusted());
    Answer answer;
    answer.body = page_of_all(all, request, key_name);
    co_return answer;
}

Task<Result<Answer>> get_distrusted(const NativeServices& services, const Call& call) {
    CO_TRY(const auto key, read_key(call.in_path("spki")));
    CO_TRY(const auto all, co_await services.reader.distrusted());
    const auto found =
        std::find_if(all.begin(), all.end(), [&key](const auto& each) { return each.spki == key; });
    if (found == all.end()) {
        co_return Error{ErrorKind::not_found, "this key is not on the distrust list",
                        "not-distrusted"};
    }
    Answer answer;
    answer.body = to_json(*found);
    co_return answer;
}

Task<Result<Answer>> add_distrusted(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::DistrustRequest request;
    request.certificate = fields.optional_text("certificate").value_or("");
    if (const auto key = fields.optional_text("spkiSha256")) {
        const auto digest = read_key(*key);
        if (digest) {
            request.spki = *digest;
        } else {
            fields.refuse(digest.error());
        }
    }
    if (fields.has("certificate") == fields.has("spkiSha256")) {
        fields.refuse({ErrorKind::malformed, "give 'certificate' or 'spkiSha256', one of them",
                       "missing-member"});
    }
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.distrust(order, request));
    Answer answer;
    if (outcome.preview) {
        answer.body = to_json(*outcome.preview, outcome.findings, outcome.warnings, Pem::without);
        co_return answer;
    }
    answer.status = 201;
    answer.body = to_json(*outcome.record);
    answer.location = location_of("/distrust", key_name(*outcome.record));
    co_return answer;
}

Task<Result<Answer>> lift_distrusted(const NativeServices& services, const Call& call) {
    CO_TRY(const auto key, read_key(call.in_path("spki")));
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome, co_await services.enroller.lift_distrust(order, key));
    co_return deleted(outcome);
}

Task<Result<Answer>> list_tokens(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    CO_TRY(const auto all, co_await services.access.list());
    const auto key_of = [](const auto& token) { return to_lower_ascii(token.name); };
    Answer answer;
    answer.body = page_of_all(all, request, key_of);
    co_return answer;
}

Task<Result<Answer>> create_token(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::TokenWish wish;
    wish.name = fields.text("name");
    wish.role = read_role(fields).value_or(domain::Role::administrator);
    wish.form = fields
                    .word<domain::TokenForm>("form", {{"bearer", domain::TokenForm::bearer},
                                                      {"central", domain::TokenForm::central}})
                    .value_or(domain::TokenForm::bearer);
    wish.application = services.facts.scope.str();
    if (const auto text = fields.nullable_text("expires"); text && *text) {
        const auto parsed = parse_iso8601(**text);
        if (parsed) {
            wish.expires = *parsed;
        } else {
            fields.refuse({ErrorKind::malformed, "'expires' is a time as 2027-01-31T00:00:00Z",
                           "malformed-member"});
        }
    }
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto made, co_await services.access.create(order, wish));
    json::object body = to_json(made.token);
    body["token"] = made.secret;
    Answer answer;
    answer.status = 201;
    answer.body = std::move(body);
    answer.location = location_of("/tokens", made.token.name);
    co_return answer;
}

Task<Result<Answer>> revoke_token(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto token, co_await services.access.revoke(order, call.in_path("token")));
    Answer answer;
    answer.body = json::object{{"deleted", "token/" + token.name}, {"warnings", json::array{}}};
    co_return answer;
}

}  // namespace

void add_distrust_routes(std::vector<Route>& routes) {
    const auto read = Permission::distrust_read;
    const auto write = Permission::distrust_write;
    routes.push_back({"GET",
                      "/distrust",
                      "listDistrusted",
                      read,
                      {"limit", "after"},
                      Body::none,
                      list_distrusted});
    routes.push_back(
        {"POST", "/distrust", "addDistrusted", write, {"dryRun"}, Body::required, add_distrusted});
    routes.push_back(
        {"GET", "/distrust/{spki}", "getDistrusted", read, {}, Body::none, get_distrusted});
    routes.push_back({"DELETE",
                      "/distrust/{spki}",
                      "liftDistrusted",
                      write,
                      {"reason", "dryRun"},
                      Body::none,
                      lift_distrusted});
}

void add_token_routes(std::vector<Route>& routes) {
    const auto write = Permission::token_write;
    routes.push_back({"GET",
                      "/tokens",
                      "listTokens",
                      Permission::token_read,
                      {"limit", "after"},
                      Body::none,
                      list_tokens});
    routes.push_back({"POST", "/tokens", "createToken", write, {}, Body::required, create_token});
    routes.push_back(
        {"DELETE", "/tokens/{token}", "revokeToken", write, {"reason"}, Body::none, revoke_token});
}

}  // namespace rollcall::front
