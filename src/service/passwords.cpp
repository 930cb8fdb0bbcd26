// SPDX-License-Identifier: Apache-2.0
#include "service/passwords.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <argon2.h>
#include <array>

namespace rollcall::service {
namespace {

/// RFC 9106 section 4: 128 bits of salt, 256 of tag, one thread for each hash.
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t tag_bytes = 32;
constexpr std::uint32_t lanes = 1;

Error argon2_failed(int code) {
    return {ErrorKind::unavailable, "no memory to check a password with; try again", "sign-in-busy",
            argon2_error_message(code), 1};
}

Result<std::string> hash_now(const std::string& password,
                             const std::array<std::uint8_t, salt_bytes>& salt,
                             const PasswordCost& cost) {
    std::string encoded(
        argon2_encodedlen(cost.passes, cost.memory_kib, lanes, salt_bytes, tag_bytes, Argon2_id),
        '\0');
    const int code =
        argon2id_hash_encoded(cost.passes, cost.memory_kib, lanes, password.data(), password.size(),
                              salt.data(), salt.size(), tag_bytes, encoded.data(), encoded.size());
    if (code != ARGON2_OK) {
        return argon2_failed(code);
    }
    encoded.resize(encoded.find('\0'));
    return encoded;
}

Result<bool> fits_now(const std::string& password, const std::string& encoded) {
    const int code = argon2id_verify(encoded.c_str(), password.data(), password.size());
    if (code == ARGON2_OK || code == ARGON2_VERIFY_MISMATCH) {
        return code == ARGON2_OK;
    }
    return argon2_failed(code);
}

}  // namespace

Result<Done> check_password(std::string_view password, std::string_view user_name) {
    if (password.size() > limits::password_bytes_max) {
        return Error{
            ErrorKind::too_large,
            "a password has at most " + std::to_string(limits::password_bytes_max) + " bytes",
            "password-too-long"};
    }
    // Code points: every byte that does not go on with one begins one.
    const auto characters = std::count_if(password.begin(), password.end(),
                                          [](unsigned char c) { return (c & 0xC0U) != 0x80U; });
    if (static_cast<std::size_t>(characters) < limits::password_chars_min) {
        return Error{ErrorKind::malformed,
                     "a password has at least " + std::to_string(limits::password_chars_min) +
                         " characters; a few words make a good one",
                     "password-too-short"};
    }
    if (equal_ignoring_case(password, user_name)) {
        return Error{ErrorKind::malformed, "the password is the user's name", "password-is-name"};
    }
    return Done{};
}

/// One of the places for passwords that wait or are hashed.
class Passwords::Place {
public:
    explicit Place(std::atomic<std::size_t>& under_way)
        : under_way_(under_way), mine_(++under_way <= limits::password_checks_max) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { --under_way_; }

    Result<Done> taken() const {
        if (mine_) {
            return Done{};
        }
        return Error{ErrorKind::throttled, "too many people sign in at once; try again",
                     "sign-in-busy", "", 2};
    }

private:
    std::atomic<std::size_t>& under_way_;
    const bool mine_;
};

Passwords::Passwords(Entropy& entropy, PasswordCost cost) : entropy_(entropy), cost_(cost) {}

Task<Result<std::string>> Passwords::hash(const std::string& password) {
    const Place place{under_way_};
    CO_TRY([[maybe_unused]] const Done taken, place.taken());
    std::array<std::uint8_t, salt_bytes> salt{};
    entropy_.fill(salt);
    const auto work = [this, &password, &salt] { return hash_now(password, salt, cost_); };
    co_return co_await on_lane(lane_, work);
}

Task<Result<bool>> Passwords::fits(const std::string& password, const std::string& encoded) {
    const Place place{under_way_};
    CO_TRY([[maybe_unused]] const Done taken, place.taken());
    if (encoded.empty()) {
        const std::array<std::uint8_t, salt_bytes> salt{};
        const auto work = [this, &password, &salt] { return hash_now(password, salt, cost_); };
        CO_TRY([[maybe_unused]] const auto ignored, co_await on_lane(lane_, work));
        co_return false;
    }
    const auto work = [&password, &encoded] { return fits_now(password, encoded); };
    co_return co_await on_lane(lane_, work);
}

}  // namespace rollcall::service
