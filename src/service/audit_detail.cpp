// SPDX-License-Identifier: Apache-2.0
#include "service/audit_detail.hpp"

#include <boost/json/serialize.hpp>

namespace rollcall::service {
namespace {

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string_view{text.data(), text.size()});
}

/// As the next element of an array or object that is being written.
void append(std::string& json, const std::string& element) {
    if (json.size() > 1) {
        json.push_back(',');
    }
    json += element;
}

std::string word(bool value) {
    return value ? "true" : "false";
}

std::string before_after(const std::string& before, const std::string& after) {
    return R"({"before":)" + before + R"(,"after":)" + after + "}";
}

}  // namespace

AuditDetail& AuditDetail::text(std::string_view name, std::string_view value) {
    return add(name, quoted(value));
}

AuditDetail& AuditDetail::flag(std::string_view name, bool value) {
    return add(name, word(value));
}

AuditDetail& AuditDetail::texts(std::string_view name, const std::vector<std::string>& values) {
    std::string json(1, '[');
    for (const auto& value : values) {
        append(json, quoted(value));
    }
    json.push_back(']');
    return add(name, std::move(json));
}

AuditDetail& AuditDetail::certificate(std::string_view name,
                                      const std::optional<x509::Certificate>& certificate) {
    if (!certificate) {
        return add(name, "null");
    }
    return add(name, R"({"subject":)" + quoted(certificate->subject()) + R"(,"sha256Thumbprint":)" +
                         quoted(certificate->sha256_thumbprint()) + "}");
}

AuditDetail& AuditDetail::change(std::string_view name, std::string_view before,
                                 std::string_view after) {
    return before == after ? *this : add(name, before_after(quoted(before), quoted(after)));
}

AuditDetail& AuditDetail::change(std::string_view name, bool before, bool after) {
    return before == after ? *this : add(name, before_after(word(before), word(after)));
}

std::string AuditDetail::json() const {
    if (members_.empty()) {
        return {};
    }
    std::string json(1, '{');
    for (const auto& [name, value] : members_) {
        append(json, quoted(name));
        json.push_back(':');
        json += value;
    }
    json.push_back('}');
    return json;
}

std::vector<std::string> AuditDetail::names() const {
    std::vector<std::string> names;
    names.reserve(members_.size());
    for (const auto& member : members_) {
        names.push_back(member.first);
    }
    return names;
}

AuditDetail& AuditDetail::add(std::string_view name, std::string json) {
    members_.emplace_back(name, std::move(json));
    return *this;
}

domain::AuditEvent audit_event(const Order& order, std::string action, std::string object,
                               const AuditDetail& detail, TimePoint at) {
    return {.at = at,
            .actor = order.caller.name,
            .source = order.caller.source,
            .action = std::move(action),
            .object = std::move(object),
            .detail = detail.json(),
            .reason = order.reason};
}

}  // namespace rollcall::service
