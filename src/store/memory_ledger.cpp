// SPDX-License-Identifier: Apache-2.0
// What MemoryStore does as the Ledger; as the reader: memory.cpp.
#include "base/limits.hpp"
#include "store/audit_chain.hpp"
#include "store/expectations.hpp"
#include "store/memory.hpp"

#include <algorithm>

namespace rollcall::store {
namespace {

Error disk_full() {
    return {ErrorKind::unavailable, "the disk that holds the data directory is full", "disk-full"};
}

}  // namespace

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
    Refusal operator()(const domain::ExpectQueueRoom& expected) const {
        std::size_t waiting = 0;
        if (const auto queue = found(state_.messages, expected.device.str())) {
            for (const auto& [number, message] : *queue) {
                waiting += message.expires > expected.now ? 1 : 0;
            }
        }
        return waiting < expected.max ? Refusal{} : Refusal{queue_full(expected)};
    }
    Refusal operator()(const domain::ExpectDeviceGroupRoom& expected) const {
        return state_.device_groups.size() < expected.max
                   ? Refusal{}
                   : Refusal{too_many_device_groups(expected)};
    }
    Refusal operator()(const domain::ExpectJobRoom& expected) const {
        const auto under_way = std::count_if(
            state_.jobs.begin(), state_.jobs.end(),
            [](const auto& each) { return domain::is_under_way(each.second.status); });
        return too_many_jobs(expected, static_cast<std::size_t>(under_way), state_.jobs.size());
    }
    Refusal operator()(const domain::ExpectAdministrator& expected) const {
        const std::string except = to_lower_ascii(expected.except_user);
        bool others = false;
        for (const auto& [id, user] : state_.users) {
            others = others || (id != except && user.may_sign_in() &&
                                user.role == domain::Role::administrator);
        }
        for (const auto& [id, token] : state_.tokens) {
            others =
                others || (expected.count_tokens && token.role == domain::Role::administrator &&
                           (!token.expires || *token.expires > expected.now));
        }
        return others ? Refusal{} : Refusal{last_administrator(expected)};
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
            case domain::RecordKind::hub: return etag_in(state_.hubs, folded);
            case domain::RecordKind::policy: return etag_in(state_.policies, folded);
            case domain::RecordKind::user: return etag_in(state_.users, folded);
            case domain::RecordKind::user_name:
                for (const auto& [id, user] : state_.users) {
                    if (to_lower_ascii(user.name) == folded) {
                        return user.etag;
                    }
                }
                return {};
            case domain::RecordKind::session: {
                const auto session = found(state_.sessions, expected.id);
                return session ? ETag::trusted(session->secret_sha256.hex()) : ETag{};
            }
            case domain::RecordKind::twin: return etag_in(state_.twins, expected.id);
            case domain::RecordKind::device_group:
                return etag_in(state_.device_groups, expected.id);
            case domain::RecordKind::job: return etag_in(state_.jobs, expected.id);
        }
        return {};
    }

    const MemoryStore& store_;
    const State& state_;
};

