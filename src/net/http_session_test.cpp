// SPDX-License-Identifier: Apache-2.0
#include "net/http_session.hpp"

#include "support/http_server.hpp"
#include "support/wire_client.hpp"

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::Answer;
using test::AnswerReader;
using test::WireClient;

/// A plain door; sessions are the same over TLS.
class Session : public ::testing::Test {
protected:
    void start() {
        port_ = server_.open_plain().address().port;
        server_.start();
    }
    WireClient connect() const { return WireClient::to_port(port_); }

    /// Sends it whole and reads one answer.
    Answer ask(std::string_view wire) const {
        WireClient client = connect();
        client.send(wire);
        return AnswerReader(client).next();
    }

    test::HttpTestServer server_;
    std::uint16_t port_ = 0;
};

TEST_F(Session, AnswersAndKeepsTheConnection) {
    start();
    WireClient client = connect();
    AnswerReader answers(client);
    for (const auto* path : {"/1", "/2", "/3"}) {
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
        const Answer answer = answers.next();
        EXPECT_EQ(answer.status, 200U);
        EXPECT_NE(answer.body.find("GET " + std::string(path)), std::string::npos);
        EXPECT_FALSE(answer.says("Connection:"));
    }
}

TEST_F(Session, AnswersPipelinedRequestsInOrder) {
    start();
    WireClient client = connect();
    std::string wire;
    for (int i = 0; i < 50; ++i) {
        wire += "PUT /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    }
    client.send(wire);
    AnswerReader answers(client);
    for (int i = 0; i < 50; ++i) {
        EXPECT_NE(answers.next().body.find("PUT /" + std::to_string(i) + "\nbody={}"),
                  std::string::npos)
            << i;
    }
}

TEST_F(Session, ReadsRequestsThatComeInPieces) {
    start();
    WireClient client = connect();
    const std::string_view wire =
        "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    for (const char& c : wire) {
        client.send({&c, 1});
    }
    EXPECT_NE(AnswerReader(client).next().body.find("body=abc\n"), std::string::npos);
}

