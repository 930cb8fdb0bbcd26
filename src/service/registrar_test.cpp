// SPDX-License-Identifier: Apache-2.0
#include "service/registrar.hpp"

#include "base/limits.hpp"
#include "store/memory.hpp"
#include "support/records.hpp"
#include "support/run_task.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace test;

/// Puts itself between desk and ledger: something else is committed just before each commit.
class Meddler final : public store::Ledger {
public:
    explicit Meddler(store::Ledger& ledger) : ledger_(ledger) {}
    Task<Result<store::Receipt>> commit(const domain::Changes& changes) override {
        if (times > 0) {
            --times;
            const domain::Changes meddling = meddle();
            const auto done = co_await ledger_.commit(meddling);
            EXPECT_TRUE(done) << done.error().detail;
        }
        auto receipt = co_await ledger_.commit(changes);
        co_return receipt;
    }
    std::uint64_t config_version() const override { return ledger_.config_version(); }

    int times = 0;
    std::function<domain::Changes()> meddle;

private:
    store::Ledger& ledger_;
};

class Desk : public ::testing::Test {
protected:
    Desk() {
        domain::Changes changes;
        domain::CaCertificate ca{CaId::trusted("a"), "", root.certificate()};
        ca.verified = domain::CaVerification{};
        ca.etag = ETag::trusted("a1");
        changes.writes.emplace_back(domain::PutCa{ca});
        group.id = GroupId::trusted("fleet");
        group.instance = "fleet-1";
        group.etag = ETag::trusted("g1");
        group.at(domain::Slot::primary).current = ca.id;
        changes.writes.emplace_back(domain::PutGroup{group});
        changes.writes.emplace_back(
            domain::PutHub{{.name = "hub.example", .own = true, .etag = ETag::trusted("h1")}});
        changes.moves_config = true;
        EXPECT_TRUE(run(store.commit(changes)));
    }

    void put_group() {
        domain::Changes changes;
        group.trust_version += 1;
        changes.writes.emplace_back(domain::PutGroup{group});
        changes.moves_config = true;
        EXPECT_TRUE(run(store.commit(changes)));
    }
    Result<DeviceAnswer> come(const domain::RegistrationRequest& request) {
        return run(registrar.register_device(request));
    }
    Result<DeviceAnswer> poll(const domain::RegistrationRequest& request,
                              const OperationId& operation) {
        return run(registrar.operation_status(request, operation));
    }

    const Authority root = a_root("Root A");
    const x509::Certificate leaf = root.leaf("dev-1", {}, "first");
    const x509::Certificate newer = root.leaf("dev-1", {today, today + 24h * 9}, "second");
    const domain::RegistrationRequest with_leaf = a_request("dev-1", {leaf});
    const domain::RegistrationRequest with_newer = a_request("dev-1", {newer});

    ManualClock clock{today};
    ScriptedEntropy entropy{5};
    Metrics metrics;
    Lane lane{1};
    store::MemoryStore store{Digest{}};
    store::MemoryRefusalLog refusals;
    Meddler ledger{store};
    TrustBook trust_book{store, store};
    domain::EnrollmentGroup group;
    Admission admission{clock, metrics, {}};
    Registrar registrar{store, ledger,  trust_book, refusals, admission,
                        clock, entropy, lane,       metrics,  {ScopeId::trusted("0neTEST")}};
};

TEST_F(Desk, RegistersDurablyBeforeItAnswers) {
    const auto answer = come(with_leaf);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->registration.status, domain::RegistrationStatus::assigned);
    const auto kept = run(store.registration(with_leaf.id));
    ASSERT_TRUE(kept && *kept);
    EXPECT_EQ((*kept)->last.operation, answer->operation);
    const auto told = poll(with_leaf, answer->operation);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->registration.assigned_hub, "hub.example");
}

TEST_F(Desk, AFullDiskIsNoAnswer) {
    store.fail_commits(true);
    const auto answer = come(with_leaf);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
    store.fail_commits(false);
    EXPECT_FALSE(*run(store.registration(with_leaf.id)));
    EXPECT_TRUE(come(with_leaf));
}

TEST_F(Desk, UnknownScopesAndOperationsAreNotFound) {
    auto astray = with_leaf;
    astray.scope = ScopeId::trusted("0neELSE");
    EXPECT_EQ(come(astray).error().reason, "unknown-scope");
    EXPECT_EQ(poll(with_leaf, OperationId::trusted("5.x")).error().reason, "operation-not-found");
    EXPECT_EQ(run(registrar.lookup(with_leaf)).error().reason, "registration-not-found");
    ASSERT_TRUE(come(with_leaf));
    EXPECT_TRUE(run(registrar.lookup(with_leaf)));
}

