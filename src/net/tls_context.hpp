// SPDX-License-Identifier: Apache-2.0
// The SSL_CTX all doors share: what we offer, what we refuse, and that a peer's certificate is
// taken as it comes. Used by net/tls alone.
#pragma once

#include "base/result.hpp"
#include "net/tls.hpp"

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

namespace rollcall::net {

/// What the name callback sees of a connection, set as the SSL's app data before the handshake.
struct Greeting {
    const AskForCertificate& ask;
    std::string server_name{};
    bool asked = false;
};

/// Asks for a certificate or not, as the greeting's door wants it for its server name.
void apply_policy(SSL* ssl, Greeting& greeting);

Result<std::shared_ptr<SSL_CTX>> make_tls_context(const std::vector<TlsCredential>& credentials);

}  // namespace rollcall::net
