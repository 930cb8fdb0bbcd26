// SPDX-License-Identifier: Apache-2.0
#include "app/socket_path.hpp"

#include <fcntl.h>
#include <string>
#include <sys/un.h>
#include <unistd.h>

namespace rollcall::app {

SocketPath::SocketPath(const std::filesystem::path& path) : usable_(path) {
    if (path.string().size() < sizeof(sockaddr_un::sun_path)) {
        return;
    }
    directory_ = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory_ >= 0) {
        usable_ = "/proc/self/fd/" + std::to_string(directory_);
        usable_ /= path.filename();
    }
}

SocketPath::~SocketPath() {
    if (directory_ >= 0) {
        ::close(directory_);
    }
}

}  // namespace rollcall::app
