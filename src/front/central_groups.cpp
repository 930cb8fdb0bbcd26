// SPDX-License-Identifier: Apache-2.0
// IoT Central's enrollment groups and their certificates (spec/iot-central-api.md 3.2).
#include "front/central_routes.hpp"
#include "front/if_match.hpp"

#include <algorithm>

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

/// With both keys where it has any and the caller may see them, of which the audit log then tells.
Task<Result<json::object>> told(const CentralServices& services, const CentralCall& call,
                                const service::GroupView& view) {
    const bool keys = view.group.keys && may(call.order.caller, Permission::group_key_show);
    if (keys) {
        service::Order order;
        order.caller = call.order.caller;
        const std::optional<RegistrationId> the_groups_own;
        CO_TRY([[maybe_unused]] const auto shown, co_await services.enroller.show_group_keys(
                                                      order, view.group.id.str(), the_groups_own));
    }
    co_return group_json(view, keys);
}

Task<Result<CentralAnswer>> list_groups(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto found = service::groups_page(*trust, page, services.clock.now());
    json::array items;
    for (const auto& view : found.items) {
        CO_TRY(auto shown, co_await told(services, call, view));
        items.push_back(std::move(shown));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

Task<Result<CentralAnswer>> get_group(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto view, co_await read_group(services, call));
    CO_TRY(auto shown, co_await told(services, call, view));
    co_return CentralAnswer{200, std::move(shown)};
}

Task<Result<CentralAnswer>> write_group(const CentralServices& services, const CentralCall& call,
                                        CentralMembers members, service::PutMode mode) {
    const std::string& id = call.in_path("group");
    Fields fields = call.fields();
    check_body_id(fields, id);
    const auto order = call.order_with(read_body_tag(fields));
    const auto write = read_group_write(fields, members);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto done, co_await services.enroller.write_group(order, id, write, mode));
    CO_TRY(auto shown, co_await told(services, call, *done.record));
    co_return CentralAnswer{200, std::move(shown)};
}

Task<Result<CentralAnswer>> put_group(const CentralServices& services, const CentralCall& call) {
    co_return co_await write_group(services, call, CentralMembers::all,
                                   service::PutMode::make_or_change);
}

Task<Result<CentralAnswer>> patch_group(const CentralServices& services, const CentralCall& call) {
    co_return co_await write_group(services, call, CentralMembers::some, service::PutMode::change);
}

Task<Result<CentralAnswer>> delete_group(const CentralServices& services, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto gone,
           co_await services.enroller.delete_group(call.order, call.in_path("group")));
    co_return CentralAnswer{204};
}

// --- Certificates ---

struct Place {
    std::string group;
    domain::Slot slot = domain::Slot::primary;
    std::optional<domain::CaCertificate> ca{};  ///< what a reader is shown; none: it is empty
    ETag group_etag{};
};

Error empty(const Place& place) {
    return {ErrorKind::not_found,
            "the enrollment group '" + place.group + "' has no " +
                std::string{domain::to_string(place.slot)} + " certificate",
            "slot-empty"};
}

Task<Result<Place>> find_place(const CentralServices& services, const CentralCall& call) {
    Place place;
    CO_TRY(place.slot, call.slot());
    CO_TRY(const auto view, co_await read_group(services, call));
    place.group = view.group.id.str();
    place.group_etag = view.group.etag;
    if (const auto* const ca = shown_in(view.at(place.slot))) {
        place.ca = *ca;
    }
    co_return place;
}

/// The tags that are a certificate's have to be of the one that stands there; others are the
/// group's, which `az` sends here after it changed the group with them. Then nothing may change
/// in the group from now on.
Result<service::Order> order_for(const CentralCall& call, const Place& place,
                                 const std::optional<CentralTag>& in_body) {
    std::vector<CentralTag> tags;
    for (const auto& text : read_if_match(call.request).one_of) {
        tags.push_back(read_central_tag(text));
    }
    if (tags.empty() && in_body) {
        tags.push_back(*in_body);
    }
    std::erase_if(tags, [](const CentralTag& tag) { return !tag.of_certificate; });
    service::Order order;
    order.caller = call.order.caller;
    if (tags.empty()) {
        return order;
    }
    service::EtagCondition condition;
    for (auto& tag : tags) {
        condition.one_of.push_back(std::move(tag.etag));
    }
    TRY([[maybe_unused]] const Done same, condition.check(place.ca ? place.ca->etag : ETag{}));
    order.if_match.one_of = {place.group_etag.str()};
    return order;
}

