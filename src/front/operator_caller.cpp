// SPDX-License-Identifier: Apache-2.0
#include "front/operator_caller.hpp"

namespace rollcall::front {

Task<Result<service::Caller>> recognise(service::Access& access, const net::HttpRequest& request,
                                        service::Permission permission) {
    if (permission == service::Permission::none) {
        co_return service::Caller{"anyone", request.connection->peer_address};
    }
    if (request.connection->local) {
        co_return service::Access::local_administrator();
    }
    std::optional<std::string> authorization;
    if (const auto header = request.header("authorization")) {
        authorization = std::string{*header};
    }
    CO_TRY(auto caller,
           co_await access.authenticate(authorization, request.connection->peer_address));
    if (!service::may(caller.role, permission)) {
        co_return Error{
            ErrorKind::forbidden,
            "this needs the permission '" + std::string{service::to_string(permission)} + "'",
            "permission-missing"};
    }
    co_return caller;
}

}  // namespace rollcall::front
