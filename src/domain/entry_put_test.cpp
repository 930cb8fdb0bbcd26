// SPDX-License-Identifier: Apache-2.0
#include "domain/entry_put.hpp"

#include "support/records.hpp"

#include <gtest/gtest.h>

namespace rollcall::domain {
namespace {

using namespace test;
using x509::Certificate;

const Authority old_root = a_root("Old Root");
const Authority new_root = a_root("New Root");
const Authority spare_root = a_root("Spare Root");

constexpr std::monostate nothing{};

Writing a_writing() {
    return {today,
            {CaId::trusted("new-1"), CaId::trusted("new-2")},
            ETag::trusted("new-ca"),
            ETag::trusted("new-entry"),
            "tester",
            "because"};
}

KeptCertificate info(const Certificate& certificate) {
    return {certificate.sha256_thumbprint(), certificate.sha1_thumbprint()};
}

template <class T>
std::vector<T> all_of(const SlotOutcome& outcome) {
    std::vector<T> found;
    for (const auto& write : outcome.changes.writes) {
        if (const auto* const each = std::get_if<T>(&write)) {
            found.push_back(*each);
        }
    }
    return found;
}

TEST(InfoOfACertificate, IsLookedForWhereItMayStand) {
    const Certificate a = old_root.certificate();
    const Certificate b = new_root.certificate();
    struct Case {
        std::vector<Certificate> primary;
        std::vector<Certificate> secondary;
        Slot slot;
        KeptCertificate kept;
        std::string source;  ///< "" where it only mirrors, "?" where it is refused
    };
    const KeptCertificate lower{to_lower_ascii(a.sha256_thumbprint()), ""};
    const KeptCertificate by_sha1{"", to_lower_ascii(a.sha1_thumbprint())};
    const KeptCertificate liar{a.sha256_thumbprint(), b.sha1_thumbprint()};
    const std::vector<Case> cases{
        {{a}, {b}, Slot::primary, info(a), "primary"},
        {{a}, {b}, Slot::secondary, info(b), "secondary"},
        {{a}, {b}, Slot::primary, info(b), "secondary"},  // a swap
        {{a}, {b}, Slot::secondary, info(a), "primary"},
        {{a}, {}, Slot::secondary, info(a), ""},  // the mirror
        {{a}, {}, Slot::secondary, info(b), "?"},
        {{a}, {}, Slot::primary, info(a), "primary"},
        {{}, {a}, Slot::primary, info(a), "?"},  // moved, where no two stand
        {{}, {a}, Slot::secondary, info(a), "secondary"},
        {{}, {}, Slot::primary, info(a), "?"},
        {{b, a}, {}, Slot::primary, info(a), "primary"},  // one of them waits
        {{b, a}, {}, Slot::primary, info(b), "primary"},
        {{a}, {b}, Slot::primary, lower, "primary"},
        {{a}, {b}, Slot::primary, by_sha1, "primary"},
        {{a}, {b}, Slot::primary, liar, "primary"},  // the longer thumbprint counts
        {{a}, {b}, Slot::primary, {}, "?"},
    };
    for (const auto& each : cases) {
        const auto source = source_of(each.kept, each.slot, {each.primary, each.secondary});
        const std::string told = !source ? "?" : !*source ? "" : std::string{to_string(**source)};
        EXPECT_EQ(told, each.source) << &each - cases.data();
        EXPECT_TRUE(source || source.error().reason == "unknown-info");
    }
}

class GroupPut : public ::testing::Test {
protected:
    Result<SlotOutcome> put(const SlotWish& primary, const SlotWish& secondary) {
        const TrustView trust = world.view();
        const auto& group = trust.records().groups.front();
        return put_group(trust, group, group, {primary, secondary}, a_writing());
    }
    /// After the put; the names of the CAs in both slots and what is withdrawn.
    EnrollmentGroup after(const SlotWish& primary, const SlotWish& secondary) {
        const auto outcome = put(primary, secondary);
        EXPECT_TRUE(outcome) << outcome.error().detail;
        const auto groups = all_of<PutGroup>(outcome.value());
        EXPECT_EQ(groups.size(), 1U);
        EXPECT_TRUE(all_of<PutDistrusted>(outcome.value()).empty()) << "no word for breach";
        return groups.at(0).group;
    }
    static GroupSlot holding(const std::string& id) { return {CaId::trusted(id), std::nullopt}; }

