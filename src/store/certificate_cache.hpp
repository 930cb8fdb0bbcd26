// SPDX-License-Identifier: Apache-2.0
// Parsed certificates by their digest, so that a stored one is decoded (20 to 100 us) once and not
// at every look-up. Bounded; the least recently used goes. Safe from any thread.
#pragma once

#include "x509/certificate.hpp"

#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace rollcall::store {

class CertificateCache {
public:
    explicit CertificateCache(std::size_t count_max) : count_max_(count_max) {}

    std::optional<x509::Certificate> find(const Digest& sha256);
    void keep(const x509::Certificate& certificate);
    std::size_t size() const;

private:
    using Order = std::list<x509::Certificate>;  // the most recently used first

    const std::size_t count_max_;
    mutable std::mutex mutex_;
    Order order_;
    std::unordered_map<Digest, Order::iterator> places_;
};

}  // namespace rollcall::store
