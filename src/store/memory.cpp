// SPDX-License-Identifier: Apache-2.0
#include "store/memory.hpp"

#include "base/limits.hpp"
#include "store/audit_chain.hpp"
#include "store/expectations.hpp"
#include "store/paging.hpp"

#include <algorithm>

namespace rollcall::store {
namespace {

template <class Map>
std::optional<typename Map::mapped_type> found(const Map& records,
                                               const typename Map::key_type& key) {
    const auto place = records.find(key);
    if (place == records.end()) {
        return std::nullopt;
    }
    return place->second;
}

Error disk_full() {
    return {ErrorKind::unavailable, "the disk that holds the data directory is full", "disk-full"};
}

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
    return group && certificate && status && authority && key;
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

// --- Writing --------------------------------------------------------------------------------

/// Does an expectation hold? None: it does.
class MemoryStore::Checker {
public:
    using Refusal = std::optional<Error>;

    explicit Checker(const MemoryStore& store) : store_(store), state_(store.state_) {}

    Refusal operator()(const domain::ExpectEtag& expected) const {
        return etag_of(expected) == expected.etag ? Refusal{} : Refusal{etag_moved(expected)};
    }
    Refusal operator()(const domain::ExpectTrust& expected) const {
        const auto& entry = expected.entry;
        const std::string key = to_lower_ascii(entry.id);
        std::string instance;
        domain::TrustVersion version = 0;
        if (entry.kind == domain::EntryRef::Kind::group) {
            if (const auto group = found(state_.groups, key)) {
                instance = group->instance;
                version = group->trust_version;
            }
        } else if (const auto individual = found(state_.individuals, key)) {
            instance = individual->instance;
            version = individual->trust_version;
        }
        const bool holds = instance == entry.instance && version == expected.version;
        return holds ? Refusal{} : Refusal{trust_moved("entry " + entry.id)};
    }
    Refusal operator()(const domain::ExpectAnchors& expected) const {
        const bool holds = expected.version == state_.versions.anchors_version;
        return holds ? Refusal{} : Refusal{trust_moved("anchors")};
    }
    Refusal operator()(const domain::ExpectLeafNotDisabled& expected) const {
        return store_.leaf_in_disabled_entry(expected.leaf_sha256)
                   ? Refusal{trust_moved("leaf in a disabled entry")}
                   : Refusal{};
    }
    Refusal operator()(const domain::ExpectConfig& expected) const {
        const bool holds = expected.version == state_.versions.config_version;
        return holds ? Refusal{} : Refusal{config_moved()};
    }

private:
    template <class Map>
    static ETag etag_in(const Map& records, const std::string& key) {
        const auto record = found(records, key);
        return record ? record->etag : ETag{};
    }
    ETag etag_of(const domain::ExpectEtag& expected) const {
        const std::string folded = to_lower_ascii(expected.id);
        switch (expected.kind) {
            case domain::RecordKind::ca: return etag_in(state_.cas, expected.id);
            case domain::RecordKind::group: return etag_in(state_.groups, folded);
            case domain::RecordKind::individual: return etag_in(state_.individuals, folded);
            case domain::RecordKind::registration: return etag_in(state_.registrations, folded);
            case domain::RecordKind::device: return etag_in(state_.devices, expected.id);
            case domain::RecordKind::token: return etag_in(state_.tokens, folded);
        }
        return {};
    }

    const MemoryStore& store_;
    const State& state_;
};

/// Carries out one write.
class MemoryStore::Applier {
public:
    explicit Applier(State& state) : state_(state) {}

