// SPDX-License-Identifier: Apache-2.0
#include "domain/sas.hpp"

#include "base/limits.hpp"
#include "support/sas_maker.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

/// The bytes 0 to 63. The signatures below were made with it by Python's hmac, one of them by
/// `openssl dgst` as well.
const SymmetricKey counted = parse_symmetric_key(
                                 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
                                 "MDEyMzQ1Njc4OTo7PD0+Pw==")
                                 .value();
const std::string encoded =
    "SharedAccessSignature sr=0neTEST%2Fregistrations%2Fdev-1"
    "&sig=23SgkKFZF51h%2F4uOmy%2Ff59PqK52x%2FQi%2BP9gFHBCAsd0%3D&se=1900000000&skn=registration";
const ScopeId scope = ScopeId::trusted("0neTEST");
const RegistrationId dev_1 = RegistrationId::trusted("Dev-1");

std::string fault(std::string_view text) {
    const auto sas = parse_sas(text);
    return sas ? "" : sas.error().reason + ": " + sas.error().detail;
}

TEST(Sas, IsReadAndVerified) {
    const auto sas = parse_sas(encoded);
    ASSERT_TRUE(sas);
    EXPECT_EQ(sas->resource, "0neTEST/registrations/dev-1");
    EXPECT_EQ(sas->signed_resource, "0neTEST%2Fregistrations%2Fdev-1");
    EXPECT_EQ(to_iso8601_seconds(sas->expires), "2030-03-17T17:46:40Z");
    EXPECT_EQ(sas->key_name, "registration");
    EXPECT_TRUE(is_signed_with(*sas, counted));
    EXPECT_FALSE(is_signed_with(*sas, a_key(1)));
}

/// Every spelling that some SDK sends.
TEST(Sas, TakesEverySpelling) {
    const std::string sig = "sig=23SgkKFZF51h%2F4uOmy%2Ff59PqK52x%2FQi%2BP9gFHBCAsd0%3D";
    const std::string raw_sig = "sig=23SgkKFZF51h/4uOmy/f59PqK52x/Qi+P9gFHBCAsd0=";
    const std::string sr = "sr=0neTEST%2Fregistrations%2Fdev-1";
    const std::string java_sig = "sig=BQOrVY1B%2BYpwMr95iSQCLLD51xIwpdpnZvfBnL6LKw8%3D";
    const std::string se = "se=1900000000";
    const std::vector<std::string> spellings{
        sr + "&" + sig + "&" + se + "&skn=registration",
        se + "&skn=&" + sig + "&" + sr,
        "skn=registration&" + raw_sig + "&" + sr + "&" + se,
        sr + "&" + sig + "&" + se,
        // Java signs, and sends, the scope without escapes;
        "sr=0neTEST/registrations/dev-1&" + java_sig + "&" + se + "&skn=",
        // and one that is signed so may be escaped on its way.
        sr + "&" + java_sig + "&" + se,
    };
    for (const auto& spelling : spellings) {
        const auto sas = parse_sas("SharedAccessSignature " + spelling);
        ASSERT_TRUE(sas) << spelling;
        EXPECT_TRUE(is_signed_with(*sas, counted)) << spelling;
        EXPECT_TRUE(names_registration(*sas, scope, dev_1)) << spelling;
    }
    EXPECT_TRUE(parse_sas("sharedaccesssignature  " + encoded.substr(22)));
}

TEST(Sas, RefusesWhatIsCutShortDoubledOrGarbled) {
    EXPECT_EQ(fault(""), "malformed-sas: the token does not begin with 'SharedAccessSignature '");
    EXPECT_EQ(fault("SharedAccessSignature"),
              "malformed-sas: the token does not begin with 'SharedAccessSignature '");
    EXPECT_EQ(fault("SharedAccessSignature "), "malformed-sas: the token has no sr");
    EXPECT_EQ(fault(encoded + "&se=1"), "malformed-sas: the token's se stands there twice");
    EXPECT_EQ(fault(encoded + "&x=1"),
              "malformed-sas: the token has a member that is none of sr, sig, se and skn");
    EXPECT_EQ(fault("SharedAccessSignature sr=a%2&sig=b&se=1"),
              "malformed-sas: the token holds a broken %-escape");
    EXPECT_EQ(fault("SharedAccessSignature sr=a%00&sig=b&se=1"),
              "malformed-sas: the token holds a broken %-escape");
    EXPECT_EQ(fault("SharedAccessSignature sr=a%ff&sig=b&se=1"),
              "malformed-sas: the token holds a broken %-escape");
    EXPECT_EQ(fault("SharedAccessSignature sr=a&sig=b&se=1.5"),
              "malformed-sas: the token's se is not a number of seconds since 1970");
    EXPECT_EQ(fault("SharedAccessSignature sr=a&sig=AAAA&se=1"),
              "malformed-sas: the token's sig is not 32 bytes in base64: it may have been cut "
              "short");
    // Whatever is left of a token that was cut is no good one.
    for (std::size_t size = 0; size < encoded.size(); ++size) {
        const auto sas = parse_sas(encoded.substr(0, size));
        EXPECT_FALSE(sas && is_signed_with(*sas, counted) && sas->key_name == "registration")
            << size;
    }
}

