// SPDX-License-Identifier: Apache-2.0
#include "store/authority_rows.hpp"

#include "base/limits.hpp"
#include "store/allocation_rows.hpp"
#include "store/key_columns.hpp"
#include "store/rows.hpp"

#define CA_COLUMNS                                                                             \
    "id, name, verified_how, verified_at, verified_by, pending_code, etag, created, updated, " \
    "sha256, der"
#define GROUP_COLUMNS                                                                    \
    "name, instance, enabled, primary_current, primary_pending, secondary_current, "     \
    "secondary_pending, update_hub, migrate_data, auto_approve, refuse_older_leaf, "     \
    "initial_twin, withdrawn, trust_version, etag, created, updated, keys, allocation, " \
    "notes"

namespace rollcall::store {

// --- CAs ------------------------------------------------------------------------------------

Result<Done> put_ca(Database& database, const domain::CaCertificate& ca) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO cas (" CA_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?)"
                          " ON CONFLICT (id) DO UPDATE SET name=excluded.name,"
                          " verified_how=excluded.verified_how, verified_at=excluded.verified_at,"
                          " verified_by=excluded.verified_by, pending_code=excluded.pending_code,"
                          " etag=excluded.etag, created=excluded.created, updated=excluded.updated,"
                          " sha256=excluded.sha256, der=excluded.der"));
    Query query{statement};
    query.bind(ca.id.str()).bind(ca.name);
    if (ca.verified) {
        query.bind(ca.verified->how).bind(ca.verified->at).bind(ca.verified->by);
    } else {
        query.bind_null().bind_null().bind_null();
    }
    query.bind(ca.pending_code).bind(ca.etag.str()).bind(ca.created).bind(ca.updated);
    query.bind(ca.certificate.sha256()).bind_blob(ca.certificate.der());
    return query.run();
}

Result<Done> delete_ca(Database& database, const CaId& id) {
    return run_for(database, "DELETE FROM cas WHERE id=?", id.str());
}

namespace {

Result<domain::CaCertificate> read_ca(Query& row, CertificateCache& cache) {
    auto id = CaId::trusted(row.text());
    auto name = row.text();
    std::optional<domain::CaVerification> verified;
    if (row.is_null()) {
        row.skip();
        row.skip();
        row.skip();
    } else {
        verified.emplace();
        verified->how = row.enumerator(domain::CaVerification::How::vouched);
        verified->at = row.time();
        verified->by = row.text();
    }
    auto pending_code = row.text();
    auto etag = ETag::trusted(row.text());
    const TimePoint created = row.time();
    const TimePoint updated = row.time();
    TRY([[maybe_unused]] const auto sound, row.sound());
    TRY(auto certificate, read_certificate(row, cache));
    return domain::CaCertificate{std::move(id),
                                 std::move(name),
                                 std::move(certificate),
                                 std::move(verified),
                                 std::move(pending_code),
                                 std::move(etag),
                                 created,
                                 updated};
}

}  // namespace

