// SPDX-License-Identifier: Apache-2.0
#include "service/jwt.hpp"

#include "base/limits.hpp"
#include "support/jwt_maker.hpp"
#include "x509/legacy_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using test::JwtKey;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class JwtTest : public ::testing::Test {
protected:
    std::string refusal(const std::string& token) const {
        const auto vouched = verified_claims(token, keys);
        return vouched ? std::string{} : vouched.error().reason;
    }

    const JwtKey rsa = JwtKey::rsa("r");
    const JwtKey elliptic = JwtKey::p256("e");
    std::vector<SetKey> keys = parse_key_set(test::key_set({rsa, elliptic})).value();
    const json::object claims{{"sub", "ann"}};
};

TEST_F(JwtTest, EitherKindOfKeyVouchesForClaims) {
    ASSERT_THAT(keys, SizeIs(2));
    EXPECT_EQ(verified_claims(rsa.token(claims), keys).value(), claims);
    EXPECT_EQ(verified_claims(elliptic.token(claims), keys).value(), claims);
    EXPECT_EQ(key_id_of(rsa.token(claims)), "r");
    EXPECT_TRUE(has_key(keys, "e"));
    EXPECT_FALSE(has_key(keys, "x"));
}

/// As a server reads keys. What the tests' own keys do is done before.
TEST_F(JwtTest, TheOlderCodeFindsTheSame) {
    const std::string set = test::key_set({rsa, elliptic});
    auto off_the_curve = elliptic.jwk();
    off_the_curve["x"] = off_the_curve["y"];
    const std::string bad_set = json::serialize(json::object{{"keys", json::array{off_the_curve}}});
    const std::vector<std::string> good{rsa.token(claims), elliptic.token(claims)};
    const std::string forged = JwtKey::p256("e").token(claims);

    x509::use_legacy_keys();
    const auto read = parse_key_set(set).value();
    EXPECT_THAT(read, SizeIs(2));
    for (const auto& token : good) {
        EXPECT_TRUE(verified_claims(token, read));
    }
    EXPECT_EQ(verified_claims(forged, read).error().reason, "token-forged");
    EXPECT_THAT(parse_key_set(bad_set).value(), SizeIs(0));
    x509::use_decoded_keys();
}

TEST_F(JwtTest, NothingElseDoes) {
    const std::string good = rsa.token(claims);
    const auto dot = good.rfind('.');
    const std::string body = good.substr(0, dot);
    const std::string signature = good.substr(dot + 1);
    const json::object none{{"alg", "none"}};
    const json::object shared{{"alg", "HS256"}, {"kid", "r"}};
    const auto confused = JwtKey::unsigned_text(shared, claims);
    const Digest by_public_key =
        x509::hmac_sha256(as_bytes(json::serialize(rsa.jwk())), as_bytes(confused));
    const auto other = JwtKey::rsa("r");
    const json::object swapped{{"alg", "ES256"}, {"kid", "r"}};
    std::string bent = good;
    bent[dot + 9] = bent[dot + 9] == 'A' ? 'B' : 'A';
    const std::string other_claims =
        JwtKey::unsigned_text({{"alg", "RS256"}, {"kid", "r"}}, {{"sub", "administrator"}});
    const std::vector<std::pair<std::string, std::string>> cases{
        {JwtKey::unsigned_text(none, claims) + ".", "token-forged"},
        {JwtKey::unsigned_text(none, claims) + "." + signature, "token-forged"},
        {confused + "." + to_base64url(by_public_key.bytes), "token-forged"},
        {JwtKey::unsigned_text(swapped, claims) + "." + signature, "token-forged"},
        {other.token(claims), "token-forged"},
        {other_claims + "." + signature, "token-forged"},
        {body + ".", "token-forged"},
        {bent, "token-forged"},
        {JwtKey::rsa("unknown").token(claims), "token-forged"},
        {elliptic.token(claims, {{"crit", json::array{"exp"}}}), "token-malformed"},
        {body, "token-malformed"},
        {good + ".more", "token-malformed"},
        {good + "=", "token-malformed"},
        {"a.b.c", "token-malformed"},
        {"", "token-malformed"},
        {"..", "token-malformed"},
        {std::string(limits::openid_token_bytes_max + 1, 'a'), "token-malformed"}};
    EXPECT_EQ(refusal(good), "");
    for (const auto& [token, reason] : cases) {
        EXPECT_EQ(refusal(token), reason) << token;
    }
}

TEST_F(JwtTest, AKeyIsForItsAlgorithmOnly) {
    keys[0].algorithm = "RS512";
    EXPECT_EQ(refusal(rsa.token(claims)), "token-forged");
    keys[0].algorithm = "RS256";
    EXPECT_EQ(refusal(rsa.token(claims)), "");
}

TEST_F(JwtTest, ATokenWithoutKeyIdIsTriedWithAll) {
    const auto nameless = JwtKey::p256("");
    keys = parse_key_set(test::key_set({rsa, elliptic, nameless})).value();
    EXPECT_EQ(refusal(nameless.token(claims)), "");
    EXPECT_TRUE(has_key(keys, ""));
}

TEST(KeySets, WhatCannotVerifyIsLeftOut) {
    const auto size = [](const std::string& text) {
        const auto keys = parse_key_set(text);
        return keys ? std::to_string(keys->size()) : keys.error().reason;
    };
    auto encrypting = JwtKey::rsa("a").jwk();
    encrypting["use"] = "enc";
    auto off_curve = JwtKey::p256("b").jwk();
    off_curve["x"] = off_curve["y"];
    const json::array keys{encrypting,
                           off_curve,
                           JwtKey::rsa("weak", 1024).jwk(),
                           json::object{{"kty", "oct"}, {"k", "c2VjcmV0"}},
                           json::object{{"kty", "RSA"}},
                           json::object{{"kty", "EC"}, {"crv", "P-192"}},
                           JwtKey::p256("good").jwk()};
    EXPECT_EQ(size(json::serialize(json::object{{"keys", keys}})), "1");
    EXPECT_EQ(size(R"({"keys":[]})"), "0");
    EXPECT_EQ(size(R"({"keys":{}})"), "malformed-key-set");
    EXPECT_EQ(size(R"({"keys":[7]})"), "malformed-key-set");
    EXPECT_EQ(size("[]"), "malformed-key-set");
    EXPECT_EQ(size("no JSON"), "malformed-key-set");
    const json::object empty;
    const json::array most(limits::openid_keys_max, empty);
    const json::array more(limits::openid_keys_max + 1, empty);
    EXPECT_EQ(size(json::serialize(json::object{{"keys", most}})), "0");
    EXPECT_EQ(parse_key_set(json::serialize(json::object{{"keys", more}})).error().kind,
              ErrorKind::too_large);
}

}  // namespace
}  // namespace rollcall::service
