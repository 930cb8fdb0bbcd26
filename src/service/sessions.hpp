// SPDX-License-Identifier: Apache-2.0
// Sessions: the devices that are connected to the hub now, by device and by what they rest on. Used
// by service/hub to reach a device, by service/trust_watch to end those whose trust is gone. Any
// thread; a session itself is told what to do on its own core.
#pragma once

#include "domain/attestation.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace rollcall::service {

/// The desired properties changed: the part that did, with its $version, as JSON text.
struct DesiredChange {
    std::string patch{};
    std::uint64_t version = 0;
};
/// A direct method. The device's answer comes to Hub::method_answered() with the same id.
struct MethodRequest {
    std::uint64_t id = 0;
    std::string name{};
    std::string payload{};  ///< JSON text
};
/// There may be more messages to fetch.
struct MessagesWait {};
using Delivery = std::variant<DesiredChange, MethodRequest, MessagesWait>;

enum class SessionEnd : std::uint8_t { taken_over, trust_withdrawn, device_gone, moved };
std::string_view to_string(SessionEnd why);

/// A device's connection as its front holds it.
class LiveSession {
public:
    virtual ~LiveSession() = default;
    /// Any thread, returns at once; what comes too late for the session is dropped.
    virtual void deliver(Delivery delivery) = 0;
    virtual void end(SessionEnd why) = 0;
};

/// What is known of a connected device.
struct SessionFacts {
    DeviceId device;
    RegistrationId registration;
    domain::Adoption basis;  ///< what its trust rests on
    /// When the token it came in with ends, and the session with it; none: it came by certificate.
    std::optional<TimePoint> until{};
    domain::Protocol protocol = domain::Protocol::mqtt;
    std::string peer_address{};
    std::string user_agent{};
    TimePoint since{};
};

class Sessions {
public:
    /// From now on the device is reached by `session`; one it had before is ended.
    void enter(const SessionFacts& facts, std::shared_ptr<LiveSession> session);
    /// Nothing happens when another session has taken over.
    void leave(const DeviceId& device, const LiveSession& session);

    /// nullptr: not connected.
    std::shared_ptr<LiveSession> of(const DeviceId& device) const;
    std::optional<SessionFacts> facts_of(const DeviceId& device) const;
    std::size_t count() const;

    /// Ends those whose group's trust was withdrawn, or that rest on a distrusted key.
    std::size_t end_withdrawn(const domain::TrustView& trust);
    /// An individual enrollment was written or deleted (none): ends its device's session where that
    /// took away what it rests on.
    std::size_t end_withdrawn(const domain::TrustView& trust, const RegistrationId& id,
                              const std::optional<domain::IndividualEnrollment>& individual);
    /// The device is blocked, not approved any more, deleted, or at another hub.
    std::size_t end(const DeviceId& device, SessionEnd why);

private:
    struct Held {
        std::shared_ptr<const SessionFacts> facts;
        std::shared_ptr<LiveSession> session;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<DeviceId, Held> by_device;
    };
    static constexpr std::size_t shards = 16;

    Shard& shard_of(const DeviceId& device);
    const Shard& shard_of(const DeviceId& device) const;
    template <class Gone>
    std::size_t end_where(const Gone& gone);

    std::array<Shard, shards> shards_;
};

}  // namespace rollcall::service
