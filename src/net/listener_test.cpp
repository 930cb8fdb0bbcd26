// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "support/http_server.hpp"
#include "support/scratch_directory.hpp"
#include "support/wire_client.hpp"

#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::AnswerReader;
using test::WireClient;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(ListenAddress, IsReadAndWritten) {
    const std::pair<std::string, ListenAddress> rows[] = {
        {"127.0.0.1:8443", {"127.0.0.1", 8443}},
        {"[::1]:0", {"::1", 0}},
        {"*:443", {"*", 443}},
        {"0.0.0.0:65535", {"0.0.0.0", 65535}},
    };
    for (const auto& [text, address] : rows) {
        EXPECT_EQ(*parse_listen_address(text), address) << text;
        EXPECT_EQ(address.str(), text);
    }
    EXPECT_EQ(parse_listen_address("localhost:1")->host, "127.0.0.1");
    for (const auto* bad :
         {"", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "1.2.3.4:x", "1.2.3.4:-1",
          "::1:8443", "[127.0.0.1]:1", "host.example:1", "1.2.3.4.5:1", "[::1:1"}) {
        EXPECT_FALSE(parse_listen_address(bad)) << bad;
    }
}

class Door : public ::testing::Test {
protected:
    Door() : handler_(choose, clock_, metrics_) {}

    Result<std::unique_ptr<Listener>> open(const ListenAddress& address, std::size_t cap = 100) {
        const DoorSettings settings{.name = "door",
                                    .connections_max = cap,
                                    .may_enter = [this](const ConnectionFacts& peer) {
                                        return !closed_ || peer.peer_address != "127.0.0.1" ||
                                               peer.door != "door";
                                    }};
        return Listener::open(runtime_, address, settings, handler_, metrics_);
    }
    Result<std::unique_ptr<Listener>> open_file(const std::filesystem::path& path) {
        const DoorSettings settings{.name = "file", .may_enter = {}};
        return Listener::open_unix(runtime_, path, settings, handler_, metrics_);
    }
    void stop() {
        runtime_.stop(std::chrono::milliseconds{0});
        runtime_.wait();
    }

    Metrics metrics_;
    SystemClock clock_;
    test::TellingHandler telling_;
    HandlerChoice choose = [this](const ConnectionFacts&) -> HttpHandler& { return telling_; };
    HttpDoor handler_;
    std::atomic<bool> closed_{false};  ///< for 127.0.0.1
    Runtime runtime_{2};
};

TEST_F(Door, TellsItsRealPortAndWhoCame) {
    const auto listener = open({"127.0.0.1", 0}).value().release();
    const std::unique_ptr<Listener> owned(listener);
    EXPECT_NE(owned->address().port, 0);
    runtime_.start();
    for (int i = 0; i < 20; ++i) {  // on both cores
        WireClient client = WireClient::to_port(owned->address().port);
        client.send(get);
        EXPECT_NE(AnswerReader(client).next().body.find("door=door\npeer=127.0.0.1\n"),
                  std::string::npos);
    }
    stop();
}

TEST_F(Door, NamesAnIpv4PeerAsSuchOnADoorForBothFamilies) {
    const auto listener = open({"*", 0});
    ASSERT_TRUE(listener);
    runtime_.start();
    WireClient client = WireClient::to_port((*listener)->address().port);
    client.send(get);
    EXPECT_NE(AnswerReader(client).next().body.find("peer=127.0.0.1\n"), std::string::npos);
    stop();
}

TEST_F(Door, IsNotSharedWithAnotherServer) {
    const auto first = open({"127.0.0.1", 0});
    ASSERT_TRUE(first);
    const auto second = open((*first)->address());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::conflict);
    EXPECT_EQ(second.error().reason, "address-in-use");
    const auto wildcard = open({"*", (*first)->address().port});
    EXPECT_FALSE(wildcard);
}

TEST_F(Door, SaysWhyItCannotOpen) {
    EXPECT_EQ(open({"192.0.2.1", 0}).error().reason, "address-not-available");
    EXPECT_EQ(open({"nowhere", 0}).error().reason, "bad-address");
}

TEST_F(Door, CanBeOpenedAgainRightAfterItClosed) {
    std::uint16_t port = 0;
    {
        const auto listener = open({"127.0.0.1", 0});
        port = (*listener)->address().port;
        runtime_.start();
        WireClient client = WireClient::to_port(port);
        client.send("GET / HTTP/1.0\r\n\r\n");
        EXPECT_EQ(AnswerReader(client).next().status, 200U);
        stop();
    }
    Runtime next(2);
    EXPECT_TRUE(Listener::open(next, {"127.0.0.1", port}, {.name = "door"}, handler_, metrics_));
}

