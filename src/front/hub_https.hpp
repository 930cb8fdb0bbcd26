// SPDX-License-Identifier: Apache-2.0
// HubHttps: the hub's device API over HTTPS (spec/hub-mqtt.md 4.7): telemetry alone or in batches,
// and messages to the device under a lock. Every request proves the device's certificate anew.
#pragma once

#include "base/world.hpp"
#include "net/http.hpp"
#include "service/hub.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace rollcall::front {

class HubHttps final : public net::HttpHandler {
public:
    HubHttps(service::Hub& hub, const Clock& clock, Entropy& entropy)
        : hub_(hub), clock_(clock), entropy_(entropy) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override;
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override;
    std::size_t body_bytes_max() const override;

private:
    struct Route;
    /// A message that a device fetched and has not settled yet.
    struct Lock {
        std::string token;
        TimePoint until;
    };
    using Place = std::pair<DeviceId, std::uint64_t>;

    Result<Route> route_of(const net::HttpRequest& request) const;
    Task<Result<net::HttpResponse>> answer(const net::HttpRequest& request, const Route& route);
    Task<Result<net::HttpResponse>> send(const net::HttpRequest& request, const Route& route);
    Task<Result<net::HttpResponse>> fetch(const Route& route);
    Task<Result<net::HttpResponse>> settle(const Route& route);
    net::HttpResponse refusal(const Error& error);
    /// none: another request holds it.
    std::optional<std::string> lock(const DeviceId& device, std::uint64_t number);
    std::optional<std::uint64_t> locked_by(const DeviceId& device, const std::string& token);
    void unlock(const DeviceId& device, std::uint64_t number, const std::string& token);

    service::Hub& hub_;
    const Clock& clock_;
    Entropy& entropy_;
    std::mutex mutex_;
    std::map<Place, Lock> locks_;
};

}  // namespace rollcall::front
