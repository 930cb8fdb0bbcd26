// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <openssl/err.h>

namespace rollcall::bench {

Connection::Connection(const Target& target, SSL_CTX* context, STACK_OF(X509) * chain,
                       const Device& device, std::unique_ptr<Talk> talk, std::size_t number)
    : begun_(Steady::now()),
      talk_(std::move(talk)),
      socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      ssl_(SSL_new(context), &SSL_free) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target.port);
    if (::inet_pton(AF_INET, target.address.c_str(), &address.sin_addr) != 1 || socket_ < 0) {
        give_up("no socket for " + target.address);
    }
    constexpr int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!target.from.empty()) {
        bind_to(target.from[number % target.from.size()]);
    }
    const int connected =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (connected != 0 && errno != EINPROGRESS) {
        give_up(std::string("cannot connect: ") + std::strerror(errno));
    }
    SSL_set_fd(ssl_.get(), socket_);
    SSL_set_connect_state(ssl_.get());
    SSL_set_tlsext_host_name(ssl_.get(), target.server_name.c_str());
    constexpr int replace = 1;
    if (SSL_use_cert_and_key(ssl_.get(), device.certificate.native(), device.key.native(), chain,
                             replace) != 1) {
        give_up("cannot use a device's certificate");
    }
    take(talk_->begin());
}

Connection::~Connection() {
    ::close(socket_);
}

Connection::Wants Connection::advance() {
    ERR_clear_error();
    for (;;) {
        if (resumes_ > Steady::now()) {
            return Wants::pause;
        }
        while (!unsent_.empty()) {
            const int sent = SSL_write(ssl_.get(), unsent_.data(), int(unsent_.size()));
            if (sent <= 0) {
                return wants(sent);
            }
            unsent_.erase(0, std::size_t(sent));
        }
        if (over_) {
            return Wants::nothing;
        }
        char bytes[4096];
        const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
        if (got <= 0) {
            return wants(got);
        }
        received_.append(bytes, std::size_t(got));
        take(talk_->heard(received_));
    }
}

bool Connection::still_open() {
    ERR_clear_error();
    char bytes[4096];
    int got = 0;
    do {
        got = SSL_read(ssl_.get(), bytes, sizeof bytes);
    } while (got > 0);
    return SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
}

void Connection::take(Step step) {
    unsent_ += step.say;
    over_ = step.done;
    if (step.pause.count() > 0) {
        resumes_ = Steady::now() + step.pause;
    }
}

void Connection::bind_to(const std::string& address) {
    constexpr int yes = 1;  // the port is chosen at connect(), so that there are enough
    ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    if (::inet_pton(AF_INET, address.c_str(), &own.sin_addr) != 1 ||
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
        give_up("cannot come from " + address);
    }
}

Connection::Wants Connection::wants(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: return Wants::read;
        case SSL_ERROR_WANT_WRITE: return Wants::write;
        default: return Wants::nothing;  // status() stays 0
    }
}

}  // namespace rollcall::bench
