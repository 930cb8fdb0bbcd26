// SPDX-License-Identifier: Apache-2.0
#include "store/bookkeeping_rows.hpp"

#include "store/audit_chain.hpp"
#include "store/expectations.hpp"
#include "store/key_columns.hpp"
#include "store/rows.hpp"

namespace rollcall::store {

Result<Done> put_setting(Database& database, const std::string& key, const std::string& value) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO settings (key, value) VALUES (?,?)"));
    Query query{statement};
    query.bind(key).bind(value);
    return query.run();
}

Result<std::optional<std::string>> get_setting(Database& database, const std::string& key) {
    TRY(auto* const statement, database.prepared("SELECT value FROM settings WHERE key=?"));
    Query row{statement};
    row.bind(key);
    return read_one<std::string>(row, [&row]() -> Result<std::string> {
        auto value = row.text();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return value;
    });
}

// --- Access tokens --------------------------------------------------------------------------

#define TOKEN_COLUMNS \
    "name, secret_sha256, role, expires, created_by, created, etag, form, last_used"

Result<Done> put_token(Database& database, const domain::AccessToken& token) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO tokens (id, " TOKEN_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
                          " name=excluded.name, secret_sha256=excluded.secret_sha256,"
                          " role=excluded.role, expires=excluded.expires,"
                          " created_by=excluded.created_by, created=excluded.created,"
                          " etag=excluded.etag, form=excluded.form, last_used=excluded.last_used"));
    const std::string key = to_lower_ascii(token.name);
    Query query{statement};
    query.bind(key).bind(token.name).bind(token.secret_sha256).bind(token.role);
    query.bind(token.expires).bind(token.created_by).bind(token.created).bind(token.etag.str());
    query.bind(token.form).bind(token.last_used);
    return query.run();
}

Result<Done> touch_token(Database& database, const std::string& name, TimePoint at) {
    TRY(auto* const statement, database.prepared("UPDATE tokens SET last_used=? WHERE id=?"));
    const std::string key = to_lower_ascii(name);
    Query query{statement};
    query.bind(at).bind(key);
    return query.run();
}

Result<Done> delete_token(Database& database, const std::string& name) {
    return run_for(database, "DELETE FROM tokens WHERE id=?", to_lower_ascii(name));
}

namespace {

Result<domain::AccessToken> read_token(Query& row) {
    domain::AccessToken token;
    token.name = row.text();
    token.secret_sha256 = row.digest();
    token.role = row.enumerator(domain::Role::viewer);
    token.expires = row.optional_time();
    token.created_by = row.text();
    token.created = row.time();
    token.etag = ETag::trusted(row.text());
    token.form = row.enumerator(domain::TokenForm::central);
    token.last_used = row.optional_time();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return token;
}

}  // namespace

Result<std::optional<domain::AccessToken>> get_token(Database& database,
                                                     const Digest& secret_sha256) {
    TRY(auto* const statement,
        database.prepared("SELECT " TOKEN_COLUMNS " FROM tokens WHERE secret_sha256=?"));
    Query row{statement};
    row.bind(secret_sha256);
    return read_one<domain::AccessToken>(row, [&row] { return read_token(row); });
}

Result<std::vector<domain::AccessToken>> list_tokens(Database& database) {
    TRY(auto* const statement,
        database.prepared("SELECT " TOKEN_COLUMNS " FROM tokens ORDER BY id"));
    Query row{statement};
    return read_all<domain::AccessToken>(row, [&row] { return read_token(row); });
}

// --- Shared access policies -----------------------------------------------------------------

#define POLICY_COLUMNS "name, keys, rights, created_by, created, updated, etag"

namespace {

/// What a policy's keys are sealed for: they open in no other record.
std::string sealed_for(const std::string& name) {
    return "policy/" + to_lower_ascii(name);
}

Result<domain::SasPolicy> read_policy(Query& row, Database& database) {
    domain::SasPolicy policy;
    policy.name = row.text();
    TRY(auto keys, read_keys(row, database.box(), sealed_for(policy.name)));
    const auto rights = domain::SasRights::from_bits(row.unsigned_integer());
    if (!keys || !rights) {
        return unreadable_record("a shared access policy");
    }
    policy.keys = *std::move(keys);
    policy.rights = *rights;
    policy.created_by = row.text();
    policy.created = row.time();
    policy.updated = row.time();
    policy.etag = ETag::trusted(row.text());
    TRY([[maybe_unused]] const auto sound, row.sound());
    return policy;
}

}  // namespace

Result<Done> put_policy(Database& database, const domain::SasPolicy& policy) {
    const std::string key = to_lower_ascii(policy.name);
    const Bytes keys = sealed_keys(database.box(), policy.keys, sealed_for(policy.name));
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO sas_policies (id, " POLICY_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?)"));
    Query query{statement};
    query.bind(key).bind(policy.name).bind_blob(keys).bind(std::uint64_t{policy.rights.bits()});
    query.bind(policy.created_by).bind(policy.created).bind(policy.updated);
    query.bind(policy.etag.str());
    return query.run();
}

Result<Done> delete_policy(Database& database, const std::string& name) {
    return run_for(database, "DELETE FROM sas_policies WHERE id=?", to_lower_ascii(name));
}

Result<std::optional<domain::SasPolicy>> get_policy(Database& database, const std::string& name) {
    TRY(auto* const statement,
        database.prepared("SELECT " POLICY_COLUMNS " FROM sas_policies WHERE id=?"));
    const std::string key = to_lower_ascii(name);
    Query row{statement};
    row.bind(key);
    return read_one<domain::SasPolicy>(row, [&] { return read_policy(row, database); });
}

