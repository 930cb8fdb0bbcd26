// SPDX-License-Identifier: Apache-2.0
// Rows and values of CAs, groups, the distrust list and remembered intermediates.
// See rows.hpp.
#pragma once

#include "domain/enrollment.hpp"
#include "store/certificate_cache.hpp"
#include "store/database.hpp"

#include <vector>

namespace rollcall::store {

Result<Done> put_ca(Database& database, const domain::CaCertificate& ca);
Result<Done> delete_ca(Database& database, const CaId& id);
Result<std::optional<domain::CaCertificate>> get_ca(Database& database, CertificateCache& cache,
                                                    const CaId& id);
/// count: at most this many; the caller asks for one more than a page to see if there is a next.
Result<std::vector<domain::CaCertificate>> list_cas(Database& database, CertificateCache& cache,
                                                    const std::string& after, std::size_t count);

Result<Done> put_group(Database& database, const domain::EnrollmentGroup& group);
Result<Done> delete_group(Database& database, const GroupId& id);
Result<std::optional<domain::EnrollmentGroup>> get_group(Database& database, const GroupId& id);
Result<std::vector<domain::EnrollmentGroup>> list_groups(Database& database,
                                                         const std::string& after,
                                                         std::size_t count);

Result<Done> put_distrusted(Database& database, const domain::Distrusted& distrusted);
Result<Done> lift_distrusted(Database& database, const Digest& spki);
/// In the order of the key's digest.
Result<std::vector<domain::Distrusted>> list_distrusted(Database& database,
                                                        CertificateCache& cache);

/// Bounded by limits::seen_intermediates_max: the oldest goes.
Result<Done> remember_intermediate(Database& database, const x509::Certificate& certificate,
                                   TimePoint at);
Result<std::vector<x509::Certificate>> list_seen_intermediates(Database& database,
                                                               CertificateCache& cache);

}  // namespace rollcall::store
