// SPDX-License-Identifier: Apache-2.0
#include "store/memory.hpp"

#include "store/audit_chain.hpp"
#include "store/memory_pages.hpp"

#include <algorithm>
#include <tuple>

namespace rollcall::store {
namespace {

bool matches(const domain::Registration& registration, const RegistrationFilter& filter) {
    const bool proved = registration.adoptions > 0;
    const auto& last = registration.last;
    const bool group =
        !filter.group || (proved && last.entry.kind == domain::EntryRef::Kind::group &&
                          equal_ignoring_case(last.entry.id, *filter.group));
    const bool certificate = !filter.ca_sha256 || (proved && last.ca_sha256 == *filter.ca_sha256);
    const bool status = !filter.status || registration.status == *filter.status;
    const bool authority = !filter.ca || (proved && last.ca == *filter.ca);
    const bool key = !filter.spki ||
                     (proved && (last.ca.spki == *filter.spki || last.leaf_spki == *filter.spki));
    const bool hub = !filter.hub || equal_ignoring_case(registration.assigned_hub, *filter.hub);
    return group && certificate && status && authority && key && hub;
}

}  // namespace

MemoryStore::MemoryStore(const Digest& audit_key) : audit_key_(audit_key) {
    state_.audit_head = signed_head(0, Digest{}, audit_key_);
}

void MemoryStore::fail_commits(bool fail) {
    const std::scoped_lock lock{mutex_};
    commits_fail_ = fail;
}

void MemoryStore::fail_questions(bool fail) {
    const std::scoped_lock lock{mutex_};
    questions_fail_ = fail;
}

// --- Reading --------------------------------------------------------------------------------

Result<Done> MemoryStore::answering() const {
    if (questions_fail_) {
        return Error{ErrorKind::unavailable, "the store cannot read or write its files",
                     "storage-failed"};
    }
    return Done{};
}

bool MemoryStore::leaf_in_disabled_entry(const Digest& leaf) const {
    return std::any_of(
        state_.individuals.begin(), state_.individuals.end(), [&leaf](const auto& each) {
            const auto& [id, enrollment] = each;
            return !enrollment.enabled &&
                   std::any_of(
                       enrollment.slots.begin(), enrollment.slots.end(),
                       [&leaf](const auto& slot) { return slot && slot->sha256() == leaf; });
        });
}

Task<Result<domain::RegistrationContext>> MemoryStore::registration_context(
    const RegistrationId& id, const Digest& leaf) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    domain::RegistrationContext context;
    context.individual = found(state_.individuals, id.str());
    context.registration = found(state_.registrations, id.str());
    context.device = found(state_.devices, domain::device_id_of(context, id).str());
    context.leaf_in_disabled_entry = leaf_in_disabled_entry(leaf);
    co_return context;
}

Task<Result<domain::TrustRecords>> MemoryStore::trust_records() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    domain::TrustRecords records;
    for (const auto& [id, ca] : state_.cas) {
        records.cas.push_back(ca);
    }
    for (const auto& [id, group] : state_.groups) {
        records.groups.push_back(group);
    }
    for (const auto& [spki, distrusted] : state_.distrusted) {
        records.distrusted.push_back(distrusted);
    }
    for (const auto& [sha256, seen] : state_.intermediates) {
        records.seen_intermediates.push_back(seen.second);
    }
    for (const auto& [name, hub] : state_.hubs) {
        records.hubs.push_back(hub);
    }
    domain::sort_hubs(records.hubs);
    const auto rule = found(state_.settings, std::string{domain::server_rule_key});
    CO_TRY(records.allocation, domain::parse_allocation_rule(rule.value_or("")));
    records.config_version = state_.versions.config_version;
    records.anchors_version = state_.versions.anchors_version;
    co_return records;
}

Task<Result<std::vector<domain::Adoption>>> MemoryStore::adoptions(const RegistrationId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::map<std::uint64_t, domain::Adoption, std::greater<>> newest_first;
    if (const auto ring = state_.adoptions.find(id.str()); ring != state_.adoptions.end()) {
        for (const auto& [place, numbered] : ring->second) {
            newest_first.insert(numbered);
        }
    }
    std::vector<domain::Adoption> history;
    for (auto& [number, adoption] : newest_first) {
        history.push_back(std::move(adoption));
    }
    co_return history;
}

Task<Result<std::optional<domain::CaCertificate>>> MemoryStore::ca(const CaId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.cas, id.str());
}

Task<Result<std::optional<domain::EnrollmentGroup>>> MemoryStore::group(const GroupId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.groups, to_lower_ascii(id.str()));
}

Task<Result<std::optional<domain::IndividualEnrollment>>> MemoryStore::individual(
    const RegistrationId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.individuals, id.str());
}

Task<Result<std::optional<domain::Registration>>> MemoryStore::registration(
    const RegistrationId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.registrations, id.str());
}

Task<Result<std::optional<domain::Device>>> MemoryStore::device(const DeviceId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.devices, id.str());
}

