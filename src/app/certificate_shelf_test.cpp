// SPDX-License-Identifier: Apache-2.0
#include "app/certificate_shelf.hpp"

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "support/pki.hpp"
#include "support/scratch_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using test::self_signed;
using ::testing::ElementsAre;
using ::testing::EndsWith;

TEST(CertificateShelf, FindsByEitherThumbprint) {
    const test::ScratchDirectory scratch;
    const auto keep = [&scratch](const std::string& name, const std::string& content) {
        ASSERT_TRUE(
            write_file(scratch.path() / name, content, Secrecy::open, FileSet::Existing::refuse));
    };
    const auto pem = self_signed("pem");
    const auto der = self_signed("der");
    const auto first = self_signed("first");
    const auto second = self_signed("second");
    const auto below = self_signed("below");
    keep("a.pem", "a note\n" + pem.pem());
    keep("b.cer", std::string{as_text(der.der())});
    keep("c.pem", first.pem() + second.pem());
    keep("below/d.pem", below.pem());
    keep("readme.txt", "nothing");
    keep("z.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    const auto shelf = CertificateShelf::open(scratch.path());
    ASSERT_TRUE(shelf) << shelf.error().detail;
    EXPECT_EQ(shelf->certificates(), 5u);
    for (const auto& each : {pem, der, first, second, below}) {
        EXPECT_EQ(shelf->pem_of(each.sha256_thumbprint(), ""), each.pem()) << each.subject();
        EXPECT_EQ(shelf->pem_of("", each.sha1_thumbprint()), each.pem()) << each.subject();
        EXPECT_EQ(shelf->pem_of(to_lower_ascii(each.sha256_thumbprint()), "x"), each.pem());
        EXPECT_EQ(shelf->pem_of("F7D272", to_lower_ascii(each.sha1_thumbprint())), each.pem())
            << "half a SHA-256 is none";
    }
    EXPECT_THAT(shelf->strangers(), ElementsAre(EndsWith("readme.txt"), EndsWith("z.key")));
    const auto other = self_signed("other");
    EXPECT_FALSE(shelf->pem_of(other.sha256_thumbprint(), other.sha1_thumbprint()));
    EXPECT_FALSE(shelf->pem_of(other.sha256_thumbprint(), pem.sha1_thumbprint()))
        << "SHA-256 decides";
    EXPECT_FALSE(shelf->pem_of("", ""));
    EXPECT_FALSE(CertificateShelf{}.pem_of(pem.sha256_thumbprint(), ""));
    EXPECT_FALSE(CertificateShelf::open(scratch.path() / "none"));
}

}  // namespace
}  // namespace rollcall::app
