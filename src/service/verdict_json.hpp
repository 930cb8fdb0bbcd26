// SPDX-License-Identifier: Apache-2.0
// A refusal as it is kept and shown: the whole verdict as JSON text, certificate by certificate.
#pragma once

#include <string>

#include "domain/attestation.hpp"
#include "store/refusals.hpp"

namespace rollcall::service {

/// The verdict of a refusal as a JSON object: the chain as it was sent and each certificate of
/// the path that came furthest with its findings. Field names: docs/api/openapi.json, "Verdict".
std::string verdict_json(const x509::PathVerdict& verdict, const x509::PeerChain& sent);

/// The record of one refusal. `known`: the id has a registration.
store::RefusalRecord refusal_record(const domain::Refusal& refusal,
                                    const domain::RegistrationRequest& request, bool known,
                                    TimePoint now);

}  // namespace rollcall::service
