// SPDX-License-Identifier: Apache-2.0
// RegistryApi: the part of IoT Hub's service API that is about devices as they are here: read,
// list, enable, disable and delete them, their twins and direct methods, as the Registry of Azure's
// service SDKs asks (spec/real-clients.md section 5). Devices come by registering: none is made
// here, and no key or thumbprint of one is set. Translates words; what they do is service/'s.
#pragma once

#include "base/world.hpp"
#include "front/declared_route.hpp"
#include "net/http.hpp"
#include "service/access.hpp"
#include "service/enroller.hpp"
#include "service/hub.hpp"

namespace rollcall::front {

/// All outlive the RegistryApi.
struct RegistryServices {
    service::Enroller& enroller;
    service::Access& access;
    service::Hub& hub;
    store::StoreReader& reader;
    const Clock& clock;
    Entropy& entropy;
};

class RegistryApi final : public net::HttpHandler {
public:
    explicit RegistryApi(const RegistryServices& services) : services_(services) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

    static DeclaredRoutes declared_routes();

private:
    Task<Result<net::HttpResponse>> answer(const net::HttpRequest& request);
    net::HttpResponse refusal(const Error& error, const net::HttpRequest& request,
                              unsigned status = 0) const;

    const RegistryServices services_;
};

}  // namespace rollcall::front
