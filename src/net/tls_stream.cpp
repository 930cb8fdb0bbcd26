// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.hpp"

#include "base/invariant.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <openssl/err.h>

namespace rollcall::net {
namespace {

/// Intermediates remembered across connections, in each of two generations.
constexpr std::size_t intermediates_max = 1024;
/// Lines a second of one LogBudget.
constexpr int log_lines_per_second = 10;

std::string first_error_text() {
    std::array<char, 256> text{};
    const unsigned long code = ERR_peek_error();
    if (code == 0) {
        return "no reason given";
    }
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

std::string_view word_for(HandshakeFailure failure) {
    switch (failure) {
        case HandshakeFailure::certificate: return "certificate";
        case HandshakeFailure::protocol: return "protocol";
        case HandshakeFailure::lost: return "lost";
    }
    return "protocol";
}

}  // namespace

TlsShared::TlsShared(Metrics& metrics)
    : intermediates(intermediates_max),
      done(metrics.counter("rollcall_tls_handshakes_total", "TLS handshakes completed.")),
      oversized(metrics.counter("rollcall_tls_peer_chains_unusable_total",
                                "Client chains the session has to refuse.",
                                {{"why", "too-many-certificates"}})),
      unreadable(metrics.counter("rollcall_tls_peer_chains_unusable_total",
                                 "Client chains the session has to refuse.",
                                 {{"why", "malformed-certificate"}})) {
    for (const auto failure :
         {HandshakeFailure::certificate, HandshakeFailure::protocol, HandshakeFailure::lost}) {
        failures[static_cast<std::size_t>(failure)] =
            &metrics.counter("rollcall_tls_handshake_failures_total", "TLS handshakes that failed.",
                             {{"why", std::string(word_for(failure))}});
    }
}

bool LogBudget::take() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::steady_clock::now().time_since_epoch())
                         .count();
    if (second_.exchange(now, std::memory_order_relaxed) != now) {
        lines_.store(0, std::memory_order_relaxed);
    }
    return lines_.fetch_add(1, std::memory_order_relaxed) < log_lines_per_second;
}

TlsStream::TlsStream(Core& core, AcceptedSocket socket, SSL_CTX* context, TlsShared& shared,
                     const AskForCertificate& ask)
    : socket_(core, std::move(socket)),
      shared_(shared),
      greeting_{.ask = ask},
      ssl_(SSL_new(context), &SSL_free) {
    INVARIANT(ssl_ != nullptr);
    INVARIANT(SSL_set_fd(ssl_.get(), socket_.descriptor()) == 1);
    SSL_set_app_data(ssl_.get(), &greeting_);
    SSL_set_accept_state(ssl_.get());
}

/// One call into OpenSSL. Its error queue belongs to the thread, so it is emptied before and read
/// right after, never across a wait.
template <class Call>
TlsStream::Outcome TlsStream::attempt(Call call) {
    ERR_clear_error();
    errno = 0;
    const int result = call(ssl_.get());
    const int system_error = errno;
    if (result > 0) {
        return {.result = result};
    }
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: return {.wants = Wants::readable};
        case SSL_ERROR_WANT_WRITE: return {.wants = Wants::writable};
        case SSL_ERROR_ZERO_RETURN: return {.wants = Wants::ended};
        case SSL_ERROR_SYSCALL:
            broken_ = true;
            return {.wants = Wants::failed,
                    .note = system_error != 0 ? std::strerror(system_error) : "ended early"};
        default:
            broken_ = true;
            const bool cut_off =
                ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
            Outcome failed{.wants = Wants::failed, .note = first_error_text(), .by_tls = !cut_off};
            ERR_clear_error();
            return failed;
    }
}

Task<void> TlsStream::wait_for(Wants wants) {
    return wants == Wants::writable ? socket_.writable() : socket_.readable();
}

Task<Result<Done>> TlsStream::open() {
    for (;;) {
        if (socket_.closed()) {
            shared_.count_failure(HandshakeFailure::lost);
            co_return connection_lost("closed in the handshake");
        }
        const Outcome outcome = attempt([](SSL* ssl) { return SSL_accept(ssl); });
        if (outcome.wants == Wants::nothing) {
            break;
        }
        if (outcome.wants == Wants::failed || outcome.wants == Wants::ended) {
            co_return handshake_failed(outcome);
        }
        co_await wait_for(outcome.wants);
    }
    learn_facts();
    shared_.done.add();
    co_return Done{};
}

