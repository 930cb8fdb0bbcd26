// SPDX-License-Identifier: Apache-2.0
// IoT Central's enrollment groups and their certificates (spec/iot-central-api.md 3.2).
#include "front/central_routes.hpp"

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

Task<Result<service::GroupView>> read_group(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, call.in_path("group")));
    co_return service::view_of(*trust, *group, services.clock.now());
}

Task<Result<CentralAnswer>> list_groups(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto found = service::groups_page(*trust, page, services.clock.now());
    json::array items;
    for (const auto& view : found.items) {
        items.push_back(group_json(view, false));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

Task<Result<CentralAnswer>> get_group(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto view, co_await read_group(services, call));
    co_return CentralAnswer{200, group_json(view, false)};
}

}  // namespace

void add_central_group_routes(std::vector<CentralRoute>& routes) {
    const std::vector<CentralRoute> own{
        {"GET", "/enrollmentGroups", Permission::group_read, CentralBody::none, list_groups},
        {"GET", "/enrollmentGroups/{group}", Permission::group_read, CentralBody::none, get_group},
    };
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
