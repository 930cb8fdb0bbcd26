// SPDX-License-Identifier: Apache-2.0
// A server of the net floor for tests: doors on loopback and a handler that tells what it saw.
#pragma once

#include "net/http_session.hpp"
#include "x509/authority.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace rollcall::test {

/// Answers with what it saw, one fact a line. /throw throws; /wait waits until `open_gate`.
class TellingHandler final : public net::HttpHandler {
public:
    explicit TellingHandler(std::string name = "device") : name_(std::move(name)) {}

    Task<net::HttpResponse> handle(const net::HttpRequest& request) override {
        ++calls;
        if (request.path == "/throw") {
            throw std::runtime_error("as asked");
        }
        while (request.path == "/wait" && !open_gate) {
            asio::steady_timer timer(co_await asio::this_coro::executor);
            timer.expires_after(std::chrono::milliseconds{5});
            co_await timer.async_wait(asio::use_awaitable);
        }
        net::HttpResponse response;
        response.body = told(request);
        response.close = request.path == "/close";
        if (request.path == "/large") {
            response.body.assign(large_answer_bytes, 'x');
        }
        co_return response;
    }
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest& so_far) override {
        const std::string words = std::string(to_string(error.kind)) + " " + error.reason + "\n" +
                                  so_far.method + " " + so_far.path + "\n" +
                                  so_far.connection->door + "\n";
        return {.status = status, .headers = {}, .body = words};
    }
    std::size_t body_bytes_max() const override { return 64; }

    static constexpr std::size_t large_answer_bytes = 16 * 1024 * 1024;
    std::atomic<bool> open_gate{false};
    std::atomic<int> calls{0};

private:
    std::string told(const net::HttpRequest& request) const {
        const net::ConnectionFacts& facts = *request.connection;
        std::string words = name_ + "\n" + request.method + " " + request.target + "\n";
        words += "body=" + request.body + "\nhost=" + request.host + "\n";
        words += "door=" + facts.door + "\npeer=" + facts.peer_address +
                 (facts.local ? " local" : "") + "\ntls=" + facts.tls_version +
                 "\ncipher=" + facts.cipher + "\nsni=" + facts.sni +
                 "\nasked=" + (facts.certificate_requested ? "yes" : "no") +
                 "\npeer-error=" + (facts.peer_error ? facts.peer_error->reason : "") + "\n";
        for (const auto& certificate : facts.peer.certificates) {
            words += "sent=" + certificate.sha256().hex() + "\n";
        }
        return words;
    }
    std::string name_;
};

/// Runs doors until the end of the test. Times are short where a test waits for them.
class HttpTestServer {
public:
    explicit HttpTestServer(std::size_t cores = 2) : runtime(cores) {}
    ~HttpTestServer() { stop(std::chrono::milliseconds{0}); }

    /// Opens a plain door on a port of the system's choice.
    net::Listener& open_plain(std::size_t connections_max = 1000) {
        return open(std::make_unique<net::HttpDoor>(choice(), clock, metrics, settings),
                    connections_max);
    }
    net::Listener& open_tls(
        const std::vector<net::TlsCredential>& credentials,
        net::AskForCertificate ask = [](std::string_view) { return true; }) {
        tls = net::TlsServer::make(credentials, metrics).value();
        return open(std::make_unique<net::HttpDoor>(*tls, std::move(ask), choice(), clock, metrics,
                                                    settings),
                    1000);
    }
    void start() {
        runtime.start();
        started_ = true;
    }
    void stop(std::chrono::milliseconds drain_time) {
        if (std::exchange(started_, false)) {
            runtime.stop(drain_time);
            runtime.wait();
        }
    }

    Metrics metrics;
    SystemClock clock;
    TellingHandler device{"device"};
    TellingHandler operators{"operator"};
    net::HttpSettings settings;
    std::unique_ptr<net::TlsServer> tls;
    std::vector<std::unique_ptr<net::HttpDoor>> doors;
    net::Runtime runtime;
    std::vector<std::unique_ptr<net::Listener>> listeners;

private:
    net::HandlerChoice choice() {
        return [this](const net::ConnectionFacts& facts) -> net::HttpHandler& {
            return facts.tls_version.empty() || facts.certificate_requested ? device : operators;
        };
    }
    net::Listener& open(std::unique_ptr<net::HttpDoor> door, std::size_t connections_max) {
        doors.push_back(std::move(door));
        const net::DoorSettings named{.name = "test", .connections_max = connections_max};
        listeners.push_back(net::Listener::open(runtime, net::ListenAddress{.host = "127.0.0.1"},
                                                named, *doors.back(), metrics)
                                .value());
        return *listeners.back();
    }
    bool started_ = false;
};

}  // namespace rollcall::test
