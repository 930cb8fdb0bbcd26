// SPDX-License-Identifier: Apache-2.0
#include "domain/key_attestation.hpp"

#include "base/limits.hpp"
#include "domain/decision.hpp"
#include "domain/hub_access.hpp"
#include "domain/key_slots.hpp"
#include "support/records.hpp"
#include "support/sas_maker.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;

const RegistrationId dev_1 = RegistrationId::trusted("dev-1");
const Authority root = a_root("Root A");

SymmetricKey device_key(std::uint8_t group) {
    return derived_device_key(a_key(group), dev_1);
}

Attestation judged(const TrustView& trust, const RegistrationRequest& request,
                   const RegistrationContext& context = {}) {
    return attest(trust, context, request, today, nullptr, limits::path_signatures_max);
}

/// "group/fleet primary", or the cause of the refusal.
std::string outcome(const Attestation& attestation) {
    if (const auto* const attested = std::get_if<Attested>(&attestation)) {
        return std::string{to_string(attested->entry.kind)} + "/" + attested->entry.id + " " +
               std::string{to_string(attested->slot)};
    }
    return std::string{to_string(std::get<Refusal>(attestation).cause)};
}

std::string explanation(const Attestation& attestation) {
    return std::get<Refusal>(attestation).explanation;
}

RegistrationContext individual_with(const SymmetricKeys& keys) {
    RegistrationContext context;
    context.individual = an_enrollment("dev-1", std::nullopt);
    context.individual->keys = keys;
    return context;
}

TEST(KeyGroup, AttestsByBothSlots) {
    WorldBuilder world;
    world.ca("a", root.certificate()).group("certified", "a").key_group("other", two_keys(8, 9));
    world.key_group("fleet", two_keys(1, 2));
    const TrustView trust = world.view();
    const auto by = [&](std::uint8_t key) {
        return outcome(
            judged(trust, a_token_request("dev-1", registration_sas(device_key(key), "dev-1"))));
    };
    EXPECT_EQ(by(1), "group/fleet primary");
    EXPECT_EQ(by(2), "group/fleet secondary");
    EXPECT_EQ(by(9), "group/other secondary");
    EXPECT_EQ(by(3), "token-wrong-key");
    // Certificates are judged as ever, by the groups that attest by them.
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {root.leaf("dev-1")}))),
              "group/certified primary");
}

TEST(KeyGroup, SaysWhatWasProved) {
    WorldBuilder world;
    world.key_group("fleet", two_keys(1, 2)).hub("hub.example");
    world.last_group().allocation = {AllocationPolicy::static_hub, {"hub.example"}};
    const TrustView trust = world.view();
    const auto request = a_token_request("Dev-1", registration_sas(device_key(2), "dev-1"));
    const auto attestation = judged(trust, request);
    const auto& attested = std::get<Attested>(attestation);
    EXPECT_EQ(attested.kind, AttestationKind::symmetric_key);
    EXPECT_EQ(attested.ca_sha256, a_key(2).id());
    EXPECT_EQ(attested.credential, device_key(2).id());
    EXPECT_EQ(attested.allocation, world.last_group().allocation);

    const DecisionInputs inputs{today};
    const auto decided = decide(attested, trust, {}, request, inputs);
    const auto& registration = std::get<Decision>(decided).registration;
    EXPECT_EQ(registration.assigned_hub, "hub.example");
    const auto& adoption = registration.last;
    EXPECT_EQ(adoption.attestation, AttestationKind::symmetric_key);
    EXPECT_EQ(adoption.ca, key_as_ca(a_key(2)));
    EXPECT_EQ(adoption.leaf_sha256, device_key(2).id());
    EXPECT_EQ(adoption.key, "symmetric key");
    EXPECT_EQ(adoption.path_keys, (std::vector{device_key(2).id(), a_key(2).id()}));
    for (const auto& expected : std::get<Decision>(decided).changes.expects) {
        EXPECT_FALSE(std::holds_alternative<ExpectLeafNotDisabled>(expected));
    }
}

