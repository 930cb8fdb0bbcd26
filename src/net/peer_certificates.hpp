// SPDX-License-Identifier: Apache-2.0
// PeerCertificates: the intermediates that devices keep sending, parsed once. A fleet shares a few;
// each connection then holds a reference instead of its own copy (5 kB) and its own reading of it.
#pragma once

#include "base/result.hpp"
#include "x509/certificate.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rollcall::net {

/// Shared by all cores. Holds parsed certificates, no verdicts.
class PeerCertificates {
public:
    /// Up to `generation_max` of those met lately, and as many of those met before them.
    explicit PeerCertificates(std::size_t generation_max);

    /// The shared Certificate of equal bytes, or `native` itself, from now on shared.
    Result<x509::Certificate> intern(x509_st* native);

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    /// By the certificate's signature: cheap to get at, and different certificates rarely share
    /// one. The whole encoding is compared before anything is taken from here.
    using Generation = std::unordered_map<std::string, x509::Certificate, Hash, std::equal_to<>>;

    const x509::Certificate* find(std::string_view signature);
    void keep(std::string_view signature, const x509::Certificate& certificate);

    const std::size_t generation_max_;
    std::mutex mutex_;
    Generation young_;
    Generation old_;
};

}  // namespace rollcall::net
