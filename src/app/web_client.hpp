// SPDX-License-Identifier: Apache-2.0
// Asks the OpenID provider: libcurl on threads of its own. https only (loopback where it was
// allowed), certificates verified, redirects not followed, answers bounded.
#pragma once

#include "base/limits.hpp"
#include "service/web_client.hpp"

#include <atomic>
#include <chrono>
#include <string>

namespace rollcall::app {

struct WebClientSettings {
    std::string ca_file{};       ///< empty: the system's certificates
    bool loopback_http = false;  ///< http to this machine itself is allowed
    std::chrono::milliseconds call_time_max = limits::openid_call_time_max;

    bool operator==(const WebClientSettings&) const = default;
};

class CurlClient final : public service::WebClient {
public:
    explicit CurlClient(WebClientSettings settings);

    Task<Result<service::WebReply>> ask(const service::WebQuestion& question) override;

    /// Ends the threads; before the io_contexts of callers die.
    void join() { lane_.join(); }

private:
    Result<service::WebReply> ask_now(const service::WebQuestion& question) const;

    const WebClientSettings settings_;
    std::atomic<std::size_t> under_way_{0};
    Lane lane_{2};
};

}  // namespace rollcall::app