Error TlsStream::handshake_failed(const Outcome& outcome) {
    const auto state = SSL_get_state(ssl_.get());
    const bool about_certificate = state == TLS_ST_SR_CERT || state == TLS_ST_SR_CERT_VRFY;
    const auto failure = !outcome.by_tls     ? HandshakeFailure::lost
                         : about_certificate ? HandshakeFailure::certificate
                                             : HandshakeFailure::protocol;
    shared_.count_failure(failure);
    const bool trouble = failure == HandshakeFailure::certificate;
    if ((trouble ? shared_.warnings : shared_.details).take()) {
        log_event(trouble ? Severity::warning : Severity::debug, "tls-handshake-failed",
                  {{"door", socket_.facts.door},
                   {"peer", socket_.facts.peer_address},
                   {"why", std::string(word_for(failure))},
                   {"note", outcome.note}});
    }
    return connection_lost(outcome.note);
}

void TlsStream::learn_facts() {
    ConnectionFacts& facts = socket_.facts;
    facts.tls_version = SSL_get_version(ssl_.get());
    facts.cipher = SSL_get_cipher_name(ssl_.get());
    facts.sni = greeting_.server_name;
    facts.certificate_requested = greeting_.asked;
    learn_peer();
}

/// The leaf is this device's own; the rest is mostly what its fleet shares.
void TlsStream::learn_peer() {
    X509* const leaf = SSL_get0_peer_certificate(ssl_.get());
    if (leaf == nullptr) {
        return;
    }
    ConnectionFacts& facts = socket_.facts;
    STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl_.get());
    const int rest = std::max(0, sk_X509_num(chain));
    if (static_cast<std::size_t>(rest) + 1 > limits::peer_certificates_max) {
        shared_.oversized.add();
        facts.peer_error = Error{ErrorKind::too_large,
                                 "more than " + std::to_string(limits::peer_certificates_max) +
                                     " certificates were sent",
                                 "too-many-certificates"};
        return;
    }
    auto end_entity = x509::Certificate::share(leaf);
    if (!end_entity) {
        shared_.unreadable.add();
        facts.peer_error = std::move(end_entity).error();
        return;
    }
    facts.peer.certificates.reserve(static_cast<std::size_t>(rest) + 1);
    facts.peer.certificates.push_back(*std::move(end_entity));
    for (int i = 0; i < rest; ++i) {
        X509* const sent = sk_X509_value(chain, i);
        auto certificate = shared_.intermediates.intern(sent);
        if (!certificate) {
            // A stray that no path can use; what it leaves open the verdict will say.
            shared_.unreadable.add();
            continue;
        }
        if (certificate->native() != sent) {
            X509_up_ref(certificate->native());
            sk_X509_set(chain, i, certificate->native());
            X509_free(sent);
        }
        facts.peer.certificates.push_back(*std::move(certificate));
    }
}

Task<Result<std::size_t>> TlsStream::read_some(std::span<std::uint8_t> into) {
    for (;;) {
        if (auto stopped = socket_.stopped_reading()) {
            co_return *std::move(stopped);
        }
        const Outcome outcome = attempt(
            [into](SSL* ssl) { return SSL_read(ssl, into.data(), static_cast<int>(into.size())); });
        switch (outcome.wants) {
            case Wants::nothing: co_return static_cast<std::size_t>(outcome.result);
            case Wants::ended: co_return std::size_t{0};
            case Wants::failed: co_return connection_lost(outcome.note);
            default: co_await wait_for(outcome.wants);
        }
    }
}

Task<Result<Done>> TlsStream::write(ByteView bytes) {
    while (!bytes.empty()) {
        if (socket_.closed() || broken_) {
            co_return connection_lost("closed");
        }
        const int size =
            static_cast<int>(std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max()));
        const Outcome outcome =
            attempt([bytes, size](SSL* ssl) { return SSL_write(ssl, bytes.data(), size); });
        switch (outcome.wants) {
            case Wants::nothing:
                bytes = bytes.subspan(static_cast<std::size_t>(outcome.result));
                break;
            case Wants::ended:
            case Wants::failed: co_return connection_lost(outcome.note);
            default: co_await wait_for(outcome.wants);
        }
    }
    co_return Done{};
}

Task<Result<Done>> TlsStream::shutdown() {
    while (!socket_.closed() && !broken_) {
        // 0: our close_notify is out, the peer's has not come; we do not wait for it.
        const Outcome outcome = attempt([](SSL* ssl) {
            const int result = SSL_shutdown(ssl);
            return result == 0 ? 1 : result;
        });
        if (outcome.wants != Wants::writable) {
            break;
        }
        co_await wait_for(outcome.wants);
    }
    socket_.finish_writing();
    co_return Done{};
}

}  // namespace rollcall::net
