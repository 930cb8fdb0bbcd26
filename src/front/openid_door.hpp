// SPDX-License-Identifier: Apache-2.0
// /auth/oidc/start and /auth/oidc/callback: where a browser leaves for the OpenID provider and
// comes back signed in. Answers pages, not JSON: a person looks at them.
//
// The session's cookie is SameSite=Strict all the same: a browser that another site sent here keeps
// it when it is set, and our pages' own requests bring it. Only the cookie of the journey has to be
// Lax, since it comes with the provider's redirect.
#pragma once

#include "net/http.hpp"
#include "service/openid.hpp"

namespace rollcall::front {

class OpenidDoor final : public net::HttpHandler {
public:
    OpenidDoor(service::Openid& openid, Entropy& entropy) : openid_(openid), entropy_(entropy) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return 0; }

private:
    Task<Result<net::HttpResponse>> start(const net::HttpRequest& request);
    Task<Result<net::HttpResponse>> callback(const net::HttpRequest& request);
    std::string redirect_uri(const net::HttpRequest& request) const;
    net::HttpResponse page(const Error& error, const net::HttpRequest& request, unsigned status);

    service::Openid& openid_;
    Entropy& entropy_;
};

}  // namespace rollcall::front
