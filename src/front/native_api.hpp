// SPDX-License-Identifier: Apache-2.0
// NativeApi: our own API under /api/v1, every use case of the server, on the operator listener and
// on the data directory's socket. The command line and the console speak it. Its contract is
// docs/api/openapi.json, which it serves and which a test holds against its routes.
#pragma once

#include "base/world.hpp"
#include "front/declared_route.hpp"
#include "net/http.hpp"
#include "service/access.hpp"
#include "service/auditor.hpp"
#include "service/enroller.hpp"
#include "service/hub.hpp"
#include "service/overview.hpp"
#include "service/sign_in.hpp"
#include "service/users.hpp"
#include "store/refusals.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::front {

/// What `GET /server` tells. Complete before the first request.
struct ServerFacts {
    struct Door {
        std::string name{};     ///< "device-https"
        std::string address{};  ///< "127.0.0.1:8443"
    };
    ScopeId scope;
    std::string hub{};
    std::string version{};
    /// HostName of the connection strings that shared access policies are given as.
    std::string tools_host{};
    TimePoint started{};
    std::vector<Door> doors{};
    /// By which devices reach the doors, the first first.
    std::vector<std::string> names{};
    /// PEM of the local CA that signs the server's certificate; empty: that came from elsewhere.
    std::string ca_pem{};
    /// People can sign in at an OpenID provider.
    bool openid = false;
};

/// Everything the routes work with; all of it outlives the NativeApi.
struct NativeServices {
    service::Enroller& enroller;
    service::Access& access;
    service::TrustBook& trust_book;
    store::StoreReader& reader;
    store::RefusalLog& refusals;
    service::Hub& hub;
    store::TelemetryReader& telemetry;
    const Clock& clock;
    Entropy& entropy;
    const ServerFacts& facts;
    service::Auditor& auditor;
    service::Users& users;
    service::SignIn& sign_in;
    store::FleetReader& fleet;
    service::Overview& overview;
};

class NativeApi final : public net::HttpHandler {
public:
    explicit NativeApi(const NativeServices& services);
    ~NativeApi() override;

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

    static DeclaredRoutes declared_routes();

private:
    Task<net::HttpResponse> answer(const net::HttpRequest& request, const std::string& tracking_id);
    net::HttpResponse refusal(const Error& error, const std::string& tracking_id,
                              const net::HttpRequest& request, unsigned status = 0) const;

    NativeServices services_;
};

/// The document, as docs/api/openapi.json has it.
std::string_view openapi_document();

}  // namespace rollcall::front
