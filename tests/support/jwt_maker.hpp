// SPDX-License-Identifier: Apache-2.0
// JSON Web Tokens as an OpenID provider signs them, and as attackers would like to.
#pragma once

#include "service/jwt.hpp"
#include "x509/digest.hpp"
#include "x509/openssl.hpp"

#include <stdexcept>
#include <string>

#include <boost/json/serialize.hpp>
#include <openssl/core_names.h>
#include <openssl/ec.h>

namespace rollcall::test {

namespace json = boost::json;

inline Bytes big_endian(EVP_PKEY* key, const char* name, std::size_t size = 0) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
        throw std::runtime_error(name);
    }
    const x509::BignumHandle held{number};
    const auto bytes = static_cast<std::size_t>(BN_num_bytes(number));
    Bytes out(size == 0 ? bytes : size);
    BN_bn2binpad(number, out.data(), static_cast<int>(out.size()));
    return out;
}

/// One key of a provider.
class JwtKey {
public:
    static JwtKey rsa(std::string id, unsigned bits = 2048) {
        return {std::move(id), EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})};
    }
    static JwtKey p256(std::string id) {
        return {std::move(id), EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    }

    const std::string& id() const { return id_; }
    bool is_rsa() const { return EVP_PKEY_is_a(key_.get(), "RSA") == 1; }
    json::object jwk() const {
        const auto text = [this](const char* name, std::size_t size = 0) {
            return service::to_base64url(big_endian(key_.get(), name, size));
        };
        if (is_rsa()) {
            return {{"kty", "RSA"},
                    {"kid", id_},
                    {"use", "sig"},
                    {"n", text(OSSL_PKEY_PARAM_RSA_N)},
                    {"e", text(OSSL_PKEY_PARAM_RSA_E)}};
        }
        return {{"kty", "EC"},
                {"kid", id_},
                {"crv", "P-256"},
                {"x", text(OSSL_PKEY_PARAM_EC_PUB_X, 32)},
                {"y", text(OSSL_PKEY_PARAM_EC_PUB_Y, 32)}};
    }

    /// By the algorithm of its kind: RS256 or ES256.
    std::string token(const json::object& claims, json::object header = {}) const {
        header["kid"] = id_;
        header["alg"] = is_rsa() ? "RS256" : "ES256";
        const std::string text = unsigned_text(header, claims);
        return text + "." + service::to_base64url(signature(text));
    }

    static std::string unsigned_text(const json::object& header, const json::object& claims) {
        return service::to_base64url(as_bytes(json::serialize(header))) + "." +
               service::to_base64url(as_bytes(json::serialize(claims)));
    }

private:
    JwtKey(std::string id, EVP_PKEY* key)
        : id_(std::move(id)), key_(std::shared_ptr<EVP_PKEY>{key, EVP_PKEY_free}) {}

    Bytes signature(const std::string& text) const {
        const x509::Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
        EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(),
                              nullptr);
        Bytes out(1'024);
        std::size_t size = out.size();
        const auto bytes = as_bytes(text);
        if (EVP_DigestSign(context.get(), out.data(), &size, bytes.data(), bytes.size()) != 1) {
            throw std::runtime_error("cannot sign");
        }
        out.resize(size);
        if (is_rsa()) {
            return out;
        }
        const auto* der = out.data();
        const x509::Handle<ECDSA_SIG, ECDSA_SIG_free> pair{
            d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size))};
        Bytes raw(64);
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + 32, 32);
        return raw;
    }

    std::string id_;
    std::shared_ptr<EVP_PKEY> key_;
};

inline std::string key_set(const std::vector<JwtKey>& keys) {
    json::array all;
    for (const auto& key : keys) {
        all.push_back(key.jwk());
    }
    return json::serialize(json::object{{"keys", all}});
}

}  // namespace rollcall::test