    WorldBuilder world;
};

class GroupOfOne : public GroupPut {
protected:
    GroupOfOne() {
        world.ca("old", old_root.certificate()).ca("new", new_root.certificate());
        world.group("fleet", "old");
    }
    const KeptCertificate old = info(old_root.certificate());
};

TEST_F(GroupOfOne, WrittenBackAsReadIsTheSame) {
    const auto group = after(old, old);
    EXPECT_EQ(group.at(Slot::primary), holding("old"));
    EXPECT_EQ(group.at(Slot::secondary), GroupSlot{}) << "the mirror is no second certificate";
    EXPECT_TRUE(group.withdrawn.empty());
    EXPECT_EQ(group.etag.str(), "new-entry");
}

/// What `az … update --certificate-path` sends: the new one, and the mirror of the old.
TEST_F(GroupOfOne, ANewPrimaryDoesNotMoveTheOldOneOver) {
    const auto group = after(new_root.certificate(), old);
    EXPECT_EQ(group.at(Slot::primary), holding("new"));
    EXPECT_EQ(group.at(Slot::secondary), GroupSlot{});
    EXPECT_EQ(group.withdrawn, std::vector{old_root.certificate().ca_key()});
}

TEST_F(GroupOfOne, ANewSecondaryLeavesThePrimary) {
    const auto group = after(old, new_root.certificate());
    EXPECT_EQ(group.at(Slot::primary), holding("old"));
    EXPECT_EQ(group.at(Slot::secondary), holding("new"));
    EXPECT_TRUE(group.withdrawn.empty());
}

TEST_F(GroupOfOne, TheLastOneIsNotRemoved) {
    EXPECT_EQ(put(nothing, nothing).error().reason, "no-certificate");
    EXPECT_EQ(put(nothing, old).error().reason, "no-certificate") << "the mirror is nothing";
}

TEST_F(GroupOfOne, UnknownInfoIsRefused) {
    EXPECT_EQ(put(info(spare_root.certificate()), nothing).error().reason, "unknown-info");
}

TEST_F(GroupOfOne, AnUnverifiedOneWaitsBesideTheOld) {
    const auto outcome = put(spare_root.certificate(), old);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->pending);
    const auto group = all_of<PutGroup>(*outcome).at(0).group;
    EXPECT_EQ(group.at(Slot::primary).current->str(), "old");
    EXPECT_EQ(group.at(Slot::primary).pending->str(), "new-1");
    EXPECT_TRUE(group.withdrawn.empty()) << "the old one attests until it is verified";
    EXPECT_FALSE(all_of<PutCa>(*outcome).at(0).ca.verified) << "nobody vouched";
}

TEST_F(GroupOfOne, AnIntermediateUnderAVerifiedRootReplacesAtOnce) {
    const auto group = after(new_root.intermediate("Plant").certificate(), nothing);
    EXPECT_EQ(group.at(Slot::primary), holding("new-1"));
    EXPECT_EQ(group.withdrawn, std::vector{old_root.certificate().ca_key()});
}

TEST_F(GroupOfOne, TheSameKeyRenewedWithdrawsNothing) {
    const auto renewed = a_root("Old Root", {today - 24h, today + 24h * 900}, "Old Root");
    const auto group = after(renewed.certificate(), nothing);
    EXPECT_EQ(group.at(Slot::primary), holding("new-1"));
    EXPECT_TRUE(group.withdrawn.empty());
}

TEST_F(GroupOfOne, WhatCouldNeverAttestIsTakenAsTheCloudDoes) {
    const auto leaf = new_root.leaf("dev-1");
    const auto outcome = put(old, leaf);
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->findings.empty()) << "and told";
}

TEST_F(GroupOfOne, ReferencesAreByNameAndWithoutCase) {
    world.ca("named", spare_root.certificate(), true, "Spare-2027");
    const auto group = after(CaReference{"spare-2027"}, old);
    EXPECT_EQ(group.at(Slot::primary), holding("named"));
    EXPECT_EQ(put(CaReference{"nobody"}, old).error().reason, "no-such-ca");
    EXPECT_EQ(put(CaReference{""}, old).error().reason, "no-such-ca")
        << "records without a name have none";
}

TEST_F(GroupOfOne, AReferenceToAnUnverifiedCaWaits) {
    world.ca("named", spare_root.certificate(), false, "spare");
    const auto group = after(CaReference{"spare"}, nothing);
    EXPECT_EQ(group.at(Slot::primary), (GroupSlot{CaId::trusted("old"), CaId::trusted("named")}));
    world.last_group() = group;
    EXPECT_EQ(after(CaReference{"spare"}, nothing).at(Slot::primary), group.at(Slot::primary))
        << "written again it waits on";
    EXPECT_EQ(after(info(spare_root.certificate()), nothing).at(Slot::primary),
              group.at(Slot::primary))
        << "read back as info, too";
}

