// SPDX-License-Identifier: Apache-2.0
#include "domain/attestation.hpp"

#include "base/limits.hpp"
#include "support/records.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

const Authority root_a = a_root("Root A");
const Authority root_b = a_root("Root B");
const Authority factory = root_a.intermediate("Factory");
const x509::Certificate leaf = factory.leaf("dev-1");
const x509::Certificate old = a_root("Root A", {today - 24h * 900, today - 24h}).certificate();

Attestation judged(const TrustView& trust, const RegistrationRequest& request,
                   const RegistrationContext& context = {}, TimePoint now = today) {
    return attest(trust, context, request, now, nullptr, limits::path_signatures_max);
}

/// "group/fleet primary", or the cause of the refusal.
std::string outcome(const Attestation& attestation) {
    if (const auto* const attested = std::get_if<Attested>(&attestation)) {
        return std::string{to_string(attested->entry.kind)} + "/" + attested->entry.id + " " +
               std::string{to_string(attested->slot)};
    }
    return std::string{to_string(std::get<Refusal>(attestation).cause)};
}

std::string judge_leaf(WorldBuilder& world, std::vector<x509::Certificate> chain) {
    const TrustView trust = world.view();
    return outcome(judged(trust, a_request("dev-1", std::move(chain))));
}

TEST(GroupAttestation, TakesAnySpellingOfAGoodChain) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    const auto& middle = factory.certificate();
    const auto& top = root_a.certificate();
    const std::vector<std::vector<x509::Certificate>> chains{
        {leaf, middle},         {leaf, middle, top},
        {leaf, top, middle},    {leaf, middle, middle, leaf, top, root_b.certificate()},
        {root_a.leaf("dev-1")},
    };
    for (const auto& chain : chains) {
        EXPECT_EQ(judge_leaf(world, chain), "group/fleet primary") << chain.size();
    }
}

TEST(GroupAttestation, BothSlotsAttest) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("b", root_b.certificate()).group("fleet", "b", "a");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group/fleet secondary");
    EXPECT_EQ(judge_leaf(world, {root_b.leaf("dev-1")}), "group/fleet primary");
}

TEST(GroupAttestation, SaysWhyNot) {
    const auto& middle = factory.certificate();
    const Authority impostor = a_root("Root A", {}, "another key");
    const Validity over{today - 24h * 20, today - 24h};
    const Validity to_come{today + 24h, today + 24h * 20};
    struct Row {
        const char* what;
        std::vector<x509::Certificate> chain;
        std::string outcome;
        std::optional<x509::Fault> fault;
        std::string told;
    };
    const Authority old_factory = root_a.intermediate("Old factory", over);
    const Row rows[] = {
        {"gap",
         {leaf},
         "certificate-fault",
         x509::Fault::no_issuer_found,
         "CA certificate not found."},
        {"unknown root",
         {a_root("Nobody").leaf("dev-1")},
         "certificate-fault",
         std::nullopt,
         "CA certificate not found."},
        {"same name, another key",
         {impostor.leaf("dev-1")},
         "certificate-fault",
         x509::Fault::issuer_other_key,
         "CA certificate not found."},
        {"expired leaf",
         {factory.leaf("dev-1", over), middle},
         "certificate-fault",
         x509::Fault::expired,
         "Invalid certificate."},
        {"leaf to come",
         {factory.leaf("dev-1", to_come), middle},
         "certificate-fault",
         x509::Fault::not_yet_valid,
         "Invalid certificate."},
        {"expired intermediate",
         {old_factory.leaf("dev-1"), old_factory.certificate()},
         "certificate-fault",
         x509::Fault::expired,
         "Invalid certificate."},
        {"wrong usage",
         {factory.leaf("dev-1", {}, {}, {"serverAuth"}), middle},
         "certificate-fault",
         x509::Fault::wrong_purpose,
         "Invalid certificate."},
        {"another name",
         {factory.leaf("dev-2"), middle},
         "name-mismatch",
         std::nullopt,
         "Invalid certificate."},
        {"no certificate", {}, "no-certificate", std::nullopt, "Invalid certificate."},
    };
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    const TrustView trust = world.view();
    for (const auto& row : rows) {
        const auto attestation = judged(trust, a_request("dev-1", row.chain));
        EXPECT_EQ(outcome(attestation), row.outcome) << row.what;
        const auto* const refusal = std::get_if<Refusal>(&attestation);
        ASSERT_NE(refusal, nullptr) << row.what;
        EXPECT_EQ(refusal->for_device().message, row.told) << row.what;
        EXPECT_FALSE(refusal->explanation.empty()) << row.what;
        EXPECT_FALSE(refusal->fix.empty()) << row.what;
        if (row.fault) {
            EXPECT_TRUE(refusal->verdict.has(*row.fault)) << row.what << refusal->verdict.reason;
        }
    }
}

