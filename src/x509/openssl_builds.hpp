// SPDX-License-Identifier: Apache-2.0
// Which OpenSSL runs here. A release has OpenSSL linked into it, so the system's security updates
// reach it only when it is built again: this tells when that is due.
#pragma once

#include <optional>
#include <string>

namespace rollcall::x509 {

/// Version and time of the build, as OpenSSL tells them; Debian's static and shared libraries of
/// one package tell the same.
struct OpensslBuilds {
    std::string linked;                    ///< the code that runs in this program
    std::optional<std::string> installed;  ///< the shared library of this machine, where it has one

    bool differ() const { return installed && *installed != linked; }
};

OpensslBuilds openssl_builds();

}  // namespace rollcall::x509
