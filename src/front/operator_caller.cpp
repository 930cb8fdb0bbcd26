// SPDX-License-Identifier: Apache-2.0
#include "front/operator_caller.hpp"

namespace rollcall::front {
namespace {

service::Presented presented_by(const net::HttpRequest& request) {
    service::Presented presented;
    if (const auto header = request.header("authorization")) {
        presented.authorization = std::string{*header};
    }
    presented.source = request.connection->peer_address;
    presented.target = {request.host, request.path};
    return presented;
}

}  // namespace

Task<Result<service::Caller>> recognise(service::Access& access, const net::HttpRequest& request,
                                        service::Permission permission) {
    if (permission == service::Permission::none) {
        co_return service::Caller{"anyone", request.connection->peer_address};
    }
    CO_TRY(auto caller, co_await identify(access, request));
    CO_TRY([[maybe_unused]] const Done allowed, check_permission(caller, permission));
    co_return caller;
}

Task<Result<service::Caller>> identify(service::Access& access, const net::HttpRequest& request) {
    if (request.connection->local) {
        co_return service::Access::local_administrator();
    }
    const service::Presented presented = presented_by(request);
    co_return co_await access.authenticate(presented);
}

Result<Done> check_permission(const service::Caller& caller, service::Permission permission) {
    if (service::may(caller, permission)) {
        return Done{};
    }
    return Error{ErrorKind::forbidden,
                 "this needs the permission '" + std::string{service::to_string(permission)} + "'",
                 "permission-missing"};
}

}  // namespace rollcall::front