TEST_F(GroupOfOne, OneCaIsForOneGroup) {
    world.group("other", "new");
    EXPECT_EQ(put(old, new_root.certificate()).error().reason, "ca-in-other-group");
    world.ca("named", spare_root.certificate(), true, "spare").group("third", "named");
    EXPECT_EQ(put(CaReference{"spare"}, nothing).error().reason, "ca-in-other-group");
}

TEST_F(GroupOfOne, ADistrustedKeyStaysOut) {
    world.distrust(new_root.certificate());
    EXPECT_EQ(put(new_root.certificate(), nothing).error().reason, "key-distrusted");
}

TEST_F(GroupOfOne, ReferencesThatDangleAreNobodysToRemove) {
    world.last_group().at(Slot::primary) = holding("deleted since");
    const auto group = after(nothing, nothing);
    EXPECT_EQ(group.at(Slot::primary), holding("deleted since"));
    EXPECT_EQ(after(nothing, new_root.certificate()).at(Slot::primary), GroupSlot{})
        << "but what is put says how both shall be";
}

class GroupOfTwo : public GroupPut {
protected:
    GroupOfTwo() {
        world.ca("old", old_root.certificate()).ca("new", new_root.certificate());
        world.group("fleet", "old");
        world.last_group().at(Slot::secondary) = holding("new");
    }
    const KeptCertificate old = info(old_root.certificate());
    const KeptCertificate fresh = info(new_root.certificate());
};

TEST_F(GroupOfTwo, InfoTheOtherWayRoundIsASwap) {
    const auto group = after(fresh, old);
    EXPECT_EQ(group.at(Slot::primary), holding("new"));
    EXPECT_EQ(group.at(Slot::secondary), holding("old"));
    EXPECT_TRUE(group.withdrawn.empty());
}

TEST_F(GroupOfTwo, WhatIsLeftOutGoesAndIsTrustedNoMore) {
    const auto outcome = put(nothing, fresh);
    ASSERT_TRUE(outcome);
    const auto group = all_of<PutGroup>(*outcome).at(0).group;
    EXPECT_EQ(group.at(Slot::primary), GroupSlot{});
    EXPECT_EQ(group.at(Slot::secondary), holding("new"));
    EXPECT_EQ(group.withdrawn, std::vector{old_root.certificate().ca_key()});
    EXPECT_EQ(all_of<DeleteCa>(*outcome).size(), 1U) << "the unnamed record goes with it";
}

TEST_F(GroupOfTwo, BothAreReplacedInOneChange) {
    world.ca("root", spare_root.certificate());
    const auto group = after(spare_root.intermediate("Plant 1").certificate(),
                             spare_root.intermediate("Plant 2").certificate());
    EXPECT_EQ(group.at(Slot::primary), holding("new-1"));
    EXPECT_EQ(group.at(Slot::secondary), holding("new-2"));
    EXPECT_EQ(group.withdrawn.size(), 2U);
}

TEST_F(GroupOfTwo, APromotedSecondaryLeavesRoomForANewOne) {
    world.ca("root", spare_root.certificate());
    const auto group = after(fresh, spare_root.certificate());
    EXPECT_EQ(group.at(Slot::primary), holding("new"));
    EXPECT_EQ(group.at(Slot::secondary), holding("root"));
    EXPECT_EQ(group.withdrawn, std::vector{old_root.certificate().ca_key()});
}

TEST_F(GroupOfTwo, TheSameOneTwiceIsAllowedWithAWarning) {
    const auto outcome = put(new_root.certificate(), fresh);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->warnings.size(), 1U);
    EXPECT_EQ(all_of<PutGroup>(*outcome).at(0).group.withdrawn,
              std::vector{old_root.certificate().ca_key()});
}

TEST(AGroupPutForTheFirstTime, NeedsACertificate) {
    WorldBuilder world;
    world.ca("root", new_root.certificate());
    const TrustView trust = world.view();
    EnrollmentGroup fresh;
    fresh.id = GroupId::trusted("fleet");
    fresh.instance = "fresh";
    fresh.trust_version = 0;
    EXPECT_EQ(put_group(trust, fresh, fresh, {}, a_writing()).error().reason, "no-certificate");
    const auto outcome =
        put_group(trust, fresh, fresh, {new_root.certificate(), nothing}, a_writing());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(all_of<PutGroup>(*outcome).at(0).group.trust_version, 1U);
    const auto expected = ExpectEtag{RecordKind::group, "fleet", ETag{}};
    EXPECT_EQ(std::count(outcome->changes.expects.begin(), outcome->changes.expects.end(),
                         Expectation{expected}),
              1);
}

