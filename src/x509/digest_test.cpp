// SPDX-License-Identifier: Apache-2.0
#include "x509/digest.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

TEST(Digest, IsSha256) {  // FIPS 180-4, examples
    EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256(as_bytes("abc")).hex(),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, IsHmacSha256) {  // RFC 4231 section 4.3, and an empty key
    EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).hex(),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256({}, {}).hex(),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace rollcall::x509