TEST(Sas, HasABound) {
    const std::string full(limits::sas_bytes_max - encoded.size() - 4, 'a');
    const std::string short_enough = encoded.substr(0, 25) + full + encoded.substr(25);
    EXPECT_EQ(short_enough.size(), limits::sas_bytes_max - 4);
    EXPECT_TRUE(parse_sas(short_enough));
    EXPECT_TRUE(parse_sas(short_enough.substr(0, 25) + "aaaa" + short_enough.substr(25)));
    EXPECT_FALSE(parse_sas(short_enough.substr(0, 25) + "aaaaa" + short_enough.substr(25)));
}

TEST(Sas, EndsWhenTheClockSkewHasPassed) {
    const Sas sas = parse_sas(registration_sas(a_key(1), "dev-1", today)).value();
    EXPECT_FALSE(is_expired(sas, today + limits::clock_skew));
    EXPECT_TRUE(is_expired(sas, today + limits::clock_skew + std::chrono::microseconds{1}));
    EXPECT_EQ(end_of(sas), today + limits::clock_skew);
}

TEST(Sas, MayEndInAFarFuture) {
    const std::string far = "SharedAccessSignature sr=a&sig=" + to_base64(Bytes(32, 1)) +
                            "&se=99999999999999999999999999999999";
    ASSERT_TRUE(parse_sas(far));
    EXPECT_FALSE(is_expired(*parse_sas(far), today));
}

TEST(Sas, NamesOneRegistration) {
    const auto names = [](const std::string& sr, const std::string& skn = "registration") {
        const auto text = sas_of(a_key(1), percent_encoded(sr), today, "&skn=" + skn);
        return names_registration(parse_sas(text).value(), scope, dev_1);
    };
    EXPECT_TRUE(names("0neTEST/registrations/dev-1"));
    EXPECT_TRUE(names("0NEtest/Registrations/DEV-1"));
    EXPECT_FALSE(names("0neTEST/registrations/dev-2"));
    EXPECT_FALSE(names("0neTEST/registrations/dev-1/"));
    EXPECT_FALSE(names("0neTEST/registrations"));
    EXPECT_FALSE(names("0neTEST/registrations/"));
    EXPECT_FALSE(names("0neTEST"));
    EXPECT_FALSE(names("0neOTHER/registrations/dev-1"));
    EXPECT_FALSE(names("0neTEST/devices/dev-1"));
    EXPECT_FALSE(names("0neTEST/registrations/dev-1", "provisioningserviceowner"));
}

TEST(Sas, NamesOneDevice) {
    const DeviceId device = DeviceId::trusted("Dev-1");
    const auto names = [&](const std::string& sr) {
        return names_device(parse_sas(sas_of(a_key(1), percent_encoded(sr), today, "")).value(),
                            "hub.example", device);
    };
    EXPECT_TRUE(names("hub.example/devices/Dev-1"));
    EXPECT_TRUE(names("HUB.example/devices/Dev-1"));
    EXPECT_FALSE(names("hub.example/devices/dev-1"));
    EXPECT_FALSE(names("other.example/devices/Dev-1"));
    EXPECT_FALSE(names("hub.example"));
    EXPECT_FALSE(names("hub.example/devices/Dev-1/modules/m"));
}

TEST(Sas, IsToldFromOtherSchemes) {
    EXPECT_TRUE(looks_like_sas("SharedAccessSignature sr="));
    EXPECT_TRUE(looks_like_sas("sharedaccesssignature"));
    EXPECT_FALSE(looks_like_sas("Bearer x"));
    EXPECT_FALSE(looks_like_sas(""));
}

TEST(SymmetricKey, IsDerivedForADevice) {
    EXPECT_EQ(derived_device_key(counted, dev_1).base64(),
              "hwMX6ImusIQR3uC8iZ8xvHD4mtPX7fK4reK/A0B+wK8=");
    EXPECT_NE(derived_device_key(counted, dev_1),
              derived_device_key(counted, RegistrationId::trusted("dev-2")));
}

TEST(SymmetricKey, HasAnIdThatIsNoKey) {
    EXPECT_EQ(counted.id().hex(),
              "b127ace5024234e3db25083dff6a3fba025a850ff110463b36eba9909bfea58a");
    EXPECT_NE(a_key(1).id(), a_key(2).id());
}

TEST(SymmetricKey, HasSixteenToSixtyFourBytes) {
    EXPECT_FALSE(symmetric_key_of(Bytes(limits::symmetric_key_bytes_min - 1)));
    EXPECT_TRUE(symmetric_key_of(Bytes(limits::symmetric_key_bytes_min)));
    EXPECT_TRUE(symmetric_key_of(Bytes(limits::symmetric_key_bytes_max)));
    EXPECT_FALSE(symmetric_key_of(Bytes(limits::symmetric_key_bytes_max + 1)));
    EXPECT_EQ(parse_symmetric_key("not base64!").error().reason, "malformed-key");
    ScriptedEntropy entropy{1};
    EXPECT_EQ(new_symmetric_key(entropy).bytes().size(), 64U);
}

}  // namespace
}  // namespace rollcall::domain