Task<Result<std::optional<domain::Twin>>> MemoryStore::twin(const DeviceId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.twins, id.str());
}

Task<Result<std::vector<domain::DeviceMessage>>> MemoryStore::messages(const DeviceId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::DeviceMessage> waiting;
    if (const auto queue = state_.messages.find(id.str()); queue != state_.messages.end()) {
        for (const auto& [number, message] : queue->second) {
            waiting.push_back(message);
        }
    }
    co_return waiting;
}

Task<Result<domain::Subscriptions>> MemoryStore::subscriptions(const DeviceId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.subscriptions, id.str()).value_or(domain::Subscriptions{});
}

constexpr auto every = [](const auto&) { return true; };

Task<Result<Page<domain::CaCertificate>>> MemoryStore::cas(const PageRequest& page) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.cas, page.after, page, every);
}

Task<Result<Page<domain::EnrollmentGroup>>> MemoryStore::groups(const PageRequest& page) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.groups, to_lower_ascii(page.after), page, every);
}

Task<Result<Page<domain::IndividualEnrollment>>> MemoryStore::individuals(const PageRequest& page) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.individuals, to_lower_ascii(page.after), page, every);
}

Task<Result<Page<domain::Registration>>> MemoryStore::registrations(
    const PageRequest& page, const RegistrationFilter& filter) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.registrations, to_lower_ascii(page.after), page,
                      [&filter](const auto& each) { return matches(each, filter); });
}

Task<Result<std::uint64_t>> MemoryStore::registration_count(const RegistrationFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return static_cast<std::uint64_t>(
        std::count_if(state_.registrations.begin(), state_.registrations.end(),
                      [&filter](const auto& each) { return matches(each.second, filter); }));
}

namespace {

bool matches(const domain::Device& device, const DeviceFilter& filter) {
    return device.id.str().starts_with(filter.id_prefix) &&
           (!filter.state || domain::state_of(device) == *filter.state);
}

}  // namespace

Task<Result<Page<domain::Device>>> MemoryStore::devices(const PageRequest& page,
                                                        const DeviceFilter& filter) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.devices, page.after, page,
                      [&filter](const auto& device) { return matches(device, filter); });
}

Task<Result<domain::DeviceNotes>> MemoryStore::device_notes(const DeviceId& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.device_notes, id.str()).value_or(domain::DeviceNotes{});
}

Task<Result<Page<domain::NotedDevice>>> MemoryStore::noted_devices(const PageRequest& page,
                                                                   const DeviceFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY(auto devices, page_of(state_.devices, page.after, page, [&filter](const auto& device) {
               return matches(device, filter);
           }));
    Page<domain::NotedDevice> noted;
    noted.next = std::move(devices.next);
    for (auto& device : devices.items) {
        auto notes = found(state_.device_notes, device.id.str()).value_or(domain::DeviceNotes{});
        noted.items.push_back({std::move(device), std::move(notes)});
    }
    co_return noted;
}

Task<Result<std::vector<domain::Distrusted>>> MemoryStore::distrusted() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::Distrusted> all;
    for (const auto& [spki, each] : state_.distrusted) {
        all.push_back(each);
    }
    co_return all;
}

Task<Result<std::vector<AdoptionCount>>> MemoryStore::adoption_counts(
    const domain::EntryRef& entry) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::map<std::pair<Digest, domain::Slot>, std::uint64_t> counted;
    for (const auto& [id, registration] : state_.registrations) {
        const auto& last = registration.last;
        if (registration.adoptions > 0 && last.entry.kind == entry.kind &&
            equal_ignoring_case(last.entry.id, entry.id) && last.entry.instance == entry.instance) {
            ++counted[{last.ca_sha256, last.slot}];
        }
    }
    std::vector<AdoptionCount> counts;
    for (const auto& [place, devices] : counted) {
        counts.push_back({place.first, place.second, devices});
    }
    co_return counts;
}

Task<Result<Page<AuditRecord>>> MemoryStore::audit(const PageRequest& page) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    CO_TRY(const std::uint64_t after, parse_sequence(page.after));
    const auto first =
        std::find_if(state_.audit.begin(), state_.audit.end(),
                     [after](const auto& record) { return record.sequence > after; });
    const auto rest = static_cast<std::size_t>(state_.audit.end() - first);
    const std::size_t count = std::min(rest, page_size(page) + 1);
    std::vector<AuditRecord> items(first, first + static_cast<std::ptrdiff_t>(count));
    co_return cut_page(std::move(items), page);
}

Task<Result<AuditHead>> MemoryStore::audit_head() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return state_.audit_head;
}

Task<Result<std::optional<domain::AccessToken>>> MemoryStore::token(const Digest& secret_sha256) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    for (const auto& [id, each] : state_.tokens) {
        if (each.secret_sha256 == secret_sha256) {
            co_return each;
        }
    }
    co_return std::nullopt;
}

