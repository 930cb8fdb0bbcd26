// SPDX-License-Identifier: Apache-2.0
// What a device of IoT Central attests itself by, alone: here its individual enrollment
// (spec/iot-central-api.md 3.3). Without one, the groups decide.
#include "front/central_routes.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

Error no_attestation(const domain::Device& device) {
    return {ErrorKind::not_found,
            "the device '" + device.id.str() +
                "' has no attestation of its own: it comes in by an enrollment group",
            "enrollment-not-found"};
}

/// With both keys where it has any and the caller may see them, of which the audit log then tells.
Task<Result<CentralAnswer>> told(const CentralServices& services, const CentralCall& call,
                                 const domain::IndividualEnrollment& enrollment) {
    const bool keys = enrollment.keys && may(call.order.caller, Permission::key_show);
    if (keys) {
        service::Order order;
        order.caller = call.order.caller;
        CO_TRY([[maybe_unused]] const auto shown,
               co_await services.enroller.show_individual_keys(order, enrollment.id.original()));
    }
    co_return CentralAnswer{200, attestation_json(enrollment, keys)};
}

Task<Result<CentralAnswer>> get_attestation(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    CO_TRY(const auto enrollment, co_await services.reader.individual(device.registration));
    if (!enrollment) {
        co_return no_attestation(device);
    }
    co_return co_await told(services, call, *enrollment);
}

Task<Result<CentralAnswer>> write_attestation(const CentralServices& services,
                                              const CentralCall& call, CentralMembers members,
                                              service::PutMode mode) {
    CO_TRY(const auto device, co_await central_device(services, call));
    Fields fields = call.fields();
    auto write = read_attestation(fields, members);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    const std::string id = device.registration.original();
    if (id != device.id.str()) {
        write.settings.device_id = device.id.str();
    }
    const auto done = co_await services.enroller.write_individual(call.order, id, write, mode);
    if (!done && done.error().reason == "enrollment-not-found") {
        co_return no_attestation(device);
    }
    if (!done) {
        co_return done.error();
    }
    co_return co_await told(services, call, *done->record);
}

Task<Result<CentralAnswer>> put_attestation(const CentralServices& services,
                                            const CentralCall& call) {
    co_return co_await write_attestation(services, call, CentralMembers::all,
                                         service::PutMode::make_or_change);
}

Task<Result<CentralAnswer>> patch_attestation(const CentralServices& services,
                                              const CentralCall& call) {
    co_return co_await write_attestation(services, call, CentralMembers::some,
                                         service::PutMode::change);
}

Task<Result<CentralAnswer>> delete_attestation(const CentralServices& services,
                                               const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    const std::string id = device.registration.original();
    const auto gone = co_await services.enroller.delete_individual(call.order, id);
    if (!gone && gone.error().reason == "enrollment-not-found") {
        co_return no_attestation(device);
    }
    if (!gone) {
        co_return gone.error();
    }
    co_return CentralAnswer{204};
}

}  // namespace

void add_central_attestation_routes(std::vector<CentralRoute>& routes) {
    constexpr auto write = Permission::enrollment_write;
    constexpr std::string_view attestation = "/devices/{device}/attestation";
    const std::vector<CentralRoute> own{
        {"GET", attestation, Permission::enrollment_read, CentralBody::none, get_attestation},
        {"PUT", attestation, write, CentralBody::required, put_attestation},
        {"PATCH", attestation, write, CentralBody::required, patch_attestation},
        {"DELETE", attestation, write, CentralBody::none, delete_attestation}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
