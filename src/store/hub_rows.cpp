// SPDX-License-Identifier: Apache-2.0
#include "store/hub_rows.hpp"

#include "store/packed.hpp"
#include "store/rows.hpp"

namespace rollcall::store {

// --- Twins ----------------------------------------------------------------------------------

#define TWIN_COLUMNS "id, tags, desired, desired_version, reported, reported_version, etag, updated"

Result<Done> put_twin(Database& database, const domain::Twin& twin) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO twins (" TWIN_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
                          " tags=excluded.tags, desired=excluded.desired,"
                          " desired_version=excluded.desired_version,"
                          " reported=excluded.reported,"
                          " reported_version=excluded.reported_version,"
                          " etag=excluded.etag, updated=excluded.updated"));
    Query query{statement};
    query.bind(twin.device.str()).bind(twin.tags).bind(twin.desired).bind(twin.desired_version);
    query.bind(twin.reported).bind(twin.reported_version).bind(twin.etag.str());
    query.bind(twin.updated);
    return query.run();
}

Result<Done> reset_twin(Database& database, const domain::ResetTwin& reset) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO twins (" TWIN_COLUMNS
                          ") VALUES (?,?,?,1,'{}',1,?,?) ON CONFLICT (id) DO UPDATE SET"
                          " tags=excluded.tags, desired=excluded.desired,"
                          " desired_version=twins.desired_version+1, reported='{}',"
                          " reported_version=twins.reported_version+1,"
                          " etag=excluded.etag, updated=excluded.updated"));
    Query query{statement};
    query.bind(reset.device.str()).bind(reset.contents.tags).bind(reset.contents.desired);
    query.bind(reset.etag.str()).bind(reset.updated);
    return query.run();
}

Result<std::optional<domain::Twin>> get_twin(Database& database, const DeviceId& id) {
    TRY(auto* const statement, database.prepared("SELECT " TWIN_COLUMNS " FROM twins WHERE id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<domain::Twin>(row, [&row]() -> Result<domain::Twin> {
        domain::Twin twin;
        twin.device = DeviceId::trusted(row.text());
        twin.tags = row.text();
        twin.desired = row.text();
        twin.desired_version = row.unsigned_integer();
        twin.reported = row.text();
        twin.reported_version = row.unsigned_integer();
        twin.etag = ETag::trusted(row.text());
        twin.updated = row.time();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return twin;
    });
}

// --- Messages -------------------------------------------------------------------------------

#define MESSAGE_COLUMNS "device, id, properties, body, enqueued, expires"

Result<Done> queue_message(Database& database, const domain::DeviceMessage& message) {
    {
        TRY(auto* const expired,
            database.prepared("DELETE FROM device_messages WHERE device=? AND expires<=?"));
        Query query{expired};
        query.bind(message.device.str()).bind(message.enqueued);
        TRY([[maybe_unused]] const auto dropped, query.run());
    }
    TRY(auto* const statement, database.prepared("INSERT INTO device_messages (" MESSAGE_COLUMNS
                                                 ") VALUES (?,?,?,?,?,?)"));
    const Bytes properties = packed(message.properties);
    Query query{statement};
    query.bind(message.device.str()).bind(message.id).bind_blob(properties);
    query.bind_blob(as_bytes(message.body)).bind(message.enqueued).bind(message.expires);
    return query.run();
}

Result<Done> remove_message(Database& database, const DeviceId& device, std::uint64_t number) {
    TRY(auto* const statement,
        database.prepared("DELETE FROM device_messages WHERE number=? AND device=?"));
    Query query{statement};
    query.bind(number).bind(device.str());
    return query.run();
}

Result<std::uint64_t> count_messages(Database& database, const DeviceId& device, TimePoint now) {
    TRY(auto* const statement,
        database.prepared("SELECT count(*) FROM device_messages WHERE device=? AND expires>?"));
    Query row{statement};
    row.bind(device.str()).bind(now);
    TRY([[maybe_unused]] const bool counted, row.step());
    const std::uint64_t count = row.unsigned_integer();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return count;
}

Result<std::vector<domain::DeviceMessage>> list_messages(Database& database,
                                                         const DeviceId& device) {
    TRY(auto* const statement,
        database.prepared("SELECT number, " MESSAGE_COLUMNS
                          " FROM device_messages WHERE device=? ORDER BY number"));
    Query row{statement};
    row.bind(device.str());
    return read_all<domain::DeviceMessage>(row, [&row]() -> Result<domain::DeviceMessage> {
        domain::DeviceMessage message;
        message.number = row.unsigned_integer();
        message.device = DeviceId::trusted(row.text());
        message.id = row.text();
        TRY(message.properties, unpack_properties(row.blob()));
        message.body = as_text(row.blob());
        message.enqueued = row.time();
        message.expires = row.time();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return message;
    });
}

// --- Subscriptions --------------------------------------------------------------------------

#define SUBSCRIPTION_COLUMNS "messages, twin_answers, desired, methods"

Result<Done> put_subscriptions(Database& database, const DeviceId& device,
                               const domain::Subscriptions& subscriptions) {
    if (!subscriptions.any()) {
        return run_for(database, "DELETE FROM subscriptions WHERE device=?", device.str());
    }
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO subscriptions (device, " SUBSCRIPTION_COLUMNS
                          ") VALUES (?,?,?,?,?)"));
    Query query{statement};
    query.bind(device.str());
    for (const int granted : {subscriptions.messages, subscriptions.twin_answers,
                              subscriptions.desired, subscriptions.methods}) {
        query.bind(std::int64_t{granted});
    }
    return query.run();
}

namespace {

/// A quality of service, or -1.
int read_granted(Query& row) {
    constexpr std::int64_t highest = 2;
    const std::int64_t granted = row.integer();
    if (granted < -1 || granted > highest) {
        row.mark_unsound();
    }
    return static_cast<int>(granted);
}

}  // namespace

Result<domain::Subscriptions> get_subscriptions(Database& database, const DeviceId& device) {
    TRY(auto* const statement,
        database.prepared("SELECT " SUBSCRIPTION_COLUMNS " FROM subscriptions WHERE device=?"));
    Query row{statement};
    row.bind(device.str());
    domain::Subscriptions subscriptions;
    TRY(const bool found, row.step());
    if (found) {
        subscriptions.messages = read_granted(row);
        subscriptions.twin_answers = read_granted(row);
        subscriptions.desired = read_granted(row);
        subscriptions.methods = read_granted(row);
    }
    TRY([[maybe_unused]] const auto sound, row.sound());
    return subscriptions;
}

Result<Done> delete_hub_rows(Database& database, const DeviceId& device) {
    for (const char* const sql :
         {"DELETE FROM twins WHERE id=?", "DELETE FROM device_messages WHERE device=?",
          "DELETE FROM subscriptions WHERE device=?"}) {
        TRY([[maybe_unused]] const auto gone, run_for(database, sql, device.str()));
    }
    return Done{};
}

}  // namespace rollcall::store
