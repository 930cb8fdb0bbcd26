// SPDX-License-Identifier: Apache-2.0
#include "x509/openssl_builds.hpp"

#include <dlfcn.h>
#include <memory>

#include <openssl/crypto.h>

namespace rollcall::x509 {
namespace {

constexpr auto* shared_library = "libcrypto.so.3";

using Tell = const char* (*)(int);

std::string build_by(Tell tell) {
    return std::string(tell(OPENSSL_VERSION)) + ", " + tell(OPENSSL_BUILT_ON);
}

}  // namespace

OpensslBuilds openssl_builds() {
    OpensslBuilds builds{.linked = build_by(&OpenSSL_version), .installed = std::nullopt};
    const std::unique_ptr<void, int (*)(void*)> library(
        ::dlopen(shared_library, RTLD_LAZY | RTLD_LOCAL),
        [](void* open) { return ::dlclose(open); });
    if (library) {
        if (const auto tell = reinterpret_cast<Tell>(::dlsym(library.get(), "OpenSSL_version"))) {
            builds.installed = build_by(tell);
        }
    }
    return builds;
}

}  // namespace rollcall::x509
