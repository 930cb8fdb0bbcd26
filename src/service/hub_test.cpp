// SPDX-License-Identifier: Apache-2.0
// The hub's use cases on the memory store: who may speak, what trust ends, twins, messages,
// methods.
#include "service/hub.hpp"

#include "base/limits.hpp"
#include "service/registrar.hpp"
#include "service/trust_watch.hpp"
#include "store/memory.hpp"
#include "support/records.hpp"
#include "support/run_task.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A device's connection that notes what it is told, and may answer.
class Noted final : public LiveSession {
public:
    void deliver(Delivery delivery) override {
        told.push_back(delivery);
        if (on_delivery) {
            on_delivery(told.back());
        }
    }
    void end(SessionEnd why) override { ends.push_back(why); }

    std::vector<Delivery> told;
    std::vector<SessionEnd> ends;
    std::function<void(const Delivery&)> on_delivery;
};

class Kept final : public store::Sink {
public:
    Task<Result<Done>> append(std::span<const domain::Telemetry> batch) override {
        if (fails) {
            co_return Error{ErrorKind::unavailable, "full", "disk-full"};
        }
        all.insert(all.end(), batch.begin(), batch.end());
        co_return Done{};
    }
    std::vector<domain::Telemetry> all;
    bool fails = false;
};

class HubDesk : public ::testing::Test {
protected:
    HubDesk() {
        domain::Changes changes;
        domain::CaCertificate ca{CaId::trusted("a"), "", root.certificate()};
        ca.verified = domain::CaVerification{};
        ca.etag = ETag::trusted("a1");
        changes.writes.emplace_back(domain::PutCa{ca});
        group.id = GroupId::trusted("fleet");
        group.instance = "fleet-1";
        group.etag = ETag::trusted("g1");
        group.initial_twin = R"({"tags":{"site":"x"},"properties":{"desired":{"a":1}}})";
        group.at(domain::Slot::primary).current = ca.id;
        changes.writes.emplace_back(domain::PutGroup{group});
        changes.writes.emplace_back(
            domain::PutHub{{.name = "hub.example", .own = true, .etag = ETag::trusted("h1")}});
        changes.moves_config = true;
        EXPECT_TRUE(run(store.commit(changes)));
        EXPECT_TRUE(run(registrar.register_device(a_request("dev-1", {leaf}))));
    }

    HubRequest asks(const x509::Certificate& certificate, const std::string& device = "dev-1") {
        HubRequest request;
        request.device = DeviceId::trusted(device);
        request.peer.certificates.push_back(certificate);
        return request;
    }
    /// Why the hub refuses; empty: it does not.
    std::string refusal(const HubRequest& request) {
        const auto facts = run(hub.admit(request));
        return facts ? "" : facts.error().note;
    }
    std::shared_ptr<Noted> connect() {
        auto session = std::make_shared<Noted>();
        const auto request = asks(leaf);
        const auto facts = run(hub.admit(request));
        EXPECT_TRUE(facts) << facts.error().note;
        EXPECT_TRUE(run(hub.enter(*facts, session, request)));
        return session;
    }
    void commit(const std::function<void(domain::Changes&)>& change) {
        domain::Changes changes;
        change(changes);
        EXPECT_TRUE(run(watch.commit(changes)));
    }
    void put_group() {
        commit([&](domain::Changes& changes) {
            group.trust_version += 1;
            changes.writes.emplace_back(domain::PutGroup{group});
            changes.moves_config = true;
        });
    }
    void turn(bool domain::Device::*which, bool value) {
        commit([&](domain::Changes& changes) {
            domain::Device device = **run(store.device(id));
            device.*which = value;
            changes.writes.emplace_back(domain::PutDevice{device});
        });
    }

    const DeviceId id = DeviceId::trusted("dev-1");
    const Authority root = a_root("Root A");
    const x509::Certificate leaf = root.leaf("dev-1", {}, "first");
    const x509::Certificate newer = root.leaf("dev-1", {today, today + 24h * 9}, "second");

