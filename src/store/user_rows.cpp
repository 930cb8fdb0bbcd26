// SPDX-License-Identifier: Apache-2.0
#include "store/user_rows.hpp"

#include "store/rows.hpp"

namespace rollcall::store {

#define USER_COLUMNS                                                                       \
    "users.id, users.name, users.kind, users.role, users.enabled, users.password_hash,"    \
    " users.issuer, users.subject, users.role_by_claim, users.tenant_id, users.object_id," \
    " users.created_by, users.created, users.updated, users.etag"

#define SESSION_COLUMNS                                                                \
    "sessions.id, sessions.user_id, sessions.secret_sha256, sessions.previous_sha256," \
    " sessions.confirmed, sessions.csrf, sessions.source, sessions.user_agent,"        \
    " sessions.created, sessions.used, sessions.rotated"

namespace {

/// A record's columns that others are behind: sound() is the caller's.
domain::User read_user_columns(Query& row) {
    domain::User user;
    user.id = row.text();
    user.name = row.text();
    user.kind = row.enumerator(domain::UserKind::directory_group);
    user.role = row.enumerator(domain::Role::viewer);
    user.enabled = row.integer() != 0;
    user.password_hash = row.text();
    domain::OpenidIdentity identity{row.text(), row.text()};
    if (!identity.subject.empty()) {
        user.identity = std::move(identity);
    }
    user.role_by_claim = row.integer() != 0;
    user.tenant_id = row.text();
    user.object_id = row.text();
    user.created_by = row.text();
    user.created = row.time();
    user.updated = row.time();
    user.etag = ETag::trusted(row.text());
    return user;
}

domain::Session read_session_columns(Query& row) {
    domain::Session session;
    session.id = row.text();
    session.user_id = row.text();
    session.secret_sha256 = row.digest();
    session.previous_sha256 = row.optional_digest();
    session.confirmed = row.integer() != 0;
    session.csrf = row.text();
    session.source = row.text();
    session.user_agent = row.text();
    session.created = row.time();
    session.used = row.time();
    session.rotated = row.time();
    return session;
}

Result<domain::User> read_user(Query& row) {
    auto user = read_user_columns(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    return user;
}

Result<domain::Session> read_session(Query& row) {
    auto session = read_session_columns(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    return session;
}

Result<std::optional<domain::User>> one_user(Database& database, std::string_view sql,
                                             const std::string& key) {
    TRY(auto* const statement, database.prepared(sql));
    const std::string folded = to_lower_ascii(key);
    Query row{statement};
    row.bind(folded);
    return read_one<domain::User>(row, [&row] { return read_user(row); });
}

}  // namespace

Result<Done> put_user(Database& database, const domain::User& user) {
    TRY(auto* const statement,
        database.prepared(
            "INSERT INTO users (key, name_key, id, name, kind, role, enabled, password_hash,"
            " issuer, subject, role_by_claim, tenant_id, object_id, created_by, created, updated,"
            " etag) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO UPDATE SET"
            " name_key=excluded.name_key, id=excluded.id, name=excluded.name, kind=excluded.kind,"
            " role=excluded.role, enabled=excluded.enabled,"
            " password_hash=excluded.password_hash, issuer=excluded.issuer,"
            " subject=excluded.subject, role_by_claim=excluded.role_by_claim,"
            " tenant_id=excluded.tenant_id, object_id=excluded.object_id,"
            " created_by=excluded.created_by, created=excluded.created,"
            " updated=excluded.updated, etag=excluded.etag"));
    const std::string key = to_lower_ascii(user.id);
    const std::string name_key = to_lower_ascii(user.name);
    const domain::OpenidIdentity identity = user.identity.value_or(domain::OpenidIdentity{});
    Query query{statement};
    query.bind(key).bind(name_key).bind(user.id).bind(user.name).bind(user.kind).bind(user.role);
    query.bind(user.enabled).bind(user.password_hash).bind(identity.issuer).bind(identity.subject);
    query.bind(user.role_by_claim).bind(user.tenant_id).bind(user.object_id);
    query.bind(user.created_by).bind(user.created).bind(user.updated).bind(user.etag.str());
    return query.run();
}

Result<Done> delete_user(Database& database, const std::string& id) {
    TRY([[maybe_unused]] const auto sessions, delete_sessions_of(database, id));
    return run_for(database, "DELETE FROM users WHERE key=?", to_lower_ascii(id));
}

Result<std::optional<domain::User>> get_user(Database& database, const std::string& id) {
    return one_user(database, "SELECT " USER_COLUMNS " FROM users WHERE key=?", id);
}

Result<std::optional<domain::User>> get_user_named(Database& database, const std::string& name) {
    return one_user(database, "SELECT " USER_COLUMNS " FROM users WHERE name_key=?", name);
}

Result<std::optional<domain::User>> get_user_of(Database& database,
                                                const domain::OpenidIdentity& identity) {
    TRY(auto* const statement,
        database.prepared("SELECT " USER_COLUMNS
                          " FROM users WHERE issuer=? AND subject=? AND subject<>''"));
    Query row{statement};
    row.bind(identity.issuer).bind(identity.subject);
    return read_one<domain::User>(row, [&row] { return read_user(row); });
}

Result<std::vector<domain::User>> list_users(Database& database) {
    TRY(auto* const statement,
        database.prepared("SELECT " USER_COLUMNS " FROM users ORDER BY name_key"));
    Query row{statement};
    return read_all<domain::User>(row, [&row] { return read_user(row); });
}

// --- Sessions -------------------------------------------------------------------------------

Result<Done> put_session(Database& database, const domain::PutSession& write) {
    {
        TRY(auto* const statement,
            database.prepared("DELETE FROM sessions WHERE used<? OR created<?"));
        Query query{statement};
        query.bind(write.used_after).bind(write.created_after);
        TRY([[maybe_unused]] const auto dropped, query.run());
    }
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO sessions (id, user_id, secret_sha256,"
                          " previous_sha256, confirmed, csrf, source, user_agent, created, used,"
                          " rotated) VALUES (?,?,?,?,?,?,?,?,?,?,?)"));
    const auto& session = write.session;
    const std::string user_id = to_lower_ascii(session.user_id);
    Query query{statement};
    query.bind(session.id).bind(user_id).bind(session.secret_sha256);
    query.bind(session.previous_sha256);
    query.bind(session.confirmed).bind(session.csrf).bind(session.source);
    query.bind(session.user_agent).bind(session.created).bind(session.used);
    query.bind(session.rotated);
    return query.run();
}

Result<Done> delete_session(Database& database, const std::string& id) {
    return run_for(database, "DELETE FROM sessions WHERE id=?", id);
}

Result<Done> delete_sessions_of(Database& database, const std::string& user_id) {
    return run_for(database, "DELETE FROM sessions WHERE user_id=?", to_lower_ascii(user_id));
}

Result<std::optional<domain::SignedIn>> get_session(Database& database,
                                                    const Digest& secret_sha256) {
    TRY(auto* const statement,
        database.prepared("SELECT " SESSION_COLUMNS ", " USER_COLUMNS
                          " FROM sessions JOIN users ON users.key=sessions.user_id"
                          " WHERE sessions.secret_sha256=?1 OR sessions.previous_sha256=?1"));
    Query row{statement};
    row.bind(secret_sha256);
    return read_one<domain::SignedIn>(row, [&row]() -> Result<domain::SignedIn> {
        domain::SignedIn signed_in;
        signed_in.session = read_session_columns(row);
        signed_in.user = read_user_columns(row);
        TRY([[maybe_unused]] const auto sound, row.sound());
        return signed_in;
    });
}

Result<std::vector<domain::Session>> list_sessions(Database& database, const std::string& user_id) {
    TRY(auto* const statement,
        database.prepared("SELECT " SESSION_COLUMNS
                          " FROM sessions WHERE user_id=? ORDER BY created DESC, id"));
    const std::string key = to_lower_ascii(user_id);
    Query row{statement};
    row.bind(key);
    return read_all<domain::Session>(row, [&row] { return read_session(row); });
}

Result<bool> has_other_administrator(Database& database,
                                     const domain::ExpectAdministrator& expected) {
    TRY(auto* const statement,
        database.prepared("SELECT EXISTS (SELECT 1 FROM users WHERE role=?1 AND enabled=1 AND"
                          " kind<=?2 AND key<>?3) OR (?4 AND EXISTS (SELECT 1 FROM tokens WHERE"
                          " role=?1 AND (expires IS NULL OR expires>?5)))"));
    const std::string key = to_lower_ascii(expected.except_user);
    Query row{statement};
    row.bind(domain::Role::administrator).bind(domain::UserKind::openid).bind(key);
    row.bind(expected.count_tokens).bind(expected.now);
    TRY([[maybe_unused]] const bool found, row.step());
    const bool has = row.integer() != 0;
    TRY([[maybe_unused]] const auto sound, row.sound());
    return has;
}

}  // namespace rollcall::store
