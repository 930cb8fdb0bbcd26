// SPDX-License-Identifier: Apache-2.0
// A refusal as it is kept and shown: the whole verdict as JSON text, certificate by certificate.
#pragma once

#include "domain/attestation.hpp"
#include "store/refusals.hpp"

#include <string>

namespace rollcall::service {

/// {"valid","reason","path":[{"role":"end-entity|intermediate|anchor","sent":bool,"der":base64,
/// "findings":[{"fault","gravity":"note|warning|fatal","detail","fix"}]}],"findings":[...]}: the
/// path that came furthest, end entity first. Certificates are kept whole, so that a front can
/// show them as it shows all others.
std::string verdict_json(const x509::PathVerdict& verdict);

/// The record of one refusal. `known`: the id has a registration.
store::RefusalRecord refusal_record(const domain::Refusal& refusal,
                                    const domain::RegistrationRequest& request, bool known,
                                    TimePoint now);

}  // namespace rollcall::service