    ManualClock clock{today};
    ScriptedEntropy entropy{5};
    Metrics metrics;
    Lane lane{1};
    store::MemoryStore store{Digest{}};
    store::MemoryRefusalLog refusals;
    TrustBook trust_book{store, store};
    domain::EnrollmentGroup group;
    Admission admission{clock, metrics, {}};
    Registrar registrar{store, store,   trust_book, refusals, admission,
                        clock, entropy, lane,       metrics,  {ScopeId::trusted("0neTEST")}};
    Sessions sessions;
    TrustWatch watch{store, trust_book, sessions};
    Kept sink;
    Hub hub{store,     store, trust_book, sessions, sink,
            admission, clock, entropy,    metrics,  "hub.example"};
    const Order order{};
};

TEST_F(HubDesk, LetsInWhoRegisteredWithThatLeaf) {
    EXPECT_EQ(refusal(asks(leaf)), "");
    EXPECT_EQ(refusal(asks(newer)), "other-certificate");
    EXPECT_EQ(refusal(asks(leaf, "dev-2")), "unknown-device");
    HubRequest without = asks(leaf);
    without.peer.certificates.clear();
    EXPECT_EQ(refusal(without), "no-certificate");
    EXPECT_TRUE(run(registrar.register_device(a_request("dev-1", {newer}))));
    EXPECT_EQ(refusal(asks(newer)), "");
    EXPECT_EQ(refusal(asks(leaf)), "other-certificate");
    clock.set(newer.not_after());
    EXPECT_EQ(refusal(asks(newer)), "");
    clock.advance(1s);
    EXPECT_EQ(refusal(asks(newer)), "expired");
}

TEST_F(HubDesk, RefusesWhoIsBlockedOrWaits) {
    turn(&domain::Device::blocked, true);
    EXPECT_EQ(refusal(asks(leaf)), "blocked");
    turn(&domain::Device::blocked, false);
    turn(&domain::Device::approved, false);
    EXPECT_EQ(refusal(asks(leaf)), "waiting-for-approval");
}

TEST_F(HubDesk, APlainRemovalClosesNothingAndRefusesTheNextConnect) {
    const auto session = connect();
    const auto current = std::exchange(group.at(domain::Slot::primary).current, std::nullopt);
    put_group();
    EXPECT_THAT(session->ends, IsEmpty());
    EXPECT_EQ(refusal(asks(leaf)), "not-in-a-slot");
    group.at(domain::Slot::secondary).current = current;  // a swap: nothing has changed
    put_group();
    EXPECT_EQ(refusal(asks(leaf)), "");
    EXPECT_THAT(session->ends, IsEmpty());
}

TEST_F(HubDesk, WithdrawnTrustEndsTheSessionBeforeTheOperatorIsAnswered) {
    struct Row {
        const char* what;
        std::function<void()> withdraw;
        std::string refused;
    };
    const Row rows[] = {
        {"withdrawn CA",
         [&] {
             group.withdrawn.push_back(root.certificate().ca_key());
             put_group();
         },
         "trust-withdrawn"},
        {"disabled group",
         [&] {
             group.withdrawn.clear();
             group.enabled = false;
             put_group();
         },
         "trust-withdrawn"},
        {"distrusted key",
         [&] {
             commit([&](domain::Changes& changes) {
                 changes.writes.emplace_back(domain::PutDistrusted{
                     {root.certificate().spki_sha256(), "", "lost", "", today}});
                 changes.moves_config = changes.moves_anchors = true;
             });
         },
         "trust-withdrawn"},
        {"blocked device", [&] { turn(&domain::Device::blocked, true); }, "blocked"},
    };
    for (const auto& row : rows) {
        group.enabled = true;
        group.withdrawn.clear();
        put_group();
        commit([&](domain::Changes& changes) {
            changes.writes.emplace_back(domain::LiftDistrusted{root.certificate().spki_sha256()});
            changes.moves_config = changes.moves_anchors = true;
        });
        const auto session = connect();
        row.withdraw();
        EXPECT_EQ(session->ends.size(), 1U) << row.what;
        EXPECT_EQ(sessions.count(), 0U) << row.what;
        EXPECT_EQ(refusal(asks(leaf)), row.refused) << row.what;
        group.enabled = true;
    }
}