TEST(KeyGroup, ExplainsEveryRefusal) {
    WorldBuilder world;
    world.key_group("fleet", two_keys(1, 2));
    const TrustView trust = world.view();
    const auto key = device_key(1);
    const auto refused = [&](const std::string& sas) {
        return judged(trust, a_token_request("dev-1", sas));
    };
    const auto cut = registration_sas(key, "dev-1").substr(0, 80);
    EXPECT_EQ(outcome(refused(cut)), "token-malformed");

    const auto late = today - limits::clock_skew - std::chrono::seconds{1};
    EXPECT_EQ(outcome(refused(registration_sas(key, "dev-1", late))), "token-expired");
    EXPECT_EQ(outcome(refused(registration_sas(key, "dev-1", today - limits::clock_skew))),
              "group/fleet primary");

    const auto other = sas_of(key, percent_encoded("0neELSE/registrations/dev-1"), today);
    EXPECT_EQ(outcome(refused(other)), "token-resource");
    EXPECT_EQ(explanation(refused(other)),
              "the token is not for '0neTEST/registrations/dev-1' with skn=registration, but for "
              "'0neELSE/registrations/dev-1' with skn=registration");
    EXPECT_EQ(outcome(refused(registration_sas(key, "dev-2"))), "token-resource");

    const auto itself = refused(registration_sas(a_key(1), "dev-1"));
    EXPECT_EQ(outcome(itself), "token-wrong-key");
    EXPECT_EQ(explanation(itself), "the token was made with the key of the group 'fleet' itself");
    EXPECT_EQ(std::get<Refusal>(itself).for_device(), (Failure{401000, "Unauthorized"}));

    const TrustView nothing = WorldBuilder{}.view();
    EXPECT_EQ(
        explanation(judged(nothing, a_token_request("dev-1", registration_sas(key, "dev-1")))),
        "the device sent a token, and no enrollment group attests by symmetric key");
}

TEST(KeyGroup, ThatIsDisabledSaysSoToItsOwn) {
    WorldBuilder world;
    world.key_group("fleet", two_keys(1, 2), false);
    const TrustView trust = world.view();
    EXPECT_EQ(
        outcome(judged(trust, a_token_request("dev-1", registration_sas(device_key(1), "dev-1")))),
        "group-disabled");
    EXPECT_EQ(
        outcome(judged(trust, a_token_request("dev-1", registration_sas(device_key(3), "dev-1")))),
        "token-wrong-key");
}

TEST(KeyGroup, RefusesADistrustedKey) {
    for (const auto& lost : {a_key(1).id(), device_key(1).id()}) {
        WorldBuilder world;
        world.key_group("fleet", two_keys(1, 2)).distrust(lost);
        const TrustView trust = world.view();
        const auto by = [&](std::uint8_t key) {
            return outcome(judged(
                trust, a_token_request("dev-1", registration_sas(device_key(key), "dev-1"))));
        };
        EXPECT_EQ(by(1), "distrusted-key");
        EXPECT_EQ(by(2), "group/fleet secondary");
    }
}

TEST(KeyIndividual, DecidesAlone) {
    WorldBuilder world;
    world.ca("a", root.certificate()).group("certified", "a").key_group("fleet", two_keys(1, 2));
    const TrustView trust = world.view();
    const auto context = individual_with(two_keys(5, 6));
    const auto by = [&](const RegistrationRequest& request) {
        return outcome(judged(trust, request, context));
    };
    EXPECT_EQ(by(a_token_request("dev-1", registration_sas(a_key(5), "dev-1"))),
              "individual/dev-1 primary");
    EXPECT_EQ(by(a_token_request("dev-1", registration_sas(a_key(6), "dev-1"))),
              "individual/dev-1 secondary");
    EXPECT_EQ(by(a_token_request("dev-1", registration_sas(device_key(1), "dev-1"))),
              "token-wrong-key");
    EXPECT_EQ(by(a_request("dev-1", {root.leaf("dev-1")})), "token-missing");
    auto both = a_request("dev-1", {root.leaf("dev-1")});
    both.sas = registration_sas(a_key(5), "dev-1");
    EXPECT_EQ(by(both), "individual/dev-1 primary");
}

TEST(KeyIndividual, DisabledIsDisabledWhateverComes) {
    const TrustView trust = WorldBuilder{}.view();
    auto context = individual_with(two_keys(5, 6));
    context.individual->enabled = false;
    EXPECT_EQ(outcome(judged(trust, a_token_request("dev-1", registration_sas(a_key(5), "dev-1")),
                             context)),
              "individual-disabled");
    EXPECT_EQ(outcome(judged(trust, a_request("dev-1", {root.leaf("dev-1")}), context)),
              "individual-disabled");
}

TEST(CertificateIndividual, TakesNoToken) {
    WorldBuilder world;
    world.key_group("fleet", two_keys(1, 2));
    const TrustView trust = world.view();
    RegistrationContext context;
    const auto leaf = root.leaf("dev-1");
    context.individual = an_enrollment("dev-1", leaf);
    auto request = a_token_request("dev-1", registration_sas(device_key(1), "dev-1"));
    EXPECT_EQ(outcome(judged(trust, request, context)), "wrong-attestation");
    request.peer.certificates = {leaf};
    EXPECT_EQ(outcome(judged(trust, request, context)), "individual/dev-1 primary");
}