Result<std::optional<domain::CaCertificate>> get_ca(Database& database, CertificateCache& cache,
                                                    const CaId& id) {
    TRY(auto* const statement, database.prepared("SELECT " CA_COLUMNS " FROM cas WHERE id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<domain::CaCertificate>(row, [&] { return read_ca(row, cache); });
}

Result<std::vector<domain::CaCertificate>> list_cas(Database& database, CertificateCache& cache,
                                                    const std::string& after, std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " CA_COLUMNS " FROM cas WHERE id>? ORDER BY id LIMIT ?"));
    Query row{statement};
    row.bind(after).bind(std::uint64_t{count});
    return read_all<domain::CaCertificate>(row, [&] { return read_ca(row, cache); });
}

// --- Groups ---------------------------------------------------------------------------------

Result<Done> put_group(Database& database, const domain::EnrollmentGroup& group) {
    const std::string key = to_lower_ascii(group.id.str());
    std::vector<Digest> digests;
    for (const auto& ca : group.withdrawn) {
        digests.push_back(ca.subject);
        digests.push_back(ca.spki);
    }
    const Bytes withdrawn = packed(digests);
    const Bytes keys = sealed_keys(database.box(), group.keys, group.instance);
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO enrollment_groups (id, " GROUP_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const Bytes allocation = sealed_rule(database.box(), group.allocation, group.instance);
    const std::string notes = domain::to_text(group.notes);
    Query query{statement};
    query.bind(key).bind(group.id.str()).bind(group.instance).bind(group.enabled);
    for (const auto& slot : group.slots) {
        bind_optional(query, slot.current);
        bind_optional(query, slot.pending);
    }
    query.bind(group.reprovision.update_hub_assignment);
    query.bind(group.reprovision.migrate_device_data);
    query.bind(group.auto_approve).bind(group.refuse_older_leaf).bind(group.initial_twin);
    query.bind_blob(withdrawn).bind(group.trust_version).bind(group.etag.str());
    query.bind(group.created).bind(group.updated);
    keys.empty() ? query.bind_null() : query.bind_blob(keys);
    allocation.empty() ? query.bind_null() : query.bind_blob(allocation);
    query.bind(notes);
    return query.run();
}

Result<Done> delete_group(Database& database, const GroupId& id) {
    return run_for(database, "DELETE FROM enrollment_groups WHERE id=?", to_lower_ascii(id.str()));
}

namespace {

Result<domain::EnrollmentGroup> read_group(Query& row, Database& database) {
    domain::EnrollmentGroup group;
    group.id = GroupId::trusted(row.text());
    group.instance = row.text();
    group.enabled = row.flag();
    for (auto& slot : group.slots) {
        slot.current = read_optional<CaId>(row);
        slot.pending = read_optional<CaId>(row);
    }
    group.reprovision.update_hub_assignment = row.flag();
    group.reprovision.migrate_device_data = row.flag();
    group.auto_approve = row.flag();
    group.refuse_older_leaf = row.flag();
    group.initial_twin = row.text();
    const auto withdrawn = read_digests(row);
    if (withdrawn.size() % 2 != 0) {
        row.mark_unsound();
    }
    for (std::size_t i = 0; i + 1 < withdrawn.size(); i += 2) {
        group.withdrawn.push_back({withdrawn[i], withdrawn[i + 1]});
    }
    group.trust_version = row.unsigned_integer();
    group.etag = ETag::trusted(row.text());
    group.created = row.time();
    group.updated = row.time();
    TRY(group.keys, read_keys(row, database.box(), group.instance));
    TRY(group.allocation, read_rule(row, database.box(), group.instance));
    group.notes = read_notes(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    return group;
}

}  // namespace

Result<std::optional<domain::EnrollmentGroup>> get_group(Database& database, const GroupId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " GROUP_COLUMNS " FROM enrollment_groups WHERE id=?"));
    const std::string key = to_lower_ascii(id.str());
    Query row{statement};
    row.bind(key);
    return read_one<domain::EnrollmentGroup>(row, [&] { return read_group(row, database); });
}

Result<std::vector<domain::EnrollmentGroup>> list_groups(Database& database,
                                                         const std::string& after,
                                                         std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " GROUP_COLUMNS " FROM enrollment_groups WHERE id>?"
                          " ORDER BY id LIMIT ?"));
    const std::string key = to_lower_ascii(after);
    Query row{statement};
    row.bind(key).bind(std::uint64_t{count});
    return read_all<domain::EnrollmentGroup>(row, [&] { return read_group(row, database); });
}

// --- The distrust list ----------------------------------------------------------------------

Result<Done> put_distrusted(Database& database, const domain::Distrusted& distrusted) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO distrusted"
                          " (spki, subject, reason, by, at, sha256, der) VALUES (?,?,?,?,?,?,?)"));
    Query query{statement};
    query.bind(distrusted.spki).bind(distrusted.subject).bind(distrusted.reason);
    query.bind(distrusted.by).bind(distrusted.at);
    if (distrusted.certificate) {
        query.bind(distrusted.certificate->sha256()).bind_blob(distrusted.certificate->der());
    } else {
        query.bind_null().bind_null();
    }
    return query.run();
}

Result<Done> lift_distrusted(Database& database, const Digest& spki) {
    return run_for(database, "DELETE FROM distrusted WHERE spki=?", spki);
}

Result<std::vector<domain::Distrusted>> list_distrusted(Database& database,
                                                        CertificateCache& cache) {
    TRY(auto* const statement,
        database.prepared("SELECT spki, subject, reason, by, at, sha256, der FROM distrusted"
                          " ORDER BY spki"));
    Query row{statement};
    return read_all<domain::Distrusted>(row, [&]() -> Result<domain::Distrusted> {
        domain::Distrusted distrusted;
        distrusted.spki = row.digest();
        distrusted.subject = row.text();
        distrusted.reason = row.text();
        distrusted.by = row.text();
        distrusted.at = row.time();
        TRY([[maybe_unused]] const auto sound, row.sound());
        if (!row.is_null()) {
            TRY(distrusted.certificate, read_certificate(row, cache));
        }
        return distrusted;
    });
}

// --- Intermediates seen on valid paths ------------------------------------------------------

Result<Done> remember_intermediate(Database& database, const x509::Certificate& certificate,
                                   TimePoint at) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO seen_intermediates (sha256, at, der) VALUES (?,?,?)"
                          " ON CONFLICT (sha256) DO UPDATE SET at=max(at, excluded.at)"));
    {
        Query query{statement};
        query.bind(certificate.sha256()).bind(at).bind_blob(certificate.der());
        TRY([[maybe_unused]] const auto kept, query.run());
    }
    TRY(const std::int64_t count, database.integer("SELECT count(*) FROM seen_intermediates"));
    if (count <= static_cast<std::int64_t>(limits::seen_intermediates_max)) {
        return Done{};
    }
    TRY(auto* const oldest_out,
        database.prepared("DELETE FROM seen_intermediates WHERE sha256 IN"
                          " (SELECT sha256 FROM seen_intermediates ORDER BY at, sha256 LIMIT ?)"));
    Query query{oldest_out};
    query.bind(count - static_cast<std::int64_t>(limits::seen_intermediates_max));
    return query.run();
}

Result<std::vector<x509::Certificate>> list_seen_intermediates(Database& database,
                                                               CertificateCache& cache) {
    TRY(auto* const statement,
        database.prepared("SELECT sha256, der FROM seen_intermediates ORDER BY at, sha256"));
    Query row{statement};
    return read_all<x509::Certificate>(row, [&] { return read_certificate(row, cache); });
}

}  // namespace rollcall::store
