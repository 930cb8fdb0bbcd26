// SPDX-License-Identifier: Apache-2.0
#include "service/sessions.hpp"

#include <utility>

namespace rollcall::service {

std::string_view to_string(SessionEnd why) {
    switch (why) {
        case SessionEnd::taken_over: return "taken-over";
        case SessionEnd::trust_withdrawn: return "trust-withdrawn";
        case SessionEnd::moved: return "moved";
        case SessionEnd::device_gone: break;
    }
    return "device-gone";
}

Sessions::Shard& Sessions::shard_of(const DeviceId& device) {
    return shards_[std::hash<DeviceId>{}(device) % shards];
}
const Sessions::Shard& Sessions::shard_of(const DeviceId& device) const {
    return shards_[std::hash<DeviceId>{}(device) % shards];
}

void Sessions::enter(const SessionFacts& facts, std::shared_ptr<LiveSession> session) {
    Held entering{std::make_shared<const SessionFacts>(facts), std::move(session)};
    Shard& shard = shard_of(facts.device);
    {
        const std::lock_guard lock(shard.mutex);
        std::swap(shard.by_device[facts.device], entering);
    }
    if (entering.session) {
        entering.session->end(SessionEnd::taken_over);
    }
}

void Sessions::leave(const DeviceId& device, const LiveSession& session) {
    Shard& shard = shard_of(device);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.by_device.find(device);
    if (found != shard.by_device.end() && found->second.session.get() == &session) {
        shard.by_device.erase(found);
    }
}

std::shared_ptr<LiveSession> Sessions::of(const DeviceId& device) const {
    const Shard& shard = shard_of(device);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.by_device.find(device);
    return found == shard.by_device.end() ? nullptr : found->second.session;
}

std::optional<SessionFacts> Sessions::facts_of(const DeviceId& device) const {
    const Shard& shard = shard_of(device);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.by_device.find(device);
    return found == shard.by_device.end() ? std::nullopt : std::optional{*found->second.facts};
}

std::size_t Sessions::count() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        count += shard.by_device.size();
    }
    return count;
}

/// They leave the list here and now, so that nobody is sent anything any more; the connections
/// close on their own cores.
template <class Gone>
std::size_t Sessions::end_where(const Gone& gone) {
    std::size_t ended = 0;
    for (Shard& shard : shards_) {
        std::vector<std::shared_ptr<LiveSession>> leaving;
        {
            const std::lock_guard lock(shard.mutex);
            std::erase_if(shard.by_device, [&](const auto& each) {
                const bool goes = gone(*each.second.facts);
                if (goes) {
                    leaving.push_back(each.second.session);
                }
                return goes;
            });
        }
        for (const auto& session : leaving) {
            session->end(SessionEnd::trust_withdrawn);
        }
        ended += leaving.size();
    }
    return ended;
}

std::size_t Sessions::end_withdrawn(const domain::TrustView& trust) {
    return end_where([&](const SessionFacts& facts) {
        return facts.basis.entry.kind == domain::EntryRef::Kind::group
                   ? domain::trust_is_withdrawn(trust, std::nullopt, facts.registration,
                                                facts.basis)
                   : domain::rests_on_distrusted_key(trust, facts.basis);
    });
}

std::size_t Sessions::end_withdrawn(const domain::TrustView& trust, const RegistrationId& id,
                                    const std::optional<domain::IndividualEnrollment>& individual) {
    return end_where([&](const SessionFacts& facts) {
        return facts.registration == id &&
               domain::trust_is_withdrawn(trust, individual, id, facts.basis);
    });
}

std::size_t Sessions::end(const DeviceId& device, SessionEnd why) {
    Shard& shard = shard_of(device);
    Held leaving;
    {
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.by_device.find(device);
        if (found == shard.by_device.end()) {
            return 0;
        }
        leaving = std::move(found->second);
        shard.by_device.erase(found);
    }
    leaving.session->end(why);
    return 1;
}

}  // namespace rollcall::service