TEST(GroupAttestation, RefusesMoreCertificatesThanTheBound) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    std::vector<x509::Certificate> chain{leaf, factory.certificate()};
    chain.resize(limits::peer_certificates_max, root_b.certificate());
    EXPECT_EQ(judge_leaf(world, chain), "group/fleet primary");
    chain.push_back(root_b.certificate());
    EXPECT_EQ(judge_leaf(world, chain), "too-many-certificates");
}

TEST(GroupAttestation, UnverifiedCaIsNamed) {
    WorldBuilder world;
    world.ca("a", root_a.certificate(), false).group("fleet", "a");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "unverified-ca");
}

TEST(GroupAttestation, AnInlineIntermediateAttestsThroughAVerifiedRoot) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("f", factory.certificate(), false).group("fleet", "f");
    EXPECT_EQ(judge_leaf(world, {leaf}), "group/fleet primary");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group/fleet primary");
    EXPECT_EQ(judge_leaf(world, {root_a.leaf("dev-1")}), "no-group");
    WorldBuilder without_root;
    without_root.ca("f", factory.certificate(), false).group("fleet", "f");
    EXPECT_EQ(judge_leaf(without_root, {leaf}), "unverified-ca");
}

TEST(GroupAttestation, ThePendingCaDoesNotAttest) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("b", root_b.certificate(), false).group("fleet", "a");
    world.last_group().at(Slot::primary).pending = CaId::trusted("b");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group/fleet primary");
    EXPECT_EQ(judge_leaf(world, {root_b.leaf("dev-1")}), "unverified-ca");
}

TEST(GroupAttestation, ADanglingReferenceNeverAttests) {
    WorldBuilder world;
    world.group("fleet", "gone");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "certificate-fault");
}

TEST(GroupAttestation, TheNearestGroupDecides) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("f", factory.certificate(), false);
    world.group("everything", "a").group("factory", "f");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group/factory primary");
    EXPECT_EQ(judge_leaf(world, {root_a.leaf("dev-1")}), "group/everything primary");
}

TEST(GroupAttestation, ADisabledGroupDecidesTooAndCutsOnlyItsBranch) {
    const Authority other_factory = root_a.intermediate("Other factory");
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("f", factory.certificate(), false);
    world.group("everything", "a").group("factory", "f", "", false);
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group-disabled");
    EXPECT_EQ(judge_leaf(world, {other_factory.leaf("dev-1"), other_factory.certificate()}),
              "group/everything primary");
}

TEST(GroupAttestation, ACertificateInADisabledEntryIsRefusedEverywhere) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("f", factory.certificate(), false);
    world.group("everything", "a", "", false).group("factory", "f");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "in-disabled-entry");

    WorldBuilder enabled;
    enabled.ca("a", root_a.certificate()).group("fleet", "a");
    RegistrationContext context;
    context.leaf_in_disabled_entry = true;
    const TrustView trust = enabled.view();
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {leaf, factory.certificate()}), context)),
              "in-disabled-entry");
}

TEST(GroupAttestation, AVerifiedIntermediateOfNoGroupLeavesItToTheRootsGroup) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).ca("f", factory.certificate(), true, "factory");
    world.group("everything", "a");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "group/everything primary");
}

