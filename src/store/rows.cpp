// SPDX-License-Identifier: Apache-2.0
#include "store/rows.hpp"

#include <algorithm>

namespace rollcall::store {

Result<x509::Certificate> read_certificate(Query& row, CertificateCache& cache) {
    const Digest sha256 = row.digest();
    if (auto known = cache.find(sha256)) {
        row.skip();
        return *std::move(known);
    }
    const ByteView der = row.blob();
    TRY([[maybe_unused]] const auto sound, row.sound());
    auto certificate = x509::Certificate::parse_der(der);
    if (!certificate || certificate->sha256() != sha256) {
        return unreadable_record("certificate " + sha256.hex());
    }
    cache.keep(*certificate);
    return certificate;
}

std::vector<Digest> read_digests(Query& row) {
    const ByteView packed = row.blob();
    std::vector<Digest> digests(packed.size() / sizeof(Digest));
    if (packed.size() != digests.size() * sizeof(Digest)) {
        row.mark_unsound();
        return {};
    }
    for (std::size_t i = 0; i < digests.size(); ++i) {
        const ByteView one = packed.subspan(i * sizeof(Digest), sizeof(Digest));
        std::copy(one.begin(), one.end(), digests[i].bytes.begin());
    }
    return digests;
}

domain::ClientNotes read_notes(Query& row) {
    auto notes = domain::parse_client_notes(row.text());
    if (!notes) {
        row.mark_unsound();
        return {};
    }
    return *std::move(notes);
}

Bytes packed(const std::vector<Digest>& digests) {
    Bytes bytes;
    bytes.reserve(digests.size() * sizeof(Digest));
    for (const auto& digest : digests) {
        bytes.insert(bytes.end(), digest.bytes.begin(), digest.bytes.end());
    }
    return bytes;
}

}  // namespace rollcall::store
