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
    if (request.connection->local) {
        co_return service::Access::local_administrator();
    }
    const service::Presented presented = presented_by(request);
    CO_TRY(auto caller, co_await access.authenticate(presented));
    if (!service::may(caller, permission)) {
        co_return Error{
            ErrorKind::forbidden,
            "this needs the permission '" + std::string{service::to_string(permission)} + "'",
            "permission-missing"};
    }
    co_return caller;
}

}  // namespace rollcall::front
