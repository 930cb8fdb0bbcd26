// SPDX-License-Identifier: Apache-2.0
// Identifiers, parsed once: whoever holds one need not check again.
#pragma once

#include "base/result.hpp"
#include "base/world.hpp"

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace rollcall {

namespace detail {

/// A checked string with a type of its own. Tag supplies what::name for messages.
template <class Tag>
class Id {
public:
    /// Empty: "not set yet". Parsed ids are never empty.
    Id() = default;

    /// For values that were checked when they were written (rows of our own store).
    static Id trusted(std::string text) { return Id{std::move(text)}; }

    const std::string& str() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    auto operator<=>(const Id&) const = default;

private:
    explicit Id(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

}  // namespace detail

/// What a device claims to be. Compared without case (spec/dps-device-api.md 1.1); `original`
/// keeps the spelling the device used, since the device id made from it has case.
class RegistrationId {
public:
    RegistrationId() = default;
    static RegistrationId trusted(std::string original);

    /// The key: lower case.
    const std::string& str() const noexcept { return folded_; }
    const std::string& original() const noexcept { return original_; }
    bool empty() const noexcept { return folded_.empty(); }

    bool operator==(const RegistrationId& other) const { return folded_ == other.folded_; }
    auto operator<=>(const RegistrationId& other) const { return folded_ <=> other.folded_; }

private:
    std::string folded_;
    std::string original_;
};

/// What a device is called at its hub; case matters.
using DeviceId = detail::Id<struct DeviceIdTag>;
/// An enrollment group's name; kept as given, unique without case (the store folds it).
using GroupId = detail::Id<struct GroupIdTag>;
/// A CA certificate record's key: a GUID.
using CaId = detail::Id<struct CaIdTag>;
/// The tenant a device names, "0ne" and 8 hex digits when generated.
using ScopeId = detail::Id<struct ScopeIdTag>;
/// The handle a device polls: "5.<16 hex>.<guid>".
using OperationId = detail::Id<struct OperationIdTag>;
/// Version of a record as its reader sees it; opaque, without quotes, new at every write.
using ETag = detail::Id<struct ETagTag>;

/// Letters, digits and - . _ :, the last a letter, digit or '-'; 1 to 128
/// (spec/dps-device-api.md 1.1).
Result<RegistrationId> parse_registration_id(std::string_view text);
/// The character set of IoT Hub device ids, 1 to 128.
Result<DeviceId> parse_device_id(std::string_view text);
/// As registration ids.
Result<GroupId> parse_group_id(std::string_view text);
/// Letters, digits and '-', 1 to 64.
Result<ScopeId> parse_scope_id(std::string_view text);
/// Any GUID-like text of at most 64 of [0-9a-zA-Z-]; it names a record or nothing.
Result<CaId> parse_ca_id(std::string_view text);

ScopeId new_scope_id(Entropy& entropy);
OperationId new_operation_id(Entropy& entropy);
CaId new_ca_id(Entropy& entropy);
ETag new_etag(Entropy& entropy);

}  // namespace rollcall

template <class Tag>
struct std::hash<rollcall::detail::Id<Tag>> {
    std::size_t operator()(const rollcall::detail::Id<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.str());
    }
};
template <>
struct std::hash<rollcall::RegistrationId> {
    std::size_t operator()(const rollcall::RegistrationId& id) const noexcept {
        return std::hash<std::string>{}(id.str());
    }
};
