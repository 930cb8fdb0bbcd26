// SPDX-License-Identifier: Apache-2.0
#include "service/passwords.hpp"

#include "support/run_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using test::run;
using ::testing::StartsWith;

constexpr PasswordCost cheap{.memory_kib = 64, .passes = 1};

class PasswordsTest : public ::testing::Test {
protected:
    std::string hash(const std::string& password) { return run(passwords.hash(password)).value(); }
    bool fits(const std::string& password, const std::string& encoded) {
        return run(passwords.fits(password, encoded)).value();
    }

    ScriptedEntropy entropy{3};
    Passwords passwords{entropy, cheap};
};

TEST_F(PasswordsTest, OnlyThePasswordFitsItsHash) {
    const std::string password = "correct horse battery staple";
    const auto first = hash(password);
    EXPECT_THAT(first, StartsWith("$argon2id$v=19$m=64,t=1,p=1$"));
    EXPECT_NE(hash(password), first) << "each has a salt of its own";
    EXPECT_TRUE(fits(password, first));
    EXPECT_FALSE(fits(password + " ", first));
    EXPECT_FALSE(fits("", first));
    EXPECT_FALSE(fits(password, "")) << "nobody's";
    const std::string with_zero{"correct horse\0battery", 21};
    EXPECT_FALSE(fits("correct horse", hash(with_zero)));
}

TEST_F(PasswordsTest, AHashThatCannotBeReadIsNoAnswer) {
    const std::string broken = "$argon2id$v=19$m=64,t=1,p=1$nonsense";
    const std::string password = "correct horse battery staple";
    EXPECT_EQ(run(passwords.fits(password, broken)).error().kind, ErrorKind::unavailable);
}

TEST_F(PasswordsTest, AFewAreHashedAndOthersAreTurnedAway) {
    const std::string password = "correct horse battery staple";
    const auto encoded = hash(password);
    std::vector<Task<Result<bool>>> all;
    for (std::size_t i = 0; i <= limits::password_checks_max; ++i) {
        all.push_back(passwords.fits(password, encoded));
    }
    const auto answers = test::run_together(std::move(all));
    std::size_t right = 0;
    for (const auto& answer : answers) {
        right += answer && *answer ? 1 : 0;
    }
    EXPECT_EQ(right, limits::password_checks_max);
    const auto& last = answers.back();
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().reason, "sign-in-busy");
    EXPECT_EQ(last.error().kind, ErrorKind::throttled);
    EXPECT_GT(last.error().retry_after_seconds, 0U);
    EXPECT_TRUE(fits(password, encoded)) << "the places are free again";
}

TEST(PasswordRules, LengthIsCountedInCharactersAndBoundedInBytes) {
    const auto reason = [](const std::string& password) {
        const auto checked = check_password(password, "Ann.of.Plants");
        return checked ? std::string{} : checked.error().reason;
    };
    EXPECT_EQ(reason(std::string(limits::password_chars_min, 'x')), "");
    EXPECT_EQ(reason(std::string(limits::password_chars_min - 1, 'x')), "password-too-short");
    EXPECT_EQ(reason("ääääääääääää"), "");
    EXPECT_EQ(reason("äääääääääää"), "password-too-short") << "11 characters in 22 bytes";
    EXPECT_EQ(reason(std::string(limits::password_bytes_max, 'x')), "");
    EXPECT_EQ(reason(std::string(limits::password_bytes_max + 1, 'x')), "password-too-long");
    EXPECT_EQ(reason("ann.OF.plants"), "password-is-name");
}

}  // namespace
}  // namespace rollcall::service
