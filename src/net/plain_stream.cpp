// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"
#include "net/ready_socket.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace rollcall::net {
namespace {

class PlainStream final : public Stream {
public:
    PlainStream(Core& core, AcceptedSocket socket) : socket_(core, std::move(socket)) {}

    Task<Result<Done>> open() override { co_return Done{}; }

    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override {
        for (;;) {
            if (auto stopped = socket_.stopped_reading()) {
                co_return *std::move(stopped);
            }
            const ssize_t got = ::recv(socket_.descriptor(), into.data(), into.size(), 0);
            if (got >= 0) {
                co_return static_cast<std::size_t>(got);
            }
            if (errno == EINTR) {
                continue;
            }
            if (errno != EAGAIN) {
                co_return connection_lost(std::strerror(errno));
            }
            co_await socket_.readable();
        }
    }

    Task<Result<Done>> write(ByteView bytes) override {
        while (!bytes.empty()) {
            if (socket_.closed()) {
                co_return connection_lost("closed");
            }
            const ssize_t sent =
                ::send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                bytes = bytes.subspan(static_cast<std::size_t>(sent));
                continue;
            }
            if (errno == EINTR) {
                continue;
            }
            if (errno != EAGAIN) {
                co_return connection_lost(std::strerror(errno));
            }
            co_await socket_.writable();
        }
        co_return Done{};
    }

    Task<Result<Done>> shutdown() override {
        socket_.finish_writing();
        co_return Done{};
    }

    void interrupt_read() override { socket_.interrupt_read(); }
    void close() override { socket_.close(); }
    const ConnectionFacts& facts() const override { return socket_.facts; }

private:
    ReadySocket socket_;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(Core& core, AcceptedSocket socket) {
    return std::make_unique<PlainStream>(core, std::move(socket));
}

}  // namespace rollcall::net