TEST_F(Desk, ARefusalIsKeptWithItsVerdictAndWritesNothingElse) {
    const auto stranger = a_root("Nobody").leaf("dev-1");
    const auto answer = come(a_request("dev-1", {stranger}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().detail, "CA certificate not found.");
    EXPECT_FALSE(*run(store.registration(with_leaf.id)));
    const auto refusal = run(refusals.last(with_leaf.id));
    ASSERT_TRUE(refusal && *refusal);
    EXPECT_FALSE((*refusal)->known);
    EXPECT_EQ((*refusal)->told.code, 401002);
    EXPECT_NE((*refusal)->verdict_json.find("\"findings\""), std::string::npos);
    ASSERT_EQ((*refusal)->sent.size(), 1U);
    EXPECT_TRUE(run(refusals.last(RegistrationId::trusted("dev-2"))));
}

TEST_F(Desk, ADisabledGroupIsAnAnswer) {
    group.enabled = false;
    put_group();
    const auto answer = come(with_leaf);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->registration.status, domain::RegistrationStatus::disabled);
    EXPECT_FALSE(answer->operation.empty());
}

TEST_F(Desk, APollNeedsTheLeafThatRegistered) {
    const auto answer = come(with_leaf);
    ASSERT_TRUE(answer);
    EXPECT_EQ(poll(with_newer, answer->operation).error().kind, ErrorKind::attestation_failed);
    EXPECT_EQ(poll(a_request("dev-1", {}), answer->operation).error().kind,
              ErrorKind::attestation_failed);
}

TEST_F(Desk, AnOlderOperationCanStillBePolledForADay) {
    const auto first = come(with_leaf);
    clock.advance(1s);
    const auto second = come(with_newer);
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(poll(with_leaf, first->operation));
    EXPECT_TRUE(poll(with_newer, second->operation));
    clock.advance(limits::operation_life);
    EXPECT_TRUE(poll(with_newer, second->operation));
    EXPECT_EQ(poll(with_leaf, first->operation).error().reason, "operation-not-found");
}

TEST_F(Desk, WithdrawnTrustEndsThePendingOperationAsFailed) {
    const auto answer = come(with_leaf);
    ASSERT_TRUE(answer);
    group.slots = {};
    put_group();
    EXPECT_EQ(poll(with_leaf, answer->operation)->registration.status,
              domain::RegistrationStatus::assigned)
        << "a plain removal closes nothing";
    group.withdrawn = {root.certificate().ca_key()};
    put_group();
    const auto told = poll(with_leaf, answer->operation);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->registration.status, domain::RegistrationStatus::failed);
    EXPECT_EQ(told->registration.failure.code, 401002);
    EXPECT_FALSE(come(with_newer));
}

TEST_F(Desk, TrustThatMovesOnceIsJudgedAnewAndTwiceIsARace) {
    ledger.meddle = [&] {
        domain::Changes changes;
        group.trust_version += 1;
        changes.writes.emplace_back(domain::PutGroup{group});
        changes.moves_config = true;
        return changes;
    };
    ledger.times = 1;
    EXPECT_TRUE(come(with_leaf));
    clock.advance(1min);
    ledger.times = 2;
    const auto raced = come(with_newer);
    ASSERT_FALSE(raced);
    EXPECT_EQ(raced.error().reason, "registration-raced");
    EXPECT_EQ((*run(store.registration(with_leaf.id)))->last.leaf_sha256, leaf.sha256());
}

TEST_F(Desk, TheBreachThatComesBetweenVerdictAndCommitWins) {
    ledger.meddle = [&] {
        domain::Changes changes;
        group.trust_version += 1;
        group.slots = {};
        changes.writes.emplace_back(domain::PutGroup{group});
        changes.moves_config = true;
        return changes;
    };
    ledger.times = 1;
    const auto answer = come(with_leaf);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::attestation_failed);
    EXPECT_FALSE(*run(store.registration(with_leaf.id)));
}

/// What another session writes for the same id, just before ours.
domain::Changes rival(const x509::Certificate& leaf, const domain::EnrollmentGroup& group) {
    domain::Registration registration;
    registration.id = RegistrationId::trusted("dev-1");
    registration.device_id = DeviceId::trusted("dev-1");
    registration.assigned_hub = "hub.example";
    registration.status = domain::RegistrationStatus::assigned;
    registration.etag = ETag::trusted("rival");
    registration.created = registration.updated = today;
    registration.adoptions = 1;
    registration.last.operation = OperationId::trusted("5.rival");
    registration.last.at = today;
    registration.last.entry = domain::entry_of(group);
    registration.last.leaf_sha256 = leaf.sha256();
    registration.last.status = domain::RegistrationStatus::assigned;
    domain::Device device;
    device.id = registration.device_id;
    device.registration = registration.id;
    device.entry = registration.last.entry;
    device.leaf_sha256 = leaf.sha256();
    device.etag = ETag::trusted("rival");
    domain::Changes changes;
    changes.writes = {domain::PutDevice{device}, domain::PutRegistration{registration}};
    return changes;
}

