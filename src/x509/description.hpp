// SPDX-License-Identifier: Apache-2.0
// What a certificate's extensions say, in words an operator reads. Used by `rollcall pki inspect`;
// judges nothing (x509/path.hpp does).
#pragma once

#include "x509/certificate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::x509 {

/// Absent extensions are empty. Names as in RFC 5280 section 4.2: "keyCertSign", "clientAuth".
struct ExtensionWords {
    std::optional<bool> ca{};
    std::optional<std::size_t> path_length{};
    std::vector<std::string> key_usage{};
    std::vector<std::string> extended_key_usage{};
    /// "DNS:hub.example", "IP:127.0.0.1", "URI:urn:dev:1", "email:a@b".
    std::vector<std::string> subject_alt_names{};
    /// "permitted DNS:example.com", "excluded IP:10.0.0.0/255.0.0.0".
    std::vector<std::string> name_constraints{};
    /// Lower-case hex.
    std::string subject_key_id{};
    std::string authority_key_id{};
    /// Every extension in the certificate's order: "basicConstraints (critical)", "1.2.3.4".
    std::vector<std::string> all{};
    /// What could not be read: "malformed-extension: ...".
    std::vector<std::string> flaws{};
};

ExtensionWords describe_extensions(const Certificate& certificate);

}  // namespace rollcall::x509