Task<Result<std::vector<domain::AccessToken>>> MemoryStore::tokens() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::AccessToken> all;
    for (const auto& [id, each] : state_.tokens) {
        all.push_back(each);
    }
    co_return all;
}

Task<Result<std::optional<domain::SasPolicy>>> MemoryStore::policy(const std::string& name) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.policies, to_lower_ascii(name));
}

Task<Result<std::vector<domain::SasPolicy>>> MemoryStore::policies() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::SasPolicy> all;
    for (const auto& [id, each] : state_.policies) {
        all.push_back(each);
    }
    co_return all;
}

Task<Result<std::optional<std::string>>> MemoryStore::setting(const std::string& key) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.settings, key);
}

// --- Device groups and jobs -----------------------------------------------------------------

Task<Result<std::optional<domain::DeviceGroup>>> MemoryStore::device_group(const std::string& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.device_groups, id);
}

Task<Result<Page<domain::DeviceGroup>>> MemoryStore::device_groups(const PageRequest& page) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.device_groups, page.after, page, every);
}

Task<Result<std::optional<domain::Job>>> MemoryStore::job(const std::string& id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.jobs, id);
}

Task<Result<Page<domain::Job>>> MemoryStore::jobs(const PageRequest& page,
                                                  const JobFilter& filter) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.jobs, page.after, page, [&filter](const auto& job) {
        return !filter.under_way || domain::is_under_way(job.status);
    });
}

Task<Result<Page<domain::JobDevice>>> MemoryStore::job_devices(const std::string& job,
                                                               const PageRequest& page,
                                                               const JobDeviceFilter& filter) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    CO_TRY(const std::uint64_t after, parse_sequence(page.after));
    std::vector<domain::JobDevice> items;
    const auto devices = state_.job_devices.find(job);
    if (devices == state_.job_devices.end()) {
        co_return store::Page<domain::JobDevice>{};
    }
    const std::uint64_t first = page.after.empty() ? 0 : after + 1;
    for (auto each = devices->second.lower_bound(first);
         each != devices->second.end() && items.size() <= page_size(page); ++each) {
        const auto& [number, device] = *each;
        if ((!filter.status || device.status == *filter.status) &&
            (!filter.before || number < *filter.before)) {
            items.push_back(device);
        }
    }
    co_return cut_page(std::move(items), page);
}

Task<Result<domain::JobProgress>> MemoryStore::job_progress(const std::string& job,
                                                            std::uint64_t from, std::uint64_t to) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    domain::JobProgress progress;
    const auto devices = state_.job_devices.find(job);
    if (devices == state_.job_devices.end()) {
        co_return progress;
    }
    for (const auto& [number, device] : devices->second) {
        if (number >= from && number < to) {
            ++progress.total;
            progress.completed += device.status == domain::JobDeviceStatus::completed ? 1 : 0;
            progress.failed += device.status == domain::JobDeviceStatus::failed ? 1 : 0;
        }
    }
    co_return progress;
}

// --- Users and sessions -------------------------------------------------------------------

template <class Is>
Result<std::optional<domain::User>> MemoryStore::user_that(Is is) const {
    const std::scoped_lock lock{mutex_};
    TRY([[maybe_unused]] const auto here, answering());
    for (const auto& [id, user] : state_.users) {
        if (is(user)) {
            return std::optional{user};
        }
    }
    return std::optional<domain::User>{};
}

Task<Result<std::optional<domain::User>>> MemoryStore::user(const std::string& id) {
    co_return user_that([&id](const auto& user) { return equal_ignoring_case(user.id, id); });
}

Task<Result<std::optional<domain::User>>> MemoryStore::user_named(const std::string& name) {
    co_return user_that([&name](const auto& user) { return equal_ignoring_case(user.name, name); });
}

Task<Result<std::optional<domain::User>>> MemoryStore::user_of(
    const domain::OpenidIdentity& identity) {
    co_return user_that([&identity](const auto& user) { return user.identity == identity; });
}

Task<Result<std::vector<domain::User>>> MemoryStore::users() {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::User> all;
    for (const auto& [id, user] : state_.users) {
        all.push_back(user);
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return to_lower_ascii(a.name) < to_lower_ascii(b.name);
    });
    co_return all;
}

Task<Result<std::optional<domain::SignedIn>>> MemoryStore::session(const Digest& secret_sha256) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    for (const auto& [id, session] : state_.sessions) {
        if (session.secret_sha256 == secret_sha256 || session.previous_sha256 == secret_sha256) {
            const auto user = found(state_.users, session.user_id);
            if (user) {
                co_return domain::SignedIn{session, *user};
            }
        }
    }
    co_return std::nullopt;
}

Task<Result<std::vector<domain::Session>>> MemoryStore::sessions(const std::string& user_id) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    std::vector<domain::Session> all;
    for (const auto& [id, session] : state_.sessions) {
        if (session.user_id == to_lower_ascii(user_id)) {
            all.push_back(session);
        }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(b.created, a.id) < std::tie(a.created, b.id);
    });
    co_return all;
}

}  // namespace rollcall::store
