// SPDX-License-Identifier: Apache-2.0
// What the row units share: reading one row or all of them, and the columns that many records have.
// In this floor a record's columns are named, bound and read in one unit: authority_rows,
// individual_rows, device_rows, hub_rows, job_rows, bookkeeping_rows. Their functions run on the
// thread that owns the Database, inside the caller's transaction, if any.
#pragma once

#include "domain/client_notes.hpp"
#include "store/certificate_cache.hpp"
#include "store/database.hpp"

#include <vector>

namespace rollcall::store {

/// The certificate of the columns `sha256, der`, decoded only where the cache has not got it.
Result<x509::Certificate> read_certificate(Query& row, CertificateCache& cache);

/// Digests that stand one behind the other in a blob; a blob of another length is unsound.
std::vector<Digest> read_digests(Query& row);
Bytes packed(const std::vector<Digest>& digests);

/// An entry's notes, in their column.
domain::ClientNotes read_notes(Query& row);

/// A reference that may be absent.
template <class Id>
Query& bind_optional(Query& query, const std::optional<Id>& id) {
    return id ? query.bind(id->str()) : query.bind_null();
}

template <class Id>
std::optional<Id> read_optional(Query& row) {
    if (row.is_null()) {
        row.skip();
        return std::nullopt;
    }
    return Id::trusted(row.text());
}

/// Runs a statement with one key.
template <class Key>
Result<Done> run_for(Database& database, std::string_view sql, const Key& key) {
    TRY(auto* const statement, database.prepared(sql));
    Query query{statement};
    query.bind(key);
    return query.run();
}

/// All rows, each by `read_row()`, which gives a Result<T>.
template <class T, class Read>
Result<std::vector<T>> read_all(Query& row, Read read_row) {
    std::vector<T> items;
    while (true) {
        TRY(const bool more, row.step());
        if (!more) {
            return items;
        }
        TRY(auto item, read_row());
        items.push_back(std::move(item));
    }
}

/// The only number of the only row.
inline Result<std::uint64_t> read_count(Query& row) {
    TRY([[maybe_unused]] const bool counted, row.step());
    const std::uint64_t count = row.unsigned_integer();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return count;
}

/// The only row, or none.
template <class T, class Read>
Result<std::optional<T>> read_one(Query& row, Read read_row) {
    TRY(const bool found, row.step());
    if (!found) {
        return std::optional<T>{};
    }
    TRY(auto item, read_row());
    return std::optional<T>{std::move(item)};
}

}  // namespace rollcall::store
