// SPDX-License-Identifier: Apache-2.0
// CentralApi: the REST API of IoT Central under /api as `az iot central` and scripts speak it, on
// the operator door (spec/iot-central-api.md 3.1 to 3.5). A thin facade: what an address does is
// service/'s, its words are central_wire.hpp, its addresses central_routes.hpp.
#pragma once

#include "base/world.hpp"
#include "front/central_wire.hpp"
#include "front/declared_route.hpp"
#include "net/http.hpp"
#include "service/access.hpp"
#include "service/device_groups.hpp"
#include "service/enroller.hpp"
#include "service/hub.hpp"
#include "service/jobs.hpp"
#include "service/users.hpp"

#include <string>

namespace rollcall::front {

/// Everything the routes work with; all of it outlives the CentralApi.
struct CentralServices {
    service::Enroller& enroller;
    service::Access& access;
    service::Hub& hub;
    service::TrustBook& trust_book;
    store::StoreReader& reader;
    store::TelemetryReader& telemetry;
    const Clock& clock;
    Entropy& entropy;
    ScopeId scope;
    service::DeviceGroups& device_groups;
    service::Jobs& jobs;
    service::Users& users;
};

class CentralApi final : public net::HttpHandler {
public:
    explicit CentralApi(const CentralServices& services) : services_(services) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

    static DeclaredRoutes declared_routes();

private:
    Task<Result<net::HttpResponse>> answer(const net::HttpRequest& request);
    net::HttpResponse refusal(const Error& error, const net::HttpRequest& request,
                              unsigned status = 0) const;

    const CentralServices services_;
};

}  // namespace rollcall::front