/// Carries out one write.
class MemoryStore::Applier {
public:
    Applier(State& state, const Digest& audit_key) : state_(state), audit_key_(audit_key) {}

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
        const std::string& id = write.id.str();
        state_.twins.erase(id);
        state_.messages.erase(id);
        state_.subscriptions.erase(id);
        state_.device_notes.erase(id);
        return erase(state_.devices, id);
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
    Result<Done> operator()(const domain::TouchToken& write) {
        const auto token = state_.tokens.find(to_lower_ascii(write.name));
        if (token != state_.tokens.end()) {
            token->second.last_used = write.at;
        }
        return Done{};
    }
    Result<Done> operator()(const domain::DeleteToken& write) {
        return erase(state_.tokens, to_lower_ascii(write.name));
    }
    Result<Done> operator()(const domain::PutPolicy& write) {
        return put(state_.policies, to_lower_ascii(write.policy.name), write.policy);
    }
    Result<Done> operator()(const domain::DeletePolicy& write) {
        return erase(state_.policies, to_lower_ascii(write.name));
    }
    Result<Done> operator()(const domain::PutUser& write) {
        const std::string key = to_lower_ascii(write.user.id);
        for (const auto& [id, user] : state_.users) {
            const bool same_name = equal_ignoring_case(user.name, write.user.name);
            const bool same_identity = user.identity && user.identity == write.user.identity;
            if (id != key && (same_name || same_identity)) {
                return identity_taken();
            }
        }
        return put(state_.users, key, write.user);
    }
    Result<Done> operator()(const domain::DeleteUser& write) {
        (void)(*this)(domain::DeleteSessionsOf{write.id}).value();
        return erase(state_.users, to_lower_ascii(write.id));
    }
    Result<Done> operator()(const domain::PutSession& write) {
        std::erase_if(state_.sessions, [&write](const auto& item) {
            return item.second.used < write.used_after || item.second.created < write.created_after;
        });
        auto session = write.session;
        session.user_id = to_lower_ascii(session.user_id);
        return put(state_.sessions, session.id, session);
    }
    Result<Done> operator()(const domain::DeleteSession& write) {
        return erase(state_.sessions, write.id);
    }
    Result<Done> operator()(const domain::DeleteSessionsOf& write) {
        const std::string key = to_lower_ascii(write.user_id);
        std::erase_if(state_.sessions,
                      [&key](const auto& item) { return item.second.user_id == key; });
        return Done{};
    }
    Result<Done> operator()(const domain::PutTwin& write) {
        return put(state_.twins, write.twin.device.str(), write.twin);
    }
    Result<Done> operator()(const domain::ResetTwin& write) {
        domain::Twin twin;
        if (const auto before = found(state_.twins, write.device.str())) {
            twin.desired_version = before->desired_version + 1;
            twin.reported_version = before->reported_version + 1;
        }
        twin.device = write.device;
        twin.tags = write.contents.tags;
        twin.desired = write.contents.desired;
        twin.etag = write.etag;
        twin.updated = write.updated;
        return put(state_.twins, write.device.str(), twin);
    }
    Result<Done> operator()(const domain::PutHub& write) {
        return put(state_.hubs, to_lower_ascii(write.hub.name), write.hub);
    }
    Result<Done> operator()(const domain::DeleteHub& write) {
        return erase(state_.hubs, to_lower_ascii(write.name));
    }
    Result<Done> operator()(const domain::QueueMessage& write) {
        auto& queue = state_.messages[write.message.device.str()];
        std::erase_if(queue, [&write](const auto& each) {
            return each.second.expires <= write.message.enqueued;
        });
        auto message = write.message;
        message.number = ++state_.newest_message;
        return put(queue, message.number, message);
    }
    Result<Done> operator()(const domain::RemoveMessage& write) {
        if (const auto queue = state_.messages.find(write.device.str());
            queue != state_.messages.end()) {
            queue->second.erase(write.number);
        }
        return Done{};
    }
    Result<Done> operator()(const domain::PutSubscriptions& write) {
        return write.subscriptions.any()
                   ? put(state_.subscriptions, write.device.str(), write.subscriptions)
                   : erase(state_.subscriptions, write.device.str());
    }
    Result<Done> operator()(const domain::PutDeviceNotes& write) {
        return write.notes == domain::DeviceNotes{}
                   ? erase(state_.device_notes, write.device.str())
                   : put(state_.device_notes, write.device.str(), write.notes);
    }
    Result<Done> operator()(const domain::PutDeviceGroup& write) {
        return put(state_.device_groups, write.group.id, write.group);
    }
    Result<Done> operator()(const domain::DeleteDeviceGroup& write) {
        return erase(state_.device_groups, write.id);
    }
    Result<Done> operator()(const domain::PutJob& write) {
        return put(state_.jobs, write.job.id, write.job);
    }
    Result<Done> operator()(const domain::DeleteJob& write) { return erase(state_.jobs, write.id); }
    Result<Done> operator()(const domain::PutJobDevice& write) {
        return put(state_.job_devices[write.device.job], write.device.number, write.device);
    }
    Result<Done> operator()(const domain::DeleteJobDevices& write) {
        auto& devices = state_.job_devices[write.job];
        devices.erase(devices.lower_bound(write.from), devices.lower_bound(write.to));
        return Done{};
    }

    Result<Done> operator()(const domain::PruneAudit& write) {
        const auto before = parse_checkpoint(state_.settings[checkpoint_setting]);
        if (before && before->sequence >= write.up_to) {
            return Done{};
        }
        auto& audit = state_.audit;
        const auto last = std::find_if(audit.begin(), audit.end(), [&write](const auto& each) {
            return each.sequence == write.up_to;
        });
        if (last == audit.end()) {
            return no_such_audit_record(write.up_to);
        }
        state_.settings[checkpoint_setting] =
            to_text(signed_checkpoint(write.up_to, last->hash, audit_key_));
        audit.erase(audit.begin(), last + 1);
        return Done{};
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
    const Digest& audit_key_;
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
    // Only these writes can be refused half-way; for all others a copy would be a waste.
    const bool may_fail =
        std::any_of(changes.writes.begin(), changes.writes.end(), [](auto& write) {
            return std::holds_alternative<domain::PutCa>(write) ||
                   std::holds_alternative<domain::PutToken>(write) ||
                   std::holds_alternative<domain::PutUser>(write) ||
                   std::holds_alternative<domain::PruneAudit>(write);
        });
    std::optional<State> before;
    if (may_fail) {
        before = state_;
    }
    Applier applier{state_, audit_key_};
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

}  // namespace rollcall::store
