// SPDX-License-Identifier: Apache-2.0
#include "x509/possession.hpp"

#include "x509/path.hpp"

namespace rollcall::x509 {
namespace {

/// 48 characters of hex.
constexpr std::size_t code_bytes = 24;

Error unproved(std::string reason, std::string detail) {
    return Error{ErrorKind::conflict, std::move(detail), std::move(reason)};
}

}  // namespace

std::string new_possession_code(Entropy& entropy) {
    return random_upper_hex(entropy, code_bytes);
}

Result<Done> check_possession(const Certificate& ca, const std::string& code,
                              const Certificate& proof, TimePoint at,
                              std::chrono::seconds tolerance) {
    const std::string named = proof.common_name().value_or("");
    if (code.empty() || !equal_in_constant_time(as_bytes(named), as_bytes(code))) {
        return unproved("wrong-code",
                        "the verification certificate's common name is not the pending code: ask "
                        "for the code again and put exactly that into the CN");
    }
    if (proof.issuer_normalised() != ca.subject_normalised()) {
        return unproved("wrong-issuer",
                        "the verification certificate was issued by \"" + proof.issuer() +
                            "\": it must be signed directly by \"" + ca.subject() + "\"");
    }
    if (!is_signed_by(proof, ca)) {
        return unproved("wrong-key",
                        "the verification certificate is not signed by this CA's key (a CA of the "
                        "same name has another)");
    }
    if (at + tolerance < proof.not_before()) {
        return unproved("proof-not-yet-valid", "the verification certificate is valid only from " +
                                                   to_iso8601_seconds(proof.not_before()));
    }
    // not_after is inclusive, and names a whole second (RFC 5280 section 4.1.2.5).
    if (std::chrono::floor<std::chrono::seconds>(at) > proof.not_after()) {
        return unproved("proof-expired", "the verification certificate expired on " +
                                             to_iso8601_seconds(proof.not_after()));
    }
    return Done{};
}

}  // namespace rollcall::x509
