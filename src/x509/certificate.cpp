// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"
#include "x509/distinguished_name.hpp"
#include "x509/key_description.hpp"
#include "x509/parsed.hpp"
#include "x509/time.hpp"

#include <algorithm>
#include <array>

namespace rollcall::x509 {
namespace {

Error malformed(std::string detail) {
    return openssl_error(ErrorKind::malformed, std::move(detail), "malformed-certificate");
}

Bytes encoded(const X509* native) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(native, &bytes);
    if (size <= 0) {
        forget_openssl_errors();
        return {};
    }
    Bytes der{bytes, bytes + size};
    OPENSSL_free(bytes);
    return der;
}

Digest spki_digest(const X509* native) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(native), &bytes);
    INVARIANT(size > 0);
    const Digest digest = sha256({bytes, static_cast<std::size_t>(size)});
    OPENSSL_free(bytes);
    return digest;
}

void read_names(const X509* native, Certificate::Parsed& into) {
    const X509_NAME* subject = X509_get_subject_name(native);
    const X509_NAME* issuer = X509_get_issuer_name(native);
    into.subject_normalised = name_normalised(subject);
    into.issuer_normalised = name_normalised(issuer);
    into.common_name = last_common_name(subject);
    into.subject_emails = email_addresses(subject);
}

Result<std::shared_ptr<const Certificate::Parsed>> read(X509Handle native, Bytes der) {
    auto parsed = std::make_shared<Certificate::Parsed>();
    const auto not_before = read_time(X509_get0_notBefore(native.get()));
    const auto not_after = read_time(X509_get0_notAfter(native.get()));
    if (!not_before || !not_after) {
        return malformed("the certificate's validity is not written as RFC 5280 4.1.2.5 says");
    }
    parsed->not_before = *not_before;
    parsed->not_after = *not_after;
    parsed->version = static_cast<int>(X509_get_version(native.get())) + 1;
    if (parsed->version < 1 || parsed->version > 3) {
        return malformed("the certificate is of X.509 version " + std::to_string(parsed->version));
    }
    read_names(native.get(), *parsed);
    auto key = judge_key(native.get());
    parsed->key = std::move(key.description);
    parsed->key_strong = key.strong;
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(nullptr, &algorithm, native.get());
    parsed->signature = signature_form(algorithm, X509_get0_tbs_sigalg(native.get()));
    parsed->extensions = decode_extensions(native.get());
    parsed->sha256 = sha256(der);
    parsed->spki_sha256 = spki_digest(native.get());
    parsed->der = std::move(der);
    parsed->native = std::move(native);
    return std::shared_ptr<const Certificate::Parsed>{std::move(parsed)};
}

std::string sha1_of(ByteView bytes) {
    std::array<std::uint8_t, 20> digest{};
    unsigned int size = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr);
    INVARIANT(done == 1 && size == digest.size());
    return to_upper_hex(digest);
}

}  // namespace

Result<Certificate> Certificate::parse_der(ByteView der) {
    if (der.size() > limits::certificate_bytes_max) {
        return Error{ErrorKind::too_large,
                     "a certificate may have " + std::to_string(limits::certificate_bytes_max) +
                         " bytes, this one has " + std::to_string(der.size()),
                     "certificate-too-large"};
    }
    const unsigned char* at = der.data();
    X509Handle native{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (native == nullptr) {
        return malformed("this is not a certificate in DER");
    }
    if (at != der.data() + der.size()) {
        return Error{ErrorKind::malformed,
                     "bytes follow the certificate; upload the certificate alone",
                     "trailing-bytes"};
    }
    // OpenSSL reads BER as well; another spelling of the same certificate would have another
    // fingerprint.
    Bytes canonical = encoded(native.get());
    if (!std::equal(canonical.begin(), canonical.end(), der.begin(), der.end())) {
        return malformed("the certificate is encoded in BER, not in DER");
    }
    TRY(auto parsed, read(std::move(native), std::move(canonical)));
    return Certificate{std::move(parsed)};
}

Result<Certificate> Certificate::share(x509_st* native) {
    X509_up_ref(native);
    X509Handle owned{native};
    Bytes der = encoded(native);
    if (der.empty()) {
        return malformed("this certificate cannot be encoded again");
    }
    if (der.size() > limits::certificate_bytes_max) {
        return Error{ErrorKind::too_large,
                     "a certificate may have " + std::to_string(limits::certificate_bytes_max) +
                         " bytes, this one has " + std::to_string(der.size()),
                     "certificate-too-large"};
    }
    TRY(auto parsed, read(std::move(owned), std::move(der)));
    return Certificate{std::move(parsed)};
}

ByteView Certificate::der() const {
    return parsed_->der;
}

std::string Certificate::pem() const {
    constexpr std::size_t line = 64;
    const std::string text = to_base64(parsed_->der);
    std::string pem = "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < text.size(); at += line) {
        pem.append(text, at, line);
        pem += '\n';
    }
    pem += "-----END CERTIFICATE-----\n";
    return pem;
}

const Digest& Certificate::sha256() const {
    return parsed_->sha256;
}
std::string Certificate::sha1_thumbprint() const {
    return sha1_of(parsed_->der);
}
std::string Certificate::sha256_thumbprint() const {
    return to_upper_hex(parsed_->sha256.bytes);
}

std::string Certificate::subject() const {
    return name_as_text(X509_get_subject_name(parsed_->native.get()));
}
std::string Certificate::issuer() const {
    return name_as_text(X509_get_issuer_name(parsed_->native.get()));
}
const std::optional<std::string>& Certificate::common_name() const {
    return parsed_->common_name;
}
const std::string& Certificate::subject_normalised() const {
    return parsed_->subject_normalised;
}
const std::string& Certificate::issuer_normalised() const {
    return parsed_->issuer_normalised;
}

std::string Certificate::serial() const {
    const ASN1_INTEGER* serial = X509_get0_serialNumber(parsed_->native.get());
    const auto* data = ASN1_STRING_get0_data(serial);
    std::string text = to_upper_hex({data, static_cast<std::size_t>(ASN1_STRING_length(serial))});
    if (text.empty()) {
        text = "00";
    }
    return ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" + text : text;
}

int Certificate::version() const {
    return parsed_->version;
}
TimePoint Certificate::not_before() const {
    return parsed_->not_before;
}
TimePoint Certificate::not_after() const {
    return parsed_->not_after;
}
const KeyDescription& Certificate::key() const {
    return parsed_->key;
}
const Digest& Certificate::spki_sha256() const {
    return parsed_->spki_sha256;
}

CaKey Certificate::ca_key() const {
    return {.subject = x509::sha256(as_bytes(parsed_->subject_normalised)),
            .spki = parsed_->spki_sha256};
}

const std::string& Certificate::signature_algorithm() const {
    return parsed_->signature.name;
}

std::optional<bool> Certificate::ca_flag() const {
    const auto& constraints = parsed_->extensions.basic_constraints;
    return constraints ? std::optional{constraints->ca} : std::nullopt;
}

x509_st* Certificate::native() const {
    return parsed_->native.get();
}

EVP_PKEY* public_key(const Certificate& certificate) {
    EVP_PKEY* key = X509_get0_pubkey(certificate.native());
    if (key == nullptr) {
        forget_openssl_errors();
    }
    return key;
}

}  // namespace rollcall::x509
