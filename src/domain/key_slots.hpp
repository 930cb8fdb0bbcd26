// SPDX-License-Identifier: Apache-2.0
// How symmetric keys in slots change (slots.hpp is the same for certificates). A key takes effect
// at once, since there is nothing to verify; the other slot serves on. Pure.
#pragma once

#include "domain/slots.hpp"

namespace rollcall::domain {

/// May this key stand in a slot of the group of that instance (empty: of an individual
/// enrollment)? conflict "key-distrusted", "key-in-other-group": a token names no group, so that a
/// key has to.
Result<Done> check_key(const TrustView& trust, const SymmetricKey& key,
                       const std::string& group_instance);

/// Puts `key` into a slot. What stood there: plain, it opens nothing new and closes nothing;
/// immediate, trust in it is withdrawn; breach, it is distrusted as well. Refusals: check_key()'s;
/// conflict "attests-by-certificate", "same-key" (it stands there already), "key-distrusted" where
/// after a breach the other slot would still hold the lost key.
Result<SlotOutcome> set_group_key(const TrustView& trust, const EnrollmentGroup& group, Slot slot,
                                  const SymmetricKey& key, Removal removal, const Writing& writing);
Result<SlotOutcome> set_individual_key(const TrustView& trust,
                                       const IndividualEnrollment& enrollment, Slot slot,
                                       const SymmetricKey& key, Removal removal,
                                       const Writing& writing);

/// For whoever would put a certificate where keys are. `what`: "the group 'a'".
Error attests_by_key(const std::string& what);

}  // namespace rollcall::domain