Task<Result<CentralAnswer>> get_certificate(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const Place place, co_await find_place(services, call));
    if (!place.ca) {
        co_return empty(place);
    }
    co_return CentralAnswer{200, certificate_json(*place.ca)};
}

Task<Result<CentralAnswer>> put_certificate(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const Place place, co_await find_place(services, call));
    Fields fields = call.fields();
    const auto tag = read_body_tag(fields);
    const auto upload = read_slot_upload(fields);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto order, order_for(call, place, tag));
    CO_TRY(const auto done,
           co_await services.enroller.set_group_slot(order, place.group, place.slot, upload));
    const auto* const ca = shown_in(done.record->at(place.slot));
    if (ca == nullptr) {  // taken away again before it could be shown
        co_return empty(place);
    }
    co_return CentralAnswer{200, certificate_json(*ca)};
}

Task<Result<CentralAnswer>> delete_certificate(const CentralServices& services,
                                               const CentralCall& call) {
    CO_TRY(const Place place, co_await find_place(services, call));
    CO_TRY(const auto order, order_for(call, place, std::nullopt));
    CO_TRY([[maybe_unused]] const auto done,
           co_await services.enroller.remove_group_slot(order, place.group, place.slot,
                                                        domain::Removal::immediate, false));
    co_return CentralAnswer{204};
}

Task<Result<CentralAnswer>> generate_code(const CentralServices& services,
                                          const CentralCall& call) {
    CO_TRY(const Place place, co_await find_place(services, call));
    CO_TRY(const auto order, order_for(call, place, std::nullopt));
    CO_TRY(const auto code,
           co_await services.enroller.ask_slot_code(order, place.group, place.slot));
    co_return CentralAnswer{200, json::object{{"verificationCode", code.code}}};
}

Task<Result<CentralAnswer>> verify(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const Place place, co_await find_place(services, call));
    Fields fields = call.fields();
    const service::CaProof proof{fields.text("certificate")};
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto order, order_for(call, place, std::nullopt));
    const auto done =
        co_await services.enroller.verify_group_slot(order, place.group, place.slot, proof);
    if (!done) {
        Error error = done.error();
        if (error.kind == ErrorKind::conflict && error.reason != "already-verified") {
            error.kind = ErrorKind::malformed;  // a proof that proves nothing is a bad body
        }
        co_return error;
    }
    co_return CentralAnswer{204};
}

}  // namespace

void add_central_group_routes(std::vector<CentralRoute>& routes) {
    constexpr auto read = Permission::group_read;
    constexpr auto write = Permission::group_write;
    constexpr std::string_view group = "/enrollmentGroups/{group}";
    constexpr std::string_view slot = "/enrollmentGroups/{group}/certificates/{entry}";
    const std::vector<CentralRoute> own{
        {"GET", "/enrollmentGroups", read, CentralBody::none, list_groups},
        {"GET", group, read, CentralBody::none, get_group},
        {"PUT", group, write, CentralBody::required, put_group},
        {"PATCH", group, write, CentralBody::required, patch_group},
        {"DELETE", group, write, CentralBody::none, delete_group},
        {"GET", slot, read, CentralBody::none, get_certificate},
        {"PUT", slot, write, CentralBody::required, put_certificate},
        {"DELETE", slot, write, CentralBody::none, delete_certificate},
        {"POST", "/enrollmentGroups/{group}/certificates/{entry}/generateVerificationCode", write,
         CentralBody::none, generate_code},
        {"POST", "/enrollmentGroups/{group}/certificates/{entry}/verify", write,
         CentralBody::required, verify}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
