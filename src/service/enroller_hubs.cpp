// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about linked hubs and allocation rules.
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "service/enroller_plan.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

using domain::LinkedHub;

constexpr const char* usual_webhook_version = "2021-10-01";

Error no_hub(const std::string& name) {
    return {ErrorKind::not_found, "there is no linked hub '" + name + "'", "hub-not-found"};
}

Result<Done> apply(LinkedHub& hub, const HubSettings& settings) {
    hub.weight = settings.weight.value_or(hub.weight);
    hub.allocate = settings.allocate.value_or(hub.allocate);
    if (hub.weight < 1 || hub.weight > limits::hub_weight_max) {
        return Error{ErrorKind::malformed,
                     "a hub's weight is 1 to " + std::to_string(limits::hub_weight_max) +
                         "; to keep new devices away, set allocate to false",
                     "malformed-weight"};
    }
    return Done{};
}

AuditDetail difference(const LinkedHub& before, const LinkedHub& after) {
    AuditDetail detail;
    detail.change("own", before.own, after.own)
        .change("weight", std::to_string(before.weight), std::to_string(after.weight))
        .change("allocate", before.allocate, after.allocate);
    return detail;
}

/// What is shown of an address with a key stands for the address itself.
Result<std::string> whole_url(const std::string& url, const std::string& stored) {
    if (!url.ends_with("?****")) {
        return url;
    }
    if (url != domain::shown_url(stored)) {
        return Error{ErrorKind::malformed,
                     "give the webhook's whole address: '?****' stands for a key that is not "
                     "shown, and is not the key",
                     "malformed-webhook"};
    }
    return stored;
}

bool names(const domain::AllocationRule& rule, const std::string& name) {
    return std::any_of(rule.hubs.begin(), rule.hubs.end(),
                       [&name](const auto& hub) { return equal_ignoring_case(hub, name); });
}

}  // namespace

Result<Done> apply(domain::AllocationRule& rule, const AllocationSettings& settings) {
    const auto before = rule;
    rule.policy = settings.policy.value_or(rule.policy);
    rule.hubs = settings.hubs.value_or(rule.hubs);
    if (settings.custom && *settings.custom) {
        TRY(rule.custom.webhook_url,
            whole_url((*settings.custom)->webhook_url, before.custom.webhook_url));
        rule.custom.api_version = (*settings.custom)->api_version;
        if (rule.custom.api_version.empty()) {
            rule.custom.api_version = usual_webhook_version;
        }
        if (rule.policy != domain::AllocationPolicy::custom) {
            return Error{ErrorKind::malformed,
                         "a webhook goes with the allocation policy 'custom' only",
                         "webhook-not-wanted"};
        }
    } else if (settings.custom || rule.policy != domain::AllocationPolicy::custom) {
        rule.custom = {};
    }
    if (rule == before) {
        return Done{};
    }
    return domain::check_rule(rule);
}

std::string shown(const domain::AllocationRule& rule) {
    std::string text{rule.policy ? to_string(*rule.policy) : ""};
    if (!rule.custom.webhook_url.empty()) {
        text += " " + domain::shown_url(rule.custom.webhook_url) + " " + rule.custom.api_version;
    }
    for (const auto& hub : rule.hubs) {
        text += (text.empty() ? "" : " ") + hub;
    }
    return text;
}

void check_hubs(std::vector<std::string>& warnings, const domain::AllocationRule& rule,
                const domain::TrustView& trust) {
    for (const auto& name : rule.hubs) {
        const auto* const hub = domain::find_hub(trust.records().hubs, name);
        if (hub == nullptr) {
            warnings.push_back("the hub '" + name + "' is not linked: nobody is assigned to it");
        } else if (!hub->allocate) {
            warnings.push_back("the hub '" + name + "' takes no devices now (allocate is off)");
        }
    }
}

Task<Result<Outcome<LinkedHub>>> Enroller::add_hub(const Order& order, const std::string& name,
                                                   const HubSettings& settings) {
    CO_TRY([[maybe_unused]] const Done named, domain::check_hub_name(name));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto& hubs = snapshot.trust->records().hubs;
        if (domain::find_hub(hubs, name) != nullptr) {
            return Error{ErrorKind::conflict, "the hub '" + name + "' is linked already",
                         "hub-exists"};
        }
        if (hubs.size() >= limits::linked_hubs_max) {
            return Error{ErrorKind::conflict,
                         "there are " + std::to_string(limits::linked_hubs_max) +
                             " linked hubs already, which is the bound",
                         "too-many-hubs"};
        }
        LinkedHub hub{name, settings.own.value_or(false)};
        TRY([[maybe_unused]] const Done applied, apply(hub, settings));
        hub.etag = writing.entry_etag;
        hub.created = writing.now;
        hub.updated = writing.now;
        Plan plan;
        plan.action = "hub.add";
        plan.object = "hub/" + name;
        plan.detail = difference({}, hub);
        plan.changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::hub, name, ETag{}});
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(domain::PutHub{std::move(hub)});
        plan.changes.moves_config = true;
        return plan;
    };
    co_return co_await change_hub(order, name, planner);
}

