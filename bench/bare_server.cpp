// SPDX-License-Identifier: Apache-2.0
// The least a mutual-TLS answer can cost here: one thread, one epoll, OpenSSL set as well as we
// know (no tickets, keys read and secrets derived the short way, the chain taken without a
// verdict), an answer that is always the same. No parsing, no JSON, no store. Measured by bench/run
// as the floor.
//
//   bare_server PORT CHAIN.pem KEY.pem
#include "net/key_schedule.hpp"
#include "x509/legacy_keys.hpp"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rollcall {
namespace {

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

[[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "bare_server: %s\n", why);
    std::exit(1);
}

/// From the handshake to the end, as far as the socket lets it go.
class Connection {
public:
    Connection(SSL_CTX* context, int socket) : socket_(socket), ssl_(SSL_new(context), &SSL_free) {
        SSL_set_fd(ssl_.get(), socket_);
        SSL_set_accept_state(ssl_.get());
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    /// false: it is over.
    bool advance() {
        ERR_clear_error();
        char bytes[16'384];
        while (true) {
            const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
            if (got <= 0) {
                return SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
            }
            const std::string_view request(bytes, std::size_t(got));
            if (request.find("\r\n\r\n") != request.npos &&
                SSL_write(ssl_.get(), answer.data(), int(answer.size())) <= 0) {
                return false;
            }
        }
    }

private:
    int socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

SSL_CTX* make_context(const char* chain, const char* key) {
    SSL_CTX* const context =
        SSL_CTX_new_ex(nullptr, net::short_key_schedule(), TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519:P-256");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(
        context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        give_up("cannot use the certificate and its key");
    }
    return context;
}

int listen_on(int port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    constexpr int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 1'024) != 0) {
        give_up("cannot listen");
    }
    return listener;
}

[[noreturn]] void serve(int listener, SSL_CTX* context) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{.events = EPOLLIN, .data = {.fd = listener}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &interest);
    std::unordered_map<int, std::unique_ptr<Connection>> open;
    while (true) {
        epoll_event events[64];
        const int count = ::epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; ++i) {
            const int descriptor = events[i].data.fd;
            if (descriptor != listener) {
                if (!open.at(descriptor)->advance()) {
                    open.erase(descriptor);
                }
                continue;
            }
            const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (socket < 0) {
                continue;
            }
            constexpr int yes = 1;
            ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.fd = socket}};
            ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &wanted);
            open.emplace(socket, std::make_unique<Connection>(context, socket));
        }
    }
}

}  // namespace
}  // namespace rollcall

int main(int count, char** words) {
    if (count != 4) {
        std::fprintf(stderr, "usage: %s PORT CHAIN.pem KEY.pem\n", words[0]);
        return 2;
    }
    ::signal(SIGPIPE, SIG_IGN);
    rollcall::x509::use_legacy_keys();
    SSL_CTX* const context = rollcall::make_context(words[2], words[3]);
    rollcall::serve(rollcall::listen_on(std::atoi(words[1])), context);
}
