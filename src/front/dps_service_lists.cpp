// SPDX-License-Identifier: Apache-2.0
// DpsServiceApi's operations on many: queries, page by page, and bulk operations.
#include "base/limits.hpp"
#include "front/dps_service_call.hpp"
#include "front/page_size.hpp"

#include <boost/json/array.hpp>

namespace rollcall::front {
namespace {

/// The continuation is left out at the end: an empty one would make SDKs ask for ever.
net::HttpResponse page_response(DpsCollection collection, json::array items,
                                const std::string& next) {
    net::HttpResponse response = json_response(std::move(items));
    response.headers.emplace_back("x-ms-item-type", item_type_of(collection));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    if (!next.empty()) {
        response.headers.emplace_back("x-ms-continuation", continuation(collection, next));
    }
    return response;
}

}  // namespace

Result<DpsServiceApi::Page> DpsServiceApi::read_page(const Call& call) {
    Page page;
    constexpr std::string_view size = "x-ms-max-item-count";
    TRY(page.request.count, read_page_size(size, call.request.header(size)));
    if (const auto token = call.request.header("x-ms-continuation"); token && !token->empty()) {
        TRY(page.request.after, read_continuation(call.target.collection, *token));
    }
    return page;
}

Task<Result<net::HttpResponse>> DpsServiceApi::query(const Call& call) {
    const DpsCollection collection = call.target.collection;
    CO_TRY([[maybe_unused]] const Done all,
           check_query(call.body, collection == DpsCollection::registrations));
    CO_TRY(const Page page, read_page(call));
    if (collection == DpsCollection::registrations) {
        co_return co_await query_registrations(call, page);
    }
    json::array items;
    if (collection == DpsCollection::groups) {
        CO_TRY(const auto trust, co_await services_.trust_book.current());
        const auto found = service::groups_page(*trust, page.request, services_.clock.now());
        for (const auto& view : found.items) {
            items.push_back(enrollment_json(view, Secrets::hidden));
        }
        co_return page_response(collection, std::move(items), found.next);
    }
    CO_TRY(const auto found, co_await services_.reader.individuals(page.request));
    for (const auto& enrollment : found.items) {
        items.push_back(enrollment_json(enrollment, Secrets::hidden));
    }
    co_return page_response(collection, std::move(items), found.next);
}

/// Also of a group that was deleted: its registrations stay.
Task<Result<net::HttpResponse>> DpsServiceApi::query_registrations(const Call& call,
                                                                   const Page& page) {
    store::RegistrationFilter of_group;
    of_group.group = call.target.id;
    CO_TRY(const auto found, co_await services_.reader.registrations(page.request, of_group));
    json::array items;
    for (const auto& registration : found.items) {
        items.push_back(registration_json(registration, call.api_version));
    }
    co_return page_response(call.target.collection, std::move(items), found.next);
}

/// Each entry is a change of its own, in their order; what fails is told by its id.
Task<Result<net::HttpResponse>> DpsServiceApi::bulk(const Call& call) {
    CO_TRY(const BulkRequest bulk, read_bulk(call.target.collection, call.body));
    std::vector<BulkFailure> failures;
    for (const auto& entry : bulk.entries) {
        const auto done = co_await change_one(call, bulk, entry);
        if (!done) {
            failures.push_back({entry.id, to_service_error(done.error())});
        }
    }
    co_return json_response(bulk_json(call.target.collection, failures));
}

/// As recorded, `update` of an entry without its etag is told that there is one already: only
/// who has read it may change it so.
Task<Result<Done>> DpsServiceApi::change_one(const Call& call, const BulkRequest& bulk,
                                             const BulkEntry& entry) {
    const bool groups = call.target.collection == DpsCollection::groups;
    auto& enroller = services_.enroller;
    service::Order order{call.order.caller};
    if (bulk.mode == BulkMode::remove) {
        if (groups) {
            CO_TRY([[maybe_unused]] const auto gone,
                   co_await enroller.delete_group(order, entry.id));
        } else {
            CO_TRY([[maybe_unused]] const auto gone,
                   co_await enroller.delete_individual(order, entry.id));
        }
        co_return Done{};
    }
    CO_TRY(const auto wish, read_entry(call.target.collection, *entry.body, entry.id));
    auto mode = service::PutMode::change;
    if (bulk.mode == BulkMode::create) {
        mode = service::PutMode::make;
    } else if (bulk.mode == BulkMode::update_if_match) {
        if (!entry.etag) {
            co_return Error{ErrorKind::malformed, "'etag' is missing, which is to match",
                            "missing-member"};
        }
        order.if_match.one_of.push_back(*entry.etag);
    } else if (!entry.etag) {
        CO_TRY(const bool there, co_await exists(call, entry.id));
        if (there) {
            mode = service::PutMode::make;
        }
    }
    if (groups) {
        CO_TRY([[maybe_unused]] const auto done,
               co_await enroller.put_group(order, entry.id, wish, mode));
    } else {
        CO_TRY([[maybe_unused]] const auto done,
               co_await enroller.put_individual(order, entry.id, wish, mode));
    }
    co_return Done{};
}

Task<Result<bool>> DpsServiceApi::exists(const Call& call, const std::string& id) {
    if (call.target.collection == DpsCollection::groups) {
        CO_TRY(const auto trust, co_await services_.trust_book.current());
        co_return service::find_group(*trust, id).has_value();
    }
    CO_TRY(const RegistrationId registration_id, parse_registration_id(id));
    CO_TRY(const auto enrollment, co_await services_.reader.individual(registration_id));
    co_return enrollment.has_value();
}

}  // namespace rollcall::front