Task<Result<Outcome<LinkedHub>>> Enroller::update_hub(const Order& order, const std::string& name,
                                                      const HubSettings& settings) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto* const before = domain::find_hub(snapshot.trust->records().hubs, name);
        if (before == nullptr) {
            return no_hub(name);
        }
        TRY([[maybe_unused]] const Done same, order.if_match.check(before->etag));
        LinkedHub hub = *before;
        TRY([[maybe_unused]] const Done applied, apply(hub, settings));
        Plan plan;
        plan.action = "hub.update";
        plan.object = "hub/" + before->name;
        if (hub == *before) {
            return plan;
        }
        plan.detail = difference(*before, hub);
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::hub, before->name, before->etag});
        hub.etag = writing.entry_etag;
        hub.updated = writing.now;
        plan.changes.writes.push_back(domain::PutHub{std::move(hub)});
        plan.changes.moves_config = true;
        return plan;
    };
    co_return co_await change_hub(order, name, planner);
}

Task<Result<Outcome<LinkedHub>>> Enroller::change_hub(const Order& order, const std::string& name,
                                                      const Planner& planner) {
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    auto outcome = told<LinkedHub>(order, plan);
    if (!order.dry_run) {
        CO_TRY(const auto trust, co_await trust_book_.current());
        const auto* const hub = domain::find_hub(trust->records().hubs, name);
        if (hub == nullptr) {
            co_return no_hub(name);
        }
        outcome.record = *hub;
    }
    co_return outcome;
}

Task<Result<Outcome<std::string>>> Enroller::remove_hub(const Order& order,
                                                        const std::string& name) {
    const std::string key{domain::own_hub_key};
    CO_TRY(const auto own, co_await reader_.setting(key));
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        const auto* const before = domain::find_hub(snapshot.trust->records().hubs, name);
        if (before == nullptr) {
            return no_hub(name);
        }
        TRY([[maybe_unused]] const Done same, order.if_match.check(before->etag));
        if (own && equal_ignoring_case(*own, name)) {
            return Error{ErrorKind::conflict,
                         "'" + name +
                             "' is this server's own name as a hub; to keep devices away from it, "
                             "set allocate to false",
                         "own-hub"};
        }
        Plan plan;
        plan.action = "hub.remove";
        plan.object = "hub/" + before->name;
        plan.detail.flag("own", before->own)
            .text("weight", std::to_string(before->weight))
            .flag("allocate", before->allocate);
        plan.preview.summary.push_back("Unlinks the hub '" + before->name +
                                       "'; nobody is assigned to it from then on.");
        store::RegistrationFilter rests;
        rests.hub = before->name;
        plan.rests.push_back(rests);
        plan.rests_on_hub = true;
        for (const auto& group : snapshot.trust->records().groups) {
            if (names(group.allocation, name)) {
                plan.warnings.push_back("the group '" + group.id.str() + "' names this hub");
            }
        }
        plan.changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::hub, before->name, before->etag});
        plan.changes.writes.push_back(domain::DeleteHub{before->name});
        plan.changes.moves_config = true;
        return plan;
    };
    const Subject nothing_else;
    co_return co_await erase(order, nothing_else, planner);
}

Task<Result<Outcome<domain::AllocationRule>>> Enroller::set_server_rule(
    const Order& order, const AllocationSettings& settings) {
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        const auto& before = snapshot.trust->records().allocation;
        domain::AllocationRule rule = before;
        TRY([[maybe_unused]] const Done applied, apply(rule, settings));
        if (rule.policy == domain::AllocationPolicy::custom) {
            return Error{ErrorKind::malformed,
                         "custom is for entries only: the server's own policy is hashed, "
                         "geoLatency or static",
                         "malformed-policy"};
        }
        Plan plan;
        plan.action = "allocation.set";
        plan.object = "allocation/default";
        if (rule == before) {
            return plan;
        }
        check_hubs(plan.warnings, rule, *snapshot.trust);
        plan.detail.change("allocation", shown(before), shown(rule));
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(
            domain::PutSetting{std::string{domain::server_rule_key}, domain::to_text(rule)});
        plan.changes.moves_config = true;
        return plan;
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    auto outcome = told<domain::AllocationRule>(order, plan);
    if (!order.dry_run) {
        CO_TRY(const auto trust, co_await trust_book_.current());
        outcome.record = trust->records().allocation;
    }
    co_return outcome;
}

}  // namespace rollcall::service
