// SPDX-License-Identifier: Apache-2.0
#include "x509/possession.hpp"

#include "x509/authority.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using Kind = IssuanceProfile::Kind;
using namespace std::chrono_literals;

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}

TEST(PossessionCode, Is48UpperHexAndNewEachTime) {
    ScriptedEntropy entropy{3};
    const std::string code = new_possession_code(entropy);
    EXPECT_EQ(code.size(), 48U);
    EXPECT_EQ(code.find_first_not_of("0123456789ABCDEF"), std::string::npos);
    EXPECT_NE(new_possession_code(entropy), code);
}

class Possession : public ::testing::Test {
protected:
    Issued made(const char* name, Kind kind) {
        return issue_self_signed(profile(name, kind), PrivateKey::generate(KeyType::p256).value(),
                                 entropy_)
            .value();
    }
    static IssuanceProfile profile(const std::string& name, Kind kind) {
        return IssuanceProfile{.common_name = name,
                               .not_before = day("2030-01-01"),
                               .not_after = day("2030-01-02"),
                               .kind = kind};
    }
    Certificate proof_by(const Issued& issuer, const std::string& code) {
        return issue(profile(code, Kind::verification), issuer.key, issuer.certificate, issuer.key,
                     entropy_)
            .value();
    }
    std::string verdict(const Certificate& proof, TimePoint at = day("2030-01-01T12:00:00Z")) {
        const auto checked = check_possession(ca_.certificate, code_, proof, at, 300s);
        return checked ? "proved" : checked.error().reason;
    }

    ScriptedEntropy entropy_{5};
    Issued ca_ = made("Root", Kind::root);
    std::string code_ = new_possession_code(entropy_);
};

TEST_F(Possession, OwnerOfTheKeyProvesIt) {
    EXPECT_EQ(verdict(proof_by(ca_, code_)), "proved");
}

TEST_F(Possession, AnyExtensionsServe) {
    auto bare = profile(code_, Kind::device);
    bare.extended_key_usage = {"none"};
    const auto proof = issue(bare, PrivateKey::generate(KeyType::rsa2048).value(), ca_.certificate,
                             ca_.key, entropy_);
    ASSERT_TRUE(proof);
    EXPECT_EQ(verdict(*proof), "proved");
}

TEST_F(Possession, WhatProvesNothing) {
    std::string other_case = code_;
    for (auto& c : other_case) {
        c = static_cast<char>(std::tolower(c));
    }
    EXPECT_EQ(verdict(proof_by(ca_, "")), "wrong-code");
    EXPECT_EQ(verdict(proof_by(ca_, code_.substr(1))), "wrong-code");
    EXPECT_EQ(verdict(proof_by(ca_, code_ + "0")), "wrong-code");
    EXPECT_EQ(verdict(proof_by(ca_, other_case)), "wrong-code");

    EXPECT_EQ(verdict(proof_by(made("Another", Kind::root), code_)), "wrong-issuer");
    EXPECT_EQ(verdict(proof_by(made("Root", Kind::root), code_)), "wrong-key");
    EXPECT_EQ(verdict(made(code_.c_str(), Kind::device).certificate), "wrong-issuer");
}

TEST_F(Possession, ThroughAnIntermediateIsNotDirectly) {
    const auto key = PrivateKey::generate(KeyType::p256).value();
    const auto below =
        issue(profile("Factory", Kind::intermediate), key, ca_.certificate, ca_.key, entropy_);
    ASSERT_TRUE(below);
    EXPECT_EQ(verdict(proof_by(Issued{*below, key}, code_)), "wrong-issuer");
}

TEST_F(Possession, AnEmptyPendingCodeIsProvedByNothing) {
    const auto checked =
        check_possession(ca_.certificate, "", proof_by(ca_, ""), day("2030-01-01T12:00:00Z"), 300s);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().reason, "wrong-code");
    EXPECT_EQ(checked.error().kind, ErrorKind::conflict);
}

TEST_F(Possession, ValidityOnBothSides) {
    const auto proof = proof_by(ca_, code_);
    EXPECT_EQ(verdict(proof, day("2029-12-31T23:54:59Z")), "proof-not-yet-valid");
    EXPECT_EQ(verdict(proof, day("2029-12-31T23:55:00Z")), "proved");
    EXPECT_EQ(verdict(proof, day("2030-01-02T00:00:00Z")), "proved");
    EXPECT_EQ(verdict(proof, day("2030-01-02T00:00:00.9Z")), "proved");
    EXPECT_EQ(verdict(proof, day("2030-01-02T00:00:01Z")), "proof-expired");
}

}  // namespace
}  // namespace rollcall::x509
