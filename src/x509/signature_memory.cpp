// SPDX-License-Identifier: Apache-2.0
// SignatureMemory: two generations of a set; when the younger is full the older is forgotten, so
// that the bound holds without a list of who was used when.
#include "x509/path.hpp"

#include <mutex>
#include <shared_mutex>
#include <unordered_set>
#include <utility>

namespace rollcall::x509 {
namespace {

struct Verified {
    Digest certificate;
    Digest issuer_spki;
    bool operator==(const Verified&) const = default;
};

struct VerifiedHash {
    std::size_t operator()(const Verified& verified) const noexcept {
        // Both are digests: any mix that keeps their bits will do.
        return std::hash<Digest>{}(verified.certificate) ^
               (std::hash<Digest>{}(verified.issuer_spki) << 1);
    }
};

using Generation = std::unordered_set<Verified, VerifiedHash>;

}  // namespace

struct SignatureMemory::Held {
    mutable std::shared_mutex mutex;
    std::size_t generation_max;
    Generation younger;
    Generation older;
};

SignatureMemory::SignatureMemory(std::size_t entries_max) : held_(std::make_unique<Held>()) {
    held_->generation_max = entries_max / 2;
}

SignatureMemory::~SignatureMemory() = default;

bool SignatureMemory::knows(const Digest& certificate, const Digest& issuer_spki) const {
    const Verified verified{certificate, issuer_spki};
    const std::shared_lock lock{held_->mutex};
    return held_->younger.contains(verified) || held_->older.contains(verified);
}

void SignatureMemory::remember(const Digest& certificate, const Digest& issuer_spki) {
    const std::unique_lock lock{held_->mutex};
    if (held_->younger.size() >= held_->generation_max) {
        held_->older = std::exchange(held_->younger, {});
    }
    held_->younger.insert({certificate, issuer_spki});
}

}  // namespace rollcall::x509
