// SPDX-License-Identifier: Apache-2.0
#include "net/peer_certificates.hpp"

#include "support/certificate_maker.hpp"

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using x509::X509Handle;

X509Handle copy_of(const X509* certificate) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    const unsigned char* at = bytes;
    X509Handle copy{d2i_X509(nullptr, &at, size)};
    OPENSSL_free(bytes);
    return copy;
}

class PeerCertificatesTest : public ::testing::Test {
protected:
    X509Handle make(const std::string& name) const {
        return test::raw_certificate(key_.get(), {.common_name = name});
    }
    x509::PkeyHandle key_ = test::ec_key(NID_X9_62_prime256v1);
    PeerCertificates kept_{2};
};

TEST_F(PeerCertificatesTest, SharesEqualCertificates) {
    const X509Handle first = make("a");
    const X509Handle second = copy_of(first.get());
    EXPECT_EQ(kept_.intern(first.get())->native(), first.get());
    EXPECT_EQ(kept_.intern(second.get())->native(), first.get());
}

TEST_F(PeerCertificatesTest, TellsCertificatesApart) {
    const X509Handle first = make("a");
    const X509Handle second = make("b");
    EXPECT_EQ(kept_.intern(first.get())->native(), first.get());
    EXPECT_EQ(kept_.intern(second.get())->native(), second.get());
}

/// Somebody puts another certificate's signature under one of his own making.
TEST_F(PeerCertificatesTest, IsNotFooledByABorrowedSignature) {
    const X509Handle known = make("good");
    ASSERT_TRUE(kept_.intern(known.get()));
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(known.get(), &bytes);
    std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    for (auto at = der.find("good"); at != std::string::npos; at = der.find("good")) {
        der.replace(at, 4, "evil");
    }
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const X509Handle forged{d2i_X509(nullptr, &at, size)};
    const auto interned = kept_.intern(forged.get());
    EXPECT_EQ(interned->native(), forged.get());
    EXPECT_EQ(interned->subject(), "CN=evil");
    EXPECT_EQ(kept_.intern(known.get())->subject(), "CN=good");
}

TEST_F(PeerCertificatesTest, ForgetsWhatIsNoLongerMet) {
    const X509Handle first = make("first");
    ASSERT_TRUE(kept_.intern(first.get()));
    for (const auto* name : {"b", "c", "d", "e"}) {
        const X509Handle other = make(name);
        ASSERT_TRUE(kept_.intern(other.get()));
    }
    const X509Handle again = copy_of(first.get());
    EXPECT_EQ(kept_.intern(again.get())->native(), again.get());
}

TEST_F(PeerCertificatesTest, RemembersWhatIsMetAgainAndAgain) {
    const X509Handle first = make("first");
    ASSERT_TRUE(kept_.intern(first.get()));
    for (const auto* name : {"b", "c", "d", "e", "f", "g"}) {
        const X509Handle other = make(name);
        ASSERT_TRUE(kept_.intern(other.get()));
        const X509Handle again = copy_of(first.get());
        EXPECT_EQ(kept_.intern(again.get())->native(), first.get()) << name;
    }
}

}  // namespace
}  // namespace rollcall::net
