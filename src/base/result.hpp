// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Used by every floor for refusals; exceptions are left to
// libraries and to start-up. Member names follow std::expected so that we can move to it.
#pragma once

#include "base/invariant.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace rollcall {

/// The closed list of ways in which something can be refused.
enum class ErrorKind {
    malformed,           ///< the input cannot be understood
    unauthenticated,     ///< who asks did not prove who it is
    forbidden,           ///< who asks may not
    not_found,           ///< there is no such thing
    conflict,            ///< the state of things does not allow it
    stale,               ///< a version that was expected has moved (If-Match)
    attestation_failed,  ///< a device did not prove an enrollment
    throttled,           ///< too many, too fast; may be tried again
    too_large,           ///< a bound of base/limits.hpp was met
    unsupported,         ///< understood, but not offered here
    unavailable,         ///< something we need is away; may be tried again
    deadline,            ///< not done in time
    internal,            ///< our own mistake; the text is never told
};

/// The kind as one word, for logs: "not_found".
std::string_view to_string(ErrorKind kind);

/// Why something was refused. `detail` may be told to whoever asked, `note` goes to the log only.
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string detail{};
    /// Stable word for programs, kebab-case ("private-key-uploaded"); empty where kind says enough.
    std::string reason{};
    std::string note{};
    /// When it may be tried again (throttled, unavailable); 0: nobody knows.
    unsigned retry_after_seconds = 0;

    bool operator==(const Error&) const = default;
};

/// Nothing to return but that it was done.
struct Done {
    bool operator==(const Done&) const = default;
};

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(const T& value) : held_(std::in_place_index<0>, value) {}            // NOLINT: implicit
    Result(T&& value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
    Result(const Error& error) : held_(std::in_place_index<1>, error) {}        // NOLINT: implicit
    Result(Error&& error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

    bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    const T& value() const& { return checked(); }
    T& value() & { return checked(); }
    T&& value() && { return std::move(checked()); }
    const T& operator*() const& { return checked(); }
    T& operator*() & { return checked(); }
    T&& operator*() && { return std::move(checked()); }
    const T* operator->() const { return &checked(); }
    T* operator->() { return &checked(); }

    const Error& error() const& {
        INVARIANT(!has_value());
        return std::get<1>(held_);
    }
    Error&& error() && {
        INVARIANT(!has_value());
        return std::get<1>(std::move(held_));
    }
    template <class U>
    T value_or(U&& other) const& {
        return has_value() ? std::get<0>(held_) : static_cast<T>(std::forward<U>(other));
    }

private:
    const T& checked() const {
        INVARIANT(has_value());
        return std::get<0>(held_);
    }
    T& checked() {
        INVARIANT(has_value());
        return std::get<0>(held_);
    }
    std::variant<T, Error> held_;
};

#define ROLLCALL_CAT_(a, b) a##b
#define ROLLCALL_CAT(a, b) ROLLCALL_CAT_(a, b)

/// TRY(const auto x, f()): x is f's value, or the function returns f's Error.
/// Two plain statements (a statement expression crashes GCC 12 in coroutines): use it in a block.
#define TRY(declaration, expression)                              \
    auto ROLLCALL_CAT(tried_, __LINE__) = (expression);           \
    if (!ROLLCALL_CAT(tried_, __LINE__)) {                        \
        return std::move(ROLLCALL_CAT(tried_, __LINE__)).error(); \
    }                                                             \
    declaration = *std::move(ROLLCALL_CAT(tried_, __LINE__))

/// The same inside a coroutine; `expression` may hold co_await on a *name*.
#define CO_TRY(declaration, expression)                              \
    auto ROLLCALL_CAT(tried_, __LINE__) = (expression);              \
    if (!ROLLCALL_CAT(tried_, __LINE__)) {                           \
        co_return std::move(ROLLCALL_CAT(tried_, __LINE__)).error(); \
    }                                                                \
    declaration = *std::move(ROLLCALL_CAT(tried_, __LINE__))

}  // namespace rollcall
