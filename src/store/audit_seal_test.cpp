// SPDX-License-Identifier: Apache-2.0
#include "store/audit_seal.hpp"

#include "support/full_records.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using test::digest_of;

AuditSeal a_seal() {
    return sealed(AuditSeal::Kind::head, "0ne12345678", {7, digest_of("hash"), {}},
                  test::day("2026-01-01"), digest_of("key"));
}

TEST(AuditSeal, IsCheckedWithoutASecret) {
    EXPECT_TRUE(is_genuine(a_seal()));
    EXPECT_EQ(a_seal(), a_seal()) << "and is the same each time";
}

TEST(AuditSeal, EveryMemberIsSigned) {
    const std::vector<std::function<void(AuditSeal&)>> changes{
        [](AuditSeal& seal) { seal.kind = AuditSeal::Kind::checkpoint; },
        [](AuditSeal& seal) { seal.scope += "0"; },
        [](AuditSeal& seal) { ++seal.sequence; },
        [](AuditSeal& seal) { seal.hash.bytes[31] ^= 1; },
        [](AuditSeal& seal) { seal.at += std::chrono::microseconds{1}; },
        [](AuditSeal& seal) { seal.public_key.bytes[0] ^= 1; },
        [](AuditSeal& seal) { seal.signature.back() ^= 1; },
        [](AuditSeal& seal) { seal.signature.clear(); },
        [](AuditSeal& seal) {  // text moved from one line to the next
            seal.scope = "0ne12345678\\n7";
            seal.sequence = 0;
        }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        AuditSeal seal = a_seal();
        changes[i](seal);
        EXPECT_FALSE(is_genuine(seal)) << i;
    }
}

TEST(AuditSeal, EachServersKeyIsItsOwn) {
    const auto other = sealed(AuditSeal::Kind::head, "0ne12345678", {7, digest_of("hash"), {}},
                              test::day("2026-01-01"), digest_of("other"));
    EXPECT_NE(other.public_key, a_seal().public_key);
    AuditSeal mixed = other;
    mixed.public_key = a_seal().public_key;
    EXPECT_FALSE(is_genuine(mixed));
}

}  // namespace
}  // namespace rollcall::store
