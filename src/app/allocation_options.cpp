// SPDX-License-Identifier: Apache-2.0
#include "app/allocation_options.hpp"

#include <boost/json/array.hpp>

namespace rollcall::app {

namespace json = boost::json;

namespace {

/// The command line says "latency", which is what the operator orders by.
json::value policy_of(const std::string& word) {
    if (word == "default") {
        return nullptr;
    }
    return word == "latency" ? json::value("geoLatency") : json::value(word);
}

}  // namespace

Parameter hub_option() {
    return option("--hub NAME", "a hub to choose from, in this order; the word all means every one")
        .may_repeat();
}

Parameter server_allocation_option() {
    return option("--allocation WORD", "how a hub is chosen")
        .one_of({"hashed", "static", "latency"});
}

std::vector<Parameter> allocation_options() {
    return {option("--allocation WORD", "how its devices' hub is chosen; default: as the server's")
                .one_of({"default", "hashed", "static", "latency", "custom"}),
            hub_option(), option("--webhook URL", "who is asked, with --allocation custom"),
            option("--webhook-version DATE", "apiVersion of that webhook (2021-10-01)")};
}

Result<Done> put_allocation(const Invocation& call, json::object& body) {
    if (const auto word = call.maybe("--allocation")) {
        body["allocationPolicy"] = policy_of(*word);
    }
    if (call.has("--hub")) {
        json::array hubs;
        for (const std::string& name : call.all("--hub")) {
            if (name != "all") {
                hubs.emplace_back(name);
            }
        }
        if (hubs.size() != call.all("--hub").size() && !hubs.empty()) {
            return usage_error("--hub all stands alone");
        }
        body["iotHubs"] = std::move(hubs);
    }
    if (const auto url = call.maybe("--webhook")) {
        json::object definition{{"webhookUrl", *url}};
        if (const auto version = call.maybe("--webhook-version")) {
            definition["apiVersion"] = *version;
        }
        body["customAllocationDefinition"] = std::move(definition);
    } else if (call.has("--webhook-version")) {
        return usage_error("--webhook-version goes with --webhook");
    }
    return Done{};
}

std::vector<std::pair<std::string, std::string>> allocation_fields(const json::value& record) {
    std::vector<std::pair<std::string, std::string>> fields;
    const std::string policy = shown(record, "allocationPolicy");
    fields.emplace_back("allocation", policy == "-"            ? "default"
                                      : policy == "geoLatency" ? "latency"
                                                               : policy);
    const json::value* const hubs = find_member(record, "iotHubs");
    const bool all = hubs == nullptr || !hubs->is_array() || hubs->get_array().empty();
    fields.emplace_back("hubs", all ? "all" : shown(hubs));
    const std::string webhook = shown(record, "customAllocationDefinition.webhookUrl");
    if (webhook != "-") {
        fields.emplace_back("webhook", webhook);
    }
    return fields;
}

}  // namespace rollcall::app
