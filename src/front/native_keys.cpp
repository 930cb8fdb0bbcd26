// SPDX-License-Identifier: Apache-2.0
// Native API: symmetric keys of groups and individual enrollments. The only answers that hold keys
// are those that were asked for them.
#include "front/native_routes.hpp"

namespace rollcall::front {
namespace {

using domain::Removal;
using service::Permission;

service::KeyUpload read_key(Fields& fields) {
    service::KeyUpload upload;
    upload.key = fields.nullable_text("key").value_or(std::nullopt);
    upload.removal = fields
                         .word<Removal>("mode", {{"plain", Removal::plain},
                                                 {"replaceNow", Removal::immediate},
                                                 {"breach", Removal::breach}})
                         .value_or(Removal::plain);
    return upload;
}

Answer keys_answer(const domain::SymmetricKeys& keys) {
    Answer answer;
    answer.body =
        json::object{{"primaryKey", keys.front().base64()}, {"secondaryKey", keys.back().base64()}};
    return answer;
}

Task<Result<Answer>> set_group_key(const NativeServices& services, const Call& call) {
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    const auto upload = read_key(fields);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.set_group_key(order, call.in_path("group"), slot, upload));
    co_return group_answer(outcome, Pem::without);
}

Task<Result<Answer>> show_group_keys(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const std::optional<RegistrationId> themselves;
    CO_TRY(const auto keys,
           co_await services.enroller.show_group_keys(order, call.in_path("group"), themselves));
    co_return keys_answer(keys);
}

Task<Result<Answer>> derive_group_keys(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string id = fields.text("registrationId");
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto parsed, parse_registration_id(id));
    const std::optional<RegistrationId> device{parsed};
    CO_TRY(const auto keys,
           co_await services.enroller.show_group_keys(order, call.in_path("group"), device));
    co_return keys_answer(keys);
}

Task<Result<Answer>> set_enrollment_key(const NativeServices& services, const Call& call) {
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    const auto upload = read_key(fields);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.set_individual_key(
                                   order, call.in_path("registrationId"), slot, upload));
    Answer answer = changed(outcome, "enrollment", nullptr, ETag{}, Pem::without);
    if (outcome.record) {
        answer = changed(outcome, "enrollment", to_json(*outcome.record, Pem::without),
                         outcome.record->etag, Pem::without);
    }
    co_return answer;
}

Task<Result<Answer>> show_enrollment_keys(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto keys,
           co_await services.enroller.show_individual_keys(order, call.in_path("registrationId")));
    co_return keys_answer(keys);
}

}  // namespace

void read_new_keys(Fields& fields, service::EntrySettings& settings) {
    fields.object("symmetricKey", [&settings](Fields& given) {
        service::KeyUploads uploads;
        uploads.slots = {given.nullable_text("primaryKey").value_or(std::nullopt),
                         given.nullable_text("secondaryKey").value_or(std::nullopt)};
        settings.keys = std::move(uploads);
    });
}

void add_key_routes(std::vector<Route>& routes) {
    const auto show_groups = Permission::group_key_show;
    routes.push_back({"PUT",
                      "/groups/{group}/keys/{slot}",
                      "setGroupKey",
                      Permission::group_write,
                      {"dryRun"},
                      Body::optional,
                      set_group_key});
    routes.push_back({"POST",
                      "/groups/{group}/show-keys",
                      "showGroupKeys",
                      show_groups,
                      {},
                      Body::optional,
                      show_group_keys});
    routes.push_back({"POST",
                      "/groups/{group}/derive-keys",
                      "deriveGroupKeys",
                      show_groups,
                      {},
                      Body::required,
                      derive_group_keys});
    routes.push_back({"PUT",
                      "/enrollments/{registrationId}/keys/{slot}",
                      "setEnrollmentKey",
                      Permission::enrollment_write,
                      {"dryRun"},
                      Body::optional,
                      set_enrollment_key});
    routes.push_back({"POST",
                      "/enrollments/{registrationId}/show-keys",
                      "showEnrollmentKeys",
                      Permission::key_show,
                      {},
                      Body::optional,
                      show_enrollment_keys});
}

}  // namespace rollcall::front
