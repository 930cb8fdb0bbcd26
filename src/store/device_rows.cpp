// SPDX-License-Identifier: Apache-2.0
#include "store/device_rows.hpp"

#include "base/limits.hpp"
#include "store/rows.hpp"

#define ADOPTION_COLUMNS                                                                      \
    "operation, at, a.entry_kind, a.entry_id, a.entry_instance, a.slot, a.ca_sha256,"         \
    " a.ca_subject, a.ca_spki, leaf_sha256, a.leaf_spki, serial, not_before, not_after, key," \
    " signature_algorithm, chain_length, path_keys, completed, went_back, protocol,"          \
    " api_version, user_agent, tls_version, tls_cipher, a.status, a.substatus,"               \
    " a.failure_code, a.failure_message, a.attestation"
#define REGISTRATION_COLUMNS                                                      \
    "r.name, r.device_id, r.assigned_hub, r.status, r.substatus, r.failure_code," \
    " r.failure_message, r.etag, r.created, r.updated, r.payload, r.adoptions, " ADOPTION_COLUMNS
#define LAST_ADOPTION " LEFT JOIN adoptions AS a ON a.registration=r.id AND a.ring=r.adoptions%20"

namespace rollcall::store {

static_assert(limits::adoption_history_max == 20, "LAST_ADOPTION says so too");

bool PlacementOrder::operator()(const Placement& a, const Placement& b) const {
    return std::tie(a.entry.kind, a.entry.id, a.entry.instance, a.ca_sha256, a.slot) <
           std::tie(b.entry.kind, b.entry.id, b.entry.instance, b.ca_sha256, b.slot);
}

// --- Registrations --------------------------------------------------------------------------

namespace {

std::optional<Placement> placement_of(const domain::Registration& registration);
Result<std::optional<std::optional<Placement>>> get_placement(Database& database,
                                                              const std::string& id);
Result<Done> put_adoption(Database& database, const domain::Registration& registration);
Result<Done> update_in_place(Database& database, const domain::Registration& registration);
Result<Done> replace_registration(Database& database, const domain::Registration& registration);
Result<Done> add_to_count(Database& database, const Placement& placement, std::int64_t change);

}  // namespace

Result<Done> put_registration(Database& database, const domain::Registration& registration,
                              CountChanges& counts) {
    TRY(const auto before, get_placement(database, registration.id.str()));
    const auto after = placement_of(registration);
    if (before && *before == after) {
        TRY([[maybe_unused]] const auto updated, update_in_place(database, registration));
    } else {
        TRY([[maybe_unused]] const auto replaced, replace_registration(database, registration));
        if (before && *before) {
            --counts[**before];
        }
        if (after) {
            ++counts[*after];
        }
    }
    if (registration.adoptions == 0) {
        return Done{};
    }
    return put_adoption(database, registration);
}

Result<Done> delete_registration(Database& database, const RegistrationId& id,
                                 CountChanges& counts) {
    TRY(const auto before, get_placement(database, id.str()));
    if (before && *before) {
        --counts[**before];
    }
    TRY([[maybe_unused]] const auto history,
        run_for(database, "DELETE FROM adoptions WHERE registration=?", id.str()));
    return run_for(database, "DELETE FROM registrations WHERE id=?", id.str());
}

namespace {

std::optional<Placement> placement_of(const domain::Registration& registration) {
    if (registration.adoptions == 0) {
        return std::nullopt;
    }
    const auto& last = registration.last;
    return Placement{last.entry, last.slot, last.ca_sha256, last.ca};
}

/// None: no such registration. None inside: it has no adoption yet.
Result<std::optional<std::optional<Placement>>> get_placement(Database& database,
                                                              const std::string& id) {
    TRY(auto* const statement,
        database.prepared("SELECT entry_kind, entry_id, entry_instance, slot, ca_sha256,"
                          " ca_subject, ca_spki FROM registrations WHERE id=?"));
    Query row{statement};
    row.bind(id);
    using Read = std::optional<Placement>;
    return read_one<Read>(row, [&row]() -> Result<Read> {
        if (row.is_null()) {
            return Read{};
        }
        Placement placement;
        placement.entry.kind = row.enumerator(domain::EntryRef::Kind::group);
        placement.entry.id = row.text();
        placement.entry.instance = row.text();
        placement.slot = row.enumerator(domain::Slot::secondary);
        placement.ca_sha256 = row.digest();
        placement.ca.subject = row.digest();
        placement.ca.spki = row.digest();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return Read{std::move(placement)};
    });
}

void bind_plain_columns(Query& query, const domain::Registration& registration) {
    query.bind(registration.id.original()).bind(registration.device_id.str());
    query.bind(registration.assigned_hub).bind(registration.status).bind(registration.substatus);
    query.bind(std::int64_t{registration.failure.code}).bind(registration.failure.message);
    query.bind(registration.etag.str()).bind(registration.created).bind(registration.updated);
    query.bind(registration.payload).bind(registration.adoptions);
    registration.adoptions > 0 ? query.bind(registration.last.leaf_spki) : query.bind_null();
    query.bind(registration.id.str());
}

/// Names no column of the large indexes: SQLite takes an entry out of an index and puts it
/// back whenever the statement names its column, changed or not.
Result<Done> update_in_place(Database& database, const domain::Registration& registration) {
    TRY(auto* const statement,
        database.prepared(
            "UPDATE registrations SET name=?, device_id=?, assigned_hub=?, status=?, substatus=?,"
            " failure_code=?, failure_message=?, etag=?, created=?, updated=?, payload=?, "
            "adoptions=?,"
            " leaf_spki=? WHERE id=?"));
    Query query{statement};
    bind_plain_columns(query, registration);
    return query.run();
}

Result<Done> replace_registration(Database& database, const domain::Registration& registration) {
    TRY(auto* const statement,
        database.prepared(
            "INSERT OR REPLACE INTO registrations (name, device_id, assigned_hub, status,"
            " substatus, failure_code, failure_message, etag, created, updated, payload, adoptions,"
            " leaf_spki, id, entry_kind, entry_id, entry_instance, slot, ca_sha256, ca_subject,"
            " ca_spki) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const auto placement = placement_of(registration);
    Query query{statement};
    bind_plain_columns(query, registration);
    if (placement) {
        query.bind(placement->entry.kind).bind(placement->entry.id).bind(placement->entry.instance);
        query.bind(placement->slot).bind(placement->ca_sha256);
        query.bind(placement->ca.subject).bind(placement->ca.spki);
    } else {
        for (int column = 0; column < 7; ++column) {
            query.bind_null();
        }
    }
    return query.run();
}

Result<Done> put_adoption(Database& database, const domain::Registration& registration) {
    TRY(auto* const statement,
        database.prepared(
            "INSERT OR REPLACE INTO adoptions (registration, ring, number, operation, at,"
            " entry_kind, entry_id, entry_instance, slot, ca_sha256, ca_subject, ca_spki,"
            " leaf_sha256, leaf_spki, serial, not_before, not_after, key, signature_algorithm,"
            " chain_length, path_keys, completed, went_back, protocol, api_version, user_agent,"
            " tls_version, tls_cipher, status, substatus, failure_code, failure_message,"
            " attestation)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const auto& last = registration.last;
    const Bytes path_keys = packed(last.path_keys);
    Query query{statement};
    query.bind(registration.id.str());
    query.bind(registration.adoptions % limits::adoption_history_max);
    query.bind(registration.adoptions);
    query.bind(last.operation.str()).bind(last.at);
    query.bind(last.entry.kind).bind(last.entry.id).bind(last.entry.instance).bind(last.slot);
    query.bind(last.ca_sha256).bind(last.ca.subject).bind(last.ca.spki);
    query.bind(last.leaf_sha256).bind(last.leaf_spki).bind(last.serial);
    query.bind(last.not_before).bind(last.not_after).bind(last.key);
    query.bind(last.signature_algorithm).bind(std::uint64_t{last.chain_length});
    query.bind_blob(path_keys).bind(last.completed).bind(last.went_back).bind(last.protocol);
    query.bind(last.api_version).bind(last.user_agent).bind(last.tls_version);
    query.bind(last.tls_cipher).bind(last.status).bind(last.substatus);
    query.bind(std::int64_t{last.failure.code}).bind(last.failure.message).bind(last.attestation);
    return query.run();
}

domain::Failure read_failure(Query& row) {
    domain::Failure failure;
    failure.code = static_cast<int>(row.integer());
    failure.message = row.text();
    return failure;
}

domain::Adoption read_adoption(Query& row) {
    domain::Adoption adoption;
    adoption.operation = OperationId::trusted(row.text());
    adoption.at = row.time();
    adoption.entry.kind = row.enumerator(domain::EntryRef::Kind::group);
    adoption.entry.id = row.text();
    adoption.entry.instance = row.text();
    adoption.slot = row.enumerator(domain::Slot::secondary);
    adoption.ca_sha256 = row.digest();
    adoption.ca.subject = row.digest();
    adoption.ca.spki = row.digest();
    adoption.leaf_sha256 = row.digest();
    adoption.leaf_spki = row.digest();
    adoption.serial = row.text();
    adoption.not_before = row.time();
    adoption.not_after = row.time();
    adoption.key = row.text();
    adoption.signature_algorithm = row.text();
    adoption.chain_length = static_cast<std::uint32_t>(row.integer());
    adoption.path_keys = read_digests(row);
    adoption.completed = row.flag();
    adoption.went_back = row.flag();
    adoption.protocol = row.enumerator(domain::Protocol::amqp_ws);
    adoption.api_version = row.text();
    adoption.user_agent = row.text();
    adoption.tls_version = row.text();
    adoption.tls_cipher = row.text();
    adoption.status = row.enumerator(domain::RegistrationStatus::disabled);
    adoption.substatus = row.enumerator(domain::Substatus::reprovisioned_to_initial_assignment);
    adoption.failure = read_failure(row);
    adoption.attestation = row.enumerator(domain::AttestationKind::symmetric_key);
    return adoption;
}

Result<domain::Registration> read_registration(Query& row) {
    domain::Registration registration;
    registration.id = RegistrationId::trusted(row.text());
    registration.device_id = DeviceId::trusted(row.text());
    registration.assigned_hub = row.text();
    registration.status = row.enumerator(domain::RegistrationStatus::disabled);
    registration.substatus = row.enumerator(domain::Substatus::reprovisioned_to_initial_assignment);
    registration.failure = read_failure(row);
    registration.etag = ETag::trusted(row.text());
    registration.created = row.time();
    registration.updated = row.time();
    registration.payload = row.text();
    registration.adoptions = row.unsigned_integer();
    if (registration.adoptions > 0) {
        registration.last = read_adoption(row);
    }
    TRY([[maybe_unused]] const auto sound, row.sound());
    return registration;
}

}  // namespace

Result<Done> apply_counts(Database& database, const CountChanges& counts) {
    for (const auto& [placement, change] : counts) {
        if (change == 0) {
            continue;
        }
        TRY([[maybe_unused]] const auto counted, add_to_count(database, placement, change));
    }
    return Done{};
}

namespace {

/// A count of nobody goes: every leaf of an individual enrollment has one for its time.
Result<Done> add_to_count(Database& database, const Placement& placement, std::int64_t change) {
    const auto bind_key = [&placement](Query& query) {
        query.bind(placement.entry.kind).bind(placement.entry.id).bind(placement.entry.instance);
        query.bind(placement.ca_sha256).bind(placement.slot);
    };
    TRY(auto* const add,
        database.prepared("INSERT INTO adoption_counts (entry_kind, entry_id, entry_instance,"
                          " ca_sha256, slot, devices) VALUES (?,?,?,?,?,?)"
                          " ON CONFLICT DO UPDATE SET devices=devices+excluded.devices"));
    {
        Query query{add};
        bind_key(query);
        query.bind(change);
        TRY([[maybe_unused]] const auto added, query.run());
    }
    if (change > 0) {
        return Done{};
    }
    TRY(auto* const remove,
        database.prepared("DELETE FROM adoption_counts WHERE entry_kind=? AND entry_id=?"
                          " AND entry_instance=? AND ca_sha256=? AND slot=? AND devices<=0"));
    Query query{remove};
    bind_key(query);
    return query.run();
}

}  // namespace

Result<std::optional<domain::Registration>> get_registration(Database& database,
                                                             const RegistrationId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " REGISTRATION_COLUMNS " FROM registrations AS r" LAST_ADOPTION
                          " WHERE r.id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<domain::Registration>(row, [&row] { return read_registration(row); });
}

namespace {

/// What every listing narrows by; ?1 and ?2 are the paging key and the count.
#define NARROWED                                                                                 \
    " AND (?3 IS NULL OR (r.entry_kind=1 AND r.entry_id=?3)) AND (?4 IS NULL OR r.ca_sha256=?4)" \
    " AND (?5 IS NULL OR r.status=?5)"                                                           \
    " AND (?6 IS NULL OR (r.ca_subject=?6 AND r.ca_spki=?7))"                                    \
    " AND (?8 IS NULL OR r.ca_spki=?8 OR r.leaf_spki=?8)"                                        \
    " AND (?9 IS NULL OR r.assigned_hub=?9 COLLATE NOCASE)"
static_assert(static_cast<int>(domain::EntryRef::Kind::group) == 1);
static_assert(static_cast<int>(domain::RegistrationStatus::assigned) == 2);

#define LISTING(INDEX, CHOSEN)                                                     \
    "SELECT " REGISTRATION_COLUMNS " FROM registrations AS r " INDEX LAST_ADOPTION \
    " WHERE r.id>?1 AND " CHOSEN NARROWED " ORDER BY r.id LIMIT ?2"
#define COUNTING(INDEX, CHOSEN)                                                            \
    "SELECT count(*) FROM registrations AS r " INDEX " WHERE r.id>?1 AND " CHOSEN NARROWED \
    " LIMIT ?2"

/// The two statements over the index that fits a filter.
struct FilterSql {
    std::string_view listing;
    std::string_view counting;
};
#define OVER(INDEX, CHOSEN)                             \
    FilterSql {                                         \
        LISTING(INDEX, CHOSEN), COUNTING(INDEX, CHOSEN) \
    }

/// A key that may also be a leaf's has no index: it would cost every registration a write in a
/// random place, and who asks for it is an operator who distrusts a key.
FilterSql sql_for(const RegistrationFilter& filter) {
    if (filter.ca) {
        return OVER("INDEXED BY registrations_by_ca_key", "r.ca_spki=?7");
    }
    if (filter.group) {
        return OVER("INDEXED BY registrations_by_entry", "r.entry_kind=1 AND r.entry_id=?3");
    }
    if (filter.status && *filter.status != domain::RegistrationStatus::assigned) {
        return OVER("INDEXED BY registrations_by_status", "r.status=?5 AND r.status<>2");
    }
    return OVER("", "true");
}

void bind_filter(Query& query, const RegistrationFilter& filter, const std::string& after,
                 std::size_t count) {
    query.bind(after).bind(std::uint64_t{count});
    filter.group ? query.bind(*filter.group) : query.bind_null();
    query.bind(filter.ca_sha256);
    filter.status ? query.bind(*filter.status) : query.bind_null();
    filter.ca ? query.bind(filter.ca->subject).bind(filter.ca->spki)
              : query.bind_null().bind_null();
    query.bind(filter.spki);
    filter.hub ? query.bind(*filter.hub) : query.bind_null();
}

}  // namespace

Result<std::vector<domain::Registration>> list_registrations(Database& database,
                                                             const RegistrationFilter& filter,
                                                             const std::string& after,
                                                             std::size_t count) {
    TRY(auto* const statement, database.prepared(sql_for(filter).listing));
    const std::string key = to_lower_ascii(after);
    Query row{statement};
    bind_filter(row, filter, key, count);
    return read_all<domain::Registration>(row, [&row] { return read_registration(row); });
}

Result<std::uint64_t> count_registrations(Database& database, const RegistrationFilter& filter) {
    TRY(auto* const statement, database.prepared(sql_for(filter).counting));
    const std::string from_the_first;
    Query row{statement};
    bind_filter(row, filter, from_the_first, 1);
    return read_count(row);
}

namespace {

Result<Done> count_states(Database& database, FleetCounts& counts) {
    TRY(auto* const statement,
        database.prepared("SELECT state, count(*) FROM devices GROUP BY state"));
    Query row{statement};
    while (true) {
        TRY(const bool more, row.step());
        if (!more) {
            return Done{};
        }
        const auto state = row.enumerator(domain::DeviceState::blocked);
        counts.devices.at(static_cast<std::size_t>(state)) = row.unsigned_integer();
        TRY([[maybe_unused]] const auto sound, row.sound());
    }
}

/// Groups one by one, enrollments of single devices together.
Result<Done> count_groups(Database& database, FleetCounts& counts) {
    TRY(auto* const statement,
        database.prepared("SELECT entry_id, entry_instance, ca_sha256, slot, devices"
                          " FROM adoption_counts WHERE entry_kind=1"));
    Query row{statement};
    TRY(counts.groups, read_all<GroupCount>(row, [&row]() -> Result<GroupCount> {
            GroupCount group;
            group.entry = {domain::EntryRef::Kind::group, row.text(), row.text()};
            group.count.ca_sha256 = row.digest();
            group.count.slot = row.enumerator(domain::Slot::secondary);
            group.count.devices = row.unsigned_integer();
            TRY([[maybe_unused]] const auto sound, row.sound());
            return group;
        }));
    return Done{};
}

Result<Done> count_own_slots(Database& database, FleetCounts& counts) {
    TRY(auto* const statement,
        database.prepared("SELECT coalesce(sum(devices), 0) FROM adoption_counts"
                          " WHERE entry_kind=0 AND slot=?"));
    for (const auto slot : domain::both_slots) {
        Query row{statement};
        row.bind(slot);
        TRY(counts.own_slots.at(domain::index(slot)), read_count(row));
    }
    return Done{};
}

/// Only of those that came with a certificate.
Result<Done> count_leaf_ends(Database& database, FleetCounts& counts) {
    TRY(auto* const statement,
        database.prepared("SELECT a.not_after/86400000000 AS day, count(*)"
                          " FROM registrations AS r JOIN adoptions AS a"
                          " ON a.registration=r.id AND a.ring=r.adoptions%20"
                          " WHERE r.adoptions>0 AND a.attestation=? GROUP BY day ORDER BY day"));
    Query row{statement};
    row.bind(domain::AttestationKind::x509);
    TRY(counts.leaf_ends, read_all<DayCount>(row, [&row]() -> Result<DayCount> {
            DayCount day;
            day.day = std::chrono::sys_days{std::chrono::days{row.integer()}};
            day.devices = row.unsigned_integer();
            TRY([[maybe_unused]] const auto sound, row.sound());
            return day;
        }));
    return Done{};
}

}  // namespace

Result<FleetCounts> count_all(Database& database) {
    FleetCounts counts;
    TRY([[maybe_unused]] const Done states, count_states(database, counts));
    TRY([[maybe_unused]] const Done groups, count_groups(database, counts));
    TRY([[maybe_unused]] const Done slots, count_own_slots(database, counts));
    TRY([[maybe_unused]] const Done ends, count_leaf_ends(database, counts));
    TRY(auto* const statement, database.prepared("SELECT count(*) FROM individuals"));
    Query row{statement};
    TRY(counts.individuals, read_count(row));
    return counts;
}

Result<std::vector<domain::Adoption>> list_adoptions(Database& database, const RegistrationId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " ADOPTION_COLUMNS
                          " FROM adoptions AS a WHERE registration=? ORDER BY number DESC"));
    Query row{statement};
    row.bind(id.str());
    return read_all<domain::Adoption>(row, [&row]() -> Result<domain::Adoption> {
        auto adoption = read_adoption(row);
        TRY([[maybe_unused]] const auto sound, row.sound());
        return adoption;
    });
}

Result<std::vector<AdoptionCount>> list_adoption_counts(Database& database,
                                                        const domain::EntryRef& entry) {
    TRY(auto* const statement,
        database.prepared("SELECT ca_sha256, slot, devices FROM adoption_counts WHERE entry_kind=?"
                          " AND entry_id=? AND entry_instance=?"
                          " ORDER BY ca_sha256, slot"));
    Query row{statement};
    row.bind(entry.kind).bind(entry.id).bind(entry.instance);
    return read_all<AdoptionCount>(row, [&row]() -> Result<AdoptionCount> {
        AdoptionCount count;
        count.ca_sha256 = row.digest();
        count.slot = row.enumerator(domain::Slot::secondary);
        count.devices = row.unsigned_integer();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return count;
    });
}

}  // namespace rollcall::store
