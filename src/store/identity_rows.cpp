// SPDX-License-Identifier: Apache-2.0
// device_rows.hpp: devices as their hub knows them, and what operators say of them.
#include "store/device_rows.hpp"
#include "store/rows.hpp"

#define DEVICE_COLUMNS                                                        \
    "id, registration, approved, blocked, leaf_sha256, entry_kind, entry_id," \
    " entry_instance, etag, created, updated"

namespace rollcall::store {

// --- Devices --------------------------------------------------------------------------------

Result<Done> put_device(Database& database, const domain::Device& device) {
    // First without naming the indexed column (see update_in_place): most writes only bring a
    // device's new leaf.
    const auto state = domain::state_of(device);
    for (const bool in_place : {true, false}) {
        TRY(auto* const statement,
            database.prepared(
                in_place
                    ? "UPDATE devices SET registration=?2, approved=?3, blocked=?4, leaf_sha256=?5,"
                      " entry_kind=?6, entry_id=?7, entry_instance=?8, etag=?9, created=?10,"
                      " updated=?11 WHERE id=?1 AND state=?12"
                    : "INSERT OR REPLACE INTO devices (" DEVICE_COLUMNS
                      ", state) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)"));
        Query query{statement};
        query.bind(device.id.str()).bind(device.registration.original());
        query.bind(device.approved).bind(device.blocked).bind(device.leaf_sha256);
        query.bind(device.entry.kind).bind(device.entry.id).bind(device.entry.instance);
        query.bind(device.etag.str()).bind(device.created).bind(device.updated).bind(state);
        TRY([[maybe_unused]] const auto written, query.run());
        if (database.changed() > 0) {
            break;
        }
    }
    return Done{};
}

Result<Done> delete_device(Database& database, const DeviceId& id) {
    return run_for(database, "DELETE FROM devices WHERE id=?", id.str());
}

namespace {

Result<domain::Device> read_device(Query& row) {
    domain::Device device;
    device.id = DeviceId::trusted(row.text());
    device.registration = RegistrationId::trusted(row.text());
    device.approved = row.flag();
    device.blocked = row.flag();
    device.leaf_sha256 = row.optional_digest();
    device.entry.kind = row.enumerator(domain::EntryRef::Kind::group);
    device.entry.id = row.text();
    device.entry.instance = row.text();
    device.etag = ETag::trusted(row.text());
    device.created = row.time();
    device.updated = row.time();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return device;
}

}  // namespace

Result<std::optional<domain::Device>> get_device(Database& database, const DeviceId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " DEVICE_COLUMNS " FROM devices WHERE id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<domain::Device>(row, [&row] { return read_device(row); });
}

#define NOTES_COLUMNS "display_name, template, simulated, organizations"

namespace {

/// Ids of organizations hold no spaces.
constexpr char between_organizations = ' ';

domain::DeviceNotes read_device_notes(Query& row) {
    domain::DeviceNotes notes;
    if (row.is_null()) {  // of the device no more is said
        return notes;
    }
    notes.display_name = row.text();
    notes.template_id = row.text();
    notes.simulated = row.flag();
    const std::string organizations = row.text();
    std::string_view rest = organizations;
    while (!rest.empty()) {
        const auto id = rest.substr(0, rest.find(between_organizations));
        notes.organizations.emplace_back(id);
        rest.remove_prefix(std::min(rest.size(), id.size() + 1));
    }
    return notes;
}

Result<domain::NotedDevice> read_noted_device(Query& row) {
    TRY(auto device, read_device(row));
    auto notes = read_device_notes(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    return domain::NotedDevice{std::move(device), std::move(notes)};
}

/// Where a prefix's range of ids begins and ends, and whether its first is in it.
struct IdRange {
    IdRange(const std::string& prefix, const std::string& after)
        : from(std::max(after, prefix)), beyond(prefix + '\x7f'), inclusive(after < prefix) {}

    std::string from;
    std::string beyond;  ///< ids are ASCII: the byte beyond all of them ends a prefix's range
    bool inclusive;
};

/// ?1 to ?3: the range of ids; ?4 the count, ?5 the state.
#define IN_RANGE " id>=?1 AND id<?2 AND (?3 OR id<>?1)"
#define UNUSUAL_DEVICES(FROM, MORE) \
    FROM " WHERE state=?5 AND state<>1 AND" IN_RANGE MORE " ORDER BY id LIMIT ?4"
#define ALL_DEVICES(FROM, MORE) \
    FROM " WHERE" IN_RANGE " AND (?5 IS NULL OR state=?5)" MORE " ORDER BY id LIMIT ?4"
static_assert(static_cast<int>(domain::DeviceState::provisioned) == 1);

bool is_unusual(std::optional<domain::DeviceState> state) {
    return state && *state != domain::DeviceState::provisioned;
}

void bind_range(Query& row, const IdRange& range, std::optional<domain::DeviceState> state,
                std::size_t count) {
    row.bind(range.from).bind(range.beyond).bind(range.inclusive).bind(std::uint64_t{count});
    state ? row.bind(*state) : row.bind_null();
}

}  // namespace

Result<std::vector<domain::Device>> list_devices(Database& database, const DeviceFilter& filter,
                                                 const std::string& after, std::size_t count) {
    TRY(auto* const statement,
        database.prepared(is_unusual(filter.state)
                              ? UNUSUAL_DEVICES("SELECT " DEVICE_COLUMNS
                                                " FROM devices INDEXED BY devices_by_state",
                                                "")
                              : ALL_DEVICES("SELECT " DEVICE_COLUMNS " FROM devices", "")));
    const IdRange range{filter.id_prefix, after};
    Query row{statement};
    bind_range(row, range, filter.state, count);
    return read_all<domain::Device>(row, [&row] { return read_device(row); });
}

// --- What operators say of them -------------------------------------------------------------

Result<std::vector<domain::NotedDevice>> list_noted_devices(Database& database,
                                                            const DeviceFilter& filter,
                                                            const std::string& after,
                                                            std::size_t count) {
    const FleetFilter same{.state = filter.state, .id_prefix = filter.id_prefix};
    return list_fleet(database, same, after, count);
}

namespace {

/// ?6 the group, ?7 individual, ?8 the part of a name. A device that nobody said anything of, and
/// that never registered, has NULLs.
#define OF_FLEET                                                            \
    " AND (?6 IS NULL OR (entry_kind=1 AND entry_id=?6 COLLATE NOCASE))"    \
    " AND (NOT ?7 OR (entry_kind=0 AND entry_id<>''))"                      \
    " AND (?8='' OR instr(lower(id), ?8) OR instr(lower(registration), ?8)" \
    " OR instr(lower(display_name), ?8))"
#define WITH_NOTES " LEFT JOIN device_notes ON device=id"
static_assert(static_cast<int>(domain::EntryRef::Kind::individual) == 0);
static_assert(static_cast<int>(domain::EntryRef::Kind::group) == 1);

/// `SELECT` over the index that fits a filter.
#define FROM_FLEET(SELECT, FILTER)                                                        \
    (is_unusual(FILTER.state)                                                             \
         ? UNUSUAL_DEVICES(SELECT " FROM devices INDEXED BY devices_by_state" WITH_NOTES, \
                           OF_FLEET)                                                      \
         : ALL_DEVICES(SELECT " FROM devices" WITH_NOTES, OF_FLEET))

/// The texts that a statement is bound to, which outlive it.
struct FleetTexts {
    FleetTexts(const FleetFilter& filter, const std::string& after)
        : range(filter.id_prefix, after), part(to_lower_ascii(filter.containing)) {}

