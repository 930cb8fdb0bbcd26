// SPDX-License-Identifier: Apache-2.0
// AMQP on a Stream: drives net/amqp_engine with what is read, asks the front, writes. AmqpDoor
// stands behind a Listener or behind a WebSocket; the front stands behind AmqpHandler.
#pragma once

#include "base/limits.hpp"
#include "base/telemetry.hpp"
#include "net/amqp_engine.hpp"
#include "net/listener.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace rollcall::net {

/// A front's hold on its client. Lives as long as the conversation; used on its core only.
class AmqpPeer {
public:
    virtual ~AmqpPeer() = default;

    virtual const ConnectionFacts& facts() const = 0;
    /// Of SASL PLAIN; nothing was judged.
    virtual const std::optional<amqp::PlainCredential>& credential() const = 0;
    /// Where other threads post what they want done here. What they posted may run after the
    /// conversation has gone: it must find that out by itself.
    virtual asio::any_io_executor executor() = 0;

    /// As amqp::Engine has them.
    virtual void accept(amqp::LinkId link, const amqp::LinkGrant& grant) = 0;
    virtual void refuse(amqp::LinkId link, const amqp::Condition& why) = 0;
    virtual void detach(amqp::LinkId link, const amqp::Condition& why) = 0;
    virtual void settle(const amqp::DeliveryId& delivery, amqp::Outcome outcome,
                        const amqp::Condition& why = {}) = 0;
    /// A client that does not take what it is sent is closed.
    virtual void send(amqp::LinkId link, std::string message, bool settled,
                      std::uint64_t token = 0) = 0;

    /// Has the conversation's woken() called soon. On the core, at any time; everything else here
    /// but close() is for use within the conversation's calls.
    virtual void wake() = 0;
    /// The connection ends then, whatever comes.
    virtual void end_in(std::chrono::milliseconds time) = 0;
    /// It lasts as long as the client keeps it alive.
    virtual void end_by_silence() = 0;
    /// Whatever the client does; beside what else ends it.
    virtual void end_at_latest_in(std::chrono::milliseconds time) = 0;
    /// Tells the client why, takes nothing more; may be called at any time.
    virtual void close(const amqp::Condition& why) = 0;
};

/// One client that has a link. Its calls come one after the other, in the order of what was
/// received. An error closes the connection with the condition that condition_of() finds for it.
class AmqpConversation {
public:
    virtual ~AmqpConversation() = default;

    /// To be accepted or refused within the call. Also called for the link that began it.
    virtual Task<Result<Done>> offered(const amqp::LinkOffered& offer) = 0;
    /// Messages that came together. Each is settled here.
    virtual Task<Result<Done>> delivered(std::vector<amqp::Delivered>& batch) = 0;
    virtual Task<Result<Done>> settled(const amqp::Settled& settled) = 0;
    virtual Task<Result<Done>> gone(amqp::LinkId link) = 0;
    /// AmqpPeer::wake() was called, once or more.
    virtual Task<Result<Done>> woken() = 0;
    /// The last call.
    virtual Task<void> ended() = 0;
};

/// Answers the clients of a door. Shared by all sessions on all cores.
class AmqpHandler {
public:
    virtual ~AmqpHandler() = default;
    /// A client's first link, or the first one after others were refused. None: it was refused
    /// here, with `peer`.
    virtual Task<std::unique_ptr<AmqpConversation>> welcome(const amqp::LinkOffered& offer,
                                                            AmqpPeer& peer) = 0;
};

/// How a client is told of an error that ends its connection; an error of the engine says so
/// itself.
amqp::Condition condition_of(const Error& error);

/// Bounds of a session; tests inject small ones.
struct AmqpSettings {
    std::chrono::milliseconds handshake_time = limits::handshake_time_max;
    std::chrono::milliseconds connect_time = limits::request_time_max;
    std::chrono::milliseconds linkless_time = limits::amqp_linkless_time_max;
    std::chrono::milliseconds answer_time = limits::answer_time_max;
    amqp::EngineBounds engine{};
};

/// Serves an accepted connection from handshake to end. Everything it refers to outlives it.
class AmqpDoor final : public ConnectionHandler, public StreamHandler {
public:
    AmqpDoor(TlsServer& tls, AmqpHandler& handler, Metrics& metrics,
             const AmqpSettings& settings = {});
    ~AmqpDoor() override;

    Task<void> serve(Core& core, AcceptedSocket socket) override;
    /// On a stream that is open already.
    Task<void> serve(Core& core, Stream& stream) override;

    struct Held;  ///< what its sessions share

private:
    const AskForCertificate ask_;
    TlsServer& tls_;
    std::unique_ptr<Held> held_;
};

}  // namespace rollcall::net