class IndividualPut : public ::testing::Test {
protected:
    IndividualPut() {
        enrollment.id = RegistrationId::trusted("dev-1");
        enrollment.etag = ETag::trusted("old-entry");
        enrollment.slots = {first, second};
    }
    Result<SlotOutcome> put(const SlotWish& primary, const SlotWish& secondary) {
        const TrustView trust = world.view();
        return put_individual(trust, enrollment, enrollment, {primary, secondary}, a_writing());
    }
    IndividualEnrollment after(const SlotWish& primary, const SlotWish& secondary) {
        const auto outcome = put(primary, secondary);
        EXPECT_TRUE(outcome) << outcome.error().detail;
        return all_of<PutIndividual>(outcome.value()).at(0).enrollment;
    }

    WorldBuilder world;
    const Certificate first = self_signed("dev-1");
    const Certificate second = self_signed("dev-1", {}, "another key");
    const Certificate third = self_signed("dev-1", {}, "a third key");
    IndividualEnrollment enrollment;
};

TEST_F(IndividualPut, KeepsSwapsReplacesAndRemoves) {
    const auto same = after(info(first), info(second));
    EXPECT_EQ(same.slots, enrollment.slots);
    EXPECT_TRUE(same.withdrawn.empty());
    const auto swapped = after(info(second), info(first));
    EXPECT_EQ(swapped.at(Slot::primary), second);
    EXPECT_EQ(swapped.at(Slot::secondary), first);
    EXPECT_TRUE(swapped.withdrawn.empty());
    const auto replaced = after(third, info(second));
    EXPECT_EQ(replaced.at(Slot::primary), third);
    EXPECT_EQ(replaced.withdrawn, std::vector{first.sha256()});
    const auto removed = after(nothing, info(second));
    EXPECT_FALSE(removed.at(Slot::primary));
    EXPECT_EQ(removed.withdrawn, std::vector{first.sha256()});
    EXPECT_EQ(put(nothing, nothing).error().reason, "no-certificate");
}

TEST_F(IndividualPut, TheMirrorOfAPrimaryIsNothing) {
    enrollment.slots = {first, std::nullopt};
    EXPECT_EQ(after(info(first), info(first)).slots, enrollment.slots);
    const auto replaced = after(third, info(first));
    EXPECT_EQ(replaced.at(Slot::primary), third);
    EXPECT_FALSE(replaced.at(Slot::secondary));
    EXPECT_EQ(replaced.withdrawn, std::vector{first.sha256()});
    EXPECT_EQ(put(nothing, info(first)).error().reason, "no-certificate");
}

TEST_F(IndividualPut, RefersToNoCa) {
    EXPECT_EQ(put(CaReference{"root"}, nothing).error().reason, "reference-to-ca");
}

TEST_F(IndividualPut, WithoutAnyCertificateStaysSo) {
    enrollment.slots = {};
    EXPECT_TRUE(put(nothing, nothing)) << "made so by the native API; a setting may change";
    enrollment.etag = {};
    EXPECT_EQ(put(nothing, nothing).error().reason, "no-certificate") << "but not made so here";
}

TEST(KeysPut, WithdrawWhatIsReplaced) {
    const TrustView trust{{}};
    const auto key = [](std::uint8_t fill) { return *symmetric_key_of(Bytes(32, fill)); };
    EnrollmentGroup group;
    group.id = GroupId::trusted("keys");
    group.instance = "keys-1";
    group.keys = SymmetricKeys{key(1), key(2)};
    const auto after = [&](const SymmetricKeys& keys) {
        EnrollmentGroup edited = group;
        edited.keys = keys;
        const auto outcome = put_group_keys(trust, group, edited, a_writing());
        return all_of<PutGroup>(outcome.value()).at(0).group;
    };
    EXPECT_TRUE(after({key(1), key(2)}).withdrawn.empty());
    EXPECT_TRUE(after({key(2), key(1)}).withdrawn.empty()) << "a swap";
    const auto replaced = after({key(3), key(2)});
    EXPECT_EQ(replaced.withdrawn, std::vector{key_as_ca(key(1))});
    EXPECT_EQ(replaced.keys, (SymmetricKeys{key(3), key(2)}));
    group.withdrawn = {key_as_ca(key(1))};
    group.keys = SymmetricKeys{key(3), key(2)};
    EXPECT_EQ(after({key(1), key(2)}).withdrawn, std::vector{key_as_ca(key(3))})
        << "put back is trusted again";
}

}  // namespace
}  // namespace rollcall::domain
