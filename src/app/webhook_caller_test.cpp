// SPDX-License-Identifier: Apache-2.0
// Bounds and manners of the caller itself; what webhooks do to it over TLS is told in
// tests/scenario/allocation.py.
#include "app/webhook_caller.hpp"

#include "support/run_task.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using service::WebhookAnswer;
using service::WebhookCall;
using test::run;
using test::run_together;
using Outcome = WebhookAnswer::Outcome;
using namespace std::chrono_literals;

/// Listens on loopback; gives each connection the same bytes, or none and waits.
class Plain {
public:
    explicit Plain(std::string answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 64), 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
        thread_ = std::thread{[this] { serve(); }};
    }
    ~Plain() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    std::string url;
    std::atomic<int> connections{0};

private:
    void serve() {
        std::vector<int> held;
        for (;;) {
            const int peer = ::accept(listener_, nullptr, nullptr);
            if (peer < 0) {
                break;
            }
            ++connections;
            if (answer_.empty()) {
                held.push_back(peer);
                continue;
            }
            char request[4096];
            (void)!::read(peer, request, sizeof request);
            (void)!::write(peer, answer_.data(), answer_.size());
            ::close(peer);
        }
        for (const int peer : held) {
            ::close(peer);
        }
    }

    std::string answer_;
    int listener_ = -1;
    std::thread thread_;
};

std::string http(int status, std::size_t body_bytes, const std::string& more = {}) {
    return "HTTP/1.1 " + std::to_string(status) +
           " x\r\nContent-Length: " + std::to_string(body_bytes) + "\r\nConnection: close\r\n" +
           more + "\r\n" + std::string(body_bytes, 'x');
}

WebhookSettings loopback() {
    WebhookSettings settings;
    settings.loopback_http = true;
    return settings;
}

WebhookAnswer ask(const WebhookSettings& settings, const std::string& url) {
    WebhookCaller caller{settings};
    const WebhookCall call{url, "{}"};
    auto answer = run(caller.call_webhook(call));
    EXPECT_TRUE(answer);
    return answer ? *std::move(answer) : WebhookAnswer{};
}

TEST(WebhookCaller, AnAnswerHasABound) {
    const Plain most{http(200, limits::webhook_answer_bytes_max)};
    const auto answer = ask(loopback(), most.url);
    EXPECT_EQ(answer.outcome, Outcome::answered) << answer.note;
    EXPECT_EQ(answer.body.size(), limits::webhook_answer_bytes_max);
    const Plain more{http(200, limits::webhook_answer_bytes_max + 1)};
    EXPECT_EQ(ask(loopback(), more.url).outcome, Outcome::too_large);
    EXPECT_EQ(more.connections, 1);
}

TEST(WebhookCaller, ItsHeaderHasABound) {
    const auto with_header = [](std::size_t bytes) {
        const std::string bare = http(200, 0, "X: \r\n");
        return http(200, 0, "X: " + std::string(bytes - bare.size(), 'x') + "\r\n");
    };
    const Plain most{with_header(limits::webhook_header_bytes_max)};
    const auto answer = ask(loopback(), most.url);
    EXPECT_EQ(answer.outcome, Outcome::answered) << answer.note;
    const Plain more{with_header(limits::webhook_header_bytes_max + 1)};
    EXPECT_EQ(ask(loopback(), more.url).outcome, Outcome::too_large);
}

TEST(WebhookCaller, TroubleIsTriedAgainAndARefusalIsNot) {
    const Plain troubled{http(503, 0)};
    EXPECT_EQ(ask(loopback(), troubled.url).status, 503U);
    EXPECT_EQ(troubled.connections, limits::webhook_attempts_max);
    const Plain refusing{http(404, 0)};
    EXPECT_EQ(ask(loopback(), refusing.url).status, 404U);
    EXPECT_EQ(refusing.connections, 1);
}

TEST(WebhookCaller, HttpIsForThisMachineAndOnlyWhereItIsAllowed) {
    const Plain there{http(200, 0)};
    EXPECT_EQ(ask({}, there.url).outcome, Outcome::not_allowed);
    EXPECT_EQ(there.connections, 0);
    EXPECT_EQ(ask(loopback(), "http://hook.example/").outcome, Outcome::not_allowed);
    EXPECT_EQ(ask(loopback(), "file:///etc/hostname").outcome, Outcome::not_allowed);
}

TEST(WebhookCaller, WhoIsSilentIsNotWaitedForAndTooManyAreTurnedAway) {
    const Plain silent{""};
    auto settings = loopback();
    settings.call_time_max = 300ms;
    settings.calls_max = 2;
    WebhookCaller caller{settings};
    const WebhookCall call{silent.url, "{}"};
    std::vector<Task<Result<WebhookAnswer>>> three;
    for (int n = 0; n < 3; ++n) {
        three.push_back(caller.call_webhook(call));
    }
    const auto answers = run_together(std::move(three));
    EXPECT_EQ(answers[0]->outcome, Outcome::silent);
    EXPECT_EQ(answers[1]->outcome, Outcome::silent);
    EXPECT_EQ(answers[2].error().reason, "webhook-busy");
    EXPECT_EQ(run(caller.call_webhook(call))->outcome, Outcome::silent) << "there is room again";
    caller.close();
    EXPECT_EQ(run(caller.call_webhook(call)).error().reason, "webhook-busy");
}

}  // namespace
}  // namespace rollcall::app