TEST_F(Session, EndsWhereTheClientOrTheHandlerWantsThat) {
    start();
    for (const std::string wire :
         {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
          "GET /close HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        WireClient client = connect();
        client.send(wire);
        const Answer answer = AnswerReader(client).next();
        EXPECT_EQ(answer.status, 200U) << wire;
        EXPECT_TRUE(answer.says("Connection: close")) << wire;
        EXPECT_TRUE(client.ended()) << wire;
    }
}

TEST_F(Session, KeepsAnOldClientThatAsksForIt) {
    start();
    WireClient client = connect();
    AnswerReader answers(client);
    for (int i = 0; i < 2; ++i) {
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_TRUE(answers.next().says("Connection: keep-alive"));
    }
}

TEST_F(Session, MeasuresTheBodyForHeadAndDoesNotSendIt) {
    start();
    WireClient client = connect();
    AnswerReader answers(client);
    client.send("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    const Answer head = answers.next(true);
    EXPECT_EQ(head.status, 200U);
    EXPECT_FALSE(head.says("Content-Length: 0"));
    EXPECT_NE(answers.next().body.find("GET /next"), std::string::npos);
}

TEST_F(Session, InvitesABodyThatWaitsToBe) {
    start();
    WireClient client = connect();
    AnswerReader answers(client);
    client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(answers.next().status, 100U);
    client.send("abc");
    EXPECT_NE(answers.next().body.find("body=abc\n"), std::string::npos);
}

struct Refused {
    std::string wire;
    unsigned status;
    std::string body;
};

TEST_F(Session, RefusesInTheHandlersWordsAndEnds) {
    server_.settings.header_bytes_max = 200;
    start();
    const Refused rows[] = {
        {"PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400, "malformed malformed-request\nPUT /p\ntest\n"},
        {"PUT /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
         "unsupported unsupported-transfer-coding\nPUT /p\ntest\n"},
        {"PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 65\r\n\r\n", 413,
         "too_large body-too-large\nPUT /p\ntest\n"},
        {"GET /p HTTP/1.1\r\nHost: h\r\nA: " + std::string(200, 'x'), 431,
         "too_large header-too-large\n \ntest\n"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed malformed-request\n \ntest\n"},
    };
    for (const auto& [wire, status, body] : rows) {
        WireClient client = connect();
        client.send(wire);
        const Answer answer = AnswerReader(client).next();
        EXPECT_EQ(answer.status, status) << wire;
        EXPECT_EQ(answer.body, body) << wire;
        EXPECT_TRUE(answer.says("Connection: close")) << wire;
        EXPECT_TRUE(client.ended()) << wire;
    }
    EXPECT_EQ(server_.device.calls, 0);
    EXPECT_NE(server_.metrics.text().find("rollcall_http_protocol_refusals_total 5"),
              std::string::npos);
}

TEST_F(Session, TakesTheLargestBodyAllowed) {
    start();
    const std::string body(64, 'x');
    const Answer answer = ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 64\r\n\r\n" + body);
    EXPECT_NE(answer.body.find("body=" + body + "\n"), std::string::npos);
}

TEST_F(Session, GetsItsRefusalThroughToAClientThatIsStillSending) {
    start();
    WireClient client = connect();
    client.send("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    client.send(std::string(300000, 'x'));
    EXPECT_EQ(AnswerReader(client).next().status, 413U);
}

TEST_F(Session, AnswersWithoutTheRestOfThePipelineAfterARefusal) {
    start();
    WireClient client = connect();
    client.send("GET / HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    AnswerReader answers(client);
    EXPECT_EQ(answers.next().status, 400U);
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(server_.device.calls, 0);
}

TEST_F(Session, TurnsAnExceptionIntoOneInternalError) {
    start();
    WireClient client = connect();
    client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
    const Answer answer = AnswerReader(client).next();
    EXPECT_EQ(answer.status, 500U);
    EXPECT_EQ(answer.body, "internal \nGET /throw\ntest\n");
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(ask("GET /after HTTP/1.1\r\nHost: h\r\n\r\n").status, 200U);
}

TEST_F(Session, TellsASlowRequestThatItIsLate) {
    server_.settings.request_time = std::chrono::milliseconds{50};
    start();
    for (const std::string begun :
         {"GET / HT", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na",
          "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"}) {
        WireClient client = connect();
        client.send(begun);
        AnswerReader answers(client);
        Answer answer = answers.next();
        if (answer.status == 100) {
            answer = answers.next();
        }
        EXPECT_EQ(answer.status, 408U) << begun;
        EXPECT_NE(answer.body.find("deadline request-timeout"), std::string::npos) << begun;
        EXPECT_TRUE(client.ended()) << begun;
    }
}

TEST_F(Session, EndsAConnectionThatNeverAsks) {
    server_.settings.request_time = std::chrono::milliseconds{50};
    start();
    WireClient client = connect();
    EXPECT_TRUE(client.ended());
}

TEST_F(Session, EndsAnIdleConnection) {
    server_.settings.idle_time = std::chrono::milliseconds{50};
    start();
    WireClient client = connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(AnswerReader(client).next().status, 200U);
    EXPECT_TRUE(client.ended());
}

TEST_F(Session, EndsAConnectionThatDoesNotReadItsAnswer) {
    server_.settings.answer_time = std::chrono::milliseconds{50};
    start();
    WireClient client = connect();
    client.keep_little_unread();
    AnswerReader answers(client);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_EQ(answers.next().status, 200U);  // the server has taken the connection
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    // Not reading: wait until the server has let the connection go.
    while (server_.listeners.front()->connections() > 0) {
        ::usleep(1000);
    }
    EXPECT_EQ(answers.next().status, 0U);
}

TEST_F(Session, SendsALargeAnswerWhole) {
    start();
    const Answer answer = ask("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(answer.body.size(), test::TellingHandler::large_answer_bytes);
}

TEST_F(Session, SurvivesClientsThatVanish) {
    start();
    for (const std::string begun :
         {"", "GET / HTTP/1.1\r\nHo", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na",
          "GET /large HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        WireClient client = connect();
        client.send(begun);
    }
    EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200U);
    while (server_.listeners.front()->connections() > 0) {
        ::usleep(1000);
    }
}

TEST_F(Session, CountsAnswersByClass) {
    start();
    ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    ask("GET / HTTP/1.1\r\n\r\n");
    const std::string text = server_.metrics.text();
    EXPECT_NE(text.find("rollcall_http_answers_total{class=\"2xx\"} 1"), std::string::npos);
    EXPECT_NE(text.find("rollcall_http_answers_total{class=\"4xx\"} 1"), std::string::npos);
}

// --- shutting down ---

TEST_F(Session, IsDrainedAtOnceWhenIdle) {
    start();
    WireClient client = connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(AnswerReader(client).next().status, 200U);
    server_.stop(std::chrono::hours{1});  // would hang if the idle connection were waited for
    EXPECT_TRUE(client.ended());
}

TEST_F(Session, FinishesWhatIsUnderWayBeforeItIsDrained) {
    start();
    WireClient client = connect();
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    while (server_.device.calls == 0) {
        ::usleep(1000);
    }
    std::thread stopping([this] { server_.stop(std::chrono::hours{1}); });
    while (WireClient::to_port(port_).connected()) {
        ::usleep(1000);  // until the doors are closed
    }
    server_.device.open_gate = true;
    AnswerReader answers(client);
    const Answer answer = answers.next();
    stopping.join();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.says("Connection: close"));
    EXPECT_TRUE(client.ended());
}

TEST_F(Session, IsClosedWhenTheDrainTimeIsOver) {
    start();
    WireClient client = connect();
    client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na");
    while (server_.listeners.front()->connections() == 0) {
        ::usleep(1000);
    }
    server_.stop(std::chrono::milliseconds{20});
    EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace rollcall::net
