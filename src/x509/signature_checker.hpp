// SPDX-License-Identifier: Apache-2.0
// Signature checks of one search: counted, bounded, each made once. Inside x509 only.
#pragma once

#include "x509/path.hpp"

#include <map>
#include <utility>

namespace rollcall::x509 {

class SignatureChecker {
public:
    SignatureChecker(std::size_t checks_max, SignatureMemory* memory)
        : checks_max_(checks_max), memory_(memory) {}

    enum class Outcome { good, bad, unaffordable };

    /// Does `issuer`'s key verify `certificate`? `lasting`: worth remembering beyond this search
    /// (a CA's certificate is met again and again, a device's own is not).
    Outcome check(const Certificate& certificate, const Certificate& issuer, bool lasting);
    Outcome check(const Crl& crl, const Certificate& signer);

    std::size_t spent() const { return spent_; }
    std::size_t left() const { return checks_max_ - spent_; }
    /// Checks that a search within this one (for a CRL's signer) made.
    void add_spent(std::size_t checks) { spent_ += checks; }
    SignatureMemory* memory() const { return memory_; }

private:
    using Pair = std::pair<Digest, Digest>;
    std::map<Pair, bool> known_;
    std::size_t checks_max_;
    std::size_t spent_ = 0;
    SignatureMemory* memory_;
};

}  // namespace rollcall::x509
