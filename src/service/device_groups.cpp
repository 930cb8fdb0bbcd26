// SPDX-License-Identifier: Apache-2.0
#include "service/device_groups.hpp"

#include "base/limits.hpp"
#include "domain/device_query.hpp"
#include "service/audit_detail.hpp"
#include "service/device_choice.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

Error no_group(const std::string& id) {
    return {ErrorKind::not_found,
            "there is no device group '" + id.substr(0, limits::job_id_chars_max) + "'",
            "device-group-not-found"};
}

/// `before`: none where it is new.
domain::DeviceGroup wished(const std::optional<domain::DeviceGroup>& before, const std::string& id,
                           const DeviceGroupWish& wish, bool whole) {
    domain::DeviceGroup group = before.value_or(domain::DeviceGroup{});
    if (whole) {
        group.display_name = group.description = group.filter = {};
    }
    group.id = id;
    group.display_name = wish.display_name.value_or(group.display_name);
    group.description = wish.description.value_or(group.description);
    group.filter = wish.filter.value_or(group.filter);
    return group;
}

AuditDetail difference(const domain::DeviceGroup& before, const domain::DeviceGroup& after) {
    AuditDetail detail;
    detail.change("displayName", before.display_name, after.display_name)
        .change("description", before.description, after.description)
        .change("filter", before.filter, after.filter);
    return detail;
}

}  // namespace

DeviceGroups::DeviceGroups(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
                           Entropy& entropy)
    : reader_(reader), ledger_(ledger), clock_(clock), entropy_(entropy) {}

Task<Result<domain::DeviceGroup>> DeviceGroups::put(const Order& order, const std::string& id,
                                                    const DeviceGroupWish& wish) {
    co_return co_await write(order, id, wish, true);
}

Task<Result<domain::DeviceGroup>> DeviceGroups::change(const Order& order, const std::string& id,
                                                       const DeviceGroupWish& wish) {
    co_return co_await write(order, id, wish, false);
}

Task<Result<domain::DeviceGroup>> DeviceGroups::write(const Order& order, const std::string& id,
                                                      const DeviceGroupWish& wish, bool whole) {
    Error moved;
    for (int attempt = 0; attempt < limits::change_attempts_max; ++attempt) {
        CO_TRY(const auto before, co_await reader_.device_group(id));
        if (!before && !whole) {
            co_return no_group(id);
        }
        if (!before && !order.if_match.one_of.empty()) {
            co_return Error{ErrorKind::stale, "there is no such device group, whatever its ETag",
                            "stale"};
        }
        const ETag etag = before ? before->etag : ETag{};
        CO_TRY([[maybe_unused]] const Done same, order.if_match.check(etag));
        domain::DeviceGroup group = wished(before, id, wish, whole);
        CO_TRY([[maybe_unused]] const Done good, domain::check_device_group(group));
        if (before == group) {
            co_return group;
        }
        group.etag = new_etag(entropy_);
        group.updated = clock_.now();
        group.created = before ? before->created : group.updated;
        domain::Changes changes;
        changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::device_group, id, etag});
        if (!before) {
            changes.expects.push_back(domain::ExpectDeviceGroupRoom{limits::device_groups_max});
        }
        const auto detail = difference(before.value_or(domain::DeviceGroup{}), group);
        changes.audit.push_back(audit_event(order,
                                            before ? "device-group.update" : "device-group.create",
                                            "device-group/" + id, detail, group.updated));
        changes.writes.push_back(domain::PutDeviceGroup{group});
        const auto receipt = co_await ledger_.commit(changes);
        if (receipt) {
            co_return group;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
        moved = receipt.error();
    }
    co_return moved;
}

Task<Result<Done>> DeviceGroups::remove(const Order& order, const std::string& id) {
    CO_TRY(const domain::DeviceGroup group, co_await get(id));
    CO_TRY([[maybe_unused]] const Done same, order.if_match.check(group.etag));
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::device_group, id, group.etag});
    const auto detail = difference(group, {});
    changes.audit.push_back(
        audit_event(order, "device-group.delete", "device-group/" + id, detail, clock_.now()));
    changes.writes.push_back(domain::DeleteDeviceGroup{id});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

Task<Result<domain::DeviceGroup>> DeviceGroups::get(const std::string& id) {
    CO_TRY(auto group, co_await reader_.device_group(id));
    if (!group) {
        co_return no_group(id);
    }
    co_return *std::move(group);
}

Task<Result<store::Page<domain::DeviceGroup>>> DeviceGroups::list(const store::PageRequest& page) {
    co_return co_await reader_.device_groups(page);
}

Task<Result<store::Page<domain::NotedDevice>>> DeviceGroups::devices(
    const std::string& id, const store::PageRequest& page) {
    CO_TRY(const domain::DeviceGroup group, co_await get(id));
    CO_TRY(const auto query, domain::parse_device_query(group.filter));
    store::Page<domain::NotedDevice> found;
    store::PageRequest look{page.after, limits::job_page};
    const store::DeviceFilter all;
    const std::size_t wanted = std::clamp<std::size_t>(page.count, 1, limits::page_max);
    std::size_t looked = 0;
    while (found.items.size() < wanted && looked < limits::device_group_look_max) {
        CO_TRY(auto devices, co_await reader_.noted_devices(look, all));
        looked += devices.items.size();
        found.next = devices.next;
        CO_TRY(auto chosen, co_await choose(reader_, query, std::move(devices.items)));
        for (auto& device : chosen) {
            if (found.items.size() == wanted) {
                found.next = found.items.back().device.id.str();
                co_return found;
            }
            found.items.push_back(std::move(device));
        }
        if (found.next.empty()) {
            break;
        }
        look.after = found.next;
    }
    co_return found;
}

}  // namespace rollcall::service
