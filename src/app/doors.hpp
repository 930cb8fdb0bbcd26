// SPDX-License-Identifier: Apache-2.0
// Doors: the listeners of a server, and the one line that tells scripts where they are.
#pragma once

#include "base/ids.hpp"
#include "net/listener.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::app {

class Doors {
public:
    Doors(net::Runtime& runtime, Metrics& metrics) : runtime_(runtime), metrics_(metrics) {}

    /// Opens a door, unless its address is none: then it is "off". `settings` are given their name
    /// here. The error says which door and what to do.
    Result<Done> open(const std::string& name, const std::optional<net::ListenAddress>& address,
                      net::ConnectionHandler& handler, net::DoorSettings settings);
    /// Two doors behind one address.
    Result<Done> open_shared(const std::string& first, const std::string& second,
                             const net::ListenAddress& address, net::ConnectionHandler& handler,
                             net::DoorSettings settings);
    Result<Done> open_socket(const std::filesystem::path& path, net::ConnectionHandler& handler,
                             net::DoorSettings settings);

    /// Name and address ("off" where closed) of every door that has a port, in order of opening.
    const std::vector<std::pair<std::string, std::string>>& addresses() const { return addresses_; }

private:
    Result<std::string> listen(const std::string& name, const net::ListenAddress& address,
                               net::ConnectionHandler& handler, net::DoorSettings settings);

    net::Runtime& runtime_;
    Metrics& metrics_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::vector<std::pair<std::string, std::string>> addresses_;
};

/// PRODUCT section 7: "ready scope=... device-https=ADDR:PORT device-mqtt=... device-amqp=...
/// operator=... metrics=...", doors that are not among `addresses` "off". Without a line end.
std::string ready_line(const ScopeId& scope,
                       const std::vector<std::pair<std::string, std::string>>& addresses);

}  // namespace rollcall::app
