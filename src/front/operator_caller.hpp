// SPDX-License-Identifier: Apache-2.0
// Who sent a request to the operator door, and may they? The one place that asks service/access,
// for every API there.
#pragma once

#include "net/http.hpp"
#include "service/access.hpp"

namespace rollcall::front {

/// Who sent it, whatever that may: the local administrator by the socket, else the bearer of a
/// token or a signature. Errors: those of Access::authenticate(). `request` outlives the await.
Task<Result<service::Caller>> identify(service::Access& access, const net::HttpRequest& request);

/// forbidden "permission-missing".
Result<Done> check_permission(const service::Caller& caller, service::Permission permission);

/// The caller, who has `permission`. Whoever came by the socket is the local administrator: only
/// the server's user may open it. Errors: those of Access::authenticate(), forbidden
/// "permission-missing". `request` outlives the await.
Task<Result<service::Caller>> recognise(service::Access& access, const net::HttpRequest& request,
                                        service::Permission permission);

}  // namespace rollcall::front
