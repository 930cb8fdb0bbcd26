// SPDX-License-Identifier: Apache-2.0
// LocalCa: the server's own CA, made at first start when no server certificate was given. Devices
// and tools trust DIR/tls/ca.pem; the server certificate under it renews itself.
#pragma once

#include "base/task.hpp"
#include "base/world.hpp"
#include "net/runtime.hpp"
#include "net/tls.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace rollcall::app {

/// What clients may call the server, in order of preference; without repeats.
struct ServerNames {
    std::vector<std::string> dns{};
    std::vector<std::string> addresses{};  ///< textual IPv4 and IPv6

    /// Puts an address or a name where it belongs, unless it is there already.
    void add(const std::string& name_or_address);
};

/// Days a server certificate lives; it is replaced at two thirds of it.
inline constexpr auto server_certificate_life = std::chrono::hours{24 * 90};
/// The CA outlives the devices that pin it.
inline constexpr auto local_ca_life = std::chrono::hours{24 * 365 * 20};

class LocalCa {
public:
    /// `tls`: the directory of ca.pem, ca-key.pem, server.pem, server-key.pem.
    LocalCa(std::filesystem::path tls, ServerNames names);

    /// Makes what is missing, and a new server certificate where the one there has reached two
    /// thirds of its life or not begun it, is not of this CA or does not say exactly these names.
    /// true: one was made. Keys are ECDSA P-256, written 0600. Errors: what lies there cannot be
    /// read (nothing is overwritten), the CA has expired, the directory cannot be written.
    Result<bool> ensure(TimePoint now, Entropy& entropy) const;

    net::CredentialFiles server_files() const;
    std::filesystem::path ca_file() const { return tls_ / "ca.pem"; }

private:
    struct Authority;
    Result<Authority> authority(TimePoint now, Entropy& entropy) const;
    Result<bool> is_current(const Authority& authority, TimePoint now) const;
    Result<Done> issue_server(const Authority& authority, TimePoint now, Entropy& entropy) const;

    std::filesystem::path tls_;
    ServerNames names_;
};

/// The moment at which a certificate with this validity is replaced: two thirds of its life.
TimePoint renewal_due(TimePoint not_before, TimePoint not_after);

/// Looks every five seconds whether a renewal is due; whoever watches server_files() then takes it
/// up. Spawn it on a core; ends when the core drains.
Task<void> keep_renewed(net::Core& core, const LocalCa& ca, const Clock& clock, Entropy& entropy);

}  // namespace rollcall::app
