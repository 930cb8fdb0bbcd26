// SPDX-License-Identifier: Apache-2.0
// Rows and values of individual enrollments with the leaf certificates in their slots.
// See rows.hpp.
#pragma once

#include "domain/enrollment.hpp"
#include "store/certificate_cache.hpp"
#include "store/database.hpp"

#include <vector>

namespace rollcall::store {

Result<Done> put_individual(Database& database, const domain::IndividualEnrollment& enrollment);
Result<Done> delete_individual(Database& database, const RegistrationId& id);
Result<std::optional<domain::IndividualEnrollment>> get_individual(Database& database,
                                                                   CertificateCache& cache,
                                                                   const RegistrationId& id);
/// Those whose id contains `part`, without case; all where that is empty.
Result<std::vector<domain::IndividualEnrollment>> list_individuals(Database& database,
                                                                   CertificateCache& cache,
                                                                   const std::string& part,
                                                                   const std::string& after,
                                                                   std::size_t count);
Result<bool> leaf_in_disabled_entry(Database& database, const Digest& leaf);

}  // namespace rollcall::store
