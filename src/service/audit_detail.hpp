// SPDX-License-Identifier: Apache-2.0
// An audit event and its detail: a small JSON object of what was before and after. Private keys,
// tokens and codes have no way in.
#pragma once

#include "domain/changes.hpp"
#include "domain/enrollment.hpp"
#include "service/caller.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollcall::service {

class AuditDetail {
public:
    AuditDetail& text(std::string_view name, std::string_view value);
    AuditDetail& flag(std::string_view name, bool value);
    AuditDetail& texts(std::string_view name, const std::vector<std::string>& values);
    /// Subject and SHA-256; null where there is none.
    AuditDetail& certificate(std::string_view name,
                             const std::optional<x509::Certificate>& certificate);
    /// {"before": …, "after": …}, left out where they are equal.
    AuditDetail& change(std::string_view name, std::string_view before, std::string_view after);
    AuditDetail& change(std::string_view name, bool before, bool after);

    /// The JSON text, members in the order of calls; empty when there are none.
    std::string json() const;
    /// Of its members, in the order of calls.
    std::vector<std::string> names() const;

private:
    AuditDetail& add(std::string_view name, std::string json);

    std::vector<std::pair<std::string, std::string>> members_;
};

/// Who asks, and why, comes from the order. `object`: "group/plant-a".
domain::AuditEvent audit_event(const Order& order, std::string action, std::string object,
                               const AuditDetail& detail, TimePoint at);

}  // namespace rollcall::service
