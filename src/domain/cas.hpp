// SPDX-License-Identifier: Apache-2.0
// How CA certificate records come and go (PRODUCT section 3.1), beside what slots do with them
// (slots.hpp). Pure functions from records and an operator's wish to Changes.
#pragma once

#include "domain/slots.hpp"

#include <string>

namespace rollcall::domain {

/// A record of its own for `certificate`; an unnamed record of it gets the name. A certificate
/// with the subject and key of a verified CA is that authority renewed: verified as well. Refusals:
/// conflict "ca-exists" (a named record has it), "name-taken", "key-distrusted"; malformed
/// "could-never-attest" unless `force`. Empties of `name` make an unnamed record.
Result<SlotOutcome> add_ca(const TrustView& trust, const std::string& name,
                           const x509::Certificate& certificate, bool vouch, bool force,
                           const Writing& writing);

/// Another certificate under a record's name, at once, whatever its findings (section 3.9). A
/// pending code dies. It is verified where `vouch` says so or it is the authority of a verified CA,
/// perhaps of the one it replaces; else slots that refer to the record attest nothing until it is.
/// Trust in another authority that it replaces is withdrawn from what rests on it in those slots
/// (3.13). Refusals: conflict "ca-exists" (another record has the certificate),
/// "ca-in-other-group", "key-distrusted".
Result<SlotOutcome> replace_ca(const TrustView& trust, const CaCertificate& ca,
                               const x509::Certificate& certificate, bool vouch,
                               const Writing& writing);

/// Deletes the record. Slots may refer to it: they then attest nothing, and a warning names each.
/// `immediate` and `breach` withdraw trust from what rests on it in those slots.
SlotOutcome delete_ca(const TrustView& trust, const CaCertificate& ca, Removal removal,
                      const Writing& writing);

}  // namespace rollcall::domain
