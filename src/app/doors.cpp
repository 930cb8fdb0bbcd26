// SPDX-License-Identifier: Apache-2.0
#include "app/doors.hpp"

namespace rollcall::app {

Result<std::string> Doors::listen(const std::string& name, const net::ListenAddress& address,
                                  net::ConnectionHandler& handler, net::DoorSettings settings) {
    settings.name = name;
    auto listener = net::Listener::open(runtime_, address, settings, handler, metrics_);
    if (!listener) {
        Error error = listener.error();
        error.detail = "the door " + name + " cannot open at " + address.str() + ": " +
                       error.detail + "\nChoose another with --" + name +
                       " ADDR:PORT, or close it with --" + name + " off.";
        return error;
    }
    std::string at = (*listener)->address().str();
    listeners_.push_back(*std::move(listener));
    return at;
}

Result<Done> Doors::open(const std::string& name, const std::optional<net::ListenAddress>& address,
                         net::ConnectionHandler& handler, net::DoorSettings settings) {
    if (!address) {
        addresses_.emplace_back(name, "off");
        return Done{};
    }
    TRY(const std::string at, listen(name, *address, handler, std::move(settings)));
    addresses_.emplace_back(name, at);
    return Done{};
}

Result<Done> Doors::open_shared(const std::string& first, const std::string& second,
                                const net::ListenAddress& address, net::ConnectionHandler& handler,
                                net::DoorSettings settings) {
    TRY(const std::string at, listen(first, address, handler, std::move(settings)));
    addresses_.emplace_back(first, at);
    addresses_.emplace_back(second, at);
    return Done{};
}

Result<Done> Doors::open_socket(const std::filesystem::path& path, net::ConnectionHandler& handler,
                                net::DoorSettings settings) {
    settings.name = "operator-socket";
    TRY(auto listener, net::Listener::open_unix(runtime_, path, settings, handler, metrics_));
    listeners_.push_back(std::move(listener));
    return Done{};
}

std::string ready_line(const ScopeId& scope,
                       const std::vector<std::pair<std::string, std::string>>& addresses) {
    std::string line = "ready scope=" + scope.str();
    for (const std::string door :
         {"device-https", "device-mqtt", "device-amqp", "operator", "metrics"}) {
        std::string at = "off";
        for (const auto& [name, address] : addresses) {
            if (name == door) {
                at = address;
            }
        }
        line += " " + door + "=" + at;
    }
    return line;
}

}  // namespace rollcall::app
