// SPDX-License-Identifier: Apache-2.0
// IoT Central's devices and what they connect with (spec/iot-central-api.md 3.3).
#include "base/limits.hpp"
#include "front/central_device_wire.hpp"
#include "front/central_filter.hpp"
#include "front/central_routes.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using domain::NotedDevice;
using service::Permission;

/// Where key-holding newcomers come in where no group is known yet: IoT Central's own default.
constexpr std::string_view default_key_group = "SAS-IoT-Devices";

// --- The list ---

struct Wanted {
    store::PageRequest page;
    std::optional<CentralFilter> filter{};
    std::optional<CentralOrder> order{};

    bool takes(const NotedDevice& device) const { return !filter || filter->matches(device); }
};

Result<Wanted> read_wanted(const CentralCall& call) {
    Wanted wanted;
    TRY(wanted.page, call.page());
    if (const auto text = call.in_query("$filter")) {
        TRY(wanted.filter, CentralFilter::parse(*text));
    }
    if (const auto text = call.in_query("$orderby")) {
        TRY(wanted.order, parse_central_order(*text));
    }
    return wanted;
}

/// Devices in the order of their ids, until the page is full or enough of them were looked at.
Task<Result<store::Page<NotedDevice>>> by_id(const CentralServices& services,
                                             const Wanted& wanted) {
    const store::DeviceFilter all;
    store::Page<NotedDevice> found;
    store::PageRequest page = wanted.page;
    if (wanted.filter) {
        page.count = limits::page_max;
    }
    for (std::size_t reads = 0; reads < limits::central_filter_reads_max; reads += page.count) {
        CO_TRY(auto devices, co_await services.reader.noted_devices(page, all));
        for (auto& device : devices.items) {
            if (!wanted.takes(device)) {
                continue;
            }
            found.items.push_back(std::move(device));
            if (found.items.size() == wanted.page.count) {
                const std::string& last = found.items.back().device.id.str();
                const bool more =
                    !devices.next.empty() || last != devices.items.back().device.id.str();
                found.next = more ? last : std::string{};
                co_return found;
            }
        }
        found.next = devices.next;
        if (devices.next.empty()) {
            break;
        }
        page.after = devices.next;
    }
    co_return found;
}

using SortKey = std::pair<std::string, std::string>;

SortKey key_of(const NotedDevice& device, const CentralOrder& order) {
    return {order.by_name ? device.name() : std::string{}, device.device.id.str()};
}

std::string to_text(const SortKey& key) {
    return json::serialize(json::array{key.first, key.second});
}

Result<SortKey> parse_key(const std::string& text) {
    boost::system::error_code unread;
    const auto value = json::parse(text, unread);
    const auto* const array = unread ? nullptr : value.if_array();
    if (array == nullptr || array->size() != 2 || !(*array)[0].is_string() ||
        !(*array)[1].is_string()) {
        return Error{ErrorKind::malformed, "$skiptoken is none that a page of this list came with",
                     "malformed-page"};
    }
    return SortKey{std::string{(*array)[0].get_string()}, std::string{(*array)[1].get_string()}};
}

/// All that are wanted. malformed where there are more devices than can be sorted.
Task<Result<std::vector<NotedDevice>>> all_wanted(const CentralServices& services,
                                                  const Wanted& wanted) {
    const store::DeviceFilter all;
    store::PageRequest page{{}, limits::page_max};
    std::vector<NotedDevice> found;
    for (std::size_t reads = 0; reads < limits::central_sorted_devices_max; reads += page.count) {
        CO_TRY(auto devices, co_await services.reader.noted_devices(page, all));
        for (auto& device : devices.items) {
            if (wanted.takes(device)) {
                found.push_back(std::move(device));
            }
        }
        if (devices.next.empty()) {
            co_return found;
        }
        page.after = devices.next;
    }
    co_return Error{ErrorKind::malformed,
                    "$orderby sorts up to " + std::to_string(limits::central_sorted_devices_max) +
                        " devices, and there are more: leave it out, the list is in the order of "
                        "ids",
                    "malformed-parameter"};
}

Task<Result<store::Page<NotedDevice>>> in_order(const CentralServices& services,
                                                const Wanted& wanted) {
    const CentralOrder& order = *wanted.order;
    CO_TRY(auto devices, co_await all_wanted(services, wanted));
    const auto before = [&order](const SortKey& a, const SortKey& b) {
        return order.descending ? b < a : a < b;
    };
    std::sort(devices.begin(), devices.end(), [&](const auto& a, const auto& b) {
        return before(key_of(a, order), key_of(b, order));
    });
    auto first = devices.begin();
    if (!wanted.page.after.empty()) {
        CO_TRY(const SortKey after, parse_key(wanted.page.after));
        first = std::find_if(devices.begin(), devices.end(),
                             [&](const auto& each) { return before(after, key_of(each, order)); });
    }
    store::Page<NotedDevice> found;
    for (; first != devices.end() && found.items.size() < wanted.page.count; ++first) {
        found.items.push_back(*first);
    }
    if (first != devices.end()) {
        found.next = to_text(key_of(found.items.back(), order));
    }
    co_return found;
}

