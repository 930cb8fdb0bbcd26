// SPDX-License-Identifier: Apache-2.0
#include "net/key_schedule.hpp"

#include "base/bytes.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

namespace rollcall::net {
namespace {

/// One call of libssl.
struct Call {
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    std::string hash = "SHA2-256";
    std::optional<Bytes> key{};
    std::optional<Bytes> salt{};
    std::string label{};
    std::optional<Bytes> data{};
    std::size_t size = 32;
};

/// Nothing where it is refused.
std::optional<std::string> derive(const char* properties, Call call) {
    const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
        EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, properties), &EVP_KDF_free);
    const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
        EVP_KDF_CTX_new(kdf.get()), &EVP_KDF_CTX_free);
    std::string prefix = "tls13 ";
    std::vector<OSSL_PARAM> given{
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &call.mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, call.hash.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, call.label.data(),
                                          call.label.size())};
    const auto add = [&given](const char* name, std::optional<Bytes>& value) {
        if (value) {
            given.push_back(OSSL_PARAM_construct_octet_string(name, value->data(), value->size()));
        }
    };
    add(OSSL_KDF_PARAM_KEY, call.key);
    add(OSSL_KDF_PARAM_SALT, call.salt);
    add(OSSL_KDF_PARAM_DATA, call.data);
    given.push_back(OSSL_PARAM_construct_end());
    Bytes into(call.size);
    if (EVP_KDF_derive(context.get(), into.data(), into.size(), given.data()) != 1) {
        return std::nullopt;
    }
    return to_hex(into);
}

std::optional<std::string> ours(const Call& call) {
    return derive(short_key_schedule(), call);
}
std::optional<std::string> theirs(const Call& call) {
    return derive("provider=default", call);
}

Bytes secret(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::uint8_t>(37 * i + size);
    }
    return bytes;
}

TEST(KeySchedule, IsOursForWhoAsks) {
    ASSERT_NE(short_key_schedule(), nullptr);
    EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, short_key_schedule());
    ASSERT_NE(kdf, nullptr);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)), "rollcall");
    EVP_KDF_free(kdf);
    EVP_MD* const other = EVP_MD_fetch(nullptr, "SHA2-256", short_key_schedule());
    ASSERT_NE(other, nullptr);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(other)), "default");
    EVP_MD_free(other);
}

TEST(KeySchedule, ExpandsAsOpensslDoes) {
    for (const auto& [hash, size] :
         {std::pair{"SHA2-256", 32U}, {"SHA2-384", 48U}, {"SHA256", 32U}, {"SHA384", 48U}}) {
        for (const char* label : {"key", "iv", "finished", "c hs traffic", "exp master", ""}) {
            for (const std::size_t key : {std::size_t{size}, std::size_t{64}, std::size_t{200}}) {
                for (const std::size_t out : {1U, 12U, 16U, size}) {
                    for (const std::size_t data : {std::size_t{0}, std::size_t{size}}) {
                        Call call{.hash = hash, .key = secret(key), .label = label, .size = out};
                        if (data > 0) {
                            call.data = secret(data + 1);
                        }
                        ASSERT_TRUE(theirs(call));
                        EXPECT_EQ(ours(call), theirs(call)) << hash << " " << label << " " << key;
                    }
                }
            }
        }
    }
}

TEST(KeySchedule, GoesFromSecretToSecretAsOpensslDoes) {
    for (const auto& [hash, size] : {std::pair{"SHA2-256", 32U}, {"SHA2-384", 48U}}) {
        for (const bool keyed : {false, true}) {
            for (const bool salted : {false, true}) {
                Call call{.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
                          .hash = hash,
                          .label = "derived",
                          .size = size};
                if (keyed) {
                    call.key = secret(32);
                }
                if (salted) {
                    call.salt = secret(size);
                }
                ASSERT_TRUE(theirs(call));
                EXPECT_EQ(ours(call), theirs(call)) << hash << keyed << salted;
            }
        }
    }
}

/// RFC 8448 section 3: the early secret, and the key that protects the server's first flight.
TEST(KeySchedule, GivesWhatTheRfcShows) {
    EXPECT_EQ(ours({.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY, .label = "derived"}),
              "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
    const Bytes traffic =
        parse_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38").value();
    EXPECT_EQ(ours({.key = traffic, .label = "key", .size = 16}),
              "3fce516009c21727d0f2e4e86ee403bc");
    EXPECT_EQ(ours({.key = traffic, .label = "iv", .size = 12}), "5d313eb2671276ee13000b30");
}

TEST(KeySchedule, RefusesWhatTlsNeverAsksFor) {
    const Call good{.key = secret(32), .label = "key"};
    ASSERT_TRUE(ours(good));
    Call call = good;
    call.hash = "SHA2-512";
    EXPECT_FALSE(ours(call)) << "no suite has it";
    call = good;
    call.hash = "MD5";
    EXPECT_FALSE(ours(call));
    call = good;
    call.hash = "XSHA256";
    EXPECT_FALSE(ours(call));
    call = good;
    call.size = 33;
    EXPECT_FALSE(ours(call)) << "more than one block";
    call = good;
    call.label = std::string(250, 'l');
    EXPECT_FALSE(ours(call)) << "a label longer than its length byte tells";
    call = good;
    call.data = Bytes(256);
    EXPECT_FALSE(ours(call)) << "data longer than its length byte tells";
    call = good;
    call.key.reset();
    EXPECT_FALSE(ours(call)) << "nothing to derive from";
    call = good;
    call.mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
    EXPECT_FALSE(ours(call));
    call = good;
    call.mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    call.size = 16;
    EXPECT_FALSE(ours(call)) << "a secret is as long as the hash";
}

}  // namespace
}  // namespace rollcall::net
