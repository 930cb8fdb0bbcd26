// SPDX-License-Identifier: Apache-2.0
// TLS 1.3's key schedule (RFC 8446 section 7.1), computed on the hash functions directly. A
// handshake derives some twenty secrets; for each of them OpenSSL 3.0 looks up a KDF, a digest and
// an HMAC and allocates a dozen objects, which costs four times the hashing. Ours is a provider of
// OpenSSL with this one algorithm: the library calls it, and nothing else changes.
#pragma once

namespace rollcall::net {

/// Installs the provider, once for the process, and gives the properties by which a context asks
/// for it (SSL_CTX_new_ex); null, and nothing changed, where this OpenSSL does not take it.
const char* short_key_schedule();

}  // namespace rollcall::net
