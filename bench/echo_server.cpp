// SPDX-License-Identifier: Apache-2.0
// The net floor with the smallest handler there is: what a connection costs before anything is
// decided about it. Measured by bench/run beside nginx's bare 200.
//
//   echo_server ADDR:PORT CHAIN.pem KEY.pem [CORES]
#include "net/http_session.hpp"
#include "x509/legacy_keys.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace rollcall {
namespace {

class FixedAnswer final : public net::HttpHandler {
public:
    Task<net::HttpResponse> handle(const net::HttpRequest& request) override {
        net::HttpResponse response;
        response.headers.emplace_back("Content-Type", "text/plain");
        response.body = request.connection->peer.empty()
                            ? "nobody\n"
                            : request.connection->peer.end_entity().subject() + "\n";
        co_return response;
    }
    net::HttpResponse refuse(unsigned status, const Error& error,
                             const net::HttpRequest&) override {
        return {.status = status, .headers = {}, .body = error.detail + "\n"};
    }
    std::size_t body_bytes_max() const override { return limits::device_body_bytes_max; }
};

int fail(const Error& error) {
    std::fprintf(stderr, "%s (%s)\n", error.detail.c_str(), error.note.c_str());
    return 1;
}

int serve(const char* where, const char* chain, const char* key, std::size_t cores) {
    start_log(Severity::info, false);
    x509::use_legacy_keys();
    const auto address = net::parse_listen_address(where);
    if (!address) {
        return fail(address.error());
    }
    const auto credential = net::read_credential({chain, key});
    if (!credential) {
        return fail(credential.error());
    }
    Metrics metrics;
    const SystemClock clock;
    FixedAnswer handler;
    auto tls = net::TlsServer::make({*credential}, metrics);
    if (!tls) {
        return fail(tls.error());
    }
    net::Runtime runtime(cores);
    net::HttpDoor door(
        **tls, [](std::string_view) { return true; },
        [&handler](const net::ConnectionFacts&) -> net::HttpHandler& { return handler; }, clock,
        metrics);
    const net::DoorSettings settings{.name = "echo"};
    const auto listener = net::Listener::open(runtime, *address, settings, door, metrics);
    if (!listener) {
        return fail(listener.error());
    }
    runtime.stop_on_signals(std::chrono::seconds{1});
    runtime.start();
    std::printf("ready echo=%s\n", (*listener)->address().str().c_str());
    std::fflush(stdout);
    runtime.wait();
    return 0;
}

}  // namespace
}  // namespace rollcall

int main(int count, char** words) {
    std::size_t cores = 1;
    const bool usable =
        (count == 4 || count == 5) &&
        (count == 4 ||
         std::from_chars(words[4], words[4] + std::strlen(words[4]), cores).ec == std::errc{});
    if (!usable || cores == 0) {
        std::fprintf(stderr, "usage: %s ADDR:PORT CHAIN.pem KEY.pem [CORES]\n", words[0]);
        return 2;
    }
    return rollcall::serve(words[1], words[2], words[3], cores);
}
