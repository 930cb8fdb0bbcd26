// SPDX-License-Identifier: Apache-2.0
// Passwords of local users: Argon2id (RFC 9106) on threads of its own, a few at a time, since each
// takes tens of megabytes and a fifth of a second. Hides libargon2.
#pragma once

#include "base/limits.hpp"
#include "base/task.hpp"
#include "base/world.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rollcall::service {

/// What one hash costs; tests take less.
struct PasswordCost {
    std::uint32_t memory_kib = limits::password_memory_kib;
    std::uint32_t passes = limits::password_passes;
};

/// Long enough, not too long, and not the user's own name. malformed "password-too-short",
/// "password-is-name"; too_large "password-too-long".
Result<Done> check_password(std::string_view password, std::string_view user_name);

class Passwords {
public:
    explicit Passwords(Entropy& entropy, PasswordCost cost = {});

    /// Argon2id's own encoding, with a salt of its own. throttled "sign-in-busy" when
    /// limits::password_checks_max wait already. `password` outlives the await.
    Task<Result<std::string>> hash(const std::string& password);
    /// Is it the password that `encoded` was made of? With an empty one the answer is no and takes
    /// as long. throttled as above. The arguments outlive the await.
    Task<Result<bool>> fits(const std::string& password, const std::string& encoded);

    /// Ends the threads; before the io_contexts of callers die.
    void join() { lane_.join(); }

private:
    class Place;

    Entropy& entropy_;
    const PasswordCost cost_;
    std::atomic<std::size_t> under_way_{0};
    Lane lane_{limits::password_threads};
};

}  // namespace rollcall::service