TEST_F(Door, TurnsAwayWhoMayNotEnter) {
    const auto listener = open({"127.0.0.1", 0});
    const std::uint16_t port = (*listener)->address().port;
    runtime_.start();
    closed_ = true;
    EXPECT_TRUE(WireClient::to_port(port).ended());
    EXPECT_NE(metrics_.text().find("rollcall_connections_turned_away_total{door=\"door\"} 1"),
              std::string::npos);
    closed_ = false;
    WireClient client = WireClient::to_port(port);
    client.send(get);
    EXPECT_EQ(AnswerReader(client).next().status, 200U);
    stop();
}

TEST_F(Door, TurnsAwayWhoComesBeyondItsCap) {
    const auto listener = open({"127.0.0.1", 0}, 2);
    const std::uint16_t port = (*listener)->address().port;
    runtime_.start();
    std::optional<WireClient> first(WireClient::to_port(port));
    WireClient second = WireClient::to_port(port);
    for (auto* client : {&*first, &second}) {
        client->send(get);
        EXPECT_EQ(AnswerReader(*client).next().status, 200U);
    }
    EXPECT_TRUE(WireClient::to_port(port).ended());
    EXPECT_NE(metrics_.text().find("rollcall_connections_turned_away_total{door=\"door\"} 1"),
              std::string::npos);
    first.reset();
    while ((*listener)->connections() == 2) {
        ::usleep(1000);
    }
    WireClient third = WireClient::to_port(port);
    third.send(get);
    EXPECT_EQ(AnswerReader(third).next().status, 200U);
    stop();
}

TEST(Descriptors, AreAllowedUpToTheHardLimit) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit few = before;
    few.rlim_cur = 256;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    EXPECT_EQ(allow_descriptors(), before.rlim_max);
    rlimit after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(Door, RestsWhenDescriptorsRunOutAndGoesOn) {
    const auto listener = open({"127.0.0.1", 0});
    const std::uint16_t port = (*listener)->address().port;
    runtime_.start();
    WireClient waiting = WireClient::to_port(port);
    waiting.send(get);
    EXPECT_EQ(AnswerReader(waiting).next().status, 200U);

    // The client's own socket is made first; then no further descriptor may be opened.
    WireClient late = WireClient::to_port(port);
    late.send(get);
    EXPECT_EQ(AnswerReader(late).next().status, 200U);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int spare = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(spare) + 1;
    ::setrlimit(RLIMIT_NOFILE, &none);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(spare, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    while (metrics_.text().find("rollcall_accept_pauses_total{door=\"door\"} 0") !=
           std::string::npos) {
        ::usleep(1000);
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(::send(spare, get.data(), get.size(), MSG_NOSIGNAL), ssize_t(get.size()));
    std::array<char, 15> start{};
    EXPECT_EQ(::recv(spare, start.data(), start.size(), MSG_WAITALL), ssize_t(start.size()));
    EXPECT_EQ(std::string_view(start.data(), start.size()), "HTTP/1.1 200 OK");
    ::close(spare);
    stop();
}

// --- unix-domain doors ---

class FileDoor : public Door {
protected:
    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
    const std::filesystem::path path_ = directory_ / "operator.sock";
};

TEST_F(FileDoor, ServesTheUserAloneAndCleansUp) {
    const ::mode_t umask_before = ::umask(0);
    {
        const auto listener = open_file(path_);
        ASSERT_TRUE(listener);
        struct stat made {};
        ASSERT_EQ(::stat(path_.c_str(), &made), 0);
        EXPECT_EQ(made.st_mode & 0777U, 0600U);
        runtime_.start();
        WireClient client = WireClient::to_file(path_);
        client.send(get);
        EXPECT_NE(AnswerReader(client).next().body.find("peer= local\n"), std::string::npos);
        stop();
    }
    ::umask(umask_before);
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FileDoor, TakesTheWhereaboutsOfADeadServer) {
    {
        const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path_.c_str());
        ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::close(left);
    }
    ASSERT_TRUE(std::filesystem::exists(path_));
    EXPECT_TRUE(open_file(path_));
}

TEST_F(FileDoor, TakesNothingFromTheLiving) {
    const auto first = open_file(path_);
    ASSERT_TRUE(first);
    EXPECT_EQ(open_file(path_).error().reason, "address-in-use");
    EXPECT_TRUE(WireClient::to_file(path_).connected());

    const auto file = directory_ / "notes.txt";
    std::ofstream(file) << "keep me";
    EXPECT_EQ(open_file(file).error().reason, "not-a-socket");
    EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(FileDoor, RefusesAPathTheKernelCannotTake) {
    const std::size_t room = sizeof(sockaddr_un{}.sun_path) - 1;
    const std::string stem = directory_.string() + "/";
    EXPECT_TRUE(open_file(stem + std::string(room - stem.size(), 'x')));
    EXPECT_EQ(open_file(stem + std::string(room + 1 - stem.size(), 'x')).error().reason,
              "socket-path-too-long");
}

}  // namespace
}  // namespace rollcall::net
