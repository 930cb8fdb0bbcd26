// SPDX-License-Identifier: Apache-2.0
#include "base/limits.hpp"
#include "front/native_routes.hpp"
#include "front/url.hpp"

#include <charconv>

namespace rollcall::front {
namespace {

Error malformed_parameter(std::string_view name, std::string_view wanted) {
    return {ErrorKind::malformed,
            "the parameter '" + std::string{name} + "' is " + std::string{wanted},
            "malformed-parameter"};
}

}  // namespace

const std::string& Call::in_path(std::string_view name) const {
    const auto found = path.find(name);
    INVARIANT(found != path.end());
    return found->second;
}

std::optional<std::string> Call::in_query(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::nullopt : std::optional{found->second};
}

Result<bool> Call::flag(std::string_view name) const {
    const auto text = in_query(name);
    if (!text || *text == "false") {
        return false;
    }
    if (*text == "true") {
        return true;
    }
    return malformed_parameter(name, "true or false");
}

Result<Pem> Call::pem() const {
    TRY(const bool wanted, flag("pem"));
    return wanted ? Pem::with : Pem::without;
}

Result<store::PageRequest> Call::page() const {
    store::PageRequest page{in_query("after").value_or(""), limits::page_default};
    if (const auto text = in_query("limit")) {
        const auto* const end = text->data() + text->size();
        const auto read = std::from_chars(text->data(), end, page.count);
        if (read.ec != std::errc{} || read.ptr != end || page.count < 1 ||
            page.count > limits::page_max) {
            return malformed_parameter("limit",
                                       "a number from 1 to " + std::to_string(limits::page_max));
        }
    }
    return page;
}

Result<domain::Slot> Call::slot() const {
    return domain::parse_slot(in_path("slot"));
}

Result<domain::Removal> Call::removal() const {
    const std::string mode = in_query("mode").value_or("plain");
    if (mode == "plain") {
        return domain::Removal::plain;
    }
    if (mode == "breach") {
        return domain::Removal::breach;
    }
    return malformed_parameter("mode", "plain or breach");
}

Result<service::Order> Call::order() const {
    TRY(const bool dry_run, flag("dryRun"));
    return service::Order{caller, in_query("reason").value_or(""), if_match, dry_run};
}

Result<service::Order> Call::order(Fields& fields) const {
    TRY(auto order, this->order());
    order.reason = fields.optional_text("reason").value_or("");
    return order;
}

std::string location_of(std::string_view collection, std::string_view key) {
    return std::string{collection} + '/' + escape_url(key);
}

service::AllocationSettings read_allocation(Fields& fields) {
    service::AllocationSettings settings;
    if (const auto word = fields.nullable_text("allocationPolicy")) {
        settings.policy.emplace();
        if (*word) {
            const auto policy = domain::parse_allocation_policy(**word);
            if (policy) {
                *settings.policy = *policy;
            } else {
                fields.refuse({ErrorKind::malformed,
                               "'allocationPolicy' is one of: hashed, geoLatency, static, custom, "
                               "or null for the server's own",
                               "malformed-member"});
            }
        }
    }
    settings.hubs = fields.optional_texts("iotHubs");
    const bool none =
        fields.nullable_object("customAllocationDefinition", [&settings](Fields& custom) {
            domain::CustomAllocation definition;
            definition.webhook_url = custom.text("webhookUrl");
            definition.api_version = custom.optional_text("apiVersion").value_or("");
            settings.custom = std::optional{std::move(definition)};
        });
    if (none) {
        settings.custom.emplace();
    }
    return settings;
}

void read_entry_settings(Fields& fields, service::EntrySettings& settings) {
    settings.enabled = fields.optional_flag("enabled");
    fields.object("reprovisionPolicy", [&settings](Fields& policy) {
        settings.update_hub_assignment = policy.optional_flag("updateHubAssignment");
        settings.migrate_device_data = policy.optional_flag("migrateDeviceData");
    });
    settings.initial_twin = fields.object_text("initialTwin", limits::initial_twin_bytes_max,
                                               limits::initial_twin_depth_max);
    settings.allocation = read_allocation(fields);
}

Answer group_answer(const service::Outcome<service::GroupView>& outcome, Pem pem) {
    if (!outcome.record) {
        return changed(outcome, "group", nullptr, ETag{}, pem);
    }
    Answer answer =
        changed(outcome, "group", to_json(*outcome.record, pem), outcome.record->group.etag, pem);
    answer.body.as_object()["pending"] = outcome.pending;
    return answer;
}

Answer deleted(const service::Outcome<std::string>& outcome) {
    Answer answer;
    if (outcome.preview) {
        answer.body = to_json(*outcome.preview, outcome.findings, outcome.warnings, Pem::without);
    } else {
        answer.body = json::object{{"deleted", outcome.record.value_or("")},
                                   {"warnings", to_json(outcome.warnings)}};
    }
    return answer;
}

Answer code_answer(const service::PossessionCode& code) {
    Answer answer;
    answer.body = json::object{{"code", code.code},
                               {"caCertificate", code.ca.str()},
                               {"sha256Thumbprint", to_upper_hex(code.sha256.bytes)}};
    answer.etag = code.etag;
    return answer;
}

}  // namespace rollcall::front