TEST_F(Desk, AnotherLeafAtTheSameTimeIsARace) {
    ledger.meddle = [&] { return rival(newer, group); };
    ledger.times = 1;
    const auto raced = come(with_leaf);
    ASSERT_FALSE(raced);
    EXPECT_EQ(raced.error().reason, "registration-raced");
    EXPECT_EQ((*run(store.registration(with_leaf.id)))->last.operation.str(), "5.rival");
}

TEST_F(Desk, TheSameLeafAtTheSameTimeGetsTheSameOperation) {
    ledger.meddle = [&] {
        auto changes = rival(leaf, group);
        auto& put = std::get<domain::PutRegistration>(changes.writes.back());
        put.registration.last.ca_sha256 = root.certificate().sha256();
        return changes;
    };
    ledger.times = 1;
    const auto answer = come(with_leaf);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->operation.str(), "5.rival");
}

TEST_F(Desk, ManyAtOnceWithOneLeafAreOneRegistration) {
    std::vector<Task<Result<DeviceAnswer>>> tasks;
    for (int i = 0; i < 50; ++i) {
        tasks.push_back(registrar.register_device(with_leaf));
    }
    const auto answers = run_together(std::move(tasks));
    for (const auto& answer : answers) {
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->operation, answers.front()->operation);
    }
    EXPECT_EQ((*run(store.registration(with_leaf.id)))->adoptions, 1U);
}

TEST_F(Desk, ASourceThatIsOnlyRefusedIsThrottled) {
    const auto stranger = a_root("Nobody's").leaf("dev-9");
    auto knocking = a_request("dev-9", {stranger});
    knocking.peer_address = "192.0.2.1";
    for (int i = 0; i < 1'000; ++i) {
        const auto answer = come(knocking);
        ASSERT_FALSE(answer);
        if (answer.error().kind == ErrorKind::throttled) {
            auto good = with_leaf;
            good.peer_address = "192.0.2.2";
            EXPECT_TRUE(come(good)) << "another source is not touched";
            return;
        }
    }
    FAIL() << "a thousand refusals, and no end";
}

TEST_F(Desk, ADeviceThatProvedItselfWidensWhatItsSourceMayCost) {
    auto good = with_leaf;
    good.peer_address = "192.0.2.1";
    ASSERT_TRUE(come(good));
    auto knocking = a_request("dev-9", {a_root("Nobody's").leaf("dev-9")});
    knocking.peer_address = good.peer_address;
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(come(knocking).error().kind, ErrorKind::attestation_failed) << i;
    }
    EXPECT_TRUE(come(good));
}

TEST_F(Desk, LongSearchesOfOneSourceAreBounded) {
    const Authority issuer = root.intermediate("Issuer");
    std::vector<x509::Certificate> chain{issuer.leaf("dev-9")};
    for (int i = 0; i < 12; ++i) {  // its name, and none of them has its key
        chain.push_back(
            root.intermediate("Issuer", {}, "impostor " + std::to_string(i)).certificate());
    }
    auto wanderer = a_request("dev-9", chain);
    wanderer.peer_address = "192.0.2.1";
    EXPECT_EQ(come(wanderer).error().kind, ErrorKind::attestation_failed);
    std::vector<Admission::Search> under_way;
    for (std::size_t i = 0; i < limits::source_searches_max; ++i) {
        under_way.push_back(admission.enter_search(wanderer.peer_address).value());
    }
    EXPECT_EQ(come(wanderer).error().reason, "searches-throttled");
    auto plain = with_leaf;
    plain.peer_address = wanderer.peer_address;
    EXPECT_TRUE(come(plain)) << "whose chain is no riddle needs no search";
    under_way.clear();
    EXPECT_EQ(come(wanderer).error().kind, ErrorKind::attestation_failed);
}

TEST_F(Desk, IntermediatesOnceSeenCompleteLaterChains) {
    const Authority factory = root.intermediate("Factory");
    const auto alone = a_request("dev-2", {factory.leaf("dev-2")});
    EXPECT_FALSE(come(alone));
    ASSERT_TRUE(come(a_request("dev-3", {factory.leaf("dev-3"), factory.certificate()})));
    const auto completed = come(alone);
    ASSERT_TRUE(completed);
    EXPECT_TRUE(completed->registration.last.completed);
}

}  // namespace
}  // namespace rollcall::service
