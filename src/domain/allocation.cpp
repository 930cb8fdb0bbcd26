// SPDX-License-Identifier: Apache-2.0
#include "domain/allocation.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace rollcall::domain {
namespace {

constexpr std::array policies{
    std::pair{AllocationPolicy::hashed, std::string_view{"hashed"}},
    std::pair{AllocationPolicy::geo_latency, std::string_view{"geoLatency"}},
    std::pair{AllocationPolicy::static_hub, std::string_view{"static"}},
    std::pair{AllocationPolicy::custom, std::string_view{"custom"}}};

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";

Error malformed(const char* reason, std::string detail) {
    return {ErrorKind::malformed, std::move(detail), reason};
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// "host:8443" of "https://host:8443/path"; empty where there is none, or a user's name before it.
std::string_view authority_of(std::string_view url, std::string_view scheme) {
    if (!url.starts_with(scheme)) {
        return {};
    }
    url.remove_prefix(scheme.size());
    const auto authority = url.substr(0, url.find_first_of("/?#"));
    return authority.find('@') == std::string_view::npos ? authority : std::string_view{};
}

Result<Done> check_webhook(const CustomAllocation& custom) {
    const std::string& url = custom.webhook_url;
    const bool printable =
        std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    const bool good = printable && url.size() <= limits::webhook_url_chars_max &&
                      url.find('#') == std::string::npos &&
                      (!authority_of(url, https).empty() || is_loopback_http(url));
    if (!good) {
        return malformed("malformed-webhook",
                         "the webhook is https://HOST[:PORT]/PATH of at most " +
                             std::to_string(limits::webhook_url_chars_max) +
                             " characters, without a user name and without '#'");
    }
    constexpr std::string_view form = "dddd-dd-dd";
    std::string_view version = custom.api_version;
    bool fits = version.size() >= form.size();
    for (std::size_t i = 0; fits && i < form.size(); ++i) {
        fits = form[i] == 'd' ? is_digit(version[i]) : version[i] == form[i];
    }
    if (!fits || (version.size() > form.size() && version.substr(form.size()) != "-preview")) {
        return malformed("malformed-api-version",
                         "the webhook's apiVersion is a date like 2021-10-01");
    }
    return Done{};
}

/// FNV-1a, then the finish of splitmix64: the same on every machine and in every version, since
/// devices must not move when the program is replaced.
std::uint64_t hash_of(std::string_view hub, std::string_view id) {
    std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
    const auto take = [&hash](char c) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01b3;
    };
    for (const char c : hub) {
        take(c);
    }
    take('\0');
    for (const char c : id) {
        take(c);
    }
    hash = (hash ^ (hash >> 30)) * 0xbf58'476d'1ce4'e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d0'49bb'1331'11eb;
    return hash ^ (hash >> 31);
}

/// Weighted rendezvous: with u even in (0,1), -weight/ln(u) is largest at each hub as often as its
/// weight among all says.
double score_of(const LinkedHub& hub, const RegistrationId& id) {
    constexpr double parts = 9007199254740992.0;  // 2^53, what a double holds exactly
    const auto hash = hash_of(to_lower_ascii(hub.name), id.str());
    const double u = (static_cast<double>(hash >> 11) + 0.5) / parts;
    return -static_cast<double>(hub.weight) / std::log(u);
}

}  // namespace

std::string_view to_string(AllocationPolicy policy) {
    for (const auto& [each, word] : policies) {
        if (each == policy) {
            return word;
        }
    }
    return "hashed";
}

Result<AllocationPolicy> parse_allocation_policy(std::string_view text) {
    for (const auto& [each, word] : policies) {
        if (word == text) {
            return each;
        }
    }
    return malformed("malformed-policy", "unknown allocation policy '" + std::string{text} + "'");
}

Result<Done> check_hub_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
               c == '.' || c == '_';
    };
    if (name.empty() || name.size() > limits::hub_name_chars_max ||
        !std::all_of(name.begin(), name.end(), fits) || name.front() == '.' ||
        name.front() == '-' || name.find("..") != std::string_view::npos) {
        return malformed("malformed-hub-name",
                         "a hub is named by its host name, without scheme, port and path");
    }
    return Done{};
}

