// SPDX-License-Identifier: Apache-2.0
// Shared access policies: names with two keys and rights, by which tools of the cloud's make come
// in at the operator door (spec/dps-service-api.md 2.6). Made and judged by service/access.
#pragma once

#include "domain/sas.hpp"
#include "domain/symmetric_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

/// DPS' own rights and two of IoT Hub's, by their own names.
enum class SasRight : std::uint8_t {
    service_config,
    enrollment_read,
    enrollment_write,
    device_connect,
    registration_status_read,
    registration_status_write,
    registry_read,  ///< devices as their hub knows them
    registry_write,
};
/// "EnrollmentRead".
std::string_view to_string(SasRight right);

/// Some of them, none at first.
class SasRights {
public:
    SasRights() = default;
    SasRights(std::initializer_list<SasRight> rights);
    static SasRights all();
    /// DPS' six.
    static SasRights of_dps();

    bool has(SasRight right) const;
    bool none() const { return bits_ == 0; }
    /// In the order of the enumeration.
    std::vector<std::string> words() const;

    /// For the store; from_bits() is malformed for bits that mean nothing.
    std::uint8_t bits() const { return bits_; }
    static Result<SasRights> from_bits(std::uint64_t bits);

    bool operator==(const SasRights&) const = default;

private:
    std::uint8_t bits_ = 0;
};
/// Names of rights, in any case, at least one. malformed "unknown-right", "no-right".
Result<SasRights> parse_sas_rights(const std::vector<std::string>& words);

struct SasPolicy {
    std::string name;  ///< as group ids; unique without case, among bearer tokens too
    SymmetricKeys keys{};
    SasRights rights{};
    std::string created_by{};
    TimePoint created{};
    TimePoint updated{};
    ETag etag{};

    bool operator==(const SasPolicy&) const = default;
};

/// The policy that every server begins with; it has all of DPS' rights, as the cloud's.
inline constexpr std::string_view owner_policy_name = "provisioningserviceowner";

/// What tools are given: "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…".
std::string connection_string(std::string_view host, const SasPolicy& policy,
                              const SymmetricKey& key);

/// Where a request went: `host` in lower case without a port, `path` as sent.
struct SasTarget {
    std::string host{};
    std::string path{};
};
/// Does the token's `sr` reach it? `sr` is a prefix of host and path, by segments and without case.
/// Its host has to be the one the request was sent to or one of `names` (lower case).
bool reaches(const Sas& sas, const SasTarget& target, const std::vector<std::string>& names);

}  // namespace rollcall::domain
