// SPDX-License-Identifier: Apache-2.0
// Native API: the slots of enrollment groups.
#include "front/native_routes.hpp"

namespace rollcall::front {
namespace {

using domain::Replacement;
using service::Permission;

service::SlotUpload read_upload(Fields& fields) {
    service::SlotUpload upload;
    upload.certificate = fields.text("certificate");
    upload.replacement = fields
                             .word<Replacement>("mode", {{"staged", Replacement::staged},
                                                         {"replaceNow", Replacement::immediate},
                                                         {"breach", Replacement::breach}})
                             .value_or(Replacement::staged);
    upload.vouch = fields.flag("vouch", false);
    upload.force = fields.flag("force", false);
    return upload;
}

Task<Result<Answer>> get_slots(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, call.in_path("group")));
    Answer answer;
    answer.body = slots_json(service::view_of(*trust, *group, services.clock.now()), pem);
    answer.etag = group->etag;
    co_return answer;
}

Task<Result<Answer>> get_slot(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, call.in_path("group")));
    Answer answer;
    answer.body = slot_json(service::view_of(*trust, *group, services.clock.now()), slot, pem);
    answer.etag = group->etag;
    co_return answer;
}

Task<Result<Answer>> set_slots(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    service::SlotUpload primary;
    primary.certificate = fields.text("primary");
    const std::string secondary = fields.text("secondary");
    const auto mode = fields.word<Replacement>(
        "mode", {{"replaceNow", Replacement::immediate}, {"breach", Replacement::breach}});
    if (!mode) {
        fields.refuse(
            {ErrorKind::malformed, "'mode' is missing: replaceNow or breach", "missing-member"});
    }
    primary.replacement = mode.value_or(Replacement::immediate);
    primary.vouch = fields.flag("vouch", false);
    primary.force = fields.flag("force", false);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.set_both_group_slots(
                                   order, call.in_path("group"), primary, secondary));
    co_return group_answer(outcome, pem);
}

enum class Effect { real, preview };

Task<Result<Answer>> fill_slot(const NativeServices& services, const Call& call, Effect effect) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    const auto upload = read_upload(fields);
    CO_TRY(auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    order.dry_run = order.dry_run || effect == Effect::preview;
    CO_TRY(const auto outcome,
           co_await services.enroller.set_group_slot(order, call.in_path("group"), slot, upload));
    co_return group_answer(outcome, pem);
}

Task<Result<Answer>> set_slot(const NativeServices& services, const Call& call) {
    return fill_slot(services, call, Effect::real);
}

Task<Result<Answer>> preview_slot(const NativeServices& services, const Call& call) {
    return fill_slot(services, call, Effect::preview);
}

Task<Result<Answer>> remove_slot(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    CO_TRY(const auto removal, call.removal());
    CO_TRY(const bool pending_only, call.flag("pendingOnly"));
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome, co_await services.enroller.remove_group_slot(
                                   order, call.in_path("group"), slot, removal, pending_only));
    co_return group_answer(outcome, pem);
}

Task<Result<Answer>> ask_code(const NativeServices& services, const Call& call) {
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto code,
           co_await services.enroller.ask_slot_code(order, call.in_path("group"), slot));
    co_return code_answer(code);
}

Task<Result<Answer>> verify_slot(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    service::CaProof proof;
    proof.certificate = fields.text("certificate");
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.verify_group_slot(order, call.in_path("group"), slot, proof));
    co_return group_answer(outcome, pem);
}

Task<Result<Answer>> swap_slots(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.swap_group_slots(order, call.in_path("group")));
    co_return group_answer(outcome, pem);
}

}  // namespace

void add_slot_routes(std::vector<Route>& routes) {
    const auto read = Permission::group_read;
    const auto write = Permission::group_write;
    constexpr std::string_view both = "/groups/{group}/certificates";
    constexpr std::string_view one = "/groups/{group}/certificates/{slot}";
    routes.push_back({"GET", both, "getGroupCertificates", read, {"pem"}, Body::none, get_slots});
    routes.push_back(
        {"PUT", both, "setGroupCertificates", write, {"pem", "dryRun"}, Body::required, set_slots});
    routes.push_back({"GET", one, "getGroupCertificate", read, {"pem"}, Body::none, get_slot});
    routes.push_back(
        {"PUT", one, "setGroupCertificate", write, {"pem", "dryRun"}, Body::required, set_slot});
    routes.push_back({"DELETE",
                      one,
                      "removeGroupCertificate",
                      write,
                      {"mode", "pendingOnly", "reason", "pem", "dryRun"},
                      Body::none,
                      remove_slot});
    routes.push_back({"POST",
                      "/groups/{group}/certificates/{slot}/preview",
                      "previewGroupCertificate",
                      read,
                      {"pem"},
                      Body::required,
                      preview_slot});
    routes.push_back({"POST",
                      "/groups/{group}/certificates/{slot}/code",
                      "createGroupCertificateCode",
                      write,
                      {},
                      Body::optional,
                      ask_code});
    routes.push_back({"POST",
                      "/groups/{group}/certificates/{slot}/verify",
                      "verifyGroupCertificate",
                      write,
                      {"pem"},
                      Body::required,
                      verify_slot});
    routes.push_back({"POST",
                      "/groups/{group}/swap",
                      "swapGroupCertificates",
                      write,
                      {"pem"},
                      Body::optional,
                      swap_slots});
}

}  // namespace rollcall::front