TEST_F(HubDesk, NothingElseEndsASession) {
    const auto session = connect();
    EXPECT_TRUE(run(registrar.register_device(a_request("dev-1", {newer}))));
    domain::EnrollmentGroup other = group;
    other.id = GroupId::trusted("other");
    other.instance = "other-1";
    other.slots = {};
    other.enabled = false;
    commit([&](domain::Changes& changes) {
        changes.writes.emplace_back(domain::PutGroup{other});
        changes.writes.emplace_back(domain::PutIndividual{an_enrollment("dev-2", {})});
        changes.moves_config = true;
    });
    clock.advance(24h * 3650);
    put_group();
    EXPECT_THAT(session->ends, IsEmpty());
    EXPECT_EQ(sessions.count(), 1U);
}

TEST_F(HubDesk, ADisabledIndividualEnrollmentOfItsIdEndsIt) {
    const auto session = connect();
    domain::IndividualEnrollment enrollment = an_enrollment("dev-1", {});
    enrollment.enabled = false;
    commit([&](domain::Changes& changes) {
        changes.writes.emplace_back(domain::PutIndividual{enrollment});
    });
    EXPECT_THAT(session->ends, ElementsAre(SessionEnd::trust_withdrawn));
}

TEST_F(HubDesk, ASecondSessionTakesOver) {
    const auto first = connect();
    const auto second = connect();
    EXPECT_THAT(first->ends, ElementsAre(SessionEnd::taken_over));
    hub.leave(id, *first);
    EXPECT_EQ(sessions.of(id), second);
    hub.leave(id, *second);
    EXPECT_EQ(sessions.of(id), nullptr);
}

TEST_F(HubDesk, TrustLostWhileItEntersIsNotMissed) {
    const auto request = asks(leaf);
    const auto facts = run(hub.admit(request));
    ASSERT_TRUE(facts);
    group.enabled = false;
    put_group();
    const auto session = std::make_shared<Noted>();
    EXPECT_FALSE(run(hub.enter(*facts, session, request)));
    EXPECT_EQ(sessions.count(), 0U);
}

TEST_F(HubDesk, TelemetryIsKeptBeforeItIsAcknowledged) {
    std::vector<domain::Telemetry> batch(2);
    batch[0].device = batch[1].device = id;
    EXPECT_TRUE(run(hub.send(batch)));
    ASSERT_EQ(sink.all.size(), 2U);
    EXPECT_EQ(sink.all[0].at, today);
    sink.fails = true;
    EXPECT_EQ(run(hub.send(batch)).error().kind, ErrorKind::unavailable);
}

TEST_F(HubDesk, ATwinBeginsAsItsEntrySaysAndKeepsThat) {
    const auto twin = run(hub.twin(id));
    ASSERT_TRUE(twin);
    EXPECT_EQ(twin->desired, R"({"a":1})");
    EXPECT_EQ(twin->tags, R"({"site":"x"})");
    group.initial_twin = "{}";
    put_group();
    EXPECT_EQ(run(hub.twin(id))->desired, R"({"a":1})");
}

TEST_F(HubDesk, TwinsChangeFromBothSides) {
    const auto session = connect();
    EXPECT_EQ(*run(hub.report(id, R"({"x":1})")), 2U);
    EXPECT_EQ(run(hub.report(id, "[]")).error().reason, "twin-not-object");
    const auto changed = run(hub.change_twin(order, "dev-1", {.desired = R"({"a":null,"b":2})"}));
    ASSERT_TRUE(changed) << changed.error().detail;
    EXPECT_EQ(changed->desired, R"({"b":2})");
    EXPECT_EQ(changed->desired_version, 2U);
    EXPECT_EQ(changed->reported, R"({"x":1})");
    ASSERT_EQ(session->told.size(), 1U);
    EXPECT_EQ(std::get<DesiredChange>(session->told[0]).patch, R"({"a":null,"b":2,"$version":2})");
    Order stale;
    stale.if_match.one_of = {"old"};
    EXPECT_EQ(run(hub.change_twin(stale, "dev-1", {.desired = "{}"})).error().kind,
              ErrorKind::stale);
    EXPECT_EQ(run(hub.change_twin(order, "dev-9", {.desired = "{}"})).error().reason,
              "device-not-found");
    ASSERT_TRUE(run(hub.change_twin(order, "dev-1", {.tags = R"({"t":1})"})));
    EXPECT_EQ(session->told.size(), 1U) << "tags are no business of the device's";
}

