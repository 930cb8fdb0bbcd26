// SPDX-License-Identifier: Apache-2.0
// Health: the metrics door. Prometheus text at /metrics, "alive" at /healthz, "takes work" at
// /readyz; nothing that is secret, nothing that changes anything.
#pragma once

#include "base/telemetry.hpp"
#include "net/http.hpp"

#include <functional>

namespace rollcall::front {

class Health final : public net::HttpHandler {
public:
    /// `ready`: may this server be sent work now? Asked on any core.
    Health(const Metrics& metrics, std::function<bool()> ready);

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override { return 0; }

private:
    net::HttpResponse answer(const net::HttpRequest& request) const;

    const Metrics& metrics_;
    std::function<bool()> ready_;
};

}  // namespace rollcall::front
