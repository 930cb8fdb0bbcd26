// SPDX-License-Identifier: Apache-2.0
#include "x509/secret_box.hpp"

#include "x509/digest.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

const SecretBox box{sha256(as_bytes("one directory"))};
constexpr std::string_view secret = "a key of a fleet of devices";

TEST(SecretBox, OpensWhatItSealedForThatRecordOnly) {
    const Bytes sealed = box.seal(as_bytes(secret), "group/a");
    const auto opened = box.open(sealed, "group/a");
    ASSERT_TRUE(opened);
    EXPECT_EQ(as_text(*opened), secret);
    EXPECT_EQ(box.open(sealed, "group/b").error().reason, "cannot-unseal");
    const SecretBox other{sha256(as_bytes("another directory"))};
    EXPECT_EQ(other.open(sealed, "group/a").error().reason, "cannot-unseal");
}

TEST(SecretBox, HidesWhatItSeals) {
    const Bytes sealed = box.seal(as_bytes(secret), "group/a");
    EXPECT_EQ(as_text(sealed).find(secret.substr(0, 4)), std::string_view::npos);
    EXPECT_NE(sealed, box.seal(as_bytes(secret), "group/b"));
    EXPECT_EQ(sealed.size(), secret.size() + 29);
}

TEST(SecretBox, SeesEveryChangedByteAndEveryMissingOne) {
    const Bytes sealed = box.seal(as_bytes(secret), "group/a");
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        Bytes altered = sealed;
        altered[at] ^= 1;
        EXPECT_FALSE(box.open(altered, "group/a")) << at;
        EXPECT_FALSE(box.open(ByteView{sealed}.first(at), "group/a")) << at;
    }
}

TEST(SecretBox, SealsNothingToo) {
    const auto opened = box.open(box.seal({}, ""), "");
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->empty());
}

}  // namespace
}  // namespace rollcall::x509
