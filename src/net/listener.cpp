// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "base/invariant.hpp"
#include "net/bound_socket.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

namespace rollcall::net {
namespace {

/// Connections accepted in one go before the core's sessions get their turn.
constexpr int accepts_in_a_row = 16;
/// How long a door rests when the process or the machine is out of descriptors or memory.
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// One core's accepting descriptor.
class Acceptor final : public Resident {
public:
    Acceptor(Core& core, int descriptor)
        : Resident(core), descriptor_(core.context(), descriptor) {}

    void drain() override { close(); }
    void close() override {
        open_ = false;
        boost::system::error_code ignored;
        descriptor_.close(ignored);
    }
    bool open() const { return open_; }
    int descriptor() { return descriptor_.native_handle(); }
    Task<void> readable() {
        boost::system::error_code ended;
        co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                        asio::redirect_error(asio::use_awaitable, ended));
    }

private:
    asio::posix::stream_descriptor descriptor_;
    bool open_ = true;
};

bool out_of_resources(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

std::size_t allow_descriptors() {
    rlimit allowed{};
    if (::getrlimit(RLIMIT_NOFILE, &allowed) != 0) {
        return 0;
    }
    const rlim_t soft = std::exchange(allowed.rlim_cur, allowed.rlim_max);
    return static_cast<std::size_t>(::setrlimit(RLIMIT_NOFILE, &allowed) == 0 ? allowed.rlim_cur
                                                                              : soft);
}

std::optional<Admission> Admission::enter(std::atomic<std::size_t>& open, std::size_t cap) {
    if (open.fetch_add(1, std::memory_order_relaxed) >= cap) {
        open.fetch_sub(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    return Admission{open};
}

Admission::Admission(Admission&& other) noexcept : open_(std::exchange(other.open_, nullptr)) {}

Admission::~Admission() {
    if (open_ != nullptr) {
        open_->fetch_sub(1, std::memory_order_relaxed);
    }
}

AcceptedSocket::AcceptedSocket(int descriptor, ConnectionFacts known, Admission held)
    : facts(std::move(known)), admission(std::move(held)), descriptor_(descriptor) {}

AcceptedSocket::AcceptedSocket(AcceptedSocket&& other) noexcept
    : facts(std::move(other.facts)),
      admission(std::move(other.admission)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AcceptedSocket::~AcceptedSocket() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

int AcceptedSocket::release() {
    return std::exchange(descriptor_, -1);
}

struct Listener::Door {
    Door(const DoorSettings& settings_, ConnectionHandler& handler_, Metrics& metrics)
        : settings(settings_),
          handler(handler_),
          accepted(metrics.counter("rollcall_connections_accepted_total", "Connections accepted.",
                                   {{"door", settings_.name}})),
          turned_away(metrics.counter("rollcall_connections_turned_away_total",
                                      "Connections closed at once: door full, or not admitted.",
                                      {{"door", settings_.name}})),
          pauses(metrics.counter("rollcall_accept_pauses_total",
                                 "Times a door rested for want of descriptors or memory.",
                                 {{"door", settings_.name}})) {}

    Task<void> accept_on(Core& core, int descriptor);
    void admit(Core& core, int descriptor, const sockaddr_storage& peer);

    DoorSettings settings;
    ConnectionHandler& handler;
    Counter& accepted;
    Counter& turned_away;
    Counter& pauses;
    std::atomic<std::size_t> open{0};
    ListenAddress address;
    std::optional<UnixSocketFile> file;
};

Task<void> Listener::Door::accept_on(Core& core, int descriptor) {
    Acceptor acceptor(core, descriptor);
    if (core.draining()) {
        acceptor.close();
    }
    int in_a_row = 0;
    while (acceptor.open()) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        const int connection = ::accept4(acceptor.descriptor(), reinterpret_cast<sockaddr*>(&peer),
                                         &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int error = errno;
        if (connection >= 0) {
            admit(core, connection, peer);
            if (++in_a_row == accepts_in_a_row) {
                in_a_row = 0;
                co_await asio::post(core.context(), asio::use_awaitable);
            }
        } else if (error == EAGAIN) {
            in_a_row = 0;
            co_await acceptor.readable();
        } else if (out_of_resources(error)) {
            pauses.add();
            log_event(Severity::error, "accept-paused",
                      {{"door", settings.name}, {"note", std::strerror(error)}});
            [[maybe_unused]] const bool goes_on = co_await core.sleep(accept_pause);
        }
        INVARIANT(connection >= 0 || (error != EBADF && error != EINVAL && error != ENOTSOCK));
        // Anything else (ECONNABORTED, EPROTO, a firewall's EPERM, ...) befell one connection.
    }
}

void Listener::Door::admit(Core& core, int descriptor, const sockaddr_storage& peer) {
    ConnectionFacts facts = facts_of_peer(peer);
    facts.door = settings.name;
    const bool welcome = !settings.may_enter || settings.may_enter(facts);
    auto admission = welcome ? Admission::enter(open, settings.connections_max) : std::nullopt;
    if (!admission) {
        turned_away.add();  // before the peer can know
        ::close(descriptor);
        return;
    }
    accepted.add();
    AcceptedSocket socket(descriptor, std::move(facts), *std::move(admission));
    core.spawn("connection", handler.serve(core, std::move(socket)));
}

Listener::Listener(std::unique_ptr<Door> door) : door_(std::move(door)) {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(Runtime& runtime, const ListenAddress& address,
                                                 const DoorSettings& settings,
                                                 ConnectionHandler& handler, Metrics& metrics) {
    TRY(auto sockets, bind_shared(address, runtime.cores()));
    auto door = std::make_unique<Door>(settings, handler, metrics);
    door->address = ListenAddress{.host = address.host, .port = sockets.port};
    for (std::size_t i = 0; i < runtime.cores(); ++i) {
        Core& core = runtime.core(i);
        core.spawn("accept", door->accept_on(core, sockets.descriptors[i].release()));
    }
    return std::unique_ptr<Listener>(new Listener(std::move(door)));
}

Result<std::unique_ptr<Listener>> Listener::open_unix(Runtime& runtime,
                                                      const std::filesystem::path& path,
                                                      const DoorSettings& settings,
                                                      ConnectionHandler& handler,
                                                      Metrics& metrics) {
    TRY(auto bound, bind_unix(path));
    auto door = std::make_unique<Door>(settings, handler, metrics);
    door->file.emplace(std::move(bound.file));
    Core& core = runtime.core(0);
    core.spawn("accept", door->accept_on(core, bound.descriptor.release()));
    return std::unique_ptr<Listener>(new Listener(std::move(door)));
}

const ListenAddress& Listener::address() const {
    return door_->address;
}
std::size_t Listener::connections() const {
    return door_->open.load(std::memory_order_relaxed);
}

}  // namespace rollcall::net
