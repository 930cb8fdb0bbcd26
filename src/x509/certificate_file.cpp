// SPDX-License-Identifier: Apache-2.0
// read_certificates: the spellings in which people and clients hand certificates over.
#include "base/limits.hpp"
#include "x509/certificate.hpp"
#include "x509/openssl.hpp"
#include "x509/pem.hpp"

#include <algorithm>
#include <optional>

#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

namespace rollcall::x509 {
namespace {

Error refused(std::string reason, std::string detail) {
    return Error{ErrorKind::malformed, std::move(detail), std::move(reason)};
}

Error private_key_refused() {
    return refused("private-key-uploaded",
                   "this holds a private key, which never leaves its owner: upload the certificate "
                   "alone. The key was not kept, but treat it as seen");
}

Error pkcs12_refused() {
    return refused("pkcs12-uploaded",
                   "this is a PKCS#12 store (.p12, .pfx), which holds a private key: upload the "
                   "certificate alone (openssl pkcs12 -in FILE -nokeys -out certificate.pem)");
}

Error pkcs7_refused() {
    return refused("pkcs7-uploaded",
                   "this is a PKCS#7 bundle (.p7b): upload the certificate itself (openssl pkcs7 "
                   "-in FILE -print_certs -out certificate.pem)");
}

Error request_refused() {
    return refused("request-uploaded",
                   "this is a certificate signing request, not a certificate: upload what the CA "
                   "made of it");
}

Error too_many(std::size_t count_max) {
    return Error{ErrorKind::too_large,
                 "more than " + std::to_string(count_max) + " certificates in one file",
                 "too-many-certificates"};
}

/// Does the whole of `der` decode as what `decode` reads?
template <auto release, class Decode>
bool decodes(ByteView der, Decode decode) {
    const unsigned char* at = der.data();
    auto* object = decode(nullptr, &at, static_cast<long>(der.size()));
    const bool decoded = object != nullptr;
    release(object);
    forget_openssl_errors();
    return decoded;
}

/// What was handed over in place of a certificate; none when it is nothing we know.
std::optional<Error> known_refusal(ByteView der) {
    if (decodes<EVP_PKEY_free>(der, d2i_AutoPrivateKey) ||
        decodes<X509_SIG_free>(der, d2i_X509_SIG)) {
        return private_key_refused();
    }
    if (decodes<PKCS12_free>(der, d2i_PKCS12)) {
        return pkcs12_refused();
    }
    if (decodes<PKCS7_free>(der, d2i_PKCS7)) {
        return pkcs7_refused();
    }
    if (decodes<X509_REQ_free>(der, d2i_X509_REQ)) {
        return request_refused();
    }
    return std::nullopt;
}

using Certificates = std::vector<Certificate>;

Result<Certificates> read_der(ByteView der) {
    auto certificate = Certificate::parse_der(der);
    if (certificate) {
        return Certificates{*certificate};
    }
    if (certificate.error().reason != "trailing-bytes") {
        if (auto refusal = known_refusal(der)) {
            return *std::move(refusal);
        }
    }
    return certificate.error();
}

std::optional<Error> label_refusal(std::string_view label) {
    if (label.ends_with("PRIVATE KEY")) {
        return private_key_refused();
    }
    if (label == "PKCS12" || label == "PFX") {
        return pkcs12_refused();
    }
    return std::nullopt;
}

/// Why a text without a certificate holds none.
Error nothing_found(const std::vector<PemBlock>& blocks) {
    for (const auto& block : blocks) {
        if (block.label == "PKCS7" || block.label == "CMS") {
            return pkcs7_refused();
        }
        if (block.label.ends_with("CERTIFICATE REQUEST")) {
            return request_refused();
        }
    }
    return refused("no-certificate", "there is no certificate in this text");
}

Result<Certificates> read_pem(std::string_view text, std::size_t count_max) {
    const std::vector<PemBlock> blocks = pem_blocks(text);
    // Keys first: wherever one stands in the file, its owner has to hear of it.
    for (const auto& block : blocks) {
        if (auto refusal = label_refusal(block.label)) {
            return *std::move(refusal);
        }
    }
    Certificates certificates;
    for (const auto& block : blocks) {
        if (block.label != "CERTIFICATE" && block.label != "X509 CERTIFICATE") {
            continue;
        }
        if (certificates.size() == count_max) {
            return too_many(count_max);
        }
        if (!block.der) {
            return refused("malformed-certificate",
                           "a PEM block is cut short or is not base64; copy the file whole");
        }
        auto certificate = read_der(*block.der);
        if (certificate) {
            certificates.push_back(certificate->front());
        } else if (certificates.empty() || certificate.error().reason != "malformed-certificate") {
            // After a good one, what cannot be read is a stray (PRODUCT section 3.7).
            return certificate.error();
        }
    }
    if (certificates.empty()) {
        return nothing_found(blocks);
    }
    return certificates;
}

/// A SEQUENCE in the long form of DER, or a short one (a small private key) that ends with the
/// file; no text in which certificates come begins so.
bool looks_like_der(ByteView bytes) {
    return bytes.size() > 2 && bytes[0] == 0x30 &&
           (bytes[1] >= 0x80 || bytes[1] == bytes.size() - 2);
}

bool looks_like_pem(std::string_view text) {
    return text.find("-----BEGIN ") != text.npos;
}

}  // namespace

Result<std::vector<Certificate>> read_certificates(std::string_view file, std::size_t count_max,
                                                   std::size_t bytes_max) {
    if (file.size() > bytes_max) {
        return Error{ErrorKind::too_large,
                     "a certificate file may have " + std::to_string(bytes_max) + " bytes",
                     "file-too-large"};
    }
    if (looks_like_der(as_bytes(file))) {
        return read_der(as_bytes(file));
    }
    if (looks_like_pem(file)) {
        return read_pem(file, count_max);
    }
    if (const auto decoded = parse_base64(file); decoded && !decoded->empty()) {
        if (looks_like_der(*decoded)) {
            return read_der(*decoded);
        }
        if (looks_like_pem(as_text(*decoded))) {
            return read_pem(as_text(*decoded), count_max);
        }
    }
    return refused("no-certificate", "there is no certificate in PEM or DER here");
}

Result<Certificate> read_one_certificate(std::string_view file) {
    TRY(const auto certificates, read_certificates(file, limits::peer_certificates_max));
    if (certificates.size() > 1) {
        return refused("too-many-certificates",
                       "there are " + std::to_string(certificates.size()) +
                           " certificates in this file; upload the one that is meant");
    }
    return certificates.front();
}

}  // namespace rollcall::x509
