// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases that take over what another service had. Entries are made as
// put_individual() and put_group() make them; what is there already is compared and left alone.
#include "base/limits.hpp"
#include "service/enroller_plan.hpp"

#include <algorithm>
#include <set>

namespace rollcall::service {

using domain::EnrollmentGroup;
using domain::IndividualEnrollment;

/// One entry while it is worked on.
struct Enroller::Import {
    Put put;
    Imported outcome{};
    /// It attests by certificate and brings none.
    bool bare = false;
};

namespace {

using What = Imported::What;

bool brings_none(const domain::SlotWishes& slots) {
    return std::all_of(slots.begin(), slots.end(), [](const auto& wish) {
        return std::holds_alternative<std::monostate>(wish);
    });
}

bool holds_none(const IndividualEnrollment& entry) {
    return !entry.keys && !entry.slots[0] && !entry.slots[1];
}
bool holds_none(const EnrollmentGroup& entry) {
    return !entry.keys && !shown_in(entry.slots[0]) && !shown_in(entry.slots[1]);
}

/// Keys that another service made cannot be made up.
Result<Done> check_keys(const EntryWish& wish) {
    if (wish.keys && !(wish.keys->slots[0] && wish.keys->slots[1])) {
        return Error{ErrorKind::malformed,
                     "it attests by symmetric key, and both keys are wanted: devices have them",
                     "key-missing"};
    }
    return Done{};
}

Error not_while_enabled() {
    return {ErrorKind::malformed,
            "it attests by certificate and brings none: its device would be refused, whatever a "
            "group says",
            "no-certificate"};
}

/// Members of an entry in which what is there is not what is wished.
std::vector<std::string> differing(const AuditDetail& difference) {
    std::vector<std::string> names;
    for (const auto& name : difference.names()) {
        if (name.ends_with("After")) {
            names.push_back(name.substr(0, name.find("After")) + "Certificate");
        } else if (!name.ends_with("Before") && name != "clientNotes") {  // no rule looks at those
            names.push_back(name);
        }
    }
    return names;
}

template <class Entry>
void compare_keys(std::vector<std::string>& names, const Entry& stored, const EntryWish& wish) {
    if (stored.keys.has_value() != wish.keys.has_value()) {
        names.emplace_back("attestation");
        return;
    }
    for (const auto slot : domain::both_slots) {
        if (stored.keys && stored.keys->at(domain::index(slot)).base64() !=
                               wish.keys->slots[domain::index(slot)]) {
            names.push_back(shown(slot) + "Key");
        }
    }
}

/// The certificate that a wish for a group's slot means; none where it is a CA that is not there.
std::optional<x509::Certificate> meant(const domain::SlotWish& wish,
                                       const domain::TrustView& trust) {
    if (const auto* const certificate = std::get_if<x509::Certificate>(&wish)) {
        return *certificate;
    }
    if (const auto* const reference = std::get_if<domain::CaReference>(&wish)) {
        const auto ca = find_named_ca(trust, reference->name);
        return ca ? std::optional{(*ca)->certificate} : std::nullopt;
    }
    return std::nullopt;
}

Error repeated_entry() {
    return {ErrorKind::malformed, "the entry stands twice in one request", "repeated-entry"};
}

/// What one of a batch changes, beside the rest; the state of the configuration is expected once.
void put_beside(domain::Changes& changes, domain::Changes one, const domain::AuditEvent& event) {
    for (auto& expected : one.expects) {
        if (!std::holds_alternative<domain::ExpectConfig>(expected)) {
            changes.expects.push_back(std::move(expected));
        }
    }
    std::move(one.writes.begin(), one.writes.end(), std::back_inserter(changes.writes));
    changes.moves_anchors |= one.moves_anchors;
    changes.audit.push_back(event);
}

/// Decides about an entry that is there already: true where its empty slots shall be filled.
bool settle(Imported& outcome, std::vector<std::string> differences, bool empty, bool bare) {
    const bool only_slots =
        std::all_of(differences.begin(), differences.end(), [](const auto& name) {
            return name.starts_with("primary") || name.starts_with("secondary");
        });
    if (!differences.empty() && empty && !bare && only_slots) {
        outcome.what = What::completed;
        return true;
    }
    outcome.what = differences.empty() ? What::there : What::differs;
    outcome.differences = std::move(differences);
    return false;
}

}  // namespace

/// A plan without writes where there is nothing to do.
Result<Enroller::Plan> Enroller::plan_import(Import& import, const Snapshot& snapshot,
                                             const domain::Writing& writing) {
    const EntryWish& wish = import.put.wish;
    import.outcome = {};
    if (snapshot.individual) {
        const IndividualEnrollment& stored = *snapshot.individual;
        IndividualEnrollment wished = stored;
        TRY([[maybe_unused]] const Done applied, apply_wish(wished, wish));
        wished.device_id.reset();
        if (!wish.device_id.empty()) {
            TRY(wished.device_id, parse_device_id(wish.device_id));
        }
        for (const auto slot : domain::both_slots) {
            const auto& wish_of_slot = import.put.slots.at(domain::index(slot));
            wished.at(slot) = import.bare ? stored.at(slot) : meant(wish_of_slot, *snapshot.trust);
        }
        auto differences = differing(difference(stored, wished));
        compare_keys(differences, stored, wish);
        if (!settle(import.outcome, std::move(differences), holds_none(stored), import.bare)) {
            return Plan{};
        }
        import.put.mode = PutMode::change;
        return plan_put(import.put, snapshot, &stored, writing);
    }
    import.outcome.what = What::made;
    import.put.mode = PutMode::make;
    if (!import.bare) {
        constexpr const IndividualEnrollment* none = nullptr;
        return plan_put(import.put, snapshot, none, writing);
    }
    if (wish.enabled) {
        return not_while_enabled();
    }
    IndividualEnrollment blank;
    blank.id = RegistrationId::trusted(import.put.id);
    blank.instance = import.put.instance;
    blank.trust_version = 0;
    blank.created = writing.now;
    IndividualEnrollment fresh = blank;
    TRY([[maybe_unused]] const Done applied, apply_wish(fresh, wish));
    if (!wish.device_id.empty()) {
        TRY(fresh.device_id, parse_device_id(wish.device_id));
    }
    const LeafUploads none;
    TRY(Plan plan, plan_individual(snapshot, blank, fresh, {}, none, writing));
    plan.action = "enrollment.create";
    return plan;
}

Task<Result<std::vector<Imported>>> Enroller::import_individuals(
    const Order& order, const std::vector<ImportEntry>& entries) {
    CO_TRY([[maybe_unused]] const Done reason, check_reason(order));
    std::vector<Import> imports;
    imports.reserve(entries.size());
    std::set<std::string> ids;
    for (const auto& entry : entries) {
        Import import{{order, entry.wish, PutMode::make, entry.id, new_guid(entropy_), {}}};
        const auto id = parse_registration_id(entry.id);
        auto slots = read_wishes(entry.wish);
        const auto keys = check_keys(entry.wish);
        if (!id) {
            import.outcome.refusal = id.error();
        } else if (!ids.insert(id->str()).second) {
            import.outcome.refusal = repeated_entry();
        } else if (!slots) {
            import.outcome.refusal = slots.error();
        } else if (!keys) {
            import.outcome.refusal = keys.error();
        } else {
            import.put.slots = *std::move(slots);
            import.bare = !entry.wish.keys && brings_none(import.put.slots);
        }
        imports.push_back(std::move(import));
    }
    const BatchPlanner planner = [&](domain::Changes& changes) {
        return plan_imports(order, imports, changes);
    };
    CO_TRY([[maybe_unused]] const Done done, co_await change_together(order, planner));
    std::vector<Imported> outcomes;
    outcomes.reserve(imports.size());
    for (auto& import : imports) {
        outcomes.push_back(std::move(import.outcome));
    }
    co_return outcomes;
}

Task<Result<Done>> Enroller::change_together(const Order& order, const BatchPlanner& planner) {
    for (int attempt = 0; attempt < limits::change_attempts_max; ++attempt) {
        domain::Changes changes;
        CO_TRY([[maybe_unused]] const Done planned, co_await planner(changes));
        if (order.dry_run || changes.writes.empty()) {
            co_return Done{};
        }
        const auto receipt = co_await ledger_.commit(changes);
        if (receipt) {
            co_return Done{};
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
    }
    co_return too_busy();
}

/// Plans those that are not refused for good, all against one view of the CAs and groups.
Task<Result<Done>> Enroller::plan_imports(const Order& order, std::vector<Import>& imports,
                                          domain::Changes& changes) {
    CO_TRY(const auto trust, co_await trust_book_.current());
    changes.expects.push_back(domain::ExpectConfig{trust->config_version()});
    for (auto& import : imports) {
        if (import.outcome.refusal) {
            continue;
        }
        Snapshot snapshot;
        snapshot.trust = trust;
        const RegistrationId id = *parse_registration_id(import.put.id);
        CO_TRY(snapshot.individual, co_await reader_.individual(id));
        const domain::Writing writing = draw(order);
        auto plan = plan_import(import, snapshot, writing);
        if (!plan) {
            import.outcome = {};
            import.outcome.refusal = plan.error();
            continue;
        }
        import.outcome.findings = std::move(plan->findings);
        import.outcome.warnings = std::move(plan->warnings);
        if (plan->changes.writes.empty()) {
            continue;
        }
        const auto event =
            audit_event(order, plan->action, plan->object, plan->detail, writing.now);
        put_beside(changes, std::move(plan->changes), event);
    }
    co_return Done{};
}

/// One of a batch; refused only for what concerns all of them.
Task<Result<Imported>> Enroller::plan_device_import(const Order& order, const ImportDevice& device,
                                                    domain::Changes& changes) {
    Imported outcome;
    const auto id = parse_device_id(device.id);
    const auto registration = parse_registration_id(device.id);
    if (!id || !registration) {
        outcome.refusal = id ? registration.error() : id.error();
        co_return outcome;
    }
    Subject subject;
    subject.device = *id;
    subject.device_notes = true;
    subject.individual = *registration;
    CO_TRY(const Snapshot snapshot, co_await look(subject));
    const domain::Writing writing = draw(order);
    auto plan = plan_write(snapshot, device.id, device.write, writing);
    if (!plan) {
        outcome.refusal = plan.error();
        co_return outcome;
    }
    outcome.what = What::made;
    if (snapshot.device) {
        auto differences = plan->detail.names();
        const bool blank = snapshot.device_notes == domain::DeviceNotes{};
        const bool as_it_was =
            std::find(differences.begin(), differences.end(), "state") == differences.end();
        outcome.what = differences.empty()  ? What::there
                       : blank && as_it_was ? What::completed
                                            : What::differs;
        if (outcome.what == What::differs) {
            outcome.differences = std::move(differences);
        }
    }
    if (outcome.what == What::made || outcome.what == What::completed) {
        const auto event =
            audit_event(order, plan->action, plan->object, plan->detail, writing.now);
        put_beside(changes, std::move(plan->changes), event);
    }
    co_return outcome;
}

Task<Result<std::vector<Imported>>> Enroller::import_devices(
    const Order& order, const std::vector<ImportDevice>& devices) {
    CO_TRY([[maybe_unused]] const Done reason, check_reason(order));
    std::vector<Imported> outcomes;
    const BatchPlanner planner = [&](domain::Changes& changes) -> Task<Result<Done>> {
        outcomes.clear();
        std::set<std::string> ids;
        for (const auto& device : devices) {
            Imported outcome;
            if (ids.insert(to_lower_ascii(device.id)).second) {
                CO_TRY(outcome, co_await plan_device_import(order, device, changes));
            } else {
                outcome.refusal = repeated_entry();
            }
            outcomes.push_back(std::move(outcome));
        }
        co_return Done{};
    };
    CO_TRY([[maybe_unused]] const Done done, co_await change_together(order, planner));
    co_return outcomes;
}

Result<Enroller::Plan> Enroller::plan_group_import(Import& import, const Snapshot& snapshot,
                                                   const domain::Writing& writing) {
    const EntryWish& wish = import.put.wish;
    const domain::TrustView& trust = *snapshot.trust;
    import.outcome = {};
    if (const auto found = find_group(trust, import.put.id)) {
        const EnrollmentGroup& stored = **found;
        EnrollmentGroup wished = stored;
        TRY([[maybe_unused]] const Done applied, apply_wish(wished, wish));
        auto differences = differing(difference(stored, wished));
        compare_keys(differences, stored, wish);
        for (const auto slot : domain::both_slots) {
            const auto is = certificate_of(trust, {}, shown_in(stored.at(slot)));
            if (!import.bare && is != meant(import.put.slots.at(domain::index(slot)), trust)) {
                differences.push_back(shown(slot) + "Certificate");
            }
        }
        if (!settle(import.outcome, std::move(differences), holds_none(stored), import.bare)) {
            return Plan{};
        }
        import.put.mode = PutMode::change;
        return plan_put(import.put, snapshot, &stored, writing);
    }
    import.outcome.what = What::made;
    import.put.mode = PutMode::make;
    if (!import.bare) {
        constexpr const EnrollmentGroup* none = nullptr;
        return plan_put(import.put, snapshot, none, writing);
    }
    EnrollmentGroup group;
    group.id = GroupId::trusted(import.put.id);
    group.instance = import.put.instance;
    TRY([[maybe_unused]] const Done applied, apply_wish(group, wish));
    group.etag = writing.entry_etag;
    group.created = group.updated = writing.now;
    Plan plan;
    plan.action = "group.create";
    plan.object = "group/" + import.put.id;
    plan.detail = difference({}, group);
    check_hubs(plan.warnings, group.allocation, trust);
    plan.changes.expects = {domain::ExpectEtag{domain::RecordKind::group, group.id.str(), ETag{}},
                            domain::ExpectConfig{trust.config_version()}};
    plan.changes.writes.push_back(domain::PutGroup{std::move(group)});
    plan.changes.moves_config = true;
    return plan;
}

Task<Result<Imported>> Enroller::import_group(const Order& order, const ImportEntry& entry) {
    CO_TRY([[maybe_unused]] const GroupId id, parse_group_id(entry.id));
    CO_TRY([[maybe_unused]] const Done keys, check_keys(entry.wish));
    CO_TRY(auto slots, read_wishes(entry.wish));
    Import import{
        {order, entry.wish, PutMode::make, entry.id, new_guid(entropy_), std::move(slots)}};
    import.bare = !entry.wish.keys && brings_none(import.put.slots);
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        return plan_group_import(import, snapshot, writing);
    };
    const Subject nothing_else;
    CO_TRY(Plan plan, co_await change(order, nothing_else, planner));
    import.outcome.findings = std::move(plan.findings);
    import.outcome.warnings = std::move(plan.warnings);
    co_return std::move(import.outcome);
}

}  // namespace rollcall::service