TEST(GroupAttestation, AnExpiredSlotLeavesItToTheOther) {
    WorldBuilder world;
    world.ca("old", old).ca("b", root_b.certificate()).group("fleet", "old", "b");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "certificate-fault");
    EXPECT_EQ(judge_leaf(world, {root_b.leaf("dev-1")}), "group/fleet secondary");
}

TEST(GroupAttestation, ARenewalWithTheSameKeyIsTheSameCa) {
    const auto renewed = a_root("Root A", {today - 24h, today + 24h * 3000}).certificate();
    WorldBuilder world;
    world.ca("new", renewed).group("fleet", "new");
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate(), root_a.certificate()}),
              "group/fleet primary");
    WorldBuilder expired;
    expired.ca("old", old).ca("new", renewed).group("fleet", "old");
    EXPECT_EQ(judge_leaf(expired, {leaf, factory.certificate()}), "slot-expired");
}

TEST(GroupAttestation, DistrustedKeysStayShutAgainstCrossCertificatesAndRenewals) {
    const auto crossed = root_a.cross_signed_by(root_b);
    const auto renewed = a_root("Root A", {today - 24h, today + 24h * 3000}).certificate();
    WorldBuilder open;
    open.ca("b", root_b.certificate()).group("fleet", "b");
    EXPECT_EQ(judge_leaf(open, {leaf, factory.certificate(), crossed}), "group/fleet primary");
    WorldBuilder shut;
    shut.ca("b", root_b.certificate()).ca("a", renewed).group("fleet", "b", "a");
    shut.distrust(root_a.certificate());
    EXPECT_EQ(judge_leaf(shut, {leaf, factory.certificate(), crossed}), "distrusted-key");
    EXPECT_EQ(judge_leaf(shut, {leaf, factory.certificate(), renewed}), "distrusted-key");
    EXPECT_EQ(judge_leaf(shut, {root_b.leaf("dev-1")}), "group/fleet primary");
}

TEST(GroupAttestation, AfterABreachTheMissingIssuerIsNamedAsDistrusted) {
    WorldBuilder world;
    world.ca("b", root_b.certificate()).group("fleet", "b").distrust(root_a.certificate());
    const TrustView trust = world.view();
    const auto attestation = judged(trust, a_request("dev-1", {leaf, factory.certificate()}));
    const auto& refusal = std::get<Refusal>(attestation);
    EXPECT_EQ(refusal.cause, RefusalCause::distrusted);
    EXPECT_NE(refusal.explanation.find("; distrusted on "), std::string::npos);
    EXPECT_EQ(refusal.for_device().code, 401002);
    // A key that was named by its hash alone cannot be found behind what was sent.
    world.records().distrusted.front().certificate.reset();
    EXPECT_EQ(judge_leaf(world, {leaf, factory.certificate()}), "certificate-fault");
}

TEST(GroupAttestation, CompletesFromIntermediatesSeenEarlierAndSaysSo) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a").seen(factory.certificate());
    const TrustView trust = world.view();
    const auto alone = judged(trust, a_request("dev-1", {leaf}));
    ASSERT_TRUE(std::holds_alternative<Attested>(alone));
    EXPECT_TRUE(std::get<Attested>(alone).completed);
    const auto whole = judged(trust, a_request("dev-1", {leaf, factory.certificate()}));
    ASSERT_TRUE(std::holds_alternative<Attested>(whole));
    EXPECT_FALSE(std::get<Attested>(whole).completed);
}

TEST(GroupAttestation, TheClockMayBeFiveMinutesOffForWhatBegins) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    const TrustView trust = world.view();
    const Validity soon{today + 5min, today + 24h};
    const Validity later{today + 5min + 1s, today + 24h};
    const Validity until_now{today - 24h, today};
    const auto with = [&](Validity validity, TimePoint now) {
        return outcome(judged(
            trust, a_request("dev-1", {factory.leaf("dev-1", validity), factory.certificate()}), {},
            now));
    };
    EXPECT_EQ(with(soon, today), "group/fleet primary");
    EXPECT_EQ(with(later, today), "certificate-fault");
    EXPECT_EQ(with(until_now, today), "group/fleet primary");
    EXPECT_EQ(with(until_now, today + 1s), "certificate-fault");
}

