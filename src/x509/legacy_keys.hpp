// SPDX-License-Identifier: Apache-2.0
// A switch for how OpenSSL 3.0 reads EC and RSA keys. For every public key in every certificate it
// builds a pipeline of decoders, which costs five times the rest of the parsing (mended upstream in
// 3.2). Where an ENGINE speaks for a kind of key, 3.0 uses its older built-in code instead; ours
// answers with that code, but for the public half of EC keys (standing_curves.hpp). Verdicts are
// the same on both ways, which legacy_keys_test shows.
#pragma once

struct evp_pkey_st;

namespace rollcall::x509 {

/// From now on EC and RSA keys are read by the older code. Once, at start, before the first
/// certificate or key is read and before other threads run. False, and nothing changed, where this
/// OpenSSL has no need of it (3.2 and later) or no engines.
bool use_legacy_keys();

/// Takes a private key that was just read and gives it back in the form in which the chosen way can
/// sign certificates with it: X509_sign refuses the decoders' keys once the older code is in use.
evp_pkey_st* settled(evp_pkey_st* key);

/// Back to the library's default; for the test that compares both. No other threads may run.
void use_decoded_keys();

}  // namespace rollcall::x509
