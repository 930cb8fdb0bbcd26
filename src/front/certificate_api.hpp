// SPDX-License-Identifier: Apache-2.0
// CertificateApi: CA certificates at the address where the cloud has them, /subscriptions/…, so
// that its command line, its SDKs for management and scripts with curl upload, verify and delete
// them here. A thin facade of service/enroller; its words are in arm_wire.
#pragma once

#include "base/world.hpp"
#include "front/arm_wire.hpp"
#include "front/declared_route.hpp"
#include "net/http.hpp"
#include "service/access.hpp"
#include "service/enroller.hpp"

namespace rollcall::front {

/// Everything it works with; all of it outlives the CertificateApi.
struct CertificateServices {
    service::Enroller& enroller;
    service::Access& access;
    service::TrustBook& trust_book;
    Entropy& entropy;
    const ArmService& facts;
};

class CertificateApi final : public net::HttpHandler {
public:
    explicit CertificateApi(const CertificateServices& services) : services_(services) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

    static DeclaredRoutes declared_routes();

private:
    Task<Result<net::HttpResponse>> answer(const net::HttpRequest& request);
    net::HttpResponse refusal(const Error& error, const net::HttpRequest& request,
                              unsigned status = 0) const;

    const CertificateServices services_;
};

}  // namespace rollcall::front
