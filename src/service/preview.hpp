// SPDX-License-Identifier: Apache-2.0
// What a change would do, told before it is done (PRODUCT section 3.9), and what is told after.
#pragma once

#include "x509/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::service {

/// What becomes of the certificate in a slot.
enum class ChangeClass : std::uint8_t {
    none,   ///< no certificate is concerned
    first,  ///< the slot was empty
    same_certificate,
    same_key_renewed,  ///< same subject, key and issuer: no device needs a new leaf
    cross_signed,      ///< same subject and key, another issuer: neither
    new_key,
    removal,
};
/// "same-key-renewed".
std::string_view to_string(ChangeClass change);

ChangeClass class_of(const std::optional<x509::Certificate>& before,
                     const std::optional<x509::Certificate>& after);

/// Known devices that last proved themselves with what would go and have no other way in.
struct Impact {
    std::uint64_t devices = 0;
    /// Registration ids, at most limits::impact_names_max.
    std::vector<std::string> first{};
};

struct Preview {
    ChangeClass change = ChangeClass::none;
    std::vector<x509::Certificate> incoming{};
    std::vector<x509::Certificate> outgoing{};
    /// The incoming certificate would wait to be verified; nothing goes until then.
    bool pending = false;
    /// SHA-256 of public keys that would go on the distrust list.
    std::vector<Digest> distrusts{};
    Impact impact{};
    /// Sentences for people; together they say what would happen.
    std::vector<std::string> summary{};
};

/// What a use case tells: the record as it is now, or on a dry run the preview instead.
template <class Record>
struct Outcome {
    std::optional<Record> record{};
    std::optional<Preview> preview{};
    bool pending = false;
    std::vector<x509::Finding> findings{};
    std::vector<std::string> warnings{};
};

}  // namespace rollcall::service
