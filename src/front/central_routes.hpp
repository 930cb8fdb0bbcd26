// SPDX-License-Identifier: Apache-2.0
// IoT Central's table of addresses and what a handler is given; for central_*.cpp and tests.
#pragma once

#include "front/central_api.hpp"
#include "front/json_reader.hpp"
#include "store/whole_list.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::front {

struct CentralRoute;

/// One request, understood: its caller is known and may, its body is an object.
struct CentralCall {
    const CentralRoute& route;
    const net::HttpRequest& request;
    service::Order order{};  ///< with If-Match, where one was sent
    std::map<std::string, std::string, std::less<>> path{};
    /// In lower case, without api-version.
    std::map<std::string, std::string, std::less<>> query{};
    std::string api_version{};
    boost::json::object body{};

    const std::string& in_path(std::string_view name) const;
    std::optional<std::string> in_query(std::string_view name) const;
    /// malformed "malformed-path".
    Result<domain::Slot> slot() const;
    /// $top or maxpagesize, and where the page before ended. malformed "malformed-page".
    Result<store::PageRequest> page() const;
    /// With the body's etag, where no If-Match was sent: that outranks it.
    service::Order order_with(const std::optional<CentralTag>& tag) const;
    /// The members of the body; unknown ones are passed over, null is as good as not given.
    Fields fields() const { return Fields{body, {}, Unknown::ignored}; }
};

/// `body` as JSON; 204 goes without. No answer is ever 200 without a body: clients would stumble.
struct CentralAnswer {
    unsigned status = 200;
    boost::json::value body{};
};

using CentralHandler = Task<Result<CentralAnswer>> (*)(const CentralServices& services,
                                                       const CentralCall& call);

enum class CentralBody { none, required };

struct CentralRoute {
    std::string_view method;
    std::string_view path;  ///< under /api, in any case: "/enrollmentGroups/{group}"
    service::Permission permission;
    CentralBody body;
    CentralHandler handler;
};

/// All of them.
const std::vector<CentralRoute>& central_routes();

// The tables of the parts: central_groups.cpp and so on.
void add_central_group_routes(std::vector<CentralRoute>& routes);
void add_central_device_routes(std::vector<CentralRoute>& routes);
void add_central_attestation_routes(std::vector<CentralRoute>& routes);
void add_central_hub_routes(std::vector<CentralRoute>& routes);
void add_central_access_routes(std::vector<CentralRoute>& routes);
void add_central_user_routes(std::vector<CentralRoute>& routes);
void add_central_job_routes(std::vector<CentralRoute>& routes);

// What several parts share.

/// not_found "device-not-found".
Task<Result<domain::Device>> central_device(const CentralServices& services,
                                            const CentralCall& call);

/// {"value": […], "nextLink"}. `next`: where the page after this one begins; empty: there is none.
boost::json::object central_page(const CentralCall& call, boost::json::array items,
                                 const std::string& next);

/// The page asked for of `all`, in the order of `name_of` without case. malformed as page().
template <class Item, class NameOf, class Shown>
Result<CentralAnswer> central_page_by_name(const CentralCall& call, const std::vector<Item>& all,
                                           const NameOf& name_of, const Shown& shown) {
    TRY(const auto request, call.page());
    const auto key_of = [&name_of](const Item& item) { return to_lower_ascii(name_of(item)); };
    const auto page = store::page_of_whole(all, request, key_of);
    boost::json::array items;
    for (const auto* const item : page.items) {
        items.push_back(shown(*item));
    }
    return CentralAnswer{200, central_page(call, std::move(items), page.next)};
}

}  // namespace rollcall::front
