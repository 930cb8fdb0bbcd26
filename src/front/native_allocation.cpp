// SPDX-License-Identifier: Apache-2.0
// Native API: linked hubs and the server's own allocation rule.
#include "base/bytes.hpp"
#include "front/native_routes.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace rollcall::front {
namespace {

using service::Permission;

Error no_hub(const std::string& name) {
    return {ErrorKind::not_found, "there is no linked hub '" + name + "'", "hub-not-found"};
}

Answer hub_answer(const service::Outcome<domain::LinkedHub>& outcome) {
    if (!outcome.record) {
        return changed(outcome, "hub", nullptr, ETag{}, Pem::without);
    }
    return changed(outcome, "hub", to_json(*outcome.record), outcome.record->etag, Pem::without);
}

service::HubSettings read_hub_settings(Fields& fields) {
    service::HubSettings settings;
    if (const auto weight = fields.optional_number("weight")) {
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        settings.weight = static_cast<std::uint32_t>(std::min(*weight, most));
    }
    settings.allocate = fields.optional_flag("allocate");
    return settings;
}

/// Ours first, not by name: `after` is a place in that order.
Task<Result<Answer>> list_hubs(const NativeServices& services, const Call& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto& hubs = trust->records().hubs;
    auto place = hubs.begin();
    if (!page.after.empty()) {
        place = std::find_if(hubs.begin(), hubs.end(), [&page](const auto& hub) {
            return equal_ignoring_case(hub.name, page.after);
        });
        place += place == hubs.end() ? 0 : 1;
    }
    json::array items;
    for (; place != hubs.end() && items.size() < page.count; ++place) {
        items.push_back(to_json(*place));
    }
    const bool last = place == hubs.end();
    Answer answer;
    answer.body = page_json(std::move(items), last ? std::string{} : std::prev(place)->name);
    co_return answer;
}

Task<Result<Answer>> add_hub(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string name = fields.text("name");
    auto settings = read_hub_settings(fields);
    settings.own = fields.optional_flag("own");
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.add_hub(order, name, settings));
    Answer answer = hub_answer(outcome);
    answer.status = 201;
    answer.location = location_of("/hubs", name);
    co_return answer;
}

/// With how many devices are assigned to it.
Task<Result<Answer>> get_hub(const NativeServices& services, const Call& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto* const hub = domain::find_hub(trust->records().hubs, call.in_path("hub"));
    if (hub == nullptr) {
        co_return no_hub(call.in_path("hub"));
    }
    store::RegistrationFilter filter;
    filter.hub = hub->name;
    CO_TRY(const std::uint64_t devices, co_await services.reader.registration_count(filter));
    Answer answer;
    json::object shown = to_json(*hub);
    shown["devices"] = devices;
    answer.body = std::move(shown);
    answer.etag = hub->etag;
    co_return answer;
}

Task<Result<Answer>> update_hub(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const auto settings = read_hub_settings(fields);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.update_hub(order, call.in_path("hub"), settings));
    co_return hub_answer(outcome);
}

Task<Result<Answer>> remove_hub(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome, co_await services.enroller.remove_hub(order, call.in_path("hub")));
    co_return deleted(outcome);
}

Task<Result<Answer>> get_rule(const NativeServices& services, const Call&) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    Answer answer;
    json::object shown;
    put_allocation(shown, trust->records().allocation);
    answer.body = std::move(shown);
    co_return answer;
}

Task<Result<Answer>> set_rule(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const auto settings = read_allocation(fields);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.set_server_rule(order, settings));
    json::object shown;
    if (outcome.record) {
        put_allocation(shown, *outcome.record);
    }
    co_return changed(outcome, "allocation", shown, ETag{}, Pem::without);
}

}  // namespace

void add_allocation_routes(std::vector<Route>& routes) {
    const auto read = Permission::server_read;
    const auto write = Permission::hub_write;
    routes.push_back({"GET", "/hubs", "listHubs", read, {"limit", "after"}, Body::none, list_hubs});
    routes.push_back({"POST", "/hubs", "addHub", write, {}, Body::required, add_hub});
    routes.push_back({"GET", "/hubs/{hub}", "getHub", read, {}, Body::none, get_hub});
    routes.push_back(
        {"PATCH", "/hubs/{hub}", "updateHub", write, {"dryRun"}, Body::required, update_hub});
    routes.push_back({"DELETE",
                      "/hubs/{hub}",
                      "removeHub",
                      write,
                      {"reason", "dryRun"},
                      Body::none,
                      remove_hub});
    routes.push_back({"GET", "/allocation", "getAllocation", read, {}, Body::none, get_rule});
    routes.push_back(
        {"PATCH", "/allocation", "setAllocation", write, {"dryRun"}, Body::required, set_rule});
}

}  // namespace rollcall::front
