// SPDX-License-Identifier: Apache-2.0
// read_certificates: every spelling that is taken, and every one that is refused by its name.
#include "base/limits.hpp"
#include "x509/authority.hpp"
#include "x509/certificate.hpp"
#include "x509/openssl.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>

namespace rollcall::x509 {
namespace {

using Pkcs12Handle = Handle<PKCS12, PKCS12_free>;
using Pkcs7Handle = Handle<PKCS7, PKCS7_free>;
using RequestHandle = Handle<X509_REQ, X509_REQ_free>;

Issued made(const std::string& name) {
    ScriptedEntropy entropy{9};
    const IssuanceProfile profile{.common_name = name,
                                  .not_before = parse_iso8601("2030-01-01").value(),
                                  .not_after = parse_iso8601("2031-01-01").value()};
    return issue_self_signed(profile, PrivateKey::generate(KeyType::p256).value(), entropy).value();
}

/// What an i2d function writes.
template <class T>
std::string der_of(int (*encode)(T, unsigned char**), T object) {
    unsigned char* encoded = nullptr;
    const int size = encode(object, &encoded);
    EXPECT_GT(size, 0);
    std::string der{reinterpret_cast<char*>(encoded), static_cast<std::size_t>(size)};
    OPENSSL_free(encoded);
    return der;
}

std::string base64(std::string_view text) {
    return to_base64(as_bytes(text));
}

std::string wrapped(const std::string& text, const std::string& line_end) {
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += 64) {
        lines += text.substr(at, 64) + line_end;
    }
    return lines;
}

std::string with_crlf(const std::string& text) {
    std::string changed;
    for (const char c : text) {
        changed += c == '\n' ? "\r\n" : std::string(1, c);
    }
    return changed;
}

std::string pem_block(const std::string& label, const std::string& der) {
    return "-----BEGIN " + label + "-----\n" + wrapped(base64(der), "\n") + "-----END " + label +
           "-----\n";
}

class CertificateFile : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        first_ = new Issued{made("first")};
        second_ = new Issued{made("second")};
    }
    static void TearDownTestSuite() {
        delete first_;
        delete second_;
    }
    void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0U) << "OpenSSL's queue is left clean"; }

    static const Certificate& first() { return first_->certificate; }
    static const Certificate& second() { return second_->certificate; }
    static std::string pem() { return first().pem(); }
    static std::string der() { return std::string{as_text(first().der())}; }

    static std::string reason_of(const std::string& file, std::size_t count_max = 32) {
        const auto read = read_certificates(file, count_max);
        return read ? "read " + std::to_string(read->size()) : read.error().reason;
    }

    static inline Issued* first_ = nullptr;
    static inline Issued* second_ = nullptr;
};

TEST_F(CertificateFile, EverySpellingOfOneCertificate) {
    const struct {
        const char* spelling;
        std::string file;
    } cases[] = {
        {"PEM", pem()},
        {"PEM without its last line end", pem().substr(0, pem().size() - 1)},
        {"CRLF", with_crlf(pem())},
        {"text before", "subject=CN = first\nissuer=CN = \xc3\xa9\n" + pem()},
        {"text after, as one SDK's tool leaves it", pem() + "null"},
        {"bytes that are no text around it", std::string("\0\xff\n", 3) + pem() + "\x01"},
        {"the older label", pem_block("X509 CERTIFICATE", der())},
        {"parameters of a curve before it", pem_block("EC PARAMETERS", "\x06\x01\x01") + pem()},
        {"DER", der()},
        {"base64 of DER", base64(der())},
        {"base64 of DER in lines", wrapped(base64(der()), "\n")},
        {"base64 of DER in CRLF lines", wrapped(base64(der()), "\r\n")},
        {"base64 of PEM", base64(pem())},
        {"base64 of PEM with CRLF and text", base64("text\r\n" + with_crlf(pem()))},
        {"base64 of PEM in lines", wrapped(base64(pem()), "\n")},
    };
    for (const auto& given : cases) {
        const auto read = read_certificates(given.file, 32);
        ASSERT_TRUE(read) << given.spelling << ": " << read.error().detail;
        ASSERT_EQ(read->size(), 1U) << given.spelling;
        EXPECT_EQ(read->front(), first()) << given.spelling;
    }
}

TEST_F(CertificateFile, OrderAndDuplicatesAreKept) {
    const auto read = read_certificates(second().pem() + pem() + "text\n" + second().pem(), 32);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 3U);
    EXPECT_EQ((*read)[0], second());
    EXPECT_EQ((*read)[1], first());
    EXPECT_EQ((*read)[2], second());
}

TEST_F(CertificateFile, AnUnreadableExtraAfterAGoodOneIsSkipped) {
    EXPECT_EQ(reason_of(pem() + pem_block("CERTIFICATE", "\x30\x03\x02\x01\x01")), "read 1");
    EXPECT_EQ(reason_of(pem_block("CERTIFICATE", "\x30\x03\x02\x01\x01") + pem()),
              "malformed-certificate");
}