TEST_F(HubDesk, MessagesWaitUntilTheyAreCompletedOrExpire) {
    const auto session = connect();
    const auto first = run(hub.send_message(order, "dev-1", {.body = "one"}));
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_TRUE(run(hub.send_message(order, "dev-1", {.body = "two", .time_to_live = 60s})));
    EXPECT_EQ(session->told.size(), 2U);
    auto waiting = run(hub.waiting(id));
    ASSERT_EQ(waiting->size(), 2U);
    EXPECT_EQ(waiting->front().body, "one");
    EXPECT_TRUE(run(hub.complete(id, waiting->front().number)));
    clock.advance(60s);
    EXPECT_THAT(*run(hub.waiting(id)), IsEmpty());
}

TEST_F(HubDesk, MessagesAreBounded) {
    const std::string most(limits::device_message_bytes_max, 'x');
    EXPECT_TRUE(run(hub.send_message(order, "dev-1", {.body = most})));
    EXPECT_EQ(run(hub.send_message(order, "dev-1", {.body = most + "x"})).error().reason,
              "message-too-large");
    EXPECT_EQ(run(hub.send_message(order, "dev-1", {.time_to_live = 0s})).error().reason,
              "malformed-time-to-live");
    EXPECT_EQ(run(hub.send_message(order, "dev-1", {.time_to_live = limits::message_life_max + 1s}))
                  .error()
                  .reason,
              "malformed-time-to-live");
    for (std::size_t i = 1; i < limits::device_messages_max; ++i) {
        ASSERT_TRUE(run(hub.send_message(order, "dev-1", {.body = "x"})));
    }
    EXPECT_EQ(run(hub.send_message(order, "dev-1", {.body = "x"})).error().reason, "queue-full");
    EXPECT_EQ(*run(hub.purge_messages(order, "dev-1")), limits::device_messages_max);
    EXPECT_TRUE(run(hub.send_message(order, "dev-1", {.body = "x"})));
}

TEST_F(HubDesk, MethodsComeBackWithTheDevicesAnswer) {
    EXPECT_EQ(run(hub.call(order, "dev-1", "reboot", "", 1s)).error().reason,
              "device-not-connected");
    const auto session = connect();
    session->on_delivery = [&](const Delivery& delivery) {
        const auto& request = std::get<MethodRequest>(delivery);
        EXPECT_EQ(request.payload, R"({"in":5})");
        hub.method_answered(DeviceId::trusted("dev-2"), request.id, {200, "wrong"});
        hub.method_answered(id, request.id, {201, "\"done\""});
        hub.method_answered(id, request.id, {202, "late"});
    };
    const auto answer = run(hub.call(order, "dev-1", "reboot", R"({"in":5})", 5s));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->payload, "\"done\"");
    const auto told = run(store.audit({}))->items.back().event;
    EXPECT_EQ(told.action, "device.call");
    EXPECT_EQ(told.detail, R"({"method":"reboot"})");
    session->on_delivery = [&](const Delivery&) { hub.leave(id, *session); };
    EXPECT_EQ(run(hub.call(order, "dev-1", "reboot", "", 5s)).error().reason, "device-left");
    const auto silent = connect();
    EXPECT_EQ(run(hub.call(order, "dev-1", "reboot", "", 1s)).error().reason, "method-timeout");
    for (const auto* name : {"", "a b", "a/b", "a#"}) {
        EXPECT_EQ(run(hub.call(order, "dev-1", name, "", 1s)).error().reason, "malformed-method");
    }
}

TEST_F(HubDesk, OperatorsLeaveAuditEvents) {
    EXPECT_TRUE(run(hub.send_message(order, "dev-1", {.body = "x"})));
    EXPECT_TRUE(run(hub.change_twin(order, "dev-1", {.desired = R"({"a":2})"})));
    const auto page = run(store.audit({}));
    std::vector<std::string> actions;
    for (const auto& record : page->items) {
        actions.push_back(record.event.action);
    }
    EXPECT_THAT(actions, ElementsAre("device.send", "device.twin"));
}

}  // namespace
}  // namespace rollcall::service