Task<Result<CentralAnswer>> list_devices(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const Wanted wanted, read_wanted(call));
    store::Page<NotedDevice> found;
    if (wanted.order) {
        CO_TRY(found, co_await in_order(services, wanted));
    } else {
        CO_TRY(found, co_await by_id(services, wanted));
    }
    json::array items;
    for (const auto& device : found.items) {
        items.push_back(device_json(device));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

// --- One device ---

Task<Result<CentralAnswer>> get_device(const CentralServices& services, const CentralCall& call) {
    CO_TRY(auto device, co_await central_device(services, call));
    CO_TRY(auto notes, co_await services.reader.device_notes(device.id));
    const NotedDevice noted{std::move(device), std::move(notes)};
    co_return CentralAnswer{200, device_json(noted)};
}

Task<Result<CentralAnswer>> write_device(const CentralServices& services, const CentralCall& call,
                                         CentralMembers members, service::PutMode mode) {
    const std::string& id = call.in_path("device");
    Fields fields = call.fields();
    check_body_id(fields, id);
    const auto order = call.order_with(read_body_tag(fields));
    const auto write = read_device_write(fields, members);
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto done, co_await services.enroller.write_device(order, id, write, mode));
    co_return CentralAnswer{200, device_json(*done.record)};
}

Task<Result<CentralAnswer>> put_device(const CentralServices& services, const CentralCall& call) {
    co_return co_await write_device(services, call, CentralMembers::all,
                                    service::PutMode::make_or_change);
}

Task<Result<CentralAnswer>> patch_device(const CentralServices& services, const CentralCall& call) {
    co_return co_await write_device(services, call, CentralMembers::some, service::PutMode::change);
}

/// With its own attestation, which is a part of it there.
Task<Result<CentralAnswer>> delete_device(const CentralServices& services,
                                          const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto gone,
           co_await services.enroller.delete_device(call.order, call.in_path("device"),
                                                    service::Enroller::DeviceEntry::goes));
    co_return CentralAnswer{204};
}

// --- What it connects with ---

/// The group whose key a device of no other entry has: the one it came by, else the default.
Task<Result<std::string>> key_group_of(const CentralServices& services,
                                       const domain::Device& device) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const bool came = !device.entry.id.empty();
    const std::string id{came ? std::string_view{device.entry.id} : default_key_group};
    const auto group = service::find_group(*trust, id);
    co_return group && (*group)->keys ? (*group)->id.str() : std::string{};
}

Task<Result<std::optional<domain::SymmetricKeys>>> keys_of(
    const CentralServices& services, const CentralCall& call, const domain::Device& device,
    const std::optional<domain::IndividualEnrollment>& enrollment) {
    using Keys = std::optional<domain::SymmetricKeys>;
    service::Order order;
    order.caller = call.order.caller;
    if (enrollment && enrollment->keys) {
        CO_TRY(auto keys,
               co_await services.enroller.show_individual_keys(order, enrollment->id.original()));
        co_return Keys{std::move(keys)};
    }
    if (enrollment) {
        co_return Keys{};
    }
    CO_TRY(const std::string group, co_await key_group_of(services, device));
    if (group.empty()) {
        co_return Keys{};
    }
    const std::optional derived_for{device.registration};
    CO_TRY(auto keys, co_await services.enroller.show_group_keys(order, group, derived_for));
    co_return Keys{std::move(keys)};
}

Task<Result<CentralAnswer>> get_credentials(const CentralServices& services,
                                            const CentralCall& call) {
    CO_TRY(const auto device, co_await central_device(services, call));
    CO_TRY(const auto enrollment, co_await services.reader.individual(device.registration));
    json::object shown{{"idScope", services.scope.str()}};
    if (may(call.order.caller, Permission::key_show)) {
        CO_TRY(const auto keys, co_await keys_of(services, call, device, enrollment));
        if (keys) {
            shown["symmetricKey"] = json::object{{"primaryKey", keys->front().base64()},
                                                 {"secondaryKey", keys->back().base64()}};
        }
    }
    if (enrollment && !enrollment->keys) {
        shown["x509"] = attestation_json(*enrollment, false).at("x509");
    }
    co_return CentralAnswer{200, std::move(shown)};
}

}  // namespace

Task<Result<domain::Device>> central_device(const CentralServices& services,
                                            const CentralCall& call) {
    const std::string& text = call.in_path("device");
    const auto id = parse_device_id(text);
    if (!id) {
        co_return service::no_device(text);
    }
    CO_TRY(auto device, co_await services.reader.device(*id));
    if (!device) {
        co_return service::no_device(text);
    }
    co_return *std::move(device);
}

void add_central_device_routes(std::vector<CentralRoute>& routes) {
    constexpr auto read = Permission::device_read;
    constexpr auto write = Permission::device_write;
    constexpr std::string_view device = "/devices/{device}";
    const std::vector<CentralRoute> own{
        {"GET", "/devices", read, CentralBody::none, list_devices},
        {"GET", device, read, CentralBody::none, get_device},
        {"PUT", device, write, CentralBody::required, put_device},
        {"PATCH", device, write, CentralBody::required, patch_device},
        {"DELETE", device, write, CentralBody::none, delete_device},
        {"GET", "/devices/{device}/credentials", read, CentralBody::none, get_credentials}};
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
