// SPDX-License-Identifier: Apache-2.0
// The certificates of a run: a small PKI in files, and devices that exist in memory only. For
// bench/load.
#pragma once

#include "x509/certificate.hpp"
#include "x509/key.hpp"

#include <string>
#include <vector>

namespace rollcall::bench {

[[noreturn]] void give_up(const std::string& why);

/// root, issuing, other (a second intermediate under the same root) and server, each .pem and .key,
/// in `directory`.
void make_pki(const std::string& directory);

x509::Certificate read_certificate(const std::string& path);

struct Device {
    std::string id;
    x509::Certificate certificate;
    x509::PrivateKey key;
};

/// `count` devices PREFIX1, PREFIX2, ... from number `first` on, under `issuer` (.pem and .key).
std::vector<Device> make_devices(const std::string& issuer, const std::string& prefix,
                                 unsigned first, unsigned count);

}  // namespace rollcall::bench
