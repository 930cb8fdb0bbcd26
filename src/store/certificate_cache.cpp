// SPDX-License-Identifier: Apache-2.0
#include "store/certificate_cache.hpp"

namespace rollcall::store {

std::optional<x509::Certificate> CertificateCache::find(const Digest& sha256) {
    const std::scoped_lock lock{mutex_};
    const auto place = places_.find(sha256);
    if (place == places_.end()) {
        return std::nullopt;
    }
    order_.splice(order_.begin(), order_, place->second);
    return *place->second;
}

void CertificateCache::keep(const x509::Certificate& certificate) {
    const std::scoped_lock lock{mutex_};
    if (places_.contains(certificate.sha256())) {
        return;
    }
    order_.push_front(certificate);
    places_.emplace(certificate.sha256(), order_.begin());
    if (order_.size() > count_max_) {
        places_.erase(order_.back().sha256());
        order_.pop_back();
    }
}

std::size_t CertificateCache::size() const {
    const std::scoped_lock lock{mutex_};
    return order_.size();
}

}  // namespace rollcall::store
