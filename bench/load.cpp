// SPDX-License-Identifier: Apache-2.0
// A fleet in one thread: every visit is of a device of its own that makes one fresh mutual-TLS 1.3
// connection (P-256 leaf and intermediate), has its talk (talk.hpp) and closes, or stays (--stay).
// With --seconds the devices come again and again. It knows nothing of our net floor: what is
// measured must not measure itself.
#include "connection.hpp"
#include "fleet.hpp"
#include "talk.hpp"
#include "x509/legacy_keys.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/epoll.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include <CLI/CLI.hpp>
#include <openssl/ssl.h>

namespace rollcall::bench {
namespace {

struct Options {
    Target target{};
    std::string pki;
    std::string issuing = "issuing";
    std::string server_ca;
    std::string make_pki;
    std::string prefix = "device-";
    bool mqtt = false;
    HttpWords http_words{};
    MqttWords mqtt_words{};
    AmqpWords amqp_words{};
    std::string hub_username;
    bool websocket = false;
    bool stay = false;
    unsigned requests = 1000;
    unsigned first = 0;
    unsigned in_flight = 16;
    unsigned seconds = 0;
    bool any_answer = false;
    int core = -1;
};

// --- the run ---

class Load {
public:
    explicit Load(const Options& options)
        : options_(options),
          devices_(make_devices(options.pki + "/" + options.issuing, options.prefix, options.first,
                                options.requests)),
          issuing_(read_certificate(options.pki + "/" + options.issuing + ".pem")),
          context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
          chain_(sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
        SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                             (options.stay ? SSL_MODE_RELEASE_BUFFERS : 0));
        const std::string ca =
            options.server_ca.empty() ? options.pki + "/root.pem" : options.server_ca;
        SSL_CTX_load_verify_locations(context_.get(), ca.c_str(), nullptr);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        sk_X509_push(chain_.get(), issuing_.native());
    }
    ~Load() { ::close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    using Answers = std::map<unsigned, unsigned>;

    /// Every device once, or again and again. Answers by status; 0 for connections that gave none.
    Answers run(const MqttWords& mqtt, bool stay) {
        mqtt_ = &mqtt;
        stay_ = stay;
        next_ = 0;
        answers_.clear();
        times_.clear();
        end_ = Steady::now() + std::chrono::seconds{options_.seconds};
        while (goes_on() && open_.size() < options_.in_flight) {
            start_one();
        }
        while (!open_.empty()) {
            epoll_event events[64];
            const int count = ::epoll_wait(epoll_, events, 64, patience());
            if (count == 0 && pauses_.empty()) {
                give_up("no answer for 30 seconds");
            }
            for (int i = 0; i < count; ++i) {
                handle(events[i].data.fd, events[i].events);
            }
            while (!pauses_.empty() && pauses_.begin()->first <= Steady::now()) {
                const int descriptor = pauses_.begin()->second;
                pauses_.erase(pauses_.begin());
                if (open_.contains(descriptor)) {
                    go_on(descriptor);
                }
            }
        }
        return answers_;
    }

    /// Those that stay do so until the input ends. Each line on it is answered with how many are
    /// left and when the last one was closed, by the steady clock.
    void watch() {
        epoll_event event{.events = EPOLLIN, .data = {.fd = STDIN_FILENO}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
        for (;;) {
            epoll_event events[256];
            const int count = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                if (events[i].data.fd != STDIN_FILENO) {
                    handle(events[i].data.fd, events[i].events);
                    continue;
                }
                char line[256];
                if (::read(STDIN_FILENO, line, sizeof line) <= 0) {
                    return;
                }
                std::printf("open=%zu last-closed=%lld\n", staying_.size(),
                            static_cast<long long>(last_closed_.time_since_epoch().count()));
                std::fflush(stdout);
            }
        }
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
    using Held = std::unordered_map<int, std::unique_ptr<Connection>>;

    bool goes_on() const {
        return options_.seconds == 0 ? next_ < devices_.size() : Steady::now() < end_;
    }
    int patience() const {
        if (pauses_.empty()) {
            return 30'000;
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(pauses_.begin()->first - Steady::now());
        return int(std::max<std::int64_t>(0, left.count()));
    }
    std::unique_ptr<Talk> a_talk(const std::string& id) const {
        if (!options_.amqp_words.address.empty()) {
            return talk_amqp(options_.amqp_words, id);
        }
        if (!options_.mqtt) {
            return talk_http(options_.http_words, id);
        }
        auto talk = talk_mqtt(*mqtt_, id);
        return options_.websocket ? in_websocket(options_.target.server_name, std::move(talk))
                                  : std::move(talk);
    }
    /// The server's chain is judged once: a load that is slower than the server leaves it idle
    /// between devices, and what is measured then is how it wakes up.
    void trust_server() {
        SSL_CTX_set_cert_verify_callback(
            context_.get(), [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
    }
    void start_one() {
        const Device& device = devices_[next_ % devices_.size()];
        auto made = std::make_unique<Connection>(options_.target, context_.get(), chain_.get(),
                                                 device, a_talk(device.id), next_);
        ++next_;
        const int descriptor = made->descriptor();
        epoll_event event{.events = EPOLLOUT, .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
        open_.emplace(descriptor, std::move(made));
    }
    void handle(int descriptor, std::uint32_t happened) {
        const auto staying = staying_.find(descriptor);
        if (staying != staying_.end()) {
            if ((happened & (EPOLLRDHUP | EPOLLHUP)) != 0 || !staying->second->still_open()) {
                last_closed_ = Steady::now();
                closed_.push_back(std::move(staying->second));
                staying_.erase(staying);
            }
            return;
        }
        const auto found = open_.find(descriptor);
        if (found == open_.end()) {
            return;  // one that was closed is told of again
        }
        if (found->second->resumes() > Steady::now()) {
            finish(descriptor);  // nothing is listened for in a pause: it was closed
        } else {
            go_on(descriptor);
        }
    }
    void go_on(int descriptor) {
        auto& connection = *open_.at(descriptor);
        const auto wants = connection.advance();
        if (wants == Connection::Wants::nothing) {
            finish(descriptor);
            return;
        }
        if (wants == Connection::Wants::pause) {
            pauses_.emplace(connection.resumes(), descriptor);
        }
        listen_for(descriptor, wants == Connection::Wants::read    ? EPOLLIN
                               : wants == Connection::Wants::write ? EPOLLOUT
                                                                   : 0U);
    }
    void finish(int descriptor) {
        const auto found = open_.find(descriptor);
        const unsigned status = found->second->status();
        ++answers_[status];
        if (status != 0) {
            trust_server();
            const std::chrono::duration<double, std::milli> took =
                Steady::now() - found->second->begun();
            times_.push_back(took.count());
        }
        if (stay_ && status / 100 == 2) {
            listen_for(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET);
            staying_.emplace(descriptor, std::move(found->second));
        } else if (status != 0) {
            found->second->say_goodbye();
        }
        open_.erase(found);
        if (goes_on()) {
            start_one();
        }
    }
    void listen_for(int descriptor, std::uint32_t events) {
        epoll_event event{.events = events, .data = {.fd = descriptor}};
        ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
    }

    const Options& options_;
    std::vector<Device> devices_;
    x509::Certificate issuing_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain_;
    int epoll_;
    const MqttWords* mqtt_ = nullptr;
    bool stay_ = false;
    std::size_t next_ = 0;
    Held open_;
    Held staying_;
    /// What is not needed any more is freed at the end: the load would be slower than the server.
    std::vector<std::unique_ptr<Connection>> closed_;
    std::multimap<Steady::time_point, int> pauses_;
    Answers answers_;
    std::vector<double> times_;
    Steady::time_point end_;
    Steady::time_point last_closed_{};
};

void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(core), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) {
        give_up("cannot be pinned to core " + std::to_string(core));
    }
}

/// "STATUS=COUNT ... p50=MS p99=MS max=MS"; false when an answer was no 2xx.
bool tell(Load& load, const Load::Answers& answers) {
    bool good = true;
    for (const auto& [status, count] : answers) {
        std::printf("%u=%u ", status, count);
        good = good && status / 100 == 2;
    }
    std::printf("p50=%.2f p99=%.2f max=%.2f\n", load.passed_by(0.5), load.passed_by(0.99),
                load.passed_by(1));
    std::fflush(stdout);
    return good;
}

/// False when the input has ended.
bool wait_for_line() {
    int got = 0;
    do {
        got = std::getchar();
    } while (got != '\n' && got != EOF);
    return got != EOF;
}

/// "ready" when the devices are made and the load waits for a line on its input; then what tell()
/// says. Another line sends the devices to their hub, and tell() again. Exit 0 when all answers
/// were 2xx.
int run(const Options& options) {
    if (options.core >= 0) {
        pin_to(options.core);
    }
    ::signal(SIGPIPE, SIG_IGN);
    x509::use_legacy_keys();  // a slow load would leave the server idle between its devices
    Load load(options);
    std::puts("ready");
    std::fflush(stdout);
    if (!wait_for_line()) {
        return 1;
    }
    const bool to_hub = !options.hub_username.empty();
    bool good = tell(load, load.run(options.mqtt_words, options.stay && !to_hub));
    if (to_hub && wait_for_line()) {
        const MqttWords at_hub{.username = options.hub_username, .then = MqttWords::Then::stay};
        good = tell(load, load.run(at_hub, options.stay)) && good;
    }
    if (options.stay) {
        load.watch();
    }
    return good || options.any_answer ? 0 : 1;
}

void take_words(CLI::App& app, Options& options) {
    app.add_option("--make-pki", options.make_pki, "make the certificates of a run there and end");
    app.add_option("--pki", options.pki, "where --make-pki made them");
    app.add_option("--issuing", options.issuing, "which intermediate: issuing or other");
    app.add_option("--server-ca", options.server_ca, "what to trust, if not the root of --pki");
    app.add_option("--address", options.target.address);
    app.add_option("--from", options.target.from, "own addresses, used in turn")->delimiter(',');
    app.add_option("--port", options.target.port);
    app.add_option("--server-name", options.target.server_name);
    app.add_option("--method", options.http_words.method);
    app.add_option("--path", options.http_words.path, "{id} becomes the device's id");
    app.add_option("--body", options.http_words.body, "{id} as above");
    app.add_option("--poll", options.http_words.poll_path,
                   "ask there after an answer 202; {operation} is the operation's id");
    app.add_flag("--wait", options.http_words.waits, "as long as Retry-After says before that");
    app.add_option("--mqtt-register", options.mqtt_words.username,
                   "speak MQTT: CONNECT with this user name ({id} as above), register, DISCONNECT");
    app.add_flag("--mqtt-connect", options.mqtt,
                 "speak MQTT: CONNECT, and DISCONNECT unless --stay");
    app.add_option("--amqp-register", options.amqp_words.address,
                   "speak AMQP: register over links of this address ({id} as above), close");
    app.add_option("--hub", options.hub_username,
                   "after --mqtt-register of all: CONNECT again with this user name");
    app.add_flag("--websocket", options.websocket, "MQTT inside a WebSocket");
    app.add_flag("--stay", options.stay, "keep connections until the input ends");
    app.add_option("--prefix", options.prefix, "of device ids, a number follows");
    app.add_option("--first", options.first, "the first number");
    app.add_option("--requests", options.requests);
    app.add_option("--in-flight", options.in_flight);
    app.add_option("--seconds", options.seconds, "come again and again for so long");
    app.add_flag("--any-answer", options.any_answer, "refusals and lost connections are fine");
    app.add_option("--core", options.core, "the processor core to stay on");
}

}  // namespace
}  // namespace rollcall::bench

int main(int count, char** words) {
    using rollcall::bench::MqttWords;
    rollcall::bench::Options options;
    CLI::App app("Devices that connect, have their talk and go.");
    rollcall::bench::take_words(app, options);
    CLI11_PARSE(app, count, words);
    if (!options.make_pki.empty()) {
        rollcall::bench::make_pki(options.make_pki);
        return 0;
    }
    options.http_words.host = options.target.server_name;
    options.amqp_words.stays = options.stay;
    if (!options.mqtt_words.username.empty()) {
        options.mqtt = true;
        options.mqtt_words.then = MqttWords::Then::register_first;
    } else if (options.stay) {
        options.mqtt_words.then = MqttWords::Then::stay;
    }
    return rollcall::bench::run(options);
}
