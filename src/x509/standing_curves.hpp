// SPDX-License-Identifier: Apache-2.0
// How EC public keys are read where legacy_keys.hpp is in use. OpenSSL builds the curve anew for
// each key, at four times the cost of the rest; here it is built once and copied.
#pragma once

struct evp_pkey_asn1_method_st;

namespace rollcall::x509 {

/// OpenSSL's own method for EC keys but for its public half, which is ours. Made at the first use
/// and kept for the life of the process; null where that fails.
evp_pkey_asn1_method_st* ec_on_standing_curves();

}  // namespace rollcall::x509
