// SPDX-License-Identifier: Apache-2.0
// SocketPath: a path of a unix-domain socket, usable however deep its directory lies. An address
// holds 107 characters; a longer path goes by way of a descriptor of its directory.
#pragma once

#include <filesystem>

namespace rollcall::app {

class SocketPath {
public:
    explicit SocketPath(const std::filesystem::path& path);
    ~SocketPath();
    SocketPath(const SocketPath&) = delete;
    SocketPath& operator=(const SocketPath&) = delete;

    /// To bind or connect to, while this lives and in this process only.
    const std::filesystem::path& usable() const { return usable_; }

private:
    int directory_ = -1;
    std::filesystem::path usable_;
};

}  // namespace rollcall::app
