// SPDX-License-Identifier: Apache-2.0
// What webhooks are asked, what their answers mean, and the desk that asks them.
#include "service/webhook.hpp"

#include "base/limits.hpp"
#include "service/registrar.hpp"
#include "store/memory.hpp"
#include "support/records.hpp"
#include "support/run_task.hpp"
#include "support/sas_maker.hpp"

#include <functional>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace json = boost::json;

WebhookAnswer said(unsigned status, std::string body = {}) {
    WebhookAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

domain::Failure failure_of(const WebhookAnswer& answer) {
    return read_webhook_answer(answer).failure;
}

TEST(Webhook, AGoodAnswerIsRead) {
    const auto reply = read_webhook_answer(said(201, R"({"iothubhostname":"a.example",
        "initialTwin":{"tags":{"t":1},"properties":{"desired":{"d":null,"e":1,"$version":3}}},
        "payload":{"p":[1,null]},"more":1})"));
    EXPECT_EQ(reply.failure.code, 0);
    EXPECT_EQ(reply.hub, "a.example");
    EXPECT_EQ(reply.payload, R"({"p":[1,null]})");
    ASSERT_TRUE(reply.initial_twin);
    EXPECT_EQ(reply.initial_twin->tags, R"({"t":1})");
    EXPECT_EQ(reply.initial_twin->desired, R"({"e":1})");
    const auto bare = read_webhook_answer(
        said(200, R"({"iotHubHostName":"a","payload":null,"initialTwin":null})"));
    EXPECT_EQ(bare.payload, "");
    EXPECT_FALSE(bare.initial_twin);
    EXPECT_TRUE(
        read_webhook_answer(said(200, R"({"iotHubHostName":"a","initialTwin":{}})")).initial_twin);
}

TEST(Webhook, ItsStatusReachesTheDeviceInTheDocumentedWords) {
    for (const unsigned status : {100U, 199U, 300U, 302U, 400U, 404U, 500U, 599U}) {
        const auto failure = failure_of(said(status, R"({"iotHubHostName":"a"})"));
        EXPECT_EQ(failure.code, 400207);
        EXPECT_EQ(failure.message,
                  "Custom allocation failed with status code: " + std::to_string(status));
    }
}

TEST(Webhook, WhatIsNoAnswerFailsToo) {
    using Outcome = WebhookAnswer::Outcome;
    for (const auto outcome : {Outcome::silent, Outcome::unreachable, Outcome::untrusted,
                               Outcome::too_large, Outcome::not_allowed}) {
        auto answer = said(200, R"({"iotHubHostName":"a"})");
        answer.outcome = outcome;
        const auto failure = failure_of(answer);
        EXPECT_EQ(failure.code, 400207) << to_string(outcome);
        EXPECT_THAT(failure.message,
                    StartsWith(outcome == Outcome::silent
                                   ? "Custom allocation failed with status code: 504 ("
                                   : "Custom allocation failed with status code: 502 ("));
    }
}

TEST(Webhook, LiesAreNotBelieved) {
    for (const char* const lie :
         {"", "x", "[]", "null", "{", "{}", R"({"iotHubHostName":7})", R"({"iotHubHostName":null})",
          R"({"iotHubHostName":"a","payload":"x"})", R"({"iotHubHostName":"a","payload":[]})",
          R"({"iotHubHostName":"a","payload":0})", R"({"iotHubHostName":"a","initialTwin":[]})",
          R"({"iotHubHostName":"a","initialTwin":{"tags":1}})",
          R"({"iotHubHostName":"a","initialTwin":{"properties":1}})",
          R"({"iotHubHostName":"a","initialTwin":{"properties":{"desired":[]}}})",
          R"({"iotHubHostName":"a","initialTwin":{"tags":{"a b":1}}})"}) {
        EXPECT_THAT(failure_of(said(200, lie)).message, HasSubstr("502")) << lie;
    }
    const std::string deep(limits::json_depth_max + 40, '[');
    EXPECT_EQ(failure_of(said(200, deep)).code, 400207);
}

// --- The desk -------------------------------------------------------------------------------

/// Answers as it is told, and lets something happen while it thinks.
class Twin final : public AllocationHook {
public:
    Task<Result<WebhookAnswer>> call_webhook(const WebhookCall& call) override {
        calls.push_back(call);
        if (const auto happens = std::exchange(meanwhile, {})) {
            happens();
        }
        if (busy) {
            co_return Error{ErrorKind::unavailable, "busy", "webhook-busy"};
        }
        co_return answer;
    }

    std::vector<WebhookCall> calls;
    WebhookAnswer answer;
    std::function<void()> meanwhile;
    bool busy = false;
};

class Session final : public LiveSession {
public:
    void deliver(Delivery) override {}
    void end(SessionEnd why) override { ends.push_back(why); }
    std::vector<SessionEnd> ends;
};

class WebhookDesk : public ::testing::Test {
protected:
    WebhookDesk() {
        domain::Changes changes;
        domain::CaCertificate ca{CaId::trusted("a"), "", root.certificate()};
        ca.verified = domain::CaVerification{};
        ca.etag = ETag::trusted("a1");
        group.id = GroupId::trusted("fleet");
        group.instance = "fleet-1";
        group.etag = ETag::trusted("g1");
        group.at(domain::Slot::primary).current = ca.id;
        group.allocation.policy = domain::AllocationPolicy::custom;
        group.allocation.custom = {"https://hook.example/?code=KEY", "2021-10-01"};
        changes.writes.emplace_back(domain::PutCa{ca});
        changes.writes.emplace_back(
            domain::PutHub{{.name = "ours.example", .own = true, .etag = ETag::trusted("h1")}});
        changes.writes.emplace_back(
            domain::PutHub{{.name = "away.example", .etag = ETag::trusted("h2")}});
        commit(std::move(changes));
        put_group();
    }
    void commit(domain::Changes changes) {
        changes.moves_config = true;
        EXPECT_TRUE(run(store.commit(changes)));
    }
    void put_group() {
        domain::Changes changes;
        group.trust_version += 1;
        changes.writes.emplace_back(domain::PutGroup{group});
        commit(std::move(changes));
    }
    domain::Registration come() {
        auto request = a_request("Dev-1", {leaf});
        request.force = true;
        request.payload = R"({"model":1})";
        auto answer = run(registrar.register_device(request));
        EXPECT_TRUE(answer) << answer.error().detail;
        return answer ? answer->registration : domain::Registration{};
    }
    json::object asked(std::size_t call) {
        return json::parse(hook.calls.at(call).body).as_object();
    }

    const Authority root = a_root("Root A");
    const x509::Certificate leaf = root.leaf("Dev-1", {}, "first");
    ManualClock clock{today};
    ScriptedEntropy entropy{5};
    Metrics metrics;
    Lane lane{1};
    store::MemoryStore store{Digest{}};
    store::MemoryRefusalLog refusals;
    TrustBook trust_book{store, store};
    domain::EnrollmentGroup group;
    Admission admission{clock, metrics, {}};
    Sessions sessions;
    Twin hook;
    Registrar registrar{store,
                        store,
                        trust_book,
                        refusals,
                        admission,
                        clock,
                        entropy,
                        lane,
                        metrics,
                        {ScopeId::trusted("0neTEST")},
                        {&hook, &sessions}};
};

TEST_F(WebhookDesk, AsksAndObeys) {
    hook.answer = said(200, R"({"iotHubHostName":"away.example","payload":{"p":1}})");
    const auto first = come();
    EXPECT_EQ(first.assigned_hub, "away.example");
    EXPECT_EQ(first.payload, R"({"p":1})");
    ASSERT_EQ(hook.calls.size(), 1U);
    EXPECT_EQ(hook.calls[0].url, "https://hook.example/?code=KEY");
    EXPECT_THAT(hook.calls[0].body, Not(HasSubstr("KEY")));
    const auto question = asked(0);
    EXPECT_EQ(question.at("enrollmentGroup").at("enrollmentGroupId"), "fleet");
    EXPECT_EQ(question.at("deviceRuntimeContext").at("registrationId"), "Dev-1");
    EXPECT_EQ(question.at("deviceRuntimeContext").at("payload").at("model"), 1);
    EXPECT_FALSE(question.at("deviceRuntimeContext").as_object().contains("currentDeviceId"));
    EXPECT_EQ(question.at("linkedHubs").as_array().size(), 2U);
    EXPECT_EQ(come().assigned_hub, "away.example");
    EXPECT_EQ(asked(1).at("deviceRuntimeContext").at("currentIotHubHostName"), "away.example");
}

TEST_F(WebhookDesk, ADeviceWithAKeyIsAskedForAndItsKeysStayHere) {
    group.at(domain::Slot::primary).current.reset();
    group.keys = two_keys(1, 2);
    put_group();
    hook.answer = said(200, R"({"iotHubHostName":"away.example"})");
    const auto id = RegistrationId::trusted("dev-1");
    const auto key = domain::derived_device_key(group.keys->back(), id);
    const auto request = a_token_request("Dev-1", registration_sas(key, "dev-1"));
    EXPECT_EQ(run(registrar.register_device(request))->registration.assigned_hub, "away.example");
    const auto question = asked(0);
    EXPECT_EQ(json::serialize(question.at("enrollmentGroup").at("attestation")),
              R"({"type":"symmetricKey"})");
    const auto& runtime = question.at("deviceRuntimeContext").as_object();
    EXPECT_EQ(json::serialize(runtime.at("symmetricKey")), "{}");
    EXPECT_FALSE(runtime.contains("x509"));
    for (const auto& secret : {key, group.keys->front(), group.keys->back()}) {
        EXPECT_THAT(hook.calls[0].body, Not(HasSubstr(secret.base64())));
    }
    EXPECT_THAT(hook.calls[0].body, Not(HasSubstr("SharedAccessSignature")));
}

TEST_F(WebhookDesk, WhatMovesWhileItThinksIsSeenAndItIsAskedOnce) {
    hook.answer = said(200, R"({"iotHubHostName":"ours.example"})");
    hook.meanwhile = [this] { put_group(); };
    EXPECT_EQ(come().assigned_hub, "ours.example");
    EXPECT_EQ(hook.calls.size(), 1U) << "the same question has the same answer";
    hook.meanwhile = [this] {
        domain::Changes changes;
        changes.writes.emplace_back(domain::DeleteHub{"away.example"});
        commit(std::move(changes));
    };
    hook.answer = said(200, R"({"iotHubHostName":"away.example"})");
    const auto failed = come();
    EXPECT_EQ(failed.failure.code, 400207);
    EXPECT_EQ(failed.assigned_hub, "ours.example");
}

TEST_F(WebhookDesk, TrustWithdrawnWhileItThinksRefuses) {
    hook.answer = said(200, R"({"iotHubHostName":"ours.example"})");
    hook.meanwhile = [this] {
        group.enabled = false;
        put_group();
    };
    EXPECT_EQ(come().status, domain::RegistrationStatus::disabled);
    EXPECT_FALSE(run(store.registration(RegistrationId::trusted("dev-1"))).value());
}

TEST_F(WebhookDesk, ABusyCallerIsNoRefusal) {
    hook.busy = true;
    const auto request = a_request("Dev-1", {leaf});
    const auto answer = run(registrar.register_device(request));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    EXPECT_FALSE(run(store.registration(request.id)).value());
}

TEST_F(WebhookDesk, ADeviceThatMovesAwayLosesItsSessionHere) {
    hook.answer = said(200, R"({"iotHubHostName":"ours.example"})");
    come();
    const auto session = std::make_shared<Session>();
    SessionFacts facts;
    facts.device = DeviceId::trusted("Dev-1");
    sessions.enter(facts, session);
    come();
    EXPECT_TRUE(session->ends.empty());
    hook.answer = said(200, R"({"iotHubHostName":"away.example"})");
    come();
    EXPECT_THAT(session->ends, ElementsAre(SessionEnd::moved));
}

TEST_F(WebhookDesk, ResetBeginsTheTwinWithTheEntrysOwn) {
    group.allocation = {};
    group.reprovision = {true, false};
    group.initial_twin = R"({"tags":{"t":1},"properties":{"desired":{"d":1}}})";
    put_group();
    come();
    const DeviceId device = DeviceId::trusted("Dev-1");
    domain::Changes changes;
    changes.writes.emplace_back(domain::PutTwin{
        {.device = device, .desired = R"({"x":1})", .desired_version = 5, .reported = "[]"}});
    commit(std::move(changes));
    come();
    const auto twin = run(store.twin(device)).value().value();
    EXPECT_EQ(twin.tags, R"({"t":1})");
    EXPECT_EQ(twin.desired, R"({"d":1})");
    EXPECT_EQ(twin.desired_version, 6U);
    EXPECT_EQ(twin.reported, "{}");
}

}  // namespace
}  // namespace rollcall::service