    IdRange range;
    std::string part;
};

void bind_fleet(Query& row, const FleetFilter& filter, const FleetTexts& texts, std::size_t count) {
    bind_range(row, texts.range, filter.state, count);
    filter.group ? row.bind(*filter.group) : row.bind_null();
    row.bind(filter.individual).bind(texts.part);
}

}  // namespace

Result<std::vector<domain::NotedDevice>> list_fleet(Database& database, const FleetFilter& filter,
                                                    const std::string& after, std::size_t count) {
    TRY(auto* const statement,
        database.prepared(FROM_FLEET("SELECT " DEVICE_COLUMNS ", " NOTES_COLUMNS, filter)));
    const FleetTexts texts{filter, after};
    Query row{statement};
    bind_fleet(row, filter, texts, count);
    return read_all<domain::NotedDevice>(row, [&row] { return read_noted_device(row); });
}

/// The order of one row means nothing.
Result<std::uint64_t> count_fleet(Database& database, const FleetFilter& filter) {
    TRY(auto* const statement, database.prepared(FROM_FLEET("SELECT count(*)", filter)));
    const FleetTexts texts{filter, {}};
    Query row{statement};
    bind_fleet(row, filter, texts, 1);
    return read_count(row);
}

Result<Done> put_device_notes(Database& database, const DeviceId& device,
                              const domain::DeviceNotes& notes) {
    if (notes == domain::DeviceNotes{}) {
        return delete_device_notes(database, device);
    }
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO device_notes (device, " NOTES_COLUMNS
                          ") VALUES (?,?,?,?,?)"));
    std::string organizations;
    for (const auto& id : notes.organizations) {
        organizations.append(organizations.empty() ? 0 : 1, between_organizations).append(id);
    }
    Query query{statement};
    query.bind(device.str()).bind(notes.display_name).bind(notes.template_id);
    query.bind(notes.simulated).bind(organizations);
    return query.run();
}

Result<Done> delete_device_notes(Database& database, const DeviceId& device) {
    return run_for(database, "DELETE FROM device_notes WHERE device=?", device.str());
}

Result<domain::DeviceNotes> get_device_notes(Database& database, const DeviceId& device) {
    TRY(auto* const statement,
        database.prepared("SELECT " NOTES_COLUMNS " FROM device_notes WHERE device=?"));
    Query row{statement};
    row.bind(device.str());
    TRY(auto notes, read_one<domain::DeviceNotes>(row, [&row]() -> Result<domain::DeviceNotes> {
            auto read = read_device_notes(row);
            TRY([[maybe_unused]] const auto sound, row.sound());
            return read;
        }));
    return notes.value_or(domain::DeviceNotes{});
}

}  // namespace rollcall::store
