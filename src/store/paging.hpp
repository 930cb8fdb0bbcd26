// SPDX-License-Identifier: Apache-2.0
// Cutting listings into pages: a store reads one record more than the page holds, to know whether
// another page follows.
#pragma once

#include "base/limits.hpp"
#include "store/fleet.hpp"

#include <algorithm>
#include <charconv>

namespace rollcall::store {

inline std::size_t page_size(const PageRequest& page) {
    return std::clamp<std::size_t>(page.count, 1, limits::page_max);
}

/// The keys listings are in the order of.
inline std::string key_of(const domain::CaCertificate& ca) {
    return ca.id.str();
}
inline std::string key_of(const domain::EnrollmentGroup& group) {
    return to_lower_ascii(group.id.str());
}
inline std::string key_of(const domain::IndividualEnrollment& enrollment) {
    return enrollment.id.str();
}
inline std::string key_of(const domain::Registration& registration) {
    return registration.id.str();
}
inline std::string key_of(const domain::Device& device) {
    return device.id.str();
}
inline std::string key_of(const domain::NotedDevice& noted) {
    return noted.device.id.str();
}
inline std::string key_of(const FleetDevice& device) {
    return key_of(device.noted);
}
inline std::string key_of(const domain::DeviceGroup& group) {
    return group.id;
}
inline std::string key_of(const domain::Job& job) {
    return job.id;
}
inline std::string key_of(const domain::JobDevice& device) {
    return std::to_string(device.number);
}
inline std::string key_of(const AuditRecord& record) {
    return std::to_string(record.sequence);
}

/// `items`: up to one more than page_size().
template <class T>
Page<T> cut_page(std::vector<T> items, const PageRequest& page) {
    const std::size_t size = page_size(page);
    const bool more = items.size() > size;
    if (more) {
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(size), items.end());
    }
    std::string next = more ? key_of(items.back()) : std::string{};
    return {std::move(items), std::move(next)};
}

/// The `after` of a page in the order of numbers; malformed ("malformed-page") when it is no
/// number.
inline Result<std::uint64_t> parse_sequence(const std::string& after) {
    std::uint64_t sequence = 0;
    const auto* end = after.data() + after.size();
    const auto [stop, error] = std::from_chars(after.data(), end, sequence);
    if (!after.empty() && (error != std::errc{} || stop != end || sequence > INT64_MAX)) {
        return Error{ErrorKind::malformed, "the page's mark is not a sequence number",
                     "malformed-page"};
    }
    return sequence;
}

}  // namespace rollcall::store
