// SPDX-License-Identifier: Apache-2.0
// Which hub does a device get? Hubs as records (ours and others that are linked beside it), the
// policy an entry or the server has, and allocate(), which applies it. Pure; what a webhook says is
// asked for by service/ and judged by decision.hpp (spec/dps-device-api.md 1.10).
#pragma once

#include "base/ids.hpp"
#include "base/world.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

/// A hub devices may be assigned to. `own`: a name of this very server, where it keeps their twins
/// and lets them in; all others it only names to devices.
struct LinkedHub {
    std::string name;  ///< host name; compared without case
    bool own = false;
    std::uint32_t weight = 1;  ///< its share among hashed devices, 1 to limits::hub_weight_max
    bool allocate = true;      ///< false: keeps its devices and gets no new ones
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    bool operator==(const LinkedHub&) const = default;
};

enum class AllocationPolicy : std::uint8_t {
    hashed,       ///< evenly, by weight
    geo_latency,  ///< the first usable of an ordered list
    static_hub,   ///< the one that is named
    custom,       ///< a webhook says
};
/// DPS' own words: "hashed", "geoLatency", "static", "custom".
std::string_view to_string(AllocationPolicy policy);
Result<AllocationPolicy> parse_allocation_policy(std::string_view text);

struct CustomAllocation {
    /// With what stands after its '?', which is a secret (a function's key): see shown_url().
    std::string webhook_url{};
    std::string api_version{};

    bool operator==(const CustomAllocation&) const = default;
};

/// What an entry says, or the server for entries that say nothing.
struct AllocationRule {
    std::optional<AllocationPolicy> policy{};  ///< none: the server's
    std::vector<std::string> hubs{};           ///< in this order; empty: all that are linked
    CustomAllocation custom{};

    bool operator==(const AllocationRule&) const = default;
};

/// The setting that holds the name this server has as a hub.
inline constexpr std::string_view own_hub_key = "linked-hub.own";
/// The setting that holds the server's rule, as to_text() writes it.
inline constexpr std::string_view server_rule_key = "allocation.default";

/// malformed ("malformed-hub-name", "too-many-hubs", "repeated-hub", "one-hub-wanted",
/// "malformed-webhook", "malformed-api-version") where the rule could never work. A hub that is not
/// linked is no mistake: it may be tomorrow.
Result<Done> check_rule(const AllocationRule& rule);
/// A host's name; malformed "malformed-hub-name".
Result<Done> check_hub_name(std::string_view name);

/// "https://host/path?****": without what may be a secret.
std::string shown_url(const std::string& url);
/// http, to this machine itself.
bool is_loopback_http(std::string_view url);

/// A rule as one text, for a row, and back; malformed where it is none of ours.
std::string to_text(const AllocationRule& rule);
Result<AllocationRule> parse_allocation_rule(std::string_view text);

/// The policy that holds for an entry and the hubs it may choose from, in order: those its list (or
/// the server's) names and that are linked and take devices. `linked` outlives it.
struct Candidates {
    AllocationPolicy policy = AllocationPolicy::hashed;
    std::vector<const LinkedHub*> hubs{};

    const LinkedHub* find(std::string_view name) const;
};
Candidates candidates_of(const AllocationRule& entry, const AllocationRule& server,
                         const std::vector<LinkedHub>& linked);

/// Where this device belongs; nullptr: nowhere, or that only a webhook knows. Hashed: by weighted
/// rendezvous, so that of a hub that goes only its own devices move, and one that comes takes its
/// share from all.
const LinkedHub* allocate(const Candidates& candidates, const RegistrationId& id);

/// In the order in which they were linked, ours first: what an empty list means.
void sort_hubs(std::vector<LinkedHub>& hubs);
const LinkedHub* find_hub(const std::vector<LinkedHub>& hubs, std::string_view name);

}  // namespace rollcall::domain
