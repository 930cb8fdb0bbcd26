// SPDX-License-Identifier: Apache-2.0
// ReadySocket: a non-blocking descriptor and Asio's readiness for it. What the streams of this
// floor are built on; nothing above includes it.
#pragma once

#include "net/listener.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

namespace rollcall::net {

class ReadySocket {
public:
    ReadySocket(Core& core, AcceptedSocket socket);

    /// Returns when trying again may help; ask stopped_reading() or closed() first.
    Task<void> readable();
    Task<void> writable();

    /// Why a reader must give up: unavailable after close(), deadline once after interrupt_read().
    std::optional<Error> stopped_reading();
    bool closed() const { return closed_; }
    void interrupt_read();
    void close();
    int descriptor() { return descriptor_.native_handle(); }
    /// Sends FIN.
    void finish_writing();

    ConnectionFacts facts;

private:
    Admission admission_;
    asio::posix::stream_descriptor descriptor_;
    bool interrupted_ = false;
    bool closed_ = false;
};

/// The connection is gone, or we closed it.
Error connection_lost(std::string note);

}  // namespace rollcall::net