Result<std::vector<domain::SasPolicy>> list_policies(Database& database) {
    TRY(auto* const statement,
        database.prepared("SELECT " POLICY_COLUMNS " FROM sas_policies ORDER BY id"));
    Query row{statement};
    return read_all<domain::SasPolicy>(row, [&] { return read_policy(row, database); });
}

// --- Audit ----------------------------------------------------------------------------------

#define AUDIT_COLUMNS "sequence, at, actor, source, action, object, detail, reason, previous, hash"

Result<Done> append_audit(Database& database, const AuditRecord& record) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO audit (" AUDIT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)"));
    const auto& event = record.event;
    Query query{statement};
    query.bind(record.sequence).bind(event.at).bind(event.actor).bind(event.source);
    query.bind(event.action).bind(event.object).bind(event.detail).bind(event.reason);
    query.bind(record.previous).bind(record.hash);
    return query.run();
}

namespace {

Result<AuditRecord> read_audit_record(Query& row) {
    AuditRecord record;
    record.sequence = row.unsigned_integer();
    record.event.at = row.time();
    record.event.actor = row.text();
    record.event.source = row.text();
    record.event.action = row.text();
    record.event.object = row.text();
    record.event.detail = row.text();
    record.event.reason = row.text();
    record.previous = row.digest();
    record.hash = row.digest();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return record;
}

}  // namespace

Result<std::vector<AuditRecord>> list_audit(Database& database, std::uint64_t after,
                                            std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " AUDIT_COLUMNS
                          " FROM audit WHERE sequence>? ORDER BY sequence LIMIT ?"));
    Query row{statement};
    row.bind(after).bind(std::uint64_t{count});
    return read_all<AuditRecord>(row, [&row] { return read_audit_record(row); });
}

Result<std::vector<AuditRecord>> list_audit_backwards(Database& database, std::uint64_t before,
                                                      const AuditFilter& filter,
                                                      std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " AUDIT_COLUMNS " FROM audit WHERE (?1=0 OR sequence<?1)"
                          " AND (?2='' OR instr(lower(actor), ?2))"
                          " AND (?3='' OR instr(lower(action), ?3))"
                          " AND (?4='' OR instr(lower(object), ?4))"
                          " ORDER BY sequence DESC LIMIT ?5"));
    const std::string actor = to_lower_ascii(filter.actor);
    const std::string action = to_lower_ascii(filter.action);
    const std::string object = to_lower_ascii(filter.object);
    Query row{statement};
    row.bind(before).bind(actor).bind(action).bind(object).bind(std::uint64_t{count});
    return read_all<AuditRecord>(row, [&row] { return read_audit_record(row); });
}

Result<Done> prune_audit(Database& database, std::uint64_t up_to, const Digest& key) {
    TRY(const auto text, get_setting(database, checkpoint_setting));
    const auto before = parse_checkpoint(text.value_or(""));
    if (before && before->sequence >= up_to) {
        return Done{};
    }
    TRY(auto* const asking, database.prepared("SELECT hash FROM audit WHERE sequence=?"));
    Query row{asking};
    row.bind(up_to);
    TRY(const auto hash, read_one<Digest>(row, [&row]() -> Result<Digest> {
            const Digest digest = row.digest();
            TRY([[maybe_unused]] const auto sound, row.sound());
            return digest;
        }));
    if (!hash) {
        return no_such_audit_record(up_to);
    }
    TRY([[maybe_unused]] const auto kept,
        put_setting(database, checkpoint_setting, to_text(signed_checkpoint(up_to, *hash, key))));
    TRY(auto* const deleting, database.prepared("DELETE FROM audit WHERE sequence<=?"));
    Query query{deleting};
    query.bind(up_to);
    return query.run();
}

Result<Done> put_audit_head(Database& database, const AuditHead& head) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO audit_head (only, sequence, hash, signature)"
                          " VALUES (1,?,?,?)"));
    Query query{statement};
    query.bind(head.sequence).bind(head.hash).bind(head.signature);
    return query.run();
}

Result<std::optional<AuditHead>> get_audit_head(Database& database) {
    TRY(auto* const statement,
        database.prepared("SELECT sequence, hash, signature FROM audit_head WHERE only=1"));
    Query row{statement};
    return read_one<AuditHead>(row, [&row]() -> Result<AuditHead> {
        AuditHead head;
        head.sequence = row.unsigned_integer();
        head.hash = row.digest();
        head.signature = row.digest();
        TRY([[maybe_unused]] const auto sound, row.sound());
        return head;
    });
}

// --- Versions -------------------------------------------------------------------------------

Result<Receipt> get_versions(Database& database) {
    TRY(const std::int64_t config,
        database.integer("SELECT value FROM counters WHERE name='config_version'"));
    TRY(const std::int64_t anchors,
        database.integer("SELECT value FROM counters WHERE name='anchors_version'"));
    return Receipt{static_cast<std::uint64_t>(config), static_cast<std::uint64_t>(anchors)};
}

Result<Done> put_versions(Database& database, const Receipt& versions) {
    TRY(auto* const statement,
        database.prepared("UPDATE counters SET value="
                          "CASE name WHEN 'config_version' THEN ?1 ELSE ?2 END"
                          " WHERE name IN ('config_version', 'anchors_version')"));
    Query query{statement};
    query.bind(versions.config_version).bind(versions.anchors_version);
    return query.run();
}

}  // namespace rollcall::store
