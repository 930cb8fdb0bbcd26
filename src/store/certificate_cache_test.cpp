// SPDX-License-Identifier: Apache-2.0
#include "store/certificate_cache.hpp"

#include "support/full_records.hpp"

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

TEST(CertificateCache, TheLeastRecentlyUsedGoes) {
    const auto a = test::a_certificate("a");
    const auto b = test::a_certificate("b");
    const auto c = test::a_certificate("c");
    CertificateCache cache{2};
    cache.keep(a);
    cache.keep(b);
    cache.keep(a);
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.find(a.sha256()), a);
    cache.keep(c);
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(cache.find(b.sha256()), std::nullopt);
    EXPECT_EQ(cache.find(a.sha256()), a);
    EXPECT_EQ(cache.find(c.sha256()), c);
}

}  // namespace
}  // namespace rollcall::store
