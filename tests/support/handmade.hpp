// SPDX-License-Identifier: Apache-2.0
// Certificates with any extensions, written as in OpenSSL's configuration files, for tests of rules
// that our own CA never gives cause for.
#pragma once

#include "support/pki.hpp"
#include "x509/openssl.hpp"

#include <string>
#include <utility>
#include <vector>

#include <openssl/conf.h>

namespace rollcall::test {

struct Handmade {
    std::string name = "handmade";
    /// Itself where there is none.
    const Authority* issuer = nullptr;
    /// {NID_name_constraints, "critical,permitted;DNS:example.com"}
    std::vector<std::pair<int, std::string>> extensions{};
    std::string key_name{};
    int version = 3;
    std::string email{};  ///< in the subject
    const EVP_MD* hash = EVP_sha256();
    Validity validity{};
};

inline void set_time(ASN1_TIME* target, TimePoint at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    INVARIANT(ASN1_TIME_set(target, seconds) != nullptr);
}

inline void add_name(X509_NAME* name, int nid, const std::string& value) {
    if (!value.empty()) {
        const auto* text = reinterpret_cast<const unsigned char*>(value.data());
        INVARIANT(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, text,
                                             static_cast<int>(value.size()), -1, 0) == 1);
    }
}

inline x509::Certificate handmade(const Handmade& wanted) {
    const x509::PrivateKey& key =
        key_named(wanted.key_name.empty() ? wanted.name : wanted.key_name);
    x509::X509Handle made{X509_new()};
    X509_set_version(made.get(), wanted.version - 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
    set_time(X509_getm_notBefore(made.get()), wanted.validity.not_before);
    set_time(X509_getm_notAfter(made.get()), wanted.validity.not_after);
    X509_set_pubkey(made.get(), key.native());
    X509_NAME* subject = X509_get_subject_name(made.get());
    add_name(subject, NID_commonName, wanted.name);
    add_name(subject, NID_pkcs9_emailAddress, wanted.email);
    X509* issuer = wanted.issuer == nullptr ? made.get() : wanted.issuer->certificate().native();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, made.get(), nullptr, nullptr, 0);
    // Some extensions insist on a configuration, if only an empty one.
    const x509::Handle<CONF, NCONF_free> configuration{NCONF_new(nullptr)};
    X509V3_set_nconf(&context, configuration.get());
    for (const auto& [nid, value] : wanted.extensions) {
        const x509::ExtensionHandle extension{
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
        INVARIANT(extension != nullptr);
        X509_add_ext(made.get(), extension.get(), -1);
    }
    const auto& signer = wanted.issuer == nullptr ? key : wanted.issuer->key();
    INVARIANT(X509_sign(made.get(), signer.native(), wanted.hash) > 0);
    auto certificate = x509::Certificate::share(made.get());
    INVARIANT(certificate.has_value());
    return *std::move(certificate);
}

/// A handmade CA and what it can sign.
inline Authority a_handmade_ca(Handmade wanted) {
    wanted.extensions.emplace_back(NID_basic_constraints, "critical,CA:TRUE");
    const auto& key = key_named(wanted.key_name.empty() ? wanted.name : wanted.key_name);
    return {handmade(wanted), key};
}

}  // namespace rollcall::test
