// SPDX-License-Identifier: Apache-2.0
// TlsStream: OpenSSL on a non-blocking descriptor, woken by Asio. Used by net/tls alone.
#pragma once

#include "base/telemetry.hpp"
#include "net/peer_certificates.hpp"
#include "net/ready_socket.hpp"
#include "net/tls_context.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string_view>

#include <openssl/ssl.h>

namespace rollcall::net {

/// How a handshake may end without a session.
enum class HandshakeFailure {
    certificate,  ///< OpenSSL cannot take what the client sent as its certificate or proof
    protocol,     ///< no common ground, or not TLS at all
    lost,         ///< the peer or its network went away, or the time was over
};

/// How much strangers' handshakes may write to the log in a second.
class LogBudget {
public:
    /// False when this second's lines are spent.
    bool take();

private:
    std::atomic<std::int64_t> second_{0};
    std::atomic<int> lines_{0};
};

/// What all TLS connections of the process share.
struct TlsShared {
    explicit TlsShared(Metrics& metrics);
    void count_failure(HandshakeFailure failure) {
        failures[static_cast<std::size_t>(failure)]->add();
    }

    PeerCertificates intermediates;
    Counter& done;
    Counter& oversized;
    Counter& unreadable;
    std::array<Counter*, 3> failures{};
    // Two: scanners and lost connections must not silence what a device in trouble causes.
    LogBudget warnings;
    LogBudget details;
};

class TlsStream final : public Stream {
public:
    TlsStream(Core& core, AcceptedSocket socket, SSL_CTX* context, TlsShared& shared,
              const AskForCertificate& ask);

    Task<Result<Done>> open() override;
    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override;
    Task<Result<Done>> write(ByteView bytes) override;
    Task<Result<Done>> shutdown() override;
    void interrupt_read() override { socket_.interrupt_read(); }
    void close() override { socket_.close(); }
    const ConnectionFacts& facts() const override { return socket_.facts; }

private:
    enum class Wants { nothing, readable, writable, ended, failed };
    struct Outcome {
        Wants wants = Wants::nothing;
        int result = 0;
        std::string note{};   ///< of a failure
        bool by_tls = false;  ///< the failure is OpenSSL's, not the network's
    };

    template <class Call>
    Outcome attempt(Call call);
    Task<void> wait_for(Wants wants);
    Error handshake_failed(const Outcome& outcome);
    void learn_facts();
    void learn_peer();

    ReadySocket socket_;
    TlsShared& shared_;
    Greeting greeting_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    bool broken_ = false;  ///< after a fatal error SSL_shutdown must not be called
};

}  // namespace rollcall::net
