// SPDX-License-Identifier: Apache-2.0
#include "x509/trust_anchor.hpp"

#include "support/pki.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

TEST(CertificateSet, FindsByNameByFingerprintAndByAuthority) {
    const Certificate root = a_root("Root").certificate();
    const Certificate namesake = a_root("Root", {}, "namesake").certificate();
    const Certificate renewed = a_root("Root", {today - 1h, today + 1h}).certificate();
    CertificateSet set{{root, namesake}};
    set.add(root);
    EXPECT_EQ(set.size(), 2U);
    EXPECT_TRUE(set.contains(root.sha256()));
    EXPECT_FALSE(set.contains(renewed.sha256()));
    ASSERT_EQ(set.with_subject(renewed.subject_normalised()).size(), 2U);
    EXPECT_EQ(set.with_subject(renewed.subject_normalised())[0], root);
    EXPECT_TRUE(set.with_subject("elsewhere").empty());
    ASSERT_NE(set.same_ca(renewed.ca_key()), nullptr) << "renewed with its key: the same authority";
    EXPECT_EQ(*set.same_ca(renewed.ca_key()), root);
    EXPECT_EQ(set.same_ca(a_root("Other", {}, "Root").certificate().ca_key()), nullptr);
}

}  // namespace
}  // namespace rollcall::x509
