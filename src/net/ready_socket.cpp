// SPDX-License-Identifier: Apache-2.0
#include "net/ready_socket.hpp"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>

namespace rollcall::net {

ReadySocket::ReadySocket(Core& core, AcceptedSocket socket)
    : facts(std::move(socket.facts)),
      admission_(std::move(socket.admission)),
      descriptor_(core.context(), socket.release()) {}

Task<void> ReadySocket::readable() {
    boost::system::error_code ended;
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                    asio::redirect_error(asio::use_awaitable, ended));
}

Task<void> ReadySocket::writable() {
    // interrupt_read() ends this wait too; the writer then just tries and waits again.
    boost::system::error_code ended;
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                                    asio::redirect_error(asio::use_awaitable, ended));
}

std::optional<Error> ReadySocket::stopped_reading() {
    if (closed_) {
        return connection_lost("closed");
    }
    if (interrupted_) {
        interrupted_ = false;
        return Error{.kind = ErrorKind::deadline, .detail = "nothing was received in time"};
    }
    return std::nullopt;
}

void ReadySocket::interrupt_read() {
    interrupted_ = true;
    if (!closed_) {
        descriptor_.cancel();
    }
}

void ReadySocket::close() {
    if (closed_) {
        return;
    }
    closed_ = true;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
}

void ReadySocket::finish_writing() {
    if (!closed_) {
        ::shutdown(descriptor_.native_handle(), SHUT_WR);
    }
}

Error connection_lost(std::string note) {
    return Error{.kind = ErrorKind::unavailable,
                 .detail = "the connection was lost",
                 .reason = "connection-lost",
                 .note = std::move(note)};
}

}  // namespace rollcall::net
