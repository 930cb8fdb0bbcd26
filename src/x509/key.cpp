// SPDX-License-Identifier: Apache-2.0
#include "x509/key.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"
#include "x509/key_description.hpp"
#include "x509/legacy_keys.hpp"
#include "x509/openssl.hpp"

#include <algorithm>
#include <array>

#include <openssl/pem.h>

namespace rollcall::x509 {
namespace {

struct NamedKeyType {
    std::string_view name;
    KeyType type;
};

constexpr std::array<NamedKeyType, 6> key_types{{{"p256", KeyType::p256},
                                                 {"p384", KeyType::p384},
                                                 {"rsa2048", KeyType::rsa2048},
                                                 {"rsa3072", KeyType::rsa3072},
                                                 {"rsa4096", KeyType::rsa4096},
                                                 {"ed25519", KeyType::ed25519}}};

EVP_PKEY* generated(KeyType type) {
    switch (type) {
        // X9.62's and SEC's names: the older key methods (x509/legacy_keys) do not know NIST's.
        case KeyType::p256: return EVP_EC_gen("prime256v1");
        case KeyType::p384: return EVP_EC_gen("secp384r1");
        case KeyType::rsa2048: return EVP_RSA_gen(2048);
        case KeyType::rsa3072: return EVP_RSA_gen(3072);
        case KeyType::rsa4096: return EVP_RSA_gen(4096);
        case KeyType::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    return nullptr;
}

/// Without it OpenSSL asks the terminal, which would hang a server.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

}  // namespace

Result<KeyType> parse_key_type(std::string_view text) {
    const auto found = std::find_if(key_types.begin(), key_types.end(), [&](const auto& known) {
        return equal_ignoring_case(known.name, text);
    });
    if (found == key_types.end()) {
        return Error{ErrorKind::malformed,
                     "unknown key type: choose p256, p384, rsa2048, rsa3072, rsa4096 or ed25519"};
    }
    return found->type;
}

std::string_view to_string(KeyType type) {
    const auto found = std::find_if(key_types.begin(), key_types.end(),
                                    [&](const auto& known) { return known.type == type; });
    INVARIANT(found != key_types.end());
    return found->name;
}

Result<PrivateKey> PrivateKey::generate(KeyType type) {
    EVP_PKEY* key = generated(type);
    if (key == nullptr) {
        return openssl_error(ErrorKind::internal, "no key could be made");
    }
    return PrivateKey{std::shared_ptr<EVP_PKEY>{key, EVP_PKEY_free}};
}

Result<PrivateKey> PrivateKey::parse_pem(std::string_view pem) {
    if (pem.size() > limits::private_key_file_bytes_max) {
        return Error{ErrorKind::too_large, "larger than any private key file"};
    }
    const BioHandle bio = reading(pem);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr);
    if (key != nullptr) {
        forget_openssl_errors();  // decoders that were tried before the right one
        return PrivateKey{std::shared_ptr<EVP_PKEY>{settled(key), EVP_PKEY_free}};
    }
    const bool encrypted = pem.find("ENCRYPTED") != std::string_view::npos;
    if (encrypted) {
        return openssl_error(ErrorKind::malformed,
                             "the private key is protected by a pass phrase: give it without one",
                             "encrypted-private-key");
    }
    if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
        return openssl_error(ErrorKind::malformed,
                             "there is no private key in it: a PEM block BEGIN PRIVATE KEY is "
                             "expected",
                             "no-private-key");
    }
    return openssl_error(ErrorKind::malformed, "the private key in it cannot be read",
                         "malformed-private-key");
}

std::string PrivateKey::pem() const {
    const BioHandle bio{BIO_new(BIO_s_mem())};
    INVARIANT(bio != nullptr);
    const int done =
        PEM_write_bio_PKCS8PrivateKey(bio.get(), native(), nullptr, nullptr, 0, nullptr, nullptr);
    INVARIANT(done == 1);
    return written(bio.get());
}

bool PrivateKey::belongs_to(const Certificate& certificate) const {
    const EVP_PKEY* certified = X509_get0_pubkey(certificate.native());
    const bool equal = certified != nullptr && EVP_PKEY_eq(certified, native()) == 1;
    forget_openssl_errors();  // an undecodable or foreign key is an answer here, not an error to
                              // leave
    return equal;
}

KeyDescription PrivateKey::description() const {
    const X509Handle carrier{X509_new()};
    INVARIANT(carrier != nullptr);
    if (X509_set_pubkey(carrier.get(), native()) != 1) {
        forget_openssl_errors();
        return KeyDescription{.kind = KeyKind::other, .bits = 0, .name = "unknown key"};
    }
    return judge_key(carrier.get()).description;
}

Digest PrivateKey::spki_sha256() const {
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(native(), &encoded);
    INVARIANT(size > 0);
    const Digest digest = sha256({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return digest;
}

}  // namespace rollcall::x509
