// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include "base/invariant.hpp"
#include "base/limits.hpp"
#include "net/key_schedule.hpp"
#include "x509/key.hpp"
#include "x509/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace rollcall::net {
namespace {

/// The AES-128 suite first: SHA-384 has no help from the processor.
constexpr auto* tls13_suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/// As Azure lists them (spec/dps-device-api.md 1.1): forward secrecy, AES-GCM, and CBC with SHA-2
/// for devices that have nothing better.
constexpr auto* tls12_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384";
/// Over TLS 1.2 this list also says which curves a device's own key may be on.
constexpr auto* groups = "X25519:P-256:P-384:P-521";
/// 112 bits: Debian's own choice. Applies to protocol, suites and our own credential.
constexpr int security_level = 2;
/// The message frames each certificate with up to five bytes (RFC 8446 section 4.4.2).
constexpr long certificate_message_max =
    static_cast<long>(limits::peer_chain_bytes_max + 5 * limits::peer_certificates_max + 8);

using SecurityCallback = int (*)(const SSL*, const SSL_CTX*, int, int, int, void*, void*);

/// OpenSSL's own rules, but for what a peer shows: that is refused later and in words.
int judge_security(const SSL* ssl, const SSL_CTX* context, int operation, int bits, int nid,
                   void* other, void* extra) {
    static const SecurityCallback library_rules = [] {
        const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> fresh(
            SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
        return SSL_CTX_get_security_callback(fresh.get());
    }();
    if ((operation & SSL_SECOP_PEER) != 0) {
        return 1;
    }
    return library_rules(ssl, context, operation, bits, nid, other, extra);
}

/// Possession of the key is proved by the handshake itself; trust is nobody's business here.
int keep_chain(X509_STORE_CTX* peer, void*) {
    X509_STORE_CTX_set_error(peer, X509_V_OK);
    return 1;
}

/// Called for every ClientHello, also without a name.
int on_server_name(SSL* ssl, int*, void*) {
    auto& greeting = *static_cast<Greeting*>(SSL_get_app_data(ssl));
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    greeting.server_name = to_lower_ascii(name != nullptr ? name : "");
    if (greeting.server_name.ends_with('.')) {
        greeting.server_name.pop_back();
    }
    apply_policy(ssl, greeting);
    return SSL_TLSEXT_ERR_OK;
}

Error unusable(std::string detail, std::string reason) {
    return x509::openssl_error(ErrorKind::malformed, std::move(detail), std::move(reason));
}

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};

/// Reads every certificate of a PEM text, the server's own into `leaf`.
Result<Done> read_chain(const std::string& pem, x509::X509Handle& leaf, STACK_OF(X509) * rest) {
    const auto bio = x509::reading(pem);
    const auto no_pass_phrase = [](char*, int, int, void*) { return 0; };
    while (X509* read = PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr)) {
        if (!leaf) {
            leaf.reset(read);
        } else {
            INVARIANT(sk_X509_push(rest, read) > 0);
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!leaf || !at_end) {
        return unusable("the server certificate file does not hold readable PEM certificates",
                        "bad-server-certificate");
    }
    x509::forget_openssl_errors();
    return Done{};
}

Result<Done> use_credential(SSL_CTX* context, const TlsCredential& credential) {
    x509::X509Handle leaf;
    const std::unique_ptr<STACK_OF(X509), FreeStack> rest(sk_X509_new_null());
    TRY([[maybe_unused]] const auto chain, read_chain(credential.chain_pem, leaf, rest.get()));
    const auto key = x509::PrivateKey::parse_pem(credential.key_pem);
    if (!key) {
        return Error{ErrorKind::malformed, "the server key cannot be used: " + key.error().detail,
                     "bad-server-key", key.error().note};
    }
    if (X509_check_private_key(leaf.get(), key->native()) != 1) {
        return unusable("the server key does not belong to the server certificate", "key-mismatch");
    }
    constexpr int replace = 1;
    if (SSL_CTX_use_cert_and_key(context, leaf.get(), key->native(), rest.get(), replace) != 1) {
        return unusable("the server certificate cannot be used", "bad-server-certificate");
    }
    return Done{};
}

void set_protocol(SSL_CTX* context) {
    const bool set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                     SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
                     SSL_CTX_set_ciphersuites(context, tls13_suites) == 1 &&
                     SSL_CTX_set_cipher_list(context, tls12_suites) == 1 &&
                     SSL_CTX_set1_groups_list(context, groups) == 1;
    INVARIANT(set);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // A resumed session would bring back the leaf without its intermediates: nothing to judge.
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace

void apply_policy(SSL* ssl, Greeting& greeting) {
    greeting.asked = greeting.ask(greeting.server_name);
    // On the connection: the verify mode of a context swapped in here would not count.
    SSL_set_verify(ssl, greeting.asked ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
}

Result<std::shared_ptr<SSL_CTX>> make_tls_context(const std::vector<TlsCredential>& credentials) {
    INVARIANT(!credentials.empty());
    std::shared_ptr<SSL_CTX> context(
        SSL_CTX_new_ex(nullptr, short_key_schedule(), TLS_server_method()), &SSL_CTX_free);
    INVARIANT(context != nullptr);
    SSL_CTX_set_security_level(context.get(), security_level);
    SSL_CTX_set_security_callback(context.get(), judge_security);
    set_protocol(context.get());
    SSL_CTX_set_cert_verify_callback(context.get(), keep_chain, nullptr);
    SSL_CTX_set_max_cert_list(context.get(), certificate_message_max);
    SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
    for (const auto& credential : credentials) {
        TRY([[maybe_unused]] const auto used, use_credential(context.get(), credential));
    }
    return context;
}

}  // namespace rollcall::net
