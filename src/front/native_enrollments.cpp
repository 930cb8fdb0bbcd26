// SPDX-License-Identifier: Apache-2.0
// Native API: individual enrollments.
#include "front/native_routes.hpp"

namespace rollcall::front {
namespace {

using domain::IndividualEnrollment;
using domain::Removal;
using domain::Slot;
using service::Permission;

Answer enrollment_answer(const service::Outcome<IndividualEnrollment>& outcome, Pem pem) {
    if (!outcome.record) {
        return changed(outcome, "enrollment", nullptr, ETag{}, pem);
    }
    return changed(outcome, "enrollment", to_json(*outcome.record, pem), outcome.record->etag, pem);
}

service::IndividualSettings read_settings(Fields& fields) {
    service::IndividualSettings settings;
    read_entry_settings(fields, settings);
    if (auto device_id = fields.nullable_text("deviceId")) {
        settings.device_id = std::move(*device_id).value_or("");
    }
    return settings;
}

Removal read_mode(Fields& fields) {
    return fields
        .word<Removal>("mode", {{"plain", Removal::plain},
                                {"replaceNow", Removal::immediate},
                                {"breach", Removal::breach}})
        .value_or(Removal::plain);
}

Task<Result<Answer>> list_enrollments(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    CO_TRY(const Pem pem, call.pem());
    const std::string part = call.in_query("search").value_or("");
    auto asked = part.empty() ? services.reader.individuals(request)
                              : services.fleet.individuals_containing(request, part);
    CO_TRY(const auto page, co_await std::move(asked));
    Answer answer;
    answer.body = page_of(page, pem);
    co_return answer;
}

Task<Result<Answer>> create_enrollment(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    const std::string id = fields.text("registrationId");
    auto settings = read_settings(fields);
    read_new_keys(fields, settings);
    service::LeafUploads uploads;
    fields.object("certificates", [&uploads](Fields& slots) {
        for (const auto slot : domain::both_slots) {
            if (auto certificate = slots.optional_text(domain::to_string(slot))) {
                uploads.slots[domain::index(slot)] = std::optional{*std::move(certificate)};
            }
        }
    });
    uploads.force = fields.flag("force", false);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.create_individual(order, id, settings, uploads));
    Answer answer = enrollment_answer(outcome, pem);
    answer.status = 201;
    answer.location = location_of("/enrollments", outcome.record->id.original());
    co_return answer;
}

Task<Result<Answer>> get_enrollment(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    const auto id = parse_registration_id(call.in_path("registrationId"));
    std::optional<IndividualEnrollment> found;
    if (id) {
        CO_TRY(found, co_await services.reader.individual(*id));
    }
    if (!found) {
        co_return Error{
            ErrorKind::not_found,
            "there is no individual enrollment '" + call.in_path("registrationId") + "'",
            "enrollment-not-found"};
    }
    Answer answer;
    answer.body = to_json(*found, pem);
    answer.etag = found->etag;
    co_return answer;
}

Task<Result<Answer>> update_enrollment(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    const auto settings = read_settings(fields);
    service::LeafUploads uploads;
    fields.object("certificates", [&uploads](Fields& slots) {
        for (const auto slot : domain::both_slots) {
            uploads.slots[domain::index(slot)] = slots.nullable_text(domain::to_string(slot));
        }
    });
    uploads.removal = read_mode(fields);
    uploads.force = fields.flag("force", false);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.update_individual(
                                   order, call.in_path("registrationId"), settings, uploads));
    co_return enrollment_answer(outcome, pem);
}

Task<Result<Answer>> delete_enrollment(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome,
           co_await services.enroller.delete_individual(order, call.in_path("registrationId")));
    co_return deleted(outcome);
}

Task<Result<Answer>> set_slot(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    Fields fields{call.body};
    service::LeafUploads uploads;
    uploads.slots[domain::index(slot)] = std::optional{fields.text("certificate")};
    uploads.removal = read_mode(fields);
    uploads.force = fields.flag("force", false);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const service::IndividualSettings unchanged;
    CO_TRY(const auto outcome, co_await services.enroller.update_individual(
                                   order, call.in_path("registrationId"), unchanged, uploads));
    co_return enrollment_answer(outcome, pem);
}

Task<Result<Answer>> remove_slot(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto slot, call.slot());
    CO_TRY(const auto removal, call.removal());
    CO_TRY(const auto order, call.order());
    service::LeafUploads uploads;
    uploads.slots[domain::index(slot)] = std::optional<std::string>{};
    uploads.removal = removal;
    const service::IndividualSettings unchanged;
    CO_TRY(const auto outcome, co_await services.enroller.update_individual(
                                   order, call.in_path("registrationId"), unchanged, uploads));
    co_return enrollment_answer(outcome, pem);
}

Task<Result<Answer>> swap_slots(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.swap_individual_slots(order, call.in_path("registrationId")));
    co_return enrollment_answer(outcome, pem);
}

}  // namespace

void add_enrollment_routes(std::vector<Route>& routes) {
    const auto read = Permission::enrollment_read;
    const auto write = Permission::enrollment_write;
    constexpr std::string_view one = "/enrollments/{registrationId}";
    constexpr std::string_view slot = "/enrollments/{registrationId}/certificates/{slot}";
    routes.push_back({"GET",
                      "/enrollments",
                      "listEnrollments",
                      read,
                      {"limit", "after", "pem", "search"},
                      Body::none,
                      list_enrollments});
    routes.push_back({"POST",
                      "/enrollments",
                      "createEnrollment",
                      write,
                      {"pem"},
                      Body::required,
                      create_enrollment});
    routes.push_back({"GET", one, "getEnrollment", read, {"pem"}, Body::none, get_enrollment});
    routes.push_back({"PATCH",
                      one,
                      "updateEnrollment",
                      write,
                      {"pem", "dryRun"},
                      Body::required,
                      update_enrollment});
    routes.push_back({"DELETE",
                      one,
                      "deleteEnrollment",
                      write,
                      {"reason", "dryRun"},
                      Body::none,
                      delete_enrollment});
    routes.push_back({"PUT",
                      slot,
                      "setEnrollmentCertificate",
                      write,
                      {"pem", "dryRun"},
                      Body::required,
                      set_slot});
    routes.push_back({"DELETE",
                      slot,
                      "removeEnrollmentCertificate",
                      write,
                      {"mode", "reason", "pem", "dryRun"},
                      Body::none,
                      remove_slot});
    routes.push_back({"POST",
                      "/enrollments/{registrationId}/swap",
                      "swapEnrollmentCertificates",
                      write,
                      {"pem"},
                      Body::optional,
                      swap_slots});
}

}  // namespace rollcall::front
