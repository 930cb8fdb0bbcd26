// SPDX-License-Identifier: Apache-2.0
// A fleet in one thread: every request is a device of its own that makes one fresh mutual-TLS 1.3
// connection (P-256 leaf and intermediate), asks once, reads the answer and closes. With --seconds
// the devices come again and again. It knows nothing of our net floor: what is measured must not
// measure itself.
#include "base/world.hpp"
#include "x509/authority.hpp"
#include "x509/legacy_keys.hpp"
#include "x509/openssl.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rollcall {
namespace {

using x509::IssuanceProfile;
using Kind = IssuanceProfile::Kind;

struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::string pki;
    std::string server_ca;
    std::vector<std::string> from;
    std::string make_pki;
    std::string method = "GET";
    std::string path = "/{id}";
    std::string body;
    std::string prefix = "device-";
    std::string server_name = "localhost";
    unsigned requests = 1000;
    unsigned first = 0;
    unsigned in_flight = 16;
    unsigned seconds = 0;
    bool any_answer = false;
    int core = -1;
};

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "load: %s\n", why.c_str());
    std::exit(1);
}

IssuanceProfile a_profile(Kind kind, const std::string& name, TimePoint now) {
    return IssuanceProfile{.common_name = name,
                           .not_before = now - std::chrono::hours{24},
                           .not_after = now + std::chrono::hours{24 * 365},
                           .kind = kind};
}

// --- the certificates of a run, in files ---

