// SPDX-License-Identifier: Apache-2.0
// Blocking clients for tests: raw bytes over TCP or a unix-domain socket, and OpenSSL over them.
// Every wait ends after `patience`, so that a test that fails does not hang.
#pragma once

#include "x509/openssl.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

namespace rollcall::test {

inline constexpr int patience_seconds = 20;

/// A connected socket.
class WireClient {
public:
    static WireClient to_port(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return WireClient(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    static WireClient to_file(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        return WireClient(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    WireClient(WireClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
    WireClient& operator=(WireClient&&) = delete;
    ~WireClient() {
        if (socket_ >= 0) {
            ::close(socket_);
        }
    }

    bool connected() const { return connected_; }
    int descriptor() const { return socket_; }

    /// False when the peer is gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// At most `size` bytes; empty at the end, on a reset and when patience is over.
    std::string receive(std::size_t size = 65536) {
        std::string bytes(size, '\0');
        const ssize_t got = ::recv(socket_, bytes.data(), size, 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    /// Has the peer ended the connection (FIN or reset), waiting for it?
    bool ended() { return receive(1).empty(); }
    void finish_sending() { ::shutdown(socket_, SHUT_WR); }
    /// From now on the kernel keeps little of what is not read, however much memory it has.
    void keep_little_unread() {
        constexpr int bytes = 64 * 1024;
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }

private:
    WireClient(int family, const sockaddr* address, socklen_t size)
        : socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval patience{.tv_sec = patience_seconds, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        connected_ = ::connect(socket_, address, size) == 0;
    }
    int socket_;
    bool connected_ = false;
};

/// What a TLS client brings.
struct TlsClientSettings {
    int version = 0;  ///< TLS1_2_VERSION, TLS1_3_VERSION; 0: the best
    std::string server_name{};
    std::vector<X509*> certificates{};  ///< leaf first
    EVP_PKEY* key = nullptr;
    std::string suites{};  ///< of TLS 1.2
    std::string groups{};
};

/// A TLS client that believes any server. Weak certificates of its own are no obstacle.
class TlsClient {
public:
    TlsClient(std::uint16_t port, const TlsClientSettings& settings)
        : wire_(WireClient::to_port(port)),
          context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
        if (settings.version != 0) {
            SSL_CTX_set_min_proto_version(context_.get(), settings.version);
            SSL_CTX_set_max_proto_version(context_.get(), settings.version);
        }
        if (!settings.suites.empty()) {
            SSL_CTX_set_cipher_list(context_.get(), settings.suites.c_str());
        }
        if (!settings.groups.empty()) {
            SSL_CTX_set1_groups_list(context_.get(), settings.groups.c_str());
        }
        for (std::size_t i = 0; i < settings.certificates.size(); ++i) {
            if (i == 0) {
                SSL_CTX_use_certificate(context_.get(), settings.certificates[i]);
                SSL_CTX_use_PrivateKey(context_.get(), settings.key);
            } else {
                SSL_CTX_add1_chain_cert(context_.get(), settings.certificates[i]);
            }
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), wire_.descriptor());
        if (!settings.server_name.empty()) {
            SSL_set_tlsext_host_name(ssl_.get(), settings.server_name.c_str());
        }
        ERR_clear_error();
        ready_ = SSL_connect(ssl_.get()) == 1;
        if (!ready_) {
            failure_ = last_failure();
        }
    }

    /// The handshake is done as far as the client can tell (TLS 1.3: not yet for its certificate).
    bool ready() const { return ready_; }
    const std::string& failure() const { return failure_; }
    SSL* native() const { return ssl_.get(); }
    WireClient& wire() { return wire_; }

    bool send(std::string_view bytes) {
        ERR_clear_error();
        return bytes.empty() || SSL_write(ssl_.get(), bytes.data(), int(bytes.size())) > 0;
    }
    std::string receive(std::size_t size = 65536) {
        std::string bytes(size, '\0');
        ERR_clear_error();
        const int got = SSL_read(ssl_.get(), bytes.data(), int(size));
        if (got <= 0) {
            failure_ = last_failure();
        }
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
    bool ended() { return receive(1).empty(); }

private:
    static std::string last_failure() {
        const unsigned long code = ERR_peek_error();
        return code == 0 ? "" : ERR_reason_error_string(code);
    }
    WireClient wire_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
    bool ready_ = false;
    std::string failure_;
};

/// One HTTP answer as it came.
struct Answer {
    unsigned status = 0;  ///< 0: the connection ended before a whole answer
    std::string head{};   ///< with the status line, without the empty line
    std::string body{};

    bool says(std::string_view text) const { return head.find(text) != std::string::npos; }
};

/// Reads answers from a client, keeping what follows each for the next.
template <class Client>
class AnswerReader {
public:
    explicit AnswerReader(Client& client) : client_(client) {}

    /// `to_head`: the answer has no body, whatever its length says.
    Answer next(bool to_head = false) {
        Answer answer;
        while (held_.find("\r\n\r\n") == std::string::npos) {
            if (!more()) {
                return Answer{};
            }
        }
        const auto end = held_.find("\r\n\r\n");
        answer.head = held_.substr(0, end);
        held_.erase(0, end + 4);
        const auto at = answer.head.find("Content-Length: ");
        const std::size_t size = at == std::string::npos || to_head
                                     ? 0
                                     : std::strtoul(&answer.head[at + 16], nullptr, 10);
        while (held_.size() < size) {
            if (!more()) {
                return Answer{};
            }
        }
        answer.body = held_.substr(0, size);
        held_.erase(0, size);
        answer.status = static_cast<unsigned>(std::strtoul(&answer.head[9], nullptr, 10));
        return answer;
    }

private:
    bool more() {
        const std::string got = client_.receive();
        held_ += got;
        return !got.empty();
    }
    Client& client_;
    std::string held_;
};

}  // namespace rollcall::test
