// SPDX-License-Identifier: Apache-2.0
#include "app/pki_place.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"

#include <array>

namespace rollcall::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> certificate_endings{".pem", ".crt", ".cer"};

bool is_file(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

std::string without_ending(const std::string& name) {
    for (const std::string ending : certificate_endings) {
        if (name.size() > ending.size() && name.ends_with(ending)) {
            return name.substr(0, name.size() - ending.size());
        }
    }
    return name;
}

/// The name itself, or with one of the usual endings.
fs::path certificate_file(const std::string& name) {
    if (is_file(name)) {
        return name;
    }
    for (const std::string ending : certificate_endings) {
        if (is_file(name + ending)) {
            return name + ending;
        }
    }
    return name + certificate_endings.front();
}

Error about(const fs::path& file, Error error) {
    error.detail = file.string() + ": " + error.detail;
    return error;
}

Result<std::vector<x509::Certificate>> load_certificates(const fs::path& file) {
    TRY(const auto content, read_file(file, limits::certificate_file_bytes_max));
    auto certificates = x509::read_certificates(content, limits::pki_verify_certificates_max);
    return certificates ? certificates : about(file, certificates.error());
}

/// The issuer's own bundle where it has one that begins with it; else what its file holds.
Result<std::vector<x509::Certificate>> chain_of(const PkiPlace& place,
                                                std::vector<x509::Certificate> held) {
    if (is_file(place.chain)) {
        TRY(auto bundled, load_certificates(place.chain));
        if (bundled.front() == held.front()) {
            held = std::move(bundled);
        }
    }
    std::erase_if(held, [](const auto& certificate) { return certificate.self_issued(); });
    return held;
}

}  // namespace

PkiPlace place_of(const std::string& prefix) {
    const std::string stem = without_ending(prefix);
    return PkiPlace{stem + ".pem", stem + ".key", stem + ".chain.pem"};
}

Result<x509::PrivateKey> load_key(const fs::path& file) {
    TRY(const auto content, read_file(file, limits::private_key_file_bytes_max));
    auto key = x509::PrivateKey::parse_pem(content);
    return key ? key : about(file, key.error());
}

Result<x509::Certificate> load_certificate(const fs::path& file) {
    TRY(const auto certificates, load_certificates(file));
    return certificates.front();
}

Result<Signer> load_signer(const std::string& issuer, const std::optional<std::string>& key_file) {
    const PkiPlace place = place_of(issuer);
    const fs::path file = certificate_file(issuer);
    TRY(auto certificates, load_certificates(file));
    const x509::Certificate certificate = certificates.front();
    const fs::path key_place = key_file ? fs::path{*key_file} : place.key;
    TRY(auto key, load_key(key_place));
    if (!key.belongs_to(certificate)) {
        return Error{ErrorKind::conflict,
                     key_place.string() + " is not the key of " + file.string() + " (" +
                         certificate.subject() + "): name the right one with --issuer-key",
                     "wrong-key"};
    }
    TRY(auto chain, chain_of(place, std::move(certificates)));
    return Signer{certificate, std::move(key), std::move(chain)};
}

std::string bundle(const std::vector<x509::Certificate>& certificates) {
    std::string text;
    for (const auto& certificate : certificates) {
        text += certificate.pem();
    }
    return text;
}

}  // namespace rollcall::app
