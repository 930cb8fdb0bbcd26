// SPDX-License-Identifier: Apache-2.0
#include "x509/signing.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

Digest digest(const char* hex) {
    return parse_digest(hex).value();
}

/// RFC 8032 section 7.1, TEST 2.
const Digest secret = digest("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const Bytes message{0x72};

TEST(Signing, IsTheOneOfTheStandard) {
    EXPECT_EQ(public_key_of(secret).hex(),
              "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    EXPECT_EQ(to_hex(sign(secret, message)),
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Signing, AnythingElseIsNotSigned) {
    const Digest known = public_key_of(secret);
    const Bytes signature = sign(secret, message);
    EXPECT_TRUE(is_signed(known, message, signature));
    EXPECT_FALSE(is_signed(known, Bytes{0x73}, signature));
    EXPECT_FALSE(is_signed(known, Bytes{}, signature));
    EXPECT_FALSE(is_signed(public_key_of(known), message, signature));
    EXPECT_FALSE(is_signed(known, message, Bytes{}));
    EXPECT_FALSE(is_signed(known, message, Bytes(signature.begin(), signature.end() - 1)));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        Bytes turned = signature;
        turned[i] ^= 1;
        EXPECT_FALSE(is_signed(known, message, turned)) << i;
    }
}

}  // namespace
}  // namespace rollcall::x509
