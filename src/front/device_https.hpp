// SPDX-License-Identifier: Apache-2.0
// DeviceHttps: the DPS device API over HTTPS (spec/dps-device-api.md 1.3, PRODUCT section 4).
// Register answers 202 and an operation to poll; the decision is durable before that 202.
#pragma once

#include "base/world.hpp"
#include "net/http.hpp"
#include "service/registrar.hpp"

#include <chrono>

namespace rollcall::front {

struct DeviceHttpsSettings {
    /// Seconds in Retry-After of a 202: 1, or the cloud's 3 with assign = "poll".
    std::chrono::seconds retry_after{1};
};

class DeviceHttps final : public net::HttpHandler {
public:
    DeviceHttps(service::Registrar& registrar, const Clock& clock, Entropy& entropy,
                DeviceHttpsSettings settings);

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

private:
    struct Route;

    Task<net::HttpResponse> do_register(const net::HttpRequest& request, const Route& route);
    Task<net::HttpResponse> do_poll(const net::HttpRequest& request, const Route& route);
    Task<net::HttpResponse> do_lookup(const net::HttpRequest& request, const Route& route);
    Result<Route> route_of(const net::HttpRequest& request) const;
    Result<domain::RegistrationRequest> read(const net::HttpRequest& request, const Route& route,
                                             bool with_body) const;
    net::HttpResponse answer(unsigned status, std::string body);
    net::HttpResponse refusal(const Error& error);

    service::Registrar& registrar_;
    const Clock& clock_;
    Entropy& entropy_;
    DeviceHttpsSettings settings_;
};

}  // namespace rollcall::front