// --- At the hub -----------------------------------------------------------------------------

/// A device that registered through the group with the key of its primary slot.
class KeyHub : public ::testing::Test {
protected:
    void SetUp() override {
        world.key_group("fleet", two_keys(1, 2)).hub("hub.example");
        const auto attestation = attest_now(device_key(1));
        context.registration.emplace();
        context.registration->id = dev_1;
        context.registration->adoptions = 1;
        const TrustView trust = world.view();
        const auto request = a_token_request("dev-1", registration_sas(device_key(1), "dev-1"));
        const DecisionInputs inputs{today};
        const auto decided = decide(std::get<Attested>(attestation), trust, {}, request, inputs);
        context.registration = std::get<Decision>(decided).registration;
        context.device.emplace();
        context.device->id = DeviceId::trusted("dev-1");
        context.device->leaf_sha256 = device_key(1).id();
    }
    Attestation attest_now(const SymmetricKey& key) const {
        const TrustView trust = world.view();
        return judged(trust, a_token_request("dev-1", registration_sas(key, "dev-1")));
    }
    /// "primary" or "secondary" when it may, else why not.
    std::string comes(const std::string& sas) const {
        const TrustView trust = world.view();
        const x509::PeerChain nothing;
        const auto answer = may_connect(trust, context, {nothing, sas, "hub.example"}, today);
        if (const auto* const admitted = std::get_if<HubAdmission>(&answer)) {
            EXPECT_EQ(admitted->until, today + std::chrono::hours{1} + limits::clock_skew);
            return std::string{to_string(admitted->basis.slot)};
        }
        return std::string{to_string(std::get<HubRefusal>(answer))};
    }
    /// Replaces the primary slot's key.
    void regenerate(Removal removal) {
        const TrustView trust = world.view();
        const auto done = set_group_key(trust, *trust.key_groups().front(), Slot::primary, a_key(3),
                                        removal, Writing{});
        ASSERT_TRUE(done);
        for (const auto& write : done->changes.writes) {
            if (const auto* const put = std::get_if<PutGroup>(&write)) {
                world.last_group() = put->group;
            } else if (const auto* const lost = std::get_if<PutDistrusted>(&write)) {
                world.distrust(lost->distrusted.spki);
            }
        }
    }
    bool withdrawn(std::uint8_t key) const {
        Adoption basis = context.registration->last;
        rest_on_key(basis, {Slot::primary, a_key(key).id(), device_key(key).id()});
        const TrustView trust = world.view();
        return trust_is_withdrawn(trust, std::nullopt, dev_1, basis);
    }

    WorldBuilder world;
    RegistrationContext context;
};

TEST_F(KeyHub, TakesTheKeyOfEitherSlot) {
    EXPECT_EQ(comes(device_sas(device_key(1), "dev-1")), "primary");
    EXPECT_EQ(comes(device_sas(device_key(2), "dev-1")), "secondary");
}

TEST_F(KeyHub, RefusesEverythingElse) {
    EXPECT_EQ(comes(""), "no-certificate");
    EXPECT_EQ(comes("SharedAccessSignature sr"), "token-malformed");
    EXPECT_EQ(comes(device_sas(a_key(1), "dev-1")), "token-wrong-key");
    EXPECT_EQ(comes(device_sas(device_key(1), "dev-2")), "token-resource");
    EXPECT_EQ(comes(sas_of(device_key(1), "elsewhere%2Fdevices%2Fdev-1", today)), "token-resource");
    EXPECT_EQ(comes(registration_sas(device_key(1), "dev-1")), "token-resource");
    const auto late = today - limits::clock_skew - std::chrono::seconds{1};
    EXPECT_EQ(comes(device_sas(device_key(1), "dev-1", late)), "token-expired");
}

TEST_F(KeyHub, AsksWhichHubTheDeviceIsAt) {
    const auto token = [](const std::string& hub) {
        return sas_of(device_key(1), hub + "%2Fdevices%2Fdev-1", today + std::chrono::hours{1}, "");
    };
    world.hub("ours2.example").hub("away.example", false);
    context.registration->assigned_hub = "ours2.example";
    EXPECT_EQ(comes(token("ours2.example")), "primary") << "the name it was told";
    EXPECT_EQ(comes(token("hub.example")), "primary");
    EXPECT_EQ(comes(token("away.example")), "token-resource");
    context.registration->assigned_hub = "away.example";
    EXPECT_EQ(comes(token("hub.example")), "at-another-hub");
    EXPECT_EQ(comes(token("away.example")), "at-another-hub");
}

