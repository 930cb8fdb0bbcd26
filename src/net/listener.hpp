// SPDX-License-Identifier: Apache-2.0
// Listener: a door. Accepts on every core with a socket of its own (SO_REUSEPORT), caps how many
// connections are open, and hands each accepted one to a ConnectionHandler on that core for good.
// Also the unix-domain door of the operator's own machine.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/telemetry.hpp"
#include "net/runtime.hpp"
#include "net/stream.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::net {

/// Where a door opens.
struct ListenAddress {
    std::string host{};      ///< textual IPv4 or IPv6 address, no brackets
    std::uint16_t port = 0;  ///< 0: the system chooses

    /// "127.0.0.1:8443", "[::1]:8443".
    std::string str() const;
    bool operator==(const ListenAddress&) const = default;
};

/// Reads "ADDR:PORT", "[V6]:PORT" or "*:PORT" (all addresses, both families); malformed otherwise.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// Lets this process open as many descriptors as it may (setrlimit(2): the soft limit becomes the
/// hard one). Systems start programs with 1,024, which is less than one door takes. How many those
/// are now.
std::size_t allow_descriptors();

/// Counts an open connection against its door while it exists.
class Admission {
public:
    /// none: the cap is met.
    static std::optional<Admission> enter(std::atomic<std::size_t>& open, std::size_t cap);
    Admission(Admission&& other) noexcept;
    Admission& operator=(Admission&&) = delete;
    ~Admission();

private:
    explicit Admission(std::atomic<std::size_t>& open) : open_(&open) {}
    std::atomic<std::size_t>* open_;
};

/// A connected, non-blocking socket and what its door knows of it. Owns the descriptor.
class AcceptedSocket {
public:
    AcceptedSocket(int descriptor, ConnectionFacts known, Admission admission);
    AcceptedSocket(AcceptedSocket&& other) noexcept;
    AcceptedSocket& operator=(AcceptedSocket&&) = delete;
    ~AcceptedSocket();

    /// Gives the descriptor away.
    int release();
    ConnectionFacts facts;
    Admission admission;

private:
    int descriptor_;
};

/// Whoever stands behind a door. Called on the connection's core; outlives the runtime's threads.
class ConnectionHandler {
public:
    virtual ~ConnectionHandler() = default;
    virtual Task<void> serve(Core& core, AcceptedSocket socket) = 0;
};

struct DoorSettings {
    /// Short name for logs, metrics and ConnectionFacts::door ("device-https").
    std::string name;
    std::size_t connections_max = limits::connections_max;
    /// Asked on any core for each connection before anything is spent on it; false closes it.
    /// Empty: everybody may come in.
    std::function<bool(const ConnectionFacts&)> may_enter{};
};

class Listener {
public:
    /// Binds and listens on every core, and begins to accept when the runtime runs. conflict
    /// ("address-in-use") when another server has the port, also one that would share it.
    /// Handler, metrics and runtime outlive the Listener; destroy it after Runtime::wait().
    static Result<std::unique_ptr<Listener>> open(Runtime& runtime, const ListenAddress& address,
                                                  const DoorSettings& settings,
                                                  ConnectionHandler& handler, Metrics& metrics);

    /// A unix-domain socket of mode 0600, accepted on core 0. A left-over file is replaced when it
    /// is a socket and nobody listens there; conflict otherwise. Removed again at the end.
    static Result<std::unique_ptr<Listener>> open_unix(Runtime& runtime,
                                                       const std::filesystem::path& path,
                                                       const DoorSettings& settings,
                                                       ConnectionHandler& handler,
                                                       Metrics& metrics);

    ~Listener();

    /// The real address, with the port the system chose. Empty for a unix-domain socket.
    const ListenAddress& address() const;
    /// Open connections, all cores.
    std::size_t connections() const;

private:
    struct Door;
    explicit Listener(std::unique_ptr<Door> door);
    std::unique_ptr<Door> door_;
};

/// A Stream without TLS on an accepted socket (metrics door, unix-domain door).
std::unique_ptr<Stream> plain_stream(Core& core, AcceptedSocket socket);

}  // namespace rollcall::net
