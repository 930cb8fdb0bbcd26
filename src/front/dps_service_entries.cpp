// SPDX-License-Identifier: Apache-2.0
// DpsServiceApi's operations on one entry or registration.
#include "front/dps_service_call.hpp"

namespace rollcall::front {
namespace {

Error no_enrollment(const std::string& id) {
    return {ErrorKind::not_found, "there is no individual enrollment '" + id + "'",
            "enrollment-not-found"};
}

Task<Result<domain::IndividualEnrollment>> read_individual(store::StoreReader& reader,
                                                           const std::string& id) {
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return no_enrollment(id);
    }
    CO_TRY(auto enrollment, co_await reader.individual(*registration_id));
    if (!enrollment) {
        co_return no_enrollment(id);
    }
    co_return *std::move(enrollment);
}

Task<Result<std::optional<domain::Registration>>> read_registration(store::StoreReader& reader,
                                                                    const std::string& id) {
    const auto registration_id = parse_registration_id(id);
    if (!registration_id) {
        co_return std::optional<domain::Registration>{};
    }
    co_return co_await reader.registration(*registration_id);
}

Task<Result<service::GroupView>> read_group(service::TrustBook& trust_book, const std::string& id,
                                            TimePoint now) {
    CO_TRY(const auto trust, co_await trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, id));
    co_return service::view_of(*trust, *group, now);
}

}  // namespace

Task<Result<net::HttpResponse>> DpsServiceApi::get(const Call& call) {
    const std::string& id = call.target.id;
    switch (call.target.collection) {
        case DpsCollection::enrollments: co_return co_await get_individual(call);
        case DpsCollection::groups: {
            CO_TRY(const auto view,
                   co_await read_group(services_.trust_book, id, services_.clock.now()));
            co_return json_response(enrollment_json(view, Secrets::hidden));
        }
        case DpsCollection::registrations: break;
    }
    CO_TRY(const auto registration, co_await read_registration(services_.reader, id));
    if (!registration) {
        co_return Error{ErrorKind::not_found, "there is no registration '" + id + "'",
                        "registration-not-found"};
    }
    co_return json_response(registration_json(*registration, call.api_version));
}

/// With what its device was answered last; PUT and query do not have that (recorded).
Task<Result<net::HttpResponse>> DpsServiceApi::get_individual(const Call& call) {
    CO_TRY(const auto enrollment, co_await read_individual(services_.reader, call.target.id));
    CO_TRY(const auto registration, co_await read_registration(services_.reader, call.target.id));
    const json::object state = registration ? registration_json(*registration, call.api_version)
                                            : unassigned_json(enrollment.id);
    co_return json_response(enrollment_json(enrollment, Secrets::hidden, state));
}

Task<Result<net::HttpResponse>> DpsServiceApi::put(const Call& call) {
    const std::string& id = call.target.id;
    CO_TRY(const auto wish, read_entry(call.target.collection, call.body, id));
    constexpr auto mode = service::PutMode::make_or_change;
    if (call.target.collection == DpsCollection::groups) {
        CO_TRY(const auto done, co_await services_.enroller.put_group(call.order, id, wish, mode));
        co_return json_response(enrollment_json(*done.record, Secrets::told));
    }
    CO_TRY(const auto done, co_await services_.enroller.put_individual(call.order, id, wish, mode));
    co_return json_response(enrollment_json(*done.record, Secrets::told));
}

Task<Result<net::HttpResponse>> DpsServiceApi::erase(const Call& call) {
    const std::string& id = call.target.id;
    auto& enroller = services_.enroller;
    net::HttpResponse done;
    done.status = 204;
    switch (call.target.collection) {
        case DpsCollection::enrollments: {
            CO_TRY([[maybe_unused]] const auto gone,
                   co_await enroller.delete_individual(call.order, id));
            co_return done;
        }
        case DpsCollection::groups: {
            CO_TRY([[maybe_unused]] const auto gone,
                   co_await enroller.delete_group(call.order, id));
            co_return done;
        }
        case DpsCollection::registrations: break;
    }
    CO_TRY([[maybe_unused]] const auto gone, co_await enroller.delete_registration(call.order, id));
    co_return done;
}

/// Keys are told, and the audit log tells that they were; certificates are never given back.
Task<Result<net::HttpResponse>> DpsServiceApi::mechanism(const Call& call) {
    const std::string& id = call.target.id;
    if (call.target.collection == DpsCollection::groups) {
        CO_TRY(const auto view,
               co_await read_group(services_.trust_book, id, services_.clock.now()));
        if (view.group.keys) {
            const std::optional<RegistrationId> the_groups_own;
            CO_TRY([[maybe_unused]] const auto keys,
                   co_await services_.enroller.show_group_keys(call.order, id, the_groups_own));
        }
        co_return json_response(attestation_json(view, Secrets::told));
    }
    CO_TRY(const auto enrollment, co_await read_individual(services_.reader, id));
    if (enrollment.keys) {
        CO_TRY([[maybe_unused]] const auto keys,
               co_await services_.enroller.show_individual_keys(call.order, id));
    }
    co_return json_response(attestation_json(enrollment, Secrets::told));
}

}  // namespace rollcall::front