TEST_F(KeyHub, PlainlyReplacedKeysOpenNothingAndCloseNothing) {
    regenerate(Removal::plain);
    EXPECT_EQ(comes(device_sas(device_key(1), "dev-1")), "token-wrong-key");
    EXPECT_EQ(comes(device_sas(device_key(2), "dev-1")), "secondary");
    EXPECT_EQ(comes(device_sas(device_key(3), "dev-1")), "primary");
    EXPECT_FALSE(withdrawn(1));
}

TEST_F(KeyHub, WithdrawnKeysEndWhatRestsOnThemAlone) {
    for (const auto removal : {Removal::immediate, Removal::breach}) {
        world = {};
        world.key_group("fleet", two_keys(1, 2));
        regenerate(removal);
        EXPECT_TRUE(withdrawn(1));
        EXPECT_FALSE(withdrawn(2));
        EXPECT_EQ(comes(device_sas(device_key(2), "dev-1")), "secondary");
    }
}

TEST_F(KeyHub, NeedsItsEntry) {
    world = {};
    EXPECT_EQ(comes(device_sas(device_key(1), "dev-1")), "trust-withdrawn");
}

TEST_F(KeyHub, PollsNeedTheKeyThatRegistered) {
    const auto polls = [&](const std::string& sas) {
        const TrustView trust = world.view();
        return is_who_registered(trust, context, a_token_request("dev-1", sas),
                                 context.registration->last, today);
    };
    EXPECT_TRUE(polls(registration_sas(device_key(1), "dev-1")));
    EXPECT_FALSE(polls(registration_sas(device_key(2), "dev-1")));
    EXPECT_FALSE(polls(registration_sas(device_key(1), "dev-2")));
    EXPECT_FALSE(polls(""));
}

// --- Slots ----------------------------------------------------------------------------------

std::string refused(const Result<SlotOutcome>& outcome) {
    return outcome ? "" : outcome.error().reason;
}

TEST(KeySlots, RefuseWhatMustNotBe) {
    WorldBuilder world;
    world.key_group("other", two_keys(8, 9)).key_group("fleet", two_keys(1, 2));
    const EnrollmentGroup fleet = world.last_group();
    world.group("certified", "").distrust(a_key(4).id());
    const TrustView trust = world.view();
    const auto set = [&](const SymmetricKey& key, Removal removal = Removal::plain) {
        return refused(set_group_key(trust, fleet, Slot::primary, key, removal, Writing{}));
    };
    EXPECT_EQ(set(a_key(3)), "");
    EXPECT_EQ(set(a_key(1)), "same-key");
    EXPECT_EQ(set(a_key(4)), "key-distrusted");
    EXPECT_EQ(set(a_key(9)), "key-in-other-group");
    EXPECT_EQ(refused(set_group_key(trust, world.last_group(), Slot::primary, a_key(3),
                                    Removal::plain, Writing{})),
              "attests-by-certificate");
    EXPECT_EQ(refused(set_group_slot(trust, fleet, Slot::primary, root.certificate(),
                                     Replacement::staged, true, false, Writing{})),
              "attests-by-key");
}

TEST(KeySlots, ABreachLeavesNoSlotWithTheLostKey) {
    WorldBuilder world;
    world.key_group("fleet", two_keys(1, 1));
    const TrustView trust = world.view();
    const auto& fleet = *trust.key_groups().front();
    EXPECT_EQ(
        refused(set_group_key(trust, fleet, Slot::primary, a_key(3), Removal::breach, Writing{})),
        "key-distrusted");
    const auto plain =
        set_group_key(trust, fleet, Slot::primary, a_key(3), Removal::immediate, Writing{});
    ASSERT_TRUE(plain);
    EXPECT_TRUE(std::get<PutGroup>(plain->changes.writes.front()).group.withdrawn.empty());
}

TEST(KeySlots, AnIndividualTakesThemToo) {
    const TrustView trust = WorldBuilder{}.view();
    const auto before = *individual_with(two_keys(1, 2)).individual;
    const auto done =
        set_individual_key(trust, before, Slot::secondary, a_key(3), Removal::breach, Writing{});
    ASSERT_TRUE(done);
    const auto& after = std::get<PutIndividual>(done->changes.writes.back()).enrollment;
    EXPECT_EQ(after.keys, two_keys(1, 3));
    EXPECT_EQ(after.withdrawn, std::vector{a_key(2).id()});
    EXPECT_EQ(after.trust_version, before.trust_version + 1);
    EXPECT_EQ(std::get<PutDistrusted>(done->changes.writes.front()).distrusted.spki, a_key(2).id());
    EXPECT_EQ(refused(change_individual_slots(trust, before, {{Slot::primary, root.leaf("dev-1")}},
                                              Removal::plain, false, Writing{})),
              "attests-by-key");
}

}  // namespace
}  // namespace rollcall::domain
