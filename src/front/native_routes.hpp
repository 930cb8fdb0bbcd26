// SPDX-License-Identifier: Apache-2.0
// The native API's table of routes and what a handler is given; for native_*.cpp and its test.
#pragma once

#include "front/json_reader.hpp"
#include "front/native_api.hpp"
#include "front/native_json.hpp"
#include "store/whole_list.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::front {

struct Route;

/// One request, understood: its caller is known and may, its parameters are of this route and its
/// body is an object.
struct Call {
    const Route& route;
    std::map<std::string, std::string, std::less<>> path{};
    std::map<std::string, std::string, std::less<>> query{};
    json::object body{};
    service::Caller caller{};
    service::EtagCondition if_match{};
    std::optional<domain::SignedIn> signed_in{};  ///< where a cookie vouches
    const net::HttpRequest* request = nullptr;    ///< never null in a handler

    const std::string& in_path(std::string_view name) const;
    std::optional<std::string> in_query(std::string_view name) const;
    /// malformed "malformed-parameter" for anything but true and false.
    Result<bool> flag(std::string_view name) const;
    Result<Pem> pem() const;
    Result<store::PageRequest> page() const;
    Result<domain::Slot> slot() const;
    /// `mode` of a removal.
    Result<domain::Removal> removal() const;
    /// With the reason and dryRun of the query.
    Result<service::Order> order() const;
    /// With the reason of the body.
    Result<service::Order> order(Fields& fields) const;
};

struct Answer {
    unsigned status = 200;
    json::value body{};
    ETag etag{};             ///< empty: none to be told
    std::string location{};  ///< under /api/v1; empty: none
    /// Instead of `body`, where the answer is a document that exists already.
    std::string_view document{};
    net::HttpHeaders headers{};  ///< beside those that are told by members
};

using RouteHandler = Task<Result<Answer>> (*)(const NativeServices& services, const Call& call);

enum class Body { none, optional, required };

struct Route {
    std::string_view method;
    std::string_view path;  ///< under /api/v1, "/groups/{group}"
    std::string_view operation_id;
    service::Permission permission;
    std::vector<std::string_view> query;  ///< parameters it takes
    Body body;
    RouteHandler handler;
};

/// All of them, in the order of the document.
const std::vector<Route>& native_routes();

// The tables of the parts: native_server.cpp and so on.
void add_server_routes(std::vector<Route>& routes);
void add_ca_routes(std::vector<Route>& routes);
void add_allocation_routes(std::vector<Route>& routes);
void add_group_routes(std::vector<Route>& routes);
void add_slot_routes(std::vector<Route>& routes);
void add_enrollment_routes(std::vector<Route>& routes);
void add_key_routes(std::vector<Route>& routes);
void add_device_routes(std::vector<Route>& routes);
void add_hub_routes(std::vector<Route>& routes);
void add_registration_routes(std::vector<Route>& routes);
void add_distrust_routes(std::vector<Route>& routes);
void add_audit_routes(std::vector<Route>& routes);
void add_token_routes(std::vector<Route>& routes);
void add_policy_routes(std::vector<Route>& routes);
void add_user_routes(std::vector<Route>& routes);
void add_session_routes(std::vector<Route>& routes);
void add_import_routes(std::vector<Route>& routes);
void add_overview_routes(std::vector<Route>& routes);

// What several parts share.

/// "/groups/plant%2Fa"
std::string location_of(std::string_view collection, std::string_view key);

/// allocationPolicy, iotHubs and customAllocationDefinition.
service::AllocationSettings read_allocation(Fields& fields);

/// Settings that groups and individual enrollments share.
void read_entry_settings(Fields& fields, service::EntrySettings& settings);

/// `symmetricKey` of an entry to be made (native_keys.cpp).
void read_new_keys(Fields& fields, service::EntrySettings& settings);

/// One page of a list that is read whole; `key_of` gives its order.
template <class Record, class Key>
json::object page_of_all(const std::vector<Record>& all, const store::PageRequest& request,
                         const Key& key_of) {
    const auto page = store::page_of_whole(all, request, key_of);
    json::array items;
    for (const auto* const record : page.items) {
        items.push_back(to_json(*record));
    }
    return page_json(std::move(items), page.next);
}

/// `role`, by its word; none where it is not given, or refused.
std::optional<domain::Role> read_role(Fields& fields);

/// A record with findings and warnings, or the preview of a dry run.
template <class Record, class Shown>
Answer changed(const service::Outcome<Record>& outcome, std::string_view member, const Shown& shown,
               const ETag& etag, Pem pem) {
    Answer answer;
    if (outcome.preview) {
        answer.body = to_json(*outcome.preview, outcome.findings, outcome.warnings, pem);
        return answer;
    }
    json::object body;
    body[json::string_view{member.data(), member.size()}] = shown;
    body["findings"] = to_json(outcome.findings);
    body["warnings"] = to_json(outcome.warnings);
    answer.body = std::move(body);
    answer.etag = etag;
    return answer;
}

Answer group_answer(const service::Outcome<service::GroupView>& outcome, Pem pem);
Answer deleted(const service::Outcome<std::string>& outcome);
Answer code_answer(const service::PossessionCode& code);

}  // namespace rollcall::front
