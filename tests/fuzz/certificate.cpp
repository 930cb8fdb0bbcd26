// SPDX-License-Identifier: Apache-2.0
// Fuzz target: certificate files as operators upload them and devices send them, PEM, DER or
// base64, and everything that is said about one.
#include "x509/certificate.hpp"

#include "base/invariant.hpp"
#include "x509/description.hpp"
#include "x509/path.hpp"

#include <cstdint>

namespace rollcall {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view file{reinterpret_cast<const char*>(data), size};
    const TimePoint at = std::chrono::sys_days{std::chrono::year{2030} / 6 / 15};
    const auto certificates = x509::read_certificates(file, 64);
    if (certificates) {
        for (const auto& certificate : *certificates) {
            (void)x509::describe_extensions(certificate);
            (void)x509::examine_ca(certificate, at);
            (void)x509::examine_leaf(certificate, "dev-1", at);
            (void)x509::is_signed_by(certificate, certificate);
            const auto again = x509::Certificate::parse_der(certificate.der());
            INVARIANT(again.has_value() && *again == certificate);
        }
    }
    (void)x509::read_crls(file);
    return 0;
}

}  // namespace rollcall