void write_file(const std::string& path, const std::string& text) {
    ::umask(0077);
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) {
        give_up("cannot write " + path);
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        give_up("cannot read " + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

/// root.pem and .key, issuing.pem and .key, server.pem and .key in `directory`.
void make_pki(const std::string& directory) {
    SystemEntropy entropy;
    const TimePoint now = SystemClock{}.now();
    const auto key = [] { return x509::PrivateKey::generate(x509::KeyType::p256).value(); };
    const auto root_key = key();
    const auto root =
        x509::issue_self_signed(a_profile(Kind::root, "Bench Root", now), root_key, entropy)
            .value()
            .certificate;
    const auto issuing_key = key();
    const auto issuing = x509::issue(a_profile(Kind::intermediate, "Bench Issuing", now),
                                     issuing_key, root, root_key, entropy)
                             .value();
    const auto server_key = key();
    auto profile = a_profile(Kind::server, "localhost", now);
    profile.dns_names = {"localhost"};
    profile.ip_addresses = {"127.0.0.1"};
    const auto server = x509::issue(profile, server_key, root, root_key, entropy).value();
    write_file(directory + "/root.pem", root.pem());
    write_file(directory + "/root.key", root_key.pem());
    write_file(directory + "/issuing.pem", issuing.pem());
    write_file(directory + "/issuing.key", issuing_key.pem());
    write_file(directory + "/server.pem", server.pem());
    write_file(directory + "/server.key", server_key.pem());
}

// --- devices ---

struct Device {
    std::string id;
    x509::Certificate certificate;
    x509::PrivateKey key;
};

std::vector<Device> make_devices(const Options& options) {
    SystemEntropy entropy;
    const TimePoint now = SystemClock{}.now();
    const auto issuer = x509::read_one_certificate(read_file(options.pki + "/issuing.pem")).value();
    const auto issuer_key =
        x509::PrivateKey::parse_pem(read_file(options.pki + "/issuing.key")).value();
    std::vector<Device> devices;
    devices.reserve(options.requests);
    for (unsigned i = 0; i < options.requests; ++i) {
        std::string id = options.prefix + std::to_string(options.first + i);
        auto key = x509::PrivateKey::generate(x509::KeyType::p256).value();
        auto certificate =
            x509::issue(a_profile(Kind::device, id, now), key, issuer, issuer_key, entropy).value();
        devices.push_back({std::move(id), std::move(certificate), std::move(key)});
    }
    return devices;
}

std::string filled(std::string text, const std::string& id) {
    for (auto at = text.find("{id}"); at != std::string::npos; at = text.find("{id}", at)) {
        text.replace(at, 4, id);
        at += id.size();
    }
    return text;
}

std::string request_for(const Options& options, const std::string& id) {
    const std::string body = filled(options.body, id);
    std::string wire = options.method + " " + filled(options.path, id) + " HTTP/1.1\r\n";
    wire += "Host: " + options.server_name + "\r\nAccept: application/json\r\n";
    wire += "User-Agent: rollcall-bench\r\n";
    if (!body.empty()) {
        wire += "Content-Type: application/json; charset=utf-8\r\n";
        wire += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return wire + "\r\n" + body;
}

// --- one connection ---

class Connection {
public:
    enum class Wants { read, write, nothing };

    Connection(const Options& options, SSL_CTX* context, STACK_OF(X509) * chain,
               const Device& device, std::size_t number)
        : begun(std::chrono::steady_clock::now()),
          request_(request_for(options, device.id)),
          socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
          ssl_(SSL_new(context), &SSL_free) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options.port);
        if (::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1 || socket_ < 0) {
            give_up("no socket for " + options.address);
        }
        if (!options.from.empty()) {
            bind_to(options.from[number % options.from.size()]);
        }
        const int connected =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        if (connected != 0 && errno != EINPROGRESS) {
            give_up(std::string("cannot connect: ") + std::strerror(errno));
        }
        SSL_set_fd(ssl_.get(), socket_);
        SSL_set_connect_state(ssl_.get());
        SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
        constexpr int replace = 1;
        if (SSL_use_cert_and_key(ssl_.get(), device.certificate.native(), device.key.native(),
                                 chain, replace) != 1) {
            give_up("cannot use a device's certificate");
        }
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    int descriptor() const { return socket_; }
    unsigned status() const { return status_; }
    const std::chrono::steady_clock::time_point begun;

    /// Goes on until the socket must be waited for, or the answer is there (nothing).
    Wants advance() {
        ERR_clear_error();
        while (!request_.empty()) {
            const int sent = SSL_write(ssl_.get(), request_.data(), int(request_.size()));
            if (sent <= 0) {
                return wants(sent);
            }
            request_.erase(0, std::size_t(sent));
        }
        while (!answered()) {
            char bytes[4096];
            const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
            if (got <= 0) {
                return wants(got);
            }
            answer_.append(bytes, std::size_t(got));
        }
        SSL_shutdown(ssl_.get());
        return Wants::nothing;
    }

private:
    void bind_to(const std::string& address) {
        constexpr int yes = 1;  // the port is chosen at connect(), so that there are enough
        ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        if (::inet_pton(AF_INET, address.c_str(), &own.sin_addr) != 1 ||
            ::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
            give_up("cannot come from " + address);
        }
    }
    Wants wants(int result) {
        switch (SSL_get_error(ssl_.get(), result)) {
            case SSL_ERROR_WANT_READ: return Wants::read;
            case SSL_ERROR_WANT_WRITE: return Wants::write;
            default: return Wants::nothing;  // status() stays 0
        }
    }
    bool answered() {
        const auto end = answer_.find("\r\n\r\n");
        if (end == std::string::npos) {
            return false;
        }
        const auto length = answer_.find("Content-Length: ");
        const std::size_t size =
            length < end ? std::strtoul(&answer_[length + 16], nullptr, 10) : 0;
        if (answer_.size() < end + 4 + size) {
            return false;
        }
        status_ = unsigned(std::strtoul(&answer_[9], nullptr, 10));
        return true;
    }

    std::string request_;
    std::string answer_;
    unsigned status_ = 0;
    int socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

// --- the run ---

class Load {
public:
    explicit Load(const Options& options)
        : options_(options),
          devices_(make_devices(options)),
          issuing_(x509::read_one_certificate(read_file(options.pki + "/issuing.pem")).value()),
          context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
          chain_(sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
        SSL_CTX_set_mode(context_.get(),
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        const std::string ca =
            options.server_ca.empty() ? options.pki + "/root.pem" : options.server_ca;
        SSL_CTX_load_verify_locations(context_.get(), ca.c_str(), nullptr);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        sk_X509_push(chain_.get(), issuing_.native());
    }
    ~Load() { ::close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Answers by status; 0 for connections that gave none.
    std::map<unsigned, unsigned> run() {
        end_ = std::chrono::steady_clock::now() + std::chrono::seconds{options_.seconds};
        while (goes_on() && open_.size() < options_.in_flight) {
            start_one();
        }
        while (!open_.empty()) {
            epoll_event events[64];
            const int count = ::epoll_wait(epoll_, events, 64, 30'000);
            if (count == 0) {
                give_up("no answer for 30 seconds");
            }
            for (int i = 0; i < count; ++i) {
                go_on(events[i].data.fd);
            }
        }
        return answers_;
    }

    /// Milliseconds from connect() to the answer that `part` of those with an answer did not pass.
    double passed_by(double part) {
        if (times_.empty()) {
            return 0;
        }
        std::sort(times_.begin(), times_.end());
        return times_[std::size_t(part * double(times_.size() - 1))];
    }

private:
    bool goes_on() const {
        return options_.seconds == 0 ? next_ < devices_.size()
                                     : std::chrono::steady_clock::now() < end_;
    }
    void start_one() {
        auto made = std::make_unique<Connection>(options_, context_.get(), chain_.get(),
                                                 devices_[next_ % devices_.size()], next_);
        ++next_;
        const int descriptor = made->descriptor();
        epoll_event event{.events = EPOLLOUT, .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
        open_.emplace(descriptor, std::move(made));
    }
    void go_on(int descriptor) {
        auto& connection = *open_.at(descriptor);
        const auto wants = connection.advance();
        if (wants == Connection::Wants::nothing) {
            ++answers_[connection.status()];
            if (connection.status() != 0) {
                const std::chrono::duration<double, std::milli> took =
                    std::chrono::steady_clock::now() - connection.begun;
                times_.push_back(took.count());
            }
            open_.erase(descriptor);
            if (goes_on()) {
                start_one();
            }
            return;
        }
        epoll_event event{.events = wants == Connection::Wants::read ? EPOLLIN : EPOLLOUT,
                          .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
    }

    const Options& options_;
    std::vector<Device> devices_;
    x509::Certificate issuing_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain_;
    int epoll_;
    std::size_t next_ = 0;
    std::map<int, std::unique_ptr<Connection>> open_;
    std::map<unsigned, unsigned> answers_;
    std::vector<double> times_;
    std::chrono::steady_clock::time_point end_;
};

void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(core), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) {
        give_up("cannot be pinned to core " + std::to_string(core));
    }
}

/// Two lines: "ready" when the devices are made and the load waits for a line on its input; then
/// "STATUS=COUNT ... p50=MS p99=MS max=MS". Exit 0 when all answers were 2xx.
int run(const Options& options) {
    if (options.core >= 0) {
        pin_to(options.core);
    }
    ::signal(SIGPIPE, SIG_IGN);
    x509::use_legacy_keys();  // a slow load would leave the server idle between its devices
    Load load(options);
    std::puts("ready");
    std::fflush(stdout);
    if (std::getchar() == EOF) {
        return 1;
    }
    bool good = true;
    for (const auto& [status, count] : load.run()) {
        std::printf("%u=%u ", status, count);
        good = good && status / 100 == 2;
    }
    std::printf("p50=%.1f p99=%.1f max=%.1f\n", load.passed_by(0.5), load.passed_by(0.99),
                load.passed_by(1));
    return good || options.any_answer ? 0 : 1;
}

}  // namespace
}  // namespace rollcall

int main(int count, char** words) {
    rollcall::Options options;
    CLI::App app("Devices that connect, ask once and go.");
    app.add_option("--make-pki", options.make_pki, "make the certificates of a run there and end");
    app.add_option("--pki", options.pki, "where --make-pki made them");
    app.add_option("--server-ca", options.server_ca, "what to trust, if not the root of --pki");
    app.add_option("--address", options.address);
    app.add_option("--from", options.from, "own addresses, used in turn")->delimiter(',');
    app.add_option("--port", options.port);
    app.add_option("--server-name", options.server_name);
    app.add_option("--method", options.method);
    app.add_option("--path", options.path, "{id} becomes the device's id");
    app.add_option("--body", options.body, "{id} as above");
    app.add_option("--prefix", options.prefix, "of device ids, a number follows");
    app.add_option("--first", options.first, "the first number");
    app.add_option("--requests", options.requests);
    app.add_option("--in-flight", options.in_flight);
    app.add_option("--seconds", options.seconds, "come again and again for so long");
    app.add_flag("--any-answer", options.any_answer, "refusals and lost connections are fine");
    app.add_option("--core", options.core, "the processor core to stay on");
    CLI11_PARSE(app, count, words);
    if (!options.make_pki.empty()) {
        rollcall::make_pki(options.make_pki);
        return 0;
    }
    return rollcall::run(options);
}
