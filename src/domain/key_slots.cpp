// SPDX-License-Identifier: Apache-2.0
#include "domain/key_slots.hpp"

#include <algorithm>

namespace rollcall::domain {
namespace {

/// What an entry remembers of keys whose trust was withdrawn.
x509::CaKey withdrawn_as(const EnrollmentGroup&, const SymmetricKey& key) {
    return key_as_ca(key);
}
Digest withdrawn_as(const IndividualEnrollment&, const SymmetricKey& key) {
    return key.id();
}

template <class Entry>
void withdraw(Entry& entry, const SymmetricKey& key) {
    const auto mark = withdrawn_as(entry, key);
    if (std::find(entry.withdrawn.begin(), entry.withdrawn.end(), mark) == entry.withdrawn.end()) {
        entry.withdrawn.push_back(mark);
    }
}

/// `what`: "the group 'a'", for people.
template <class Entry>
Result<SlotOutcome> set_key(const TrustView& trust, const Entry& before, Slot slot,
                            const SymmetricKey& key, Removal removal, const Writing& writing,
                            const std::string& what) {
    if (!before.keys) {
        return Error{ErrorKind::conflict,
                     what + " attests by certificate and has no symmetric keys",
                     "attests-by-certificate"};
    }
    SlotOutcome outcome;
    Entry after = before;
    SymmetricKey& place = after.keys->at(index(slot));
    const SymmetricKey old = std::exchange(place, key);
    if (old == key) {
        return Error{ErrorKind::conflict,
                     "that key stands in the " + std::string{to_string(slot)} + " slot already",
                     "same-key"};
    }
    const bool stays = after.keys->at(index(other(slot))) == old;
    if (removal == Removal::breach && stays) {
        return Error{ErrorKind::conflict,
                     "after this breach the other slot would still hold the lost key; give that "
                     "one another key first",
                     "key-distrusted"};
    }
    std::erase(after.withdrawn, withdrawn_as(after, key));
    if (removal != Removal::plain && !stays) {
        withdraw(after, old);
    }
    if (removal == Removal::breach) {
        outcome.changes.writes.push_back(PutDistrusted{
            {old.id(), "symmetric key of " + what + ", " + std::string{to_string(slot)} + " slot",
             writing.reason, writing.by, writing.now}});
        outcome.changes.moves_anchors = true;
    }
    if (after.keys->front() == after.keys->back()) {
        outcome.warnings.emplace_back(
            "the same key stands in both slots, which gives no overlap for a roll");
    }
    after.trust_version += 1;
    after.etag = writing.entry_etag;
    after.updated = writing.now;
    outcome.changes.expects.push_back(ExpectConfig{trust.config_version()});
    if constexpr (std::is_same_v<Entry, EnrollmentGroup>) {
        outcome.changes.expects.push_back(
            ExpectEtag{RecordKind::group, before.id.str(), before.etag});
        outcome.changes.writes.push_back(PutGroup{std::move(after)});
        outcome.changes.moves_config = true;
    } else {
        outcome.changes.expects.push_back(
            ExpectEtag{RecordKind::individual, before.id.str(), before.etag});
        outcome.changes.writes.push_back(PutIndividual{std::move(after)});
        outcome.changes.moves_config = removal == Removal::breach;
    }
    return outcome;
}

}  // namespace

Result<Done> check_key(const TrustView& trust, const SymmetricKey& key,
                       const std::string& group_instance) {
    if (trust.distrusted().contains(key.id())) {
        return Error{ErrorKind::conflict,
                     "this key is on the distrust list; use another, or lift the distrust first",
                     "key-distrusted"};
    }
    for (const auto* const group : trust.key_groups()) {
        const bool has = group->keys->front() == key || group->keys->back() == key;
        if (has && !group_instance.empty() && group->instance != group_instance) {
            return Error{ErrorKind::conflict,
                         "the same key stands in the group '" + group->id.str() +
                             "'; a key may vouch for one group only",
                         "key-in-other-group"};
        }
    }
    return Done{};
}

Result<SlotOutcome> set_group_key(const TrustView& trust, const EnrollmentGroup& group, Slot slot,
                                  const SymmetricKey& key, Removal removal,
                                  const Writing& writing) {
    TRY([[maybe_unused]] const Done free, check_key(trust, key, group.instance));
    return set_key(trust, group, slot, key, removal, writing, "the group '" + group.id.str() + "'");
}

Result<SlotOutcome> set_individual_key(const TrustView& trust,
                                       const IndividualEnrollment& enrollment, Slot slot,
                                       const SymmetricKey& key, Removal removal,
                                       const Writing& writing) {
    TRY([[maybe_unused]] const Done free, check_key(trust, key, {}));
    return set_key(trust, enrollment, slot, key, removal, writing,
                   "the enrollment '" + enrollment.id.original() + "'");
}

Error attests_by_key(const std::string& what) {
    return {ErrorKind::conflict,
            what + " attests by symmetric key and takes no certificates; make another one for them",
            "attests-by-key"};
}

}  // namespace rollcall::domain
