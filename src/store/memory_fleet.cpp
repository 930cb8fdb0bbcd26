// SPDX-License-Identifier: Apache-2.0
// memory.hpp: questions about the whole fleet.
#include "store/memory_pages.hpp"
#include "store/whole_list.hpp"

#include <algorithm>
#include <map>

namespace rollcall::store {
namespace {

bool matches(const FleetDevice& each, const FleetFilter& filter) {
    const auto& device = each.noted.device;
    const std::string& part = filter.containing;
    const bool of_group = device.entry.kind == domain::EntryRef::Kind::group;
    return device.id.str().starts_with(filter.id_prefix) &&
           (!filter.state || domain::state_of(device) == *filter.state) &&
           (!filter.group || (of_group && equal_ignoring_case(device.entry.id, *filter.group))) &&
           (!filter.individual || (!of_group && !device.entry.id.empty())) &&
           (has_part(device.id.str(), part) || has_part(device.registration.str(), part) ||
            has_part(each.noted.notes.display_name, part));
}

}  // namespace

FleetDevice MemoryStore::fleet_device(const domain::Device& device) const {
    return {{device, found(state_.device_notes, device.id.str()).value_or(domain::DeviceNotes{})},
            found(state_.registrations, device.registration.str())};
}

Task<Result<Page<FleetDevice>>> MemoryStore::fleet(const PageRequest& page,
                                                   const FleetFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY(const auto devices, page_of(state_.devices, page.after, page, [&](const auto& device) {
               return matches(fleet_device(device), filter);
           }));
    Page<FleetDevice> fleet{{}, devices.next};
    for (const auto& device : devices.items) {
        fleet.items.push_back(fleet_device(device));
    }
    co_return fleet;
}

Task<Result<std::uint64_t>> MemoryStore::fleet_count(const FleetFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return static_cast<std::uint64_t>(std::count_if(
        state_.devices.begin(), state_.devices.end(),
        [&](const auto& each) { return matches(fleet_device(each.second), filter); }));
}

Task<Result<FleetCounts>> MemoryStore::fleet_counts() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    FleetCounts counts;
    counts.individuals = state_.individuals.size();
    for (const auto& [id, device] : state_.devices) {
        ++counts.devices.at(static_cast<std::size_t>(domain::state_of(device)));
    }
    std::map<std::chrono::sys_days, std::uint64_t> ends;
    for (const auto& [id, registration] : state_.registrations) {
        const auto& last = registration.last;
        if (registration.adoptions == 0) {
            continue;
        }
        if (last.attestation == domain::AttestationKind::x509) {
            ++ends[std::chrono::floor<std::chrono::days>(last.not_after)];
        }
        if (last.entry.kind == domain::EntryRef::Kind::individual) {
            ++counts.own_slots.at(domain::index(last.slot));
            continue;
        }
        const auto same = [&last](const GroupCount& each) {
            return each.entry == last.entry && each.count.ca_sha256 == last.ca_sha256 &&
                   each.count.slot == last.slot;
        };
        auto place = std::find_if(counts.groups.begin(), counts.groups.end(), same);
        if (place == counts.groups.end()) {
            counts.groups.push_back({last.entry, {last.ca_sha256, last.slot, 0}});
            place = std::prev(counts.groups.end());
        }
        ++place->count.devices;
    }
    for (const auto& [day, devices] : ends) {
        counts.leaf_ends.push_back({day, devices});
    }
    co_return counts;
}

Task<Result<Page<domain::IndividualEnrollment>>> MemoryStore::individuals_containing(
    const PageRequest& page, const std::string& part) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.individuals, to_lower_ascii(page.after), page,
                      [&part](const auto& each) { return has_part(each.id.str(), part); });
}

Task<Result<Page<AuditRecord>>> MemoryStore::audit_backwards(const PageRequest& page,
                                                             const AuditFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    CO_TRY(const std::uint64_t before, parse_sequence(page.after));
    std::vector<AuditRecord> items;
    for (auto each = state_.audit.rbegin();
         each != state_.audit.rend() && items.size() <= page_size(page); ++each) {
        const auto& event = each->event;
        if ((before == 0 || each->sequence < before) && has_part(event.actor, filter.actor) &&
            has_part(event.action, filter.action) && has_part(event.object, filter.object)) {
            items.push_back(*each);
        }
    }
    co_return cut_page(std::move(items), page);
}

}  // namespace rollcall::store