TEST_F(CertificateFile, APrivateKeyIsRefusedWhereverItStands) {
    const std::string key = first_->key.pem();
    EXPECT_EQ(reason_of(key), "private-key-uploaded");
    EXPECT_EQ(reason_of(key + pem()), "private-key-uploaded");
    EXPECT_EQ(reason_of(pem() + key), "private-key-uploaded");
    EXPECT_EQ(reason_of(base64(pem() + key)), "private-key-uploaded");
    EXPECT_EQ(reason_of(pem_block("ENCRYPTED PRIVATE KEY", "\x30\x00")), "private-key-uploaded");
    for (const auto type : {KeyType::p256, KeyType::rsa2048}) {
        const auto other = PrivateKey::generate(type).value();
        const std::string der = der_of<const EVP_PKEY*>(i2d_PrivateKey, other.native());
        EXPECT_EQ(reason_of(der), "private-key-uploaded");
        EXPECT_EQ(reason_of(base64(der)), "private-key-uploaded");
    }
}

TEST_F(CertificateFile, StoresAndRequestsAreRefusedByTheirNames) {
    const Pkcs12Handle store{PKCS12_create("secret", "name", first_->key.native(), first().native(),
                                           nullptr, 0, 0, 0, 0, 0)};
    const std::string p12 = der_of<const PKCS12*>(i2d_PKCS12, store.get());
    EXPECT_EQ(reason_of(p12), "pkcs12-uploaded");
    EXPECT_EQ(reason_of(base64(p12)), "pkcs12-uploaded");

    const Pkcs7Handle bag{PKCS7_new()};
    ASSERT_EQ(PKCS7_set_type(bag.get(), NID_pkcs7_signed), 1);
    ASSERT_EQ(PKCS7_content_new(bag.get(), NID_pkcs7_data), 1);
    ASSERT_EQ(PKCS7_add_certificate(bag.get(), first().native()), 1);
    const std::string p7b = der_of<const PKCS7*>(i2d_PKCS7, bag.get());
    EXPECT_EQ(reason_of(p7b), "pkcs7-uploaded");
    EXPECT_EQ(reason_of(pem_block("PKCS7", p7b)), "pkcs7-uploaded");

    const RequestHandle request{
        X509_to_X509_REQ(first().native(), first_->key.native(), EVP_sha256())};
    const std::string csr = der_of<const X509_REQ*>(i2d_X509_REQ, request.get());
    EXPECT_EQ(reason_of(csr), "request-uploaded");
    EXPECT_EQ(reason_of(pem_block("CERTIFICATE REQUEST", csr)), "request-uploaded");
    EXPECT_EQ(reason_of(pem_block("NEW CERTIFICATE REQUEST", csr)), "request-uploaded");
    EXPECT_EQ(reason_of(pem_block("CERTIFICATE", csr)), "request-uploaded");
}

TEST_F(CertificateFile, BytesAfterTheCertificateAreRefused) {
    EXPECT_EQ(reason_of(der() + "\n"), "trailing-bytes");
    EXPECT_EQ(reason_of(der() + der()), "trailing-bytes");
    EXPECT_EQ(reason_of(base64(der() + "x")), "trailing-bytes");
    EXPECT_EQ(reason_of(pem_block("CERTIFICATE", der() + "x")), "trailing-bytes");
    EXPECT_EQ(reason_of(pem() + pem_block("CERTIFICATE", der() + "x")), "trailing-bytes")
        << "also in the second block: that is no stray, it hides something";
}

TEST_F(CertificateFile, WhatIsCutShortIsRefused) {
    EXPECT_EQ(reason_of(der().substr(0, der().size() - 1)), "malformed-certificate");
    EXPECT_EQ(reason_of(pem().substr(0, pem().size() / 2)), "malformed-certificate");
    std::string bent = pem();
    bent[100] = '!';
    EXPECT_EQ(reason_of(bent), "malformed-certificate");
}

TEST_F(CertificateFile, WhatHoldsNone) {
    const std::string cases[] = {
        "",      " \r\n\t", "hello",
        "null",  "AAAA",    std::string(1'000, '\0'),
        "30820", "0",       pem_block("X509 CRL", "\x30\x00"),
    };
    for (const std::string& file : cases) {
        EXPECT_EQ(reason_of(file), "no-certificate") << file;
    }
}

TEST_F(CertificateFile, CountIsBounded) {
    const std::string three = pem() + second().pem() + pem();
    EXPECT_EQ(reason_of(three, 3), "read 3");
    const auto refused = read_certificates(three, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
}

TEST_F(CertificateFile, SizeIsBounded) {
    std::string file(limits::certificate_file_bytes_max - pem().size() - 1, ' ');
    file += "\n" + pem();
    EXPECT_EQ(reason_of(file), "read 1");
    const auto refused = read_certificates(" " + file, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
}

TEST_F(CertificateFile, OneMeansOne) {
    EXPECT_EQ(read_one_certificate(pem()).value(), first());
    const auto two = read_one_certificate(pem() + second().pem());
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().reason, "too-many-certificates");
    EXPECT_EQ(read_one_certificate("").error().reason, "no-certificate");
}

}  // namespace
}  // namespace rollcall::x509
