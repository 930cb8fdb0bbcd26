// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_shelf.hpp"

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/certificate.hpp"

#include <algorithm>

namespace rollcall::app {
namespace {

namespace fs = std::filesystem;

/// Certificates of one file: as many as an anchor file of `pki verify` may have.
constexpr std::size_t bundle_max = limits::pki_verify_certificates_max;
constexpr std::size_t sha256_digits = 64;

Result<std::vector<x509::Certificate>> certificates_in(const fs::path& file) {
    TRY(const std::string text, read_file(file, limits::certificate_file_bytes_max));
    return x509::read_certificates(text, bundle_max);
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

}  // namespace

Result<CertificateShelf> CertificateShelf::open(const fs::path& directory) {
    CertificateShelf shelf;
    std::error_code failed;
    std::vector<fs::path> files;
    fs::recursive_directory_iterator entries{directory, failed};
    for (; !failed && entries != fs::recursive_directory_iterator{}; entries.increment(failed)) {
        std::error_code unknown;
        if (!entries->is_regular_file(unknown)) {
            continue;
        }
        if (files.size() == limits::import_certificate_files_max) {
            return Error{ErrorKind::too_large,
                         directory.string() + " has more than " +
                             std::to_string(limits::import_certificate_files_max) + " files"};
        }
        files.push_back(entries->path());
    }
    if (failed) {
        return Error{ErrorKind::not_found,
                     directory.string() + ": cannot be read: " + failed.message()};
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        shelf.add(file);
    }
    return shelf;
}

void CertificateShelf::add(const fs::path& file) {
    const auto certificates = certificates_in(file);
    if (!certificates) {
        strangers_.push_back(file.string());
        return;
    }
    const auto place = static_cast<std::uint32_t>(files_.size());
    files_.push_back(file);
    for (const auto& certificate : *certificates) {
        by_sha256_.emplace(upper(certificate.sha256_thumbprint()), place);
        by_sha1_.emplace(upper(certificate.sha1_thumbprint()), place);
    }
}

std::optional<std::string> CertificateShelf::pem_of(const std::string& sha256,
                                                    const std::string& sha1) const {
    const bool better = sha256.size() == sha256_digits;
    const auto& places = better ? by_sha256_ : by_sha1_;
    const std::string wanted = upper(better ? sha256 : sha1);
    const auto found = places.find(wanted);
    if (found == places.end()) {
        return std::nullopt;
    }
    const auto certificates = certificates_in(files_[found->second]);
    if (!certificates) {
        return std::nullopt;  // it was there when the directory was read, and went
    }
    for (const auto& certificate : *certificates) {
        if (upper(better ? certificate.sha256_thumbprint() : certificate.sha1_thumbprint()) ==
            wanted) {
            return certificate.pem();
        }
    }
    return std::nullopt;
}

}  // namespace rollcall::app