Result<Done> check_rule(const AllocationRule& rule) {
    if (rule.hubs.size() > limits::linked_hubs_max) {
        return malformed("too-many-hubs", "an entry names at most " +
                                              std::to_string(limits::linked_hubs_max) + " hubs");
    }
    for (auto hub = rule.hubs.begin(); hub != rule.hubs.end(); ++hub) {
        TRY([[maybe_unused]] const Done named, check_hub_name(*hub));
        const auto same = [&hub](const auto& other) { return equal_ignoring_case(other, *hub); };
        if (std::any_of(rule.hubs.begin(), hub, same)) {
            return malformed("repeated-hub", "the hub '" + *hub + "' stands there twice");
        }
    }
    if (rule.policy == AllocationPolicy::static_hub && rule.hubs.size() != 1) {
        return malformed("one-hub-wanted", "the static policy wants exactly one hub in iotHubs");
    }
    if (rule.policy == AllocationPolicy::custom) {
        return check_webhook(rule.custom);
    }
    return Done{};
}

std::string shown_url(const std::string& url) {
    const auto query = url.find('?');
    return query == std::string::npos ? url : url.substr(0, query) + "?****";
}

bool is_loopback_http(std::string_view url) {
    auto host = authority_of(url, http);
    constexpr std::string_view six = "[::1]";
    if (host.starts_with(six)) {
        host.remove_prefix(six.size());
        return host.empty() || host.front() == ':';
    }
    host = host.substr(0, host.find(':'));
    return host == "localhost" || host == "127.0.0.1";
}

/// A word, the webhook and its version, then the hubs, each on a line; none of them can hold one.
std::string to_text(const AllocationRule& rule) {
    if (rule == AllocationRule{}) {
        return {};
    }
    std::string text{rule.policy ? to_string(*rule.policy) : ""};
    text += '\n' + rule.custom.webhook_url + '\n' + rule.custom.api_version;
    for (const auto& hub : rule.hubs) {
        text += '\n' + hub;
    }
    return text;
}

Result<AllocationRule> parse_allocation_rule(std::string_view text) {
    AllocationRule rule;
    if (text.empty()) {
        return rule;
    }
    std::vector<std::string> lines;
    for (;;) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            break;
        }
        text.remove_prefix(end + 1);
    }
    if (lines.size() < 3) {
        return malformed("malformed-rule", "an allocation rule has at least three lines");
    }
    if (!lines[0].empty()) {
        TRY(rule.policy, parse_allocation_policy(lines[0]));
    }
    rule.custom = {std::move(lines[1]), std::move(lines[2])};
    rule.hubs.assign(std::make_move_iterator(lines.begin() + 3),
                     std::make_move_iterator(lines.end()));
    return rule;
}

const LinkedHub* Candidates::find(std::string_view name) const {
    const auto found = std::find_if(hubs.begin(), hubs.end(), [name](const auto* hub) {
        return equal_ignoring_case(hub->name, name);
    });
    return found == hubs.end() ? nullptr : *found;
}

Candidates candidates_of(const AllocationRule& entry, const AllocationRule& server,
                         const std::vector<LinkedHub>& linked) {
    Candidates candidates;
    candidates.policy = entry.policy.value_or(server.policy.value_or(AllocationPolicy::hashed));
    const bool servers_list = entry.hubs.empty() && !entry.policy;
    const auto& names = servers_list ? server.hubs : entry.hubs;
    if (names.empty()) {
        for (const auto& hub : linked) {
            if (hub.allocate) {
                candidates.hubs.push_back(&hub);
            }
        }
        return candidates;
    }
    for (const auto& name : names) {
        const auto* const hub = find_hub(linked, name);
        if (hub != nullptr && hub->allocate) {
            candidates.hubs.push_back(hub);
        }
    }
    return candidates;
}

const LinkedHub* allocate(const Candidates& candidates, const RegistrationId& id) {
    if (candidates.hubs.empty() || candidates.policy == AllocationPolicy::custom) {
        return nullptr;
    }
    if (candidates.policy != AllocationPolicy::hashed || candidates.hubs.size() == 1) {
        return candidates.hubs.front();
    }
    return *std::max_element(
        candidates.hubs.begin(), candidates.hubs.end(),
        [&id](const auto* a, const auto* b) { return score_of(*a, id) < score_of(*b, id); });
}

void sort_hubs(std::vector<LinkedHub>& hubs) {
    std::sort(hubs.begin(), hubs.end(), [](const LinkedHub& a, const LinkedHub& b) {
        return std::tuple{!a.own, a.created, to_lower_ascii(a.name)} <
               std::tuple{!b.own, b.created, to_lower_ascii(b.name)};
    });
}

const LinkedHub* find_hub(const std::vector<LinkedHub>& hubs, std::string_view name) {
    const auto found = std::find_if(hubs.begin(), hubs.end(), [name](const auto& hub) {
        return equal_ignoring_case(hub.name, name);
    });
    return found == hubs.end() ? nullptr : &*found;
}

}  // namespace rollcall::domain
