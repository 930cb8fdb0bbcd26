// SPDX-License-Identifier: Apache-2.0
// CertificateShelf: the certificates in an operator's directory, found by their thumbprints. What a
// provisioning service exports names certificates by these and never gives them back.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::app {

class CertificateShelf {
public:
    /// Without a directory: an empty one.
    CertificateShelf() = default;
    /// Reads every file of the directory and those below; several certificates in one file are all
    /// found. What is no certificate is left out, and told of by strangers(). not_found, forbidden;
    /// too_large beyond limits::import_certificate_files_max files.
    static Result<CertificateShelf> open(const std::filesystem::path& directory);

    /// As PEM. Thumbprints are hex in any case; `sha256` counts where it is one, else `sha1`.
    std::optional<std::string> pem_of(const std::string& sha256, const std::string& sha1) const;

    std::size_t certificates() const { return by_sha256_.size(); }
    /// Files that hold no certificate.
    const std::vector<std::string>& strangers() const { return strangers_; }

private:
    void add(const std::filesystem::path& file);

    std::vector<std::filesystem::path> files_;
    std::map<std::string, std::uint32_t> by_sha256_;  ///< upper-case hex, to a place in files_
    std::map<std::string, std::uint32_t> by_sha1_;
    std::vector<std::string> strangers_;
};

}  // namespace rollcall::app
