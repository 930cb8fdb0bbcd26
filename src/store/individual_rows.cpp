// SPDX-License-Identifier: Apache-2.0
#include "store/individual_rows.hpp"

#include "store/allocation_rows.hpp"
#include "store/key_columns.hpp"
#include "store/rows.hpp"

#include <array>

#define INDIVIDUAL_COLUMNS                                                                 \
    "name, instance, device_id, enabled, primary_sha256, secondary_sha256, update_hub, "   \
    "migrate_data, initial_twin, withdrawn, trust_version, etag, created, updated, keys, " \
    "allocation, notes"

namespace rollcall::store {

namespace {

Result<Done> put_leaf(Database& database, const std::string& individual, domain::Slot slot,
                      const x509::Certificate& leaf) {
    TRY(auto* const statement,
        database.prepared("INSERT INTO individual_certificates (individual, slot, sha256, der)"
                          " VALUES (?,?,?,?)"));
    Query query{statement};
    query.bind(individual).bind(slot).bind(leaf.sha256()).bind_blob(leaf.der());
    return query.run();
}

Result<Done> delete_leaves(Database& database, const std::string& individual) {
    return run_for(database, "DELETE FROM individual_certificates WHERE individual=?", individual);
}

}  // namespace

Result<Done> put_individual(Database& database, const domain::IndividualEnrollment& enrollment) {
    const Bytes withdrawn = packed(enrollment.withdrawn);
    const Bytes keys = sealed_keys(database.box(), enrollment.keys, enrollment.instance);
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO individuals (id, " INDIVIDUAL_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    const Bytes allocation =
        sealed_rule(database.box(), enrollment.allocation, enrollment.instance);
    const std::string notes = domain::to_text(enrollment.notes);
    Query query{statement};
    query.bind(enrollment.id.str()).bind(enrollment.id.original()).bind(enrollment.instance);
    bind_optional(query, enrollment.device_id).bind(enrollment.enabled);
    for (const auto& slot : enrollment.slots) {
        slot ? query.bind(slot->sha256()) : query.bind_null();
    }
    query.bind(enrollment.reprovision.update_hub_assignment);
    query.bind(enrollment.reprovision.migrate_device_data);
    query.bind(enrollment.initial_twin).bind_blob(withdrawn).bind(enrollment.trust_version);
    query.bind(enrollment.etag.str()).bind(enrollment.created).bind(enrollment.updated);
    keys.empty() ? query.bind_null() : query.bind_blob(keys);
    allocation.empty() ? query.bind_null() : query.bind_blob(allocation);
    query.bind(notes);
    TRY([[maybe_unused]] const auto put, query.run());
    TRY([[maybe_unused]] const auto cleared, delete_leaves(database, enrollment.id.str()));
    for (const auto slot : domain::both_slots) {
        if (const auto& leaf = enrollment.at(slot)) {
            TRY([[maybe_unused]] const auto kept,
                put_leaf(database, enrollment.id.str(), slot, *leaf));
        }
    }
    return Done{};
}

Result<Done> delete_individual(Database& database, const RegistrationId& id) {
    TRY([[maybe_unused]] const auto cleared, delete_leaves(database, id.str()));
    return run_for(database, "DELETE FROM individuals WHERE id=?", id.str());
}

namespace {

Result<x509::Certificate> get_leaf(Database& database, CertificateCache& cache,
                                   const std::string& individual, domain::Slot slot,
                                   const Digest& sha256) {
    if (auto known = cache.find(sha256)) {
        return *std::move(known);
    }
    TRY(auto* const statement, database.prepared("SELECT sha256, der FROM individual_certificates"
                                                 " WHERE individual=? AND slot=?"));
    Query row{statement};
    row.bind(individual).bind(slot);
    TRY(const bool found, row.step());
    if (!found) {
        return unreadable_record("no certificate in a slot of " + individual);
    }
    return read_certificate(row, cache);
}

Result<domain::IndividualEnrollment> read_individual(Query& row, Database& database,
                                                     CertificateCache& cache) {
    domain::IndividualEnrollment enrollment;
    enrollment.id = RegistrationId::trusted(row.text());
    enrollment.instance = row.text();
    enrollment.device_id = read_optional<DeviceId>(row);
    enrollment.enabled = row.flag();
    std::array<std::optional<Digest>, 2> leaves{row.optional_digest(), row.optional_digest()};
    enrollment.reprovision.update_hub_assignment = row.flag();
    enrollment.reprovision.migrate_device_data = row.flag();
    enrollment.initial_twin = row.text();
    enrollment.withdrawn = read_digests(row);
    enrollment.trust_version = row.unsigned_integer();
    enrollment.etag = ETag::trusted(row.text());
    enrollment.created = row.time();
    enrollment.updated = row.time();
    TRY(enrollment.keys, read_keys(row, database.box(), enrollment.instance));
    TRY(enrollment.allocation, read_rule(row, database.box(), enrollment.instance));
    enrollment.notes = read_notes(row);
    TRY([[maybe_unused]] const auto sound, row.sound());
    for (const auto slot : domain::both_slots) {
        if (const auto& sha256 = leaves[domain::index(slot)]) {
            TRY(auto leaf, get_leaf(database, cache, enrollment.id.str(), slot, *sha256));
            enrollment.at(slot) = std::move(leaf);
        }
    }
    return enrollment;
}

}  // namespace

Result<std::optional<domain::IndividualEnrollment>> get_individual(Database& database,
                                                                   CertificateCache& cache,
                                                                   const RegistrationId& id) {
    TRY(auto* const statement,
        database.prepared("SELECT " INDIVIDUAL_COLUMNS " FROM individuals WHERE id=?"));
    Query row{statement};
    row.bind(id.str());
    return read_one<domain::IndividualEnrollment>(
        row, [&] { return read_individual(row, database, cache); });
}

Result<std::vector<domain::IndividualEnrollment>> list_individuals(Database& database,
                                                                   CertificateCache& cache,
                                                                   const std::string& part,
                                                                   const std::string& after,
                                                                   std::size_t count) {
    TRY(auto* const statement,
        database.prepared("SELECT " INDIVIDUAL_COLUMNS
                          " FROM individuals WHERE id>? AND instr(id, ?) ORDER BY id LIMIT ?"));
    const std::string key = to_lower_ascii(after);
    const std::string folded = to_lower_ascii(part);
    Query row{statement};
    row.bind(key).bind(folded).bind(std::uint64_t{count});
    return read_all<domain::IndividualEnrollment>(
        row, [&] { return read_individual(row, database, cache); });
}

Result<bool> leaf_in_disabled_entry(Database& database, const Digest& leaf) {
    TRY(auto* const statement, database.prepared("SELECT EXISTS (SELECT 1 FROM individuals"
                                                 " WHERE enabled=0 AND primary_sha256=?1)"
                                                 " OR EXISTS (SELECT 1 FROM individuals"
                                                 " WHERE enabled=0 AND secondary_sha256=?1)"));
    Query row{statement};
    row.bind(leaf);
    TRY(const bool found, row.step());
    return found && row.flag();
}

}  // namespace rollcall::store
