// SPDX-License-Identifier: Apache-2.0
#include "net/bound_socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace rollcall::net {
namespace {

/// Connections the kernel may hold for us while a core is busy; it caps this at somaxconn.
constexpr int backlog = 4096;

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

Error socket_error(int error, const std::string& where) {
    const std::string told = where + ": " + std::strerror(error);
    switch (error) {
        case EADDRINUSE:
            return {ErrorKind::conflict, where + " is in use by another server", "address-in-use"};
        case EACCES:
        case EPERM: return {ErrorKind::forbidden, told, "address-needs-privilege"};
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT: return {ErrorKind::not_found, told, "address-not-available"};
        default: return {ErrorKind::unavailable, told, "cannot-listen"};
    }
}

Result<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string service = std::to_string(port);
    if (::getaddrinfo(host.c_str(), service.c_str(), &hints, &found) != 0) {
        return Error{ErrorKind::malformed, "'" + host + "' is not an IP address", "bad-address"};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    SocketAddress address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    return address;
}

void set_option(const Descriptor& socket, int level, int option, int value) {
    // Without any of these the door still works; a failure shows when binding.
    (void)::setsockopt(socket.get(), level, option, &value, sizeof value);
}

Result<Descriptor> make_socket(const SocketAddress& address, const std::string& where) {
    Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) {
        return socket_error(errno, where);
    }
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    // Accepted sockets inherit these from the listening one.
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (address.family() == AF_INET6) {
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    return socket;
}

Result<Done> bind_and_listen(const Descriptor& socket, const SocketAddress& address,
                             const std::string& where) {
    if (::bind(socket.get(), address.get(), address.size) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        return socket_error(errno, where);
    }
    return Done{};
}

Result<std::uint16_t> bound_port(const Descriptor& socket, const std::string& where) {
    SocketAddress address;
    address.size = sizeof address.storage;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size) !=
        0) {
        return socket_error(errno, where);
    }
    return ntohs(address.family() == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

Result<SharedSockets> bind_shared_at(const std::string& host, const ListenAddress& address,
                                     std::size_t count) {
    const std::string where = address.str();
    TRY(SocketAddress place, numeric_address(host, address.port));
    SharedSockets made;
    // The first socket binds and listens without SO_REUSEPORT: that fails if any other server has
    // the port, shared or not, and once it listens nobody else gets it. Only then it is opened to
    // our own further sockets, so that no moment is left in which two servers could both succeed.
    TRY(Descriptor first, make_socket(place, where));
    TRY([[maybe_unused]] const auto listening, bind_and_listen(first, place, where));
    set_option(first, SOL_SOCKET, SO_REUSEPORT, 1);
    TRY(made.port, bound_port(first, where));
    made.descriptors.push_back(std::move(first));
    TRY(place, numeric_address(host, made.port));
    while (made.descriptors.size() < count) {
        TRY(Descriptor next, make_socket(place, where));
        set_option(next, SOL_SOCKET, SO_REUSEPORT, 1);
        TRY([[maybe_unused]] const auto shared, bind_and_listen(next, place, where));
        made.descriptors.push_back(std::move(next));
    }
    return made;
}

Result<sockaddr_un> unix_address(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof address.sun_path) {
        return Error{ErrorKind::too_large, "the path of the socket is too long: " + text,
                     "socket-path-too-long"};
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    return address;
}

/// Makes room at `path`: nothing there, or a socket on which nobody listens.
Result<Done> clear_stale(const std::filesystem::path& path, const sockaddr_un& address) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        return Done{};
    }
    if (!S_ISSOCK(found.st_mode)) {
        return Error{ErrorKind::conflict, path.string() + " exists and is not a socket",
                     "not-a-socket"};
    }
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (probe.get() < 0) {
        return socket_error(errno, path.string());
    }
    const bool answered =
        ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (answered || errno != ECONNREFUSED) {
        return socket_error(EADDRINUSE, path.string());
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return socket_error(errno, path.string());
    }
    return Done{};
}

}  // namespace

Descriptor::~Descriptor() {
    if (value_ >= 0) {
        ::close(value_);
    }
}

std::string ListenAddress::str() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
    const Error malformed{ErrorKind::malformed, "'" + std::string(text) + "' is not ADDRESS:PORT",
                          "bad-address"};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return malformed;
    }
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    if (host.empty() || bracketed != (host.find(':') != std::string_view::npos)) {
        return malformed;
    }
    ListenAddress address{.host = std::string(host == "localhost" ? "127.0.0.1" : host)};
    const auto [end, failed] =
        std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (failed != std::errc{} || end != port.data() + port.size()) {
        return malformed;
    }
    if (address.host != "*") {
        TRY([[maybe_unused]] const auto usable, numeric_address(address.host, address.port));
    }
    return address;
}

Result<SharedSockets> bind_shared(const ListenAddress& address, std::size_t count) {
    if (address.host != "*") {
        return bind_shared_at(address.host, address, count);
    }
    auto both_families = bind_shared_at("::", address, count);
    if (both_families || both_families.error().reason != "address-not-available") {
        return both_families;
    }
    return bind_shared_at("0.0.0.0", address, count);  // a machine without IPv6
}

UnixSocketFile::~UnixSocketFile() {
    struct stat found {};
    if (!path_.empty() && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
        found.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

Result<BoundUnixSocket> bind_unix(const std::filesystem::path& path) {
    TRY(const sockaddr_un address, unix_address(path));
    TRY([[maybe_unused]] const auto cleared, clear_stale(path, address));
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // Linux gives the new file the mode the unbound socket has: there is no moment in which
    // others may connect, and the process's umask stays alone.
    if (socket.get() < 0 || ::fchmod(socket.get(), 0600) != 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        return socket_error(errno, path.string());
    }
    struct stat made {};
    if (::lstat(path.c_str(), &made) != 0) {
        return socket_error(errno, path.string());
    }
    return BoundUnixSocket{std::move(socket), UnixSocketFile{path, made.st_dev, made.st_ino}};
}

ConnectionFacts facts_of_peer(const sockaddr_storage& peer) {
    ConnectionFacts facts;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (peer.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        facts.peer_port = ntohs(v4.sin_port);
    } else if (peer.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
        } else {
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        }
        facts.peer_port = ntohs(v6.sin6_port);
    } else {
        facts.local = true;
    }
    facts.peer_address = text.data();
    return facts;
}

}  // namespace rollcall::net