    Result<Done> operator()(const domain::PutCa& write) {
        for (const auto& [id, ca] : state_.cas) {
            if (id != write.ca.id.str() && ca.certificate == write.ca.certificate) {
                return ca_already_known();
            }
        }
        return put(state_.cas, write.ca.id.str(), write.ca);
    }
    Result<Done> operator()(const domain::DeleteCa& write) {
        return erase(state_.cas, write.id.str());
    }
    Result<Done> operator()(const domain::PutGroup& write) {
        return put(state_.groups, to_lower_ascii(write.group.id.str()), write.group);
    }
    Result<Done> operator()(const domain::DeleteGroup& write) {
        return erase(state_.groups, to_lower_ascii(write.id.str()));
    }
    Result<Done> operator()(const domain::PutIndividual& write) {
        return put(state_.individuals, write.enrollment.id.str(), write.enrollment);
    }
    Result<Done> operator()(const domain::DeleteIndividual& write) {
        return erase(state_.individuals, write.id.str());
    }
    Result<Done> operator()(const domain::PutRegistration& write) {
        auto registration = write.registration;
        const std::uint64_t number = registration.adoptions;
        if (number == 0) {
            registration.last = {};  // as SQLite, which keeps it in the history alone
        } else {
            const std::uint64_t ring = number % limits::adoption_history_max;
            state_.adoptions[registration.id.str()][ring] = {number, registration.last};
        }
        return put(state_.registrations, write.registration.id.str(), registration);
    }
    Result<Done> operator()(const domain::DeleteRegistration& write) {
        state_.adoptions.erase(write.id.str());
        return erase(state_.registrations, write.id.str());
    }
    Result<Done> operator()(const domain::PutDevice& write) {
        return put(state_.devices, write.device.id.str(), write.device);
    }
    Result<Done> operator()(const domain::DeleteDevice& write) {
        return erase(state_.devices, write.id.str());
    }
    Result<Done> operator()(const domain::PutDistrusted& write) {
        return put(state_.distrusted, write.distrusted.spki, write.distrusted);
    }
    Result<Done> operator()(const domain::LiftDistrusted& write) {
        return erase(state_.distrusted, write.spki);
    }
    Result<Done> operator()(const domain::RememberIntermediate& write) {
        auto& all = state_.intermediates;
        const auto [place, is_new] =
            all.try_emplace(write.certificate.sha256(), write.at, write.certificate);
        place->second.first = std::max(place->second.first, write.at);
        if (all.size() > limits::seen_intermediates_max) {
            all.erase(std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
                return std::tie(a.second.first, a.first) < std::tie(b.second.first, b.first);
            }));
        }
        return Done{};
    }
    Result<Done> operator()(const domain::PutSetting& write) {
        return put(state_.settings, write.key, write.value);
    }
    Result<Done> operator()(const domain::PutToken& write) {
        for (const auto& [id, token] : state_.tokens) {
            if (id != to_lower_ascii(write.token.name) &&
                token.secret_sha256 == write.token.secret_sha256) {
                return token_already_known();
            }
        }
        return put(state_.tokens, to_lower_ascii(write.token.name), write.token);
    }
    Result<Done> operator()(const domain::DeleteToken& write) {
        return erase(state_.tokens, to_lower_ascii(write.name));
    }

private:
    template <class Map>
    static Result<Done> put(Map& records, const typename Map::key_type& key,
                            const typename Map::mapped_type& record) {
        records.insert_or_assign(key, record);
        return Done{};
    }
    template <class Map>
    static Result<Done> erase(Map& records, const typename Map::key_type& key) {
        records.erase(key);
        return Done{};
    }

    State& state_;
};

Task<Result<Receipt>> MemoryStore::commit(const domain::Changes& changes) {
    co_return commit_now(changes);
}

Result<Receipt> MemoryStore::commit_now(const domain::Changes& changes) {
    const std::scoped_lock lock{mutex_};
    if (commits_fail_) {
        return disk_full();
    }
    const Checker checker{*this};
    for (const auto& expectation : changes.expects) {
        if (auto refusal = std::visit(checker, expectation)) {
            return *std::move(refusal);
        }
    }
    // Only these two writes can be refused half-way; for all others a copy would be a waste.
    const bool may_fail =
        std::any_of(changes.writes.begin(), changes.writes.end(), [](auto& write) {
            return std::holds_alternative<domain::PutCa>(write) ||
                   std::holds_alternative<domain::PutToken>(write);
        });
    std::optional<State> before;
    if (may_fail) {
        before = state_;
    }
    Applier applier{state_};
    for (const auto& write : changes.writes) {
        if (const auto written = std::visit(applier, write); !written) {
            INVARIANT(before.has_value());
            state_ = *std::move(before);
            return written.error();
        }
    }
    for (const auto& event : changes.audit) {
        auto [record, head] = chain_audit(state_.audit_head, event, audit_key_);
        state_.audit.push_back(std::move(record));
        state_.audit_head = head;
    }
    state_.versions.config_version += changes.moves_config ? 1 : 0;
    state_.versions.anchors_version += changes.moves_anchors ? 1 : 0;
    return state_.versions;
}

std::uint64_t MemoryStore::config_version() const {
    const std::scoped_lock lock{mutex_};
    return state_.versions.config_version;
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

/// The records after a key for which `keep` is true.
template <class T, class Keep>
Result<Page<T>> MemoryStore::page_of(const std::map<std::string, T>& records,
                                     const std::string& after, const PageRequest& page,
                                     Keep keep) const {
    TRY([[maybe_unused]] const auto here, answering());
    std::vector<T> items;
    for (auto each = records.upper_bound(after); each != records.end(); ++each) {
        if (items.size() > page_size(page)) {
            break;
        }
        if (keep(each->second)) {
            items.push_back(each->second);
        }
    }
    return cut_page(std::move(items), page);
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

Task<Result<Page<domain::Device>>> MemoryStore::devices(const PageRequest& page,
                                                        const DeviceFilter& filter) {
    const std::scoped_lock lock{mutex_};
    co_return page_of(state_.devices, page.after, page, [&filter](const auto& device) {
        return device.id.str().starts_with(filter.id_prefix) &&
               (!filter.state || domain::state_of(device) == *filter.state);
    });
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
    const std::size_t from = std::min<std::size_t>(after, state_.audit.size());
    const std::size_t count = std::min(state_.audit.size() - from, page_size(page) + 1);
    const auto first = state_.audit.begin() + static_cast<std::ptrdiff_t>(from);
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

Task<Result<std::optional<std::string>>> MemoryStore::setting(const std::string& key) {
    const std::scoped_lock lock{mutex_};
    CO_TRY([[maybe_unused]] const auto here, answering());
    co_return found(state_.settings, key);
}

}  // namespace rollcall::store
