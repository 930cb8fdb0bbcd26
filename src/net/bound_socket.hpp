// SPDX-License-Identifier: Apache-2.0
// Listening sockets, before anybody accepts: addresses read and written, exclusive binding, the
// unix-domain file. Used by net/listener alone.
#pragma once

#include "base/result.hpp"
#include "net/listener.hpp"

#include <filesystem>
#include <sys/socket.h>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace rollcall::net {

/// Owns a file descriptor.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor();

    int get() const { return value_; }
    int release() { return std::exchange(value_, -1); }

private:
    int value_ = -1;
};

struct SharedSockets {
    std::vector<Descriptor> descriptors;
    std::uint16_t port = 0;
};

/// `count` listening sockets on one address and port, which no other server has.
Result<SharedSockets> bind_shared(const ListenAddress& address, std::size_t count);

/// Removes the file at the end, if it is still the one we made.
class UnixSocketFile {
public:
    UnixSocketFile(std::filesystem::path path, dev_t device, ino_t inode)
        : path_(std::move(path)), device_(device), inode_(inode) {}
    UnixSocketFile(UnixSocketFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
    UnixSocketFile& operator=(UnixSocketFile&&) = delete;
    ~UnixSocketFile();

private:
    std::filesystem::path path_;
    dev_t device_;
    ino_t inode_;
};

struct BoundUnixSocket {
    Descriptor descriptor;
    UnixSocketFile file;
};

Result<BoundUnixSocket> bind_unix(const std::filesystem::path& path);

/// peer_address, peer_port and local of an accepted connection.
ConnectionFacts facts_of_peer(const sockaddr_storage& peer);

}  // namespace rollcall::net
