// SPDX-License-Identifier: Apache-2.0
// One device's TLS connection and the talk on it, without waiting. For bench/load.
#pragma once

#include "fleet.hpp"
#include "talk.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace rollcall::bench {

using Steady = std::chrono::steady_clock;

/// Whom devices speak to, and from where.
struct Target {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::string server_name = "localhost";
    std::vector<std::string> from{};  ///< own addresses, used in turn
};

class Connection {
public:
    enum class Wants { read, write, pause, nothing };

    /// The `number`th of the run. Connects at once; `chain` is what the device sends above its own
    /// certificate.
    Connection(const Target& target, SSL_CTX* context, STACK_OF(X509) * chain, const Device& device,
               std::unique_ptr<Talk> talk, std::size_t number);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    int descriptor() const { return socket_; }
    /// 0: no answer yet, or none came.
    unsigned status() const { return talk_->status(); }
    Steady::time_point begun() const { return begun_; }
    Steady::time_point resumes() const { return resumes_; }

    /// Goes on until the socket or the time must be waited for, or the talk is over (nothing).
    Wants advance();
    void say_goodbye() { SSL_shutdown(ssl_.get()); }
    /// Of one that stays when its talk is over: false when the server closed it.
    bool still_open();

private:
    void take(Step step);
    void bind_to(const std::string& address);
    Wants wants(int result);

    const Steady::time_point begun_;
    std::unique_ptr<Talk> talk_;
    std::string unsent_{};
    std::string received_{};
    bool over_ = false;
    Steady::time_point resumes_{};
    int socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

}  // namespace rollcall::bench