TEST(IndividualAttestation, DecidesAloneByExactMatch) {
    const auto first = self_signed("dev-1", {}, "first");
    const auto second = self_signed("named otherwise", {}, "second");
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    const TrustView trust = world.view();
    RegistrationContext context;
    context.individual = an_enrollment("dev-1", first, second);
    const auto with = [&](std::vector<x509::Certificate> chain) {
        return outcome(judged(trust, a_request("DEV-1", std::move(chain)), context));
    };
    EXPECT_EQ(with({first}), "individual/dev-1 primary");
    EXPECT_EQ(with({second}), "individual/dev-1 secondary");
    EXPECT_EQ(with({leaf, factory.certificate()}), "not-in-a-slot");
    context.individual->slots = {};
    EXPECT_EQ(with({first}), "empty-enrollment");
    context.individual->at(Slot::primary) = first;
    context.individual->enabled = false;
    EXPECT_EQ(with({first}), "individual-disabled");
    EXPECT_EQ(with({leaf, factory.certificate()}), "individual-disabled");
}

TEST(IndividualAttestation, JudgesValidityAndDistrust) {
    const auto expired = self_signed("dev-1", {today - 24h * 9, today - 24h});
    const auto good = self_signed("dev-1", {}, "lost key");
    WorldBuilder world;
    world.distrust(good);
    const TrustView trust = world.view();
    RegistrationContext context;
    context.individual = an_enrollment("dev-1", expired, good);
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {expired}), context)), "certificate-fault");
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {good}), context)), "distrusted-key");
    context.individual->slots = {self_signed("dev-1", {}, "new key"), std::nullopt};
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {good}), context)), "distrusted-key");
}

TEST(WithdrawnTrust, FollowsEntryCaLeafAndDistrust) {
    WorldBuilder world;
    world.ca("a", root_a.certificate()).group("fleet", "a");
    Adoption adoption;
    adoption.entry = entry_of(world.last_group());
    adoption.ca = root_a.certificate().ca_key();
    adoption.leaf_sha256 = leaf.sha256();
    adoption.leaf_spki = leaf.spki_sha256();
    adoption.path_keys = {leaf.spki_sha256(), factory.certificate().spki_sha256(),
                          root_a.certificate().spki_sha256()};
    const auto id = RegistrationId::trusted("dev-1");
    const auto withdrawn = [&](WorldBuilder& each,
                               const std::optional<IndividualEnrollment>& individual = {}) {
        return trust_is_withdrawn(each.view(), individual, id, adoption);
    };
    EXPECT_FALSE(withdrawn(world));
    WorldBuilder plainly_removed = world;
    plainly_removed.last_group().slots = {};
    EXPECT_FALSE(withdrawn(plainly_removed));
    WorldBuilder taken = world;
    taken.last_group().withdrawn.push_back(adoption.ca);
    EXPECT_TRUE(withdrawn(taken));
    WorldBuilder disabled = world;
    disabled.last_group().enabled = false;
    EXPECT_TRUE(withdrawn(disabled));
    WorldBuilder deleted = world;
    deleted.records().groups.clear();
    EXPECT_TRUE(withdrawn(deleted));
    WorldBuilder remade = deleted;
    remade.group("fleet", "a").last_group().instance = "another";
    EXPECT_TRUE(withdrawn(remade));
    WorldBuilder branch = world;
    branch.distrust(factory.certificate());
    EXPECT_TRUE(withdrawn(branch));
    auto block = an_enrollment("dev-1", std::nullopt);
    EXPECT_FALSE(withdrawn(world, block));
    block.enabled = false;
    EXPECT_TRUE(withdrawn(world, block));
}

}  // namespace
}  // namespace rollcall::domain
