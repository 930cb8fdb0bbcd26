// SPDX-License-Identifier: Apache-2.0
// What both stores promise: one suite, run against each. What they keep for a hub:
// hub_contract_test.cpp.
#include "base/limits.hpp"
#include "store/audit_chain.hpp"
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreContract : public StoreTwins {
protected:
    std::vector<std::string> ids(const RegistrationFilter& filter, PageRequest page = {}) {
        std::vector<std::string> found;
        const auto listed = run(reader_->registrations(page, filter)).value();
        for (const auto& each : listed.items) {
            found.push_back(each.id.str());
        }
        EXPECT_EQ(run(reader_->registration_count(filter)).value(), found.size());
        return found;
    }
};

INSTANTIATE_TEST_SUITE_P(Twins, StoreContract, both_stores(), store_name);

// --- Every record comes back as it was put -------------------------------------------------

TEST_P(StoreContract, ACaComesBackWhole) {
    auto ca = a_ca("root");
    put(PutCa{ca});
    EXPECT_EQ(run(reader_->ca(ca.id)).value(), ca);
    EXPECT_EQ(run(reader_->ca(ca.id)).value()->certificate.pem(), ca.certificate.pem());

    ca.verified.reset();
    ca.name = "";
    ca.etag = ETag::trusted("other");
    put(PutCa{ca});
    EXPECT_EQ(run(reader_->ca(ca.id)).value(), ca) << "put again: replaced";

    put(DeleteCa{ca.id});
    EXPECT_EQ(run(reader_->ca(ca.id)).value(), std::nullopt);
}

TEST_P(StoreContract, AGroupComesBackWhole) {
    auto group = a_group("Fleet-A");
    put(PutGroup{group});
    EXPECT_EQ(run(reader_->group(group.id)).value(), group);
    EXPECT_EQ(run(reader_->group(GroupId::trusted("fleet-a"))).value(), group) << "without case";

    group.enabled = false;
    group.slots = {};
    group.withdrawn.clear();
    put(PutGroup{group});
    EXPECT_EQ(run(reader_->group(group.id)).value(), group);

    put(DeleteGroup{GroupId::trusted("FLEET-A")});
    EXPECT_EQ(run(reader_->group(group.id)).value(), std::nullopt);
}

TEST_P(StoreContract, AnIndividualComesBackWhole) {
    auto enrollment = an_individual("Dev-1");
    put(PutIndividual{enrollment});
    const auto found = run(reader_->individual(RegistrationId::trusted("dev-1"))).value();
    EXPECT_EQ(found, enrollment);
    EXPECT_EQ(found->id.original(), "Dev-1");

    enrollment.slots[0].reset();
    enrollment.device_id.reset();
    enrollment.enabled = false;
    put(PutIndividual{enrollment});
    EXPECT_EQ(run(reader_->individual(enrollment.id)).value(), enrollment);

    put(DeleteIndividual{enrollment.id});
    EXPECT_EQ(run(reader_->individual(enrollment.id)).value(), std::nullopt);
}

TEST_P(StoreContract, ARegistrationComesBackWhole) {
    auto registration = a_registration("Dev-1");
    put(PutRegistration{registration});
    const auto found = run(reader_->registration(RegistrationId::trusted("dev-1"))).value();
    EXPECT_EQ(found, registration);
    EXPECT_EQ(found->id.original(), "Dev-1");

    registration.status = RegistrationStatus::failed;
    registration.etag = ETag::trusted("later");
    put(PutRegistration{registration});
    EXPECT_EQ(run(reader_->registration(registration.id)).value(), registration);

    put(DeleteRegistration{registration.id});
    EXPECT_EQ(run(reader_->registration(registration.id)).value(), std::nullopt);
    EXPECT_THAT(run(reader_->adoptions(registration.id)).value(), IsEmpty());
}

TEST_P(StoreContract, ARegistrationWithoutAdoptionIsKeptWithoutHistory) {
    auto registration = a_registration("dev-1");
    registration.adoptions = 0;
    registration.last = {};
    put(PutRegistration{registration});
    EXPECT_EQ(run(reader_->registration(registration.id)).value(), registration);
    EXPECT_THAT(run(reader_->adoptions(registration.id)).value(), IsEmpty());
    EXPECT_THAT(ids({.group = "g"}), IsEmpty());
    EXPECT_THAT(ids({}), ElementsAre("dev-1"));
}

TEST_P(StoreContract, ADeviceComesBackWhole) {
    auto device = a_device("Dev-1");
    put(PutDevice{device});
    EXPECT_EQ(run(reader_->device(device.id)).value(), device);
    EXPECT_EQ(run(reader_->device(DeviceId::trusted("dev-1"))).value(), std::nullopt) << "has case";

    device.blocked = true;
    device.approved = false;
    device.leaf_sha256.reset();
    put(PutDevice{device});
    EXPECT_EQ(run(reader_->device(device.id)).value(), device);

    put(DeleteDevice{device.id});
    EXPECT_EQ(run(reader_->device(device.id)).value(), std::nullopt);
}

TEST_P(StoreContract, DistrustedKeysComeBackUntilLifted) {
    const Distrusted key{digest_of("key"), "CN=old", "stolen", "token:ci", day("2026-01-01")};
    put(PutDistrusted{key});
    EXPECT_THAT(run(reader_->distrusted()).value(), ElementsAre(key));
    Distrusted whole = key;
    whole.certificate = a_certificate("old");
    put(PutDistrusted{whole});
    EXPECT_THAT(run(reader_->distrusted()).value(), ElementsAre(whole));
    put(LiftDistrusted{key.spki});
    EXPECT_THAT(run(reader_->distrusted()).value(), IsEmpty());
}

TEST_P(StoreContract, TokensAreFoundBySecretAndListedByName) {
    const auto ci = a_token("CI");
    auto backup = a_token("backup");
    backup.expires.reset();
    backup.last_used.reset();
    put(PutToken{ci}, PutToken{backup});
    EXPECT_EQ(run(reader_->token(ci.secret_sha256)).value(), ci);
    EXPECT_EQ(run(reader_->token(digest_of("guess"))).value(), std::nullopt);
    EXPECT_THAT(run(reader_->tokens()).value(), ElementsAre(backup, ci));
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::token, "ci", ci.etag}), "");
    auto used = ci;
    used.last_used = day("2026-11-30");
    put(TouchToken{"ci", *used.last_used}, TouchToken{"nobody", *used.last_used});
    EXPECT_THAT(run(reader_->tokens()).value(), ElementsAre(backup, used));
    put(DeleteToken{"ci"});
    EXPECT_THAT(run(reader_->tokens()).value(), ElementsAre(backup));
}

TEST_P(StoreContract, PoliciesAreFoundAndListedByNameWithoutCase) {
    const auto owner = a_policy("Owner");
    auto reader = a_policy("a-reader");
    reader.keys = keys_of("reader");
    reader.rights = SasRights::all();
    put(PutPolicy{owner}, PutPolicy{reader});
    EXPECT_EQ(run(reader_->policy("oWNER")).value(), owner);
    EXPECT_EQ(run(reader_->policy("own")).value(), std::nullopt);
    EXPECT_THAT(run(reader_->policies()).value(), ElementsAre(reader, owner));
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::policy, "owner", owner.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::policy, "OWNER", ETag{}}), "already-exists");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::policy, "a-reader", owner.etag}), "etag-moved");
    reader.keys = keys_of("rotated");
    put(PutPolicy{reader}, DeletePolicy{"OWNER"});
    EXPECT_THAT(run(reader_->policies()).value(), ElementsAre(reader));
}

TEST_P(StoreContract, SettingsAreTexts) {
    EXPECT_EQ(run(reader_->setting("scope")).value(), std::nullopt);
    put(PutSetting{"scope", "0ne12345678"}, PutSetting{"empty", ""});
    EXPECT_EQ(run(reader_->setting("scope")).value(), "0ne12345678");
    EXPECT_EQ(run(reader_->setting("empty")).value(), "");
    put(PutSetting{"scope", "other"});
    EXPECT_EQ(run(reader_->setting("scope")).value(), "other");
}

TEST_P(StoreContract, ForeignBytesStayBytes) {
    auto registration = a_registration("dev-1");
    registration.last.user_agent = std::string{"'); DROP TABLE devices; --\xff\0x", 30};
    put(PutRegistration{registration});
    EXPECT_EQ(run(reader_->registration(registration.id)).value(), registration);
}

// --- What a registration request needs -----------------------------------------------------

TEST_P(StoreContract, NobodyKnowsAStranger) {
    const auto id = RegistrationId::trusted("dev-1");
    const auto leaf = digest_of("leaf");
    const auto context = run(reader_->registration_context(id, leaf)).value();
    EXPECT_FALSE(context.individual || context.registration || context.device ||
                 context.leaf_in_disabled_entry);
}

TEST_P(StoreContract, ContextOfADeviceThatRegisteredBefore) {
    const auto registration = a_registration("Dev-1");
    const auto device = a_device("Dev-1");
    put(PutRegistration{registration}, PutDevice{device}, PutDevice{a_device("DEV-1")});
    const auto id = RegistrationId::trusted("DEV-1");
    const auto leaf = digest_of("leaf");
    const auto context = run(reader_->registration_context(id, leaf)).value();
    EXPECT_EQ(context.registration, registration);
    EXPECT_EQ(context.device, device) << "keeps the spelling it had";
}

TEST_P(StoreContract, ContextOfAnIndividualNamesItsDevice) {
    const auto enrollment = an_individual("dev-1");
    const auto device = a_device(enrollment.device_id->str());
    put(PutIndividual{enrollment}, PutDevice{device}, PutDevice{a_device("dev-1")});
    const auto leaf = enrollment.slots[0]->sha256();
    const auto context = run(reader_->registration_context(enrollment.id, leaf)).value();
    EXPECT_EQ(context.individual, enrollment);
    EXPECT_EQ(context.device, device);
    EXPECT_FALSE(context.leaf_in_disabled_entry);
}

TEST_P(StoreContract, ALeafInADisabledEntryIsSeenUnderOtherIds) {
    auto enrollment = an_individual("dev-1");
    enrollment.enabled = false;
    put(PutIndividual{enrollment});
    const auto other = RegistrationId::trusted("dev-2");
    for (const auto slot : both_slots) {
        const auto leaf = enrollment.at(slot)->sha256();
        EXPECT_TRUE(run(reader_->registration_context(other, leaf)).value().leaf_in_disabled_entry);
        EXPECT_EQ(refusal(ExpectLeafNotDisabled{leaf}), "trust-moved");
    }
    enrollment.enabled = true;
    put(PutIndividual{enrollment});
    const auto leaf = enrollment.slots[0]->sha256();
    EXPECT_FALSE(run(reader_->registration_context(other, leaf)).value().leaf_in_disabled_entry);
    EXPECT_EQ(refusal(ExpectLeafNotDisabled{leaf}), "");
}

TEST_P(StoreContract, TrustRecordsAreOnePicture) {
    const auto root = a_ca("root");
    const auto other = a_ca("other");
    const auto group = a_group("g");
    const auto intermediate = a_certificate("intermediate");
    const Distrusted key{digest_of("key"), "CN=old", "stolen", "ci", day("2026-01-01")};
    const auto before = run(reader_->trust_records()).value();
    Changes changes{.moves_config = true, .moves_anchors = true};
    changes.writes.push_back(PutCa{root});
    changes.writes.push_back(PutCa{other});
    changes.writes.push_back(PutGroup{group});
    changes.writes.push_back(PutDistrusted{key});
    const TimePoint seen_at = day("2026-01-01");
    changes.writes.push_back(RememberIntermediate{intermediate, seen_at});
    must_commit(changes);
    const auto records = run(reader_->trust_records()).value();
    EXPECT_THAT(records.cas, ElementsAre(other, root));
    EXPECT_THAT(records.groups, ElementsAre(group));
    EXPECT_THAT(records.distrusted, ElementsAre(key));
    EXPECT_THAT(records.seen_intermediates, ElementsAre(intermediate));
    EXPECT_EQ(records.config_version, before.config_version + 1);
    EXPECT_EQ(records.anchors_version, before.anchors_version + 1);
}

// --- Versions and expectations: both sides of each ------------------------------------------

TEST_P(StoreContract, VersionsMoveOnlyWhereChangesSaySo) {
    const auto receipt = commit({.writes = {PutSetting{"a", "b"}}}).value();
    EXPECT_EQ(commit({.writes = {PutSetting{"a", "c"}}}).value(), receipt);
    const auto config = commit({.writes = {PutSetting{"a", "d"}}, .moves_config = true}).value();
    EXPECT_EQ(config.config_version, receipt.config_version + 1);
    EXPECT_EQ(config.anchors_version, receipt.anchors_version);
    EXPECT_EQ(ledger_->config_version(), config.config_version);
    const auto anchors = commit({.writes = {PutSetting{"a", "e"}}, .moves_anchors = true}).value();
    EXPECT_EQ(anchors.config_version, config.config_version);
    EXPECT_EQ(anchors.anchors_version, receipt.anchors_version + 1);

    EXPECT_EQ(refusal(ExpectConfig{config.config_version}), "");
    EXPECT_EQ(refusal(ExpectConfig{receipt.config_version}), "config-moved");
    EXPECT_EQ(refusal(ExpectAnchors{anchors.anchors_version}), "");
    EXPECT_EQ(refusal(ExpectAnchors{receipt.anchors_version}), "trust-moved");
}

TEST_P(StoreContract, EtagsOfEveryKindAreExpected) {
    const auto ca = a_ca("root");
    const auto group = a_group("G");
    const auto individual = an_individual("Ind");
    const auto registration = a_registration("Reg");
    const auto device = a_device("Dev");
    const LinkedHub hub{.name = "Hub.Example", .etag = ETag::trusted("hub-etag")};
    put(PutCa{ca}, PutGroup{group}, PutIndividual{individual}, PutRegistration{registration},
        PutDevice{device}, PutHub{hub});
    const std::vector<ExpectEtag> present{
        {RecordKind::ca, ca.id.str(), ca.etag},
        {RecordKind::group, "G", group.etag},
        {RecordKind::group, "g", group.etag},
        {RecordKind::individual, "ind", individual.etag},
        {RecordKind::registration, "reg", registration.etag},
        {RecordKind::device, "Dev", device.etag},
        {RecordKind::hub, "hub.example", hub.etag},
    };
    for (const auto& expected : present) {
        EXPECT_EQ(refusal(expected), "") << expected.id;
        EXPECT_EQ(refusal(ExpectEtag{expected.kind, expected.id, ETag::trusted("old")}),
                  "etag-moved");
        EXPECT_EQ(refusal(ExpectEtag{expected.kind, expected.id, {}}), "already-exists");
        EXPECT_EQ(refusal(ExpectEtag{expected.kind, "none", {}}), "");
        EXPECT_EQ(refusal(ExpectEtag{expected.kind, "none", expected.etag}), "etag-moved");
    }
    EXPECT_EQ(commit({.expects = {ExpectEtag{RecordKind::device, "Dev", {}}}}).error().kind,
              ErrorKind::stale);
}

TEST_P(StoreContract, TrustOfEveryKindIsExpected) {
    const auto group = a_group("G");
    const auto individual = an_individual("dev");
    put(PutGroup{group}, PutIndividual{individual});
    EXPECT_EQ(refusal(ExpectTrust{entry_of(group), group.trust_version}), "");
    EXPECT_EQ(refusal(ExpectTrust{entry_of(group), group.trust_version + 1}), "trust-moved");
    EXPECT_EQ(refusal(ExpectTrust{entry_of(individual), individual.trust_version}), "");
    EXPECT_EQ(refusal(ExpectTrust{entry_of(individual), 1}), "trust-moved");
    EntryRef namesake = entry_of(group);
    namesake.instance = "a later one";
    EXPECT_EQ(refusal(ExpectTrust{namesake, group.trust_version}), "trust-moved");

    const EntryRef none{EntryRef::Kind::individual, "nobody", ""};
    EXPECT_EQ(refusal(ExpectTrust{none, 0}), "");
    const EntryRef made_since{EntryRef::Kind::individual, "dev", ""};
    EXPECT_EQ(refusal(ExpectTrust{made_since, 0}), "trust-moved");
    EXPECT_EQ(commit({.expects = {ExpectTrust{made_since, 0}}}).error().kind, ErrorKind::conflict);
}

TEST_P(StoreContract, ARefusedChangeWritesNothing) {
    const Changes changes{.expects = {ExpectConfig{999}},
                          .writes = {PutSetting{"a", "b"}, PutDevice{a_device("dev")}},
                          .audit = {an_event("group.create")},
                          .moves_config = true};
    EXPECT_FALSE(commit(changes));
    EXPECT_EQ(run(reader_->setting("a")).value(), std::nullopt);
    EXPECT_EQ(run(reader_->device(DeviceId::trusted("dev"))).value(), std::nullopt);
    EXPECT_THAT(run(reader_->audit({})).value().items, IsEmpty());
}

TEST_P(StoreContract, OneCertificateHasOneRecord) {
    const auto ca = a_ca("root");
    auto twin = ca;
    twin.id = CaId::trusted("ca-twin");
    put(PutCa{ca});
    const Changes changes{.writes = {PutSetting{"a", "b"}, PutCa{twin}}};
    EXPECT_EQ(commit(changes).error().reason, "ca-already-known");
    EXPECT_EQ(run(reader_->setting("a")).value(), std::nullopt) << "nothing of it was written";
    put(DeleteCa{ca.id}, PutCa{twin});
    EXPECT_EQ(run(reader_->ca(twin.id)).value(), twin);
}

// --- Many at once --------------------------------------------------------------------------

TEST_P(StoreContract, OneConflictDoesNotFailItsBatch) {
    constexpr int count = 600;
    put(PutDevice{a_device("there")});
    std::vector<Changes> all(count);
    for (int i = 0; i < count; ++i) {
        const std::string id = "dev-" + std::to_string(i);
        all[i].writes = {PutRegistration{a_registration(id)}, PutDevice{a_device(id)}};
        // Every third is refused by what it expects; one more contradicts another record.
        if (i % 3 == 0) {
            all[i].expects = {ExpectEtag{RecordKind::device, "there", {}}};
        }
    }
    const auto ca = a_ca("root");
    auto twin = ca;
    twin.id = CaId::trusted("ca-twin");
    all[1].writes.push_back(PutCa{ca});
    all[400].writes.push_back(PutCa{twin});
    std::vector<Task<Result<Receipt>>> tasks;
    for (const auto& changes : all) {
        tasks.push_back(ledger_->commit(changes));
    }
    const auto answers = run_together(std::move(tasks));
    for (int i = 0; i < count; ++i) {
        const auto id = DeviceId::trusted("dev-" + std::to_string(i));
        const bool granted = i % 3 != 0 && i != 400;
        EXPECT_EQ(answers[i].has_value(), granted) << i;
        EXPECT_EQ(run(reader_->device(id)).value().has_value(), granted) << i;
    }
    EXPECT_EQ(answers[400].error().reason, "ca-already-known");
    const auto counts = run(reader_->adoption_counts(group_entry("g"))).value();
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].devices, 399U);
}

TEST_P(StoreContract, LaterChangesOfABatchSeeEarlierOnes) {
    constexpr int count = 100;
    std::vector<Changes> all(count);
    for (auto& changes : all) {
        changes.expects = {ExpectEtag{RecordKind::device, "one", {}}};
        changes.writes = {PutDevice{a_device("one")}};
    }
    std::vector<Task<Result<Receipt>>> tasks;
    for (const auto& changes : all) {
        tasks.push_back(ledger_->commit(changes));
    }
    int granted = 0;
    for (const auto& answer : run_together(std::move(tasks))) {
        granted += answer ? 1 : 0;
    }
    EXPECT_EQ(granted, 1);
}

// --- Adoption history and counts -----------------------------------------------------------

TEST_P(StoreContract, TheLastTwentyAdoptionsAreKept) {
    auto registration = a_registration("dev");
    const auto put_number = [&](std::uint64_t number) {
        registration.adoptions = number;
        registration.last.serial = std::to_string(number);
        put(PutRegistration{registration});
    };
    for (std::uint64_t number = 1; number <= limits::adoption_history_max; ++number) {
        put_number(number);
    }
    auto history = run(reader_->adoptions(registration.id)).value();
    ASSERT_EQ(history.size(), limits::adoption_history_max);
    EXPECT_EQ(history.front(), registration.last);
    EXPECT_EQ(history.back().serial, "1");

    put_number(limits::adoption_history_max + 1);
    history = run(reader_->adoptions(registration.id)).value();
    ASSERT_EQ(history.size(), limits::adoption_history_max);
    EXPECT_EQ(history.front().serial, "21");
    EXPECT_EQ(history.back().serial, "2");
    EXPECT_EQ(run(reader_->registration(registration.id)).value(), registration);

    put_number(limits::adoption_history_max + 1);
    EXPECT_EQ(run(reader_->adoptions(registration.id)).value().size(), limits::adoption_history_max)
        << "written again, not twice";
}

TEST_P(StoreContract, CountsFollowDevicesFromOneCaToTheOther) {
    put(PutRegistration{a_registration("dev-1", "g", "old")},
        PutRegistration{a_registration("dev-2", "g", "old")},
        PutRegistration{a_registration("dev-3", "h", "old")});
    const auto counted = [&](const std::string& ca) {
        const auto counts = run(reader_->adoption_counts(group_entry("g"))).value();
        for (const auto& each : counts) {
            if (each.ca_sha256 == digest_of("ca " + ca)) {
                EXPECT_EQ(each.slot, Slot::secondary);
                return each.devices;
            }
        }
        return std::uint64_t{0};
    };
    EXPECT_EQ(counted("old"), 2U);
    put(PutRegistration{a_registration("dev-1", "g", "new")});
    EXPECT_EQ(counted("old"), 1U);
    EXPECT_EQ(counted("new"), 1U);
    put(PutRegistration{a_registration("dev-1", "g", "new")});
    EXPECT_EQ(counted("new"), 1U) << "the same again";
    put(DeleteRegistration{RegistrationId::trusted("DEV-1")});
    EXPECT_EQ(counted("new"), 0U);
    put(PutRegistration{a_registration("dev-2", "h", "old")});
    EXPECT_THAT(run(reader_->adoption_counts(group_entry("g"))).value(), IsEmpty());
    EntryRef namesake = group_entry("h");
    namesake.instance = "a later one";
    EXPECT_THAT(run(reader_->adoption_counts(namesake)).value(), IsEmpty());
}

// --- Listings ------------------------------------------------------------------------------

TEST_P(StoreContract, RegistrationsAreNarrowed) {
    auto failed = a_registration("D", "h", "b");
    failed.status = RegistrationStatus::failed;
    failed.last.leaf_spki = digest_of("other leaf key");
    put(PutRegistration{a_registration("c", "g", "a")}, PutRegistration{failed},
        PutRegistration{a_registration("a", "G", "b")},
        PutRegistration{a_registration("b", "g", "a")});
    EXPECT_THAT(ids({}), ElementsAre("a", "b", "c", "d"));
    EXPECT_THAT(ids({.group = "g"}), ElementsAre("a", "b", "c")) << "without case";
    EXPECT_THAT(ids({.group = "none"}), IsEmpty());
    EXPECT_THAT(ids({.ca_sha256 = digest_of("ca b")}), ElementsAre("a", "d"));
    EXPECT_THAT(ids({.group = "G", .ca_sha256 = digest_of("ca b")}), ElementsAre("a"));
    EXPECT_THAT(ids({.status = RegistrationStatus::failed}), ElementsAre("d"));
    EXPECT_THAT(ids({.status = RegistrationStatus::assigned}), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids({.group = "g", .status = RegistrationStatus::failed}), IsEmpty());
    const x509::CaKey authority{digest_of("ca subject b"), digest_of("ca key b")};
    EXPECT_THAT(ids({.ca = authority}), ElementsAre("a", "d"));
    EXPECT_THAT(ids({.group = "h", .ca = authority}), ElementsAre("d"));
    const x509::CaKey renamed{digest_of("another subject"), digest_of("ca key b")};
    EXPECT_THAT(ids({.ca = renamed}), IsEmpty());
    EXPECT_THAT(ids({.spki = digest_of("ca key a")}), ElementsAre("b", "c"));
    EXPECT_THAT(ids({.spki = digest_of("leaf key")}), ElementsAre("a", "b", "c"));
    EXPECT_THAT(ids({.spki = digest_of("other leaf key")}), ElementsAre("d"));
}

TEST_P(StoreContract, FiltersFollowAChangeOfPlacement) {
    auto registration = a_registration("dev", "g", "a");
    put(PutRegistration{registration});
    registration = a_registration("dev", "g", "b");
    put(PutRegistration{registration});
    EXPECT_THAT(ids({.ca_sha256 = digest_of("ca a")}), IsEmpty());
    EXPECT_THAT(ids({.ca_sha256 = digest_of("ca b")}), ElementsAre("dev"));
    registration.status = RegistrationStatus::failed;
    registration.last.leaf_spki = digest_of("next leaf key");
    put(PutRegistration{registration});
    EXPECT_THAT(ids({.status = RegistrationStatus::failed}), ElementsAre("dev"));
    EXPECT_THAT(ids({.spki = digest_of("next leaf key")}), ElementsAre("dev"));
    registration.status = RegistrationStatus::assigned;
    put(PutRegistration{registration});
    EXPECT_THAT(ids({.status = RegistrationStatus::failed}), IsEmpty());
}

TEST_P(StoreContract, DevicesAreNarrowed) {
    auto blocked = a_device("B-1");
    blocked.blocked = true;
    auto waiting = a_device("b-2");
    waiting.approved = false;
    auto registered = a_device("c");
    registered.leaf_sha256.reset();
    put(PutDevice{blocked}, PutDevice{waiting}, PutDevice{registered}, PutDevice{a_device("b-3")});
    const auto found = [&](const DeviceFilter& filter, const PageRequest& page = {}) {
        std::vector<std::string> names;
        const auto listed = run(reader_->devices(page, filter)).value();
        for (const auto& device : listed.items) {
            names.push_back(device.id.str());
        }
        return names;
    };
    EXPECT_THAT(found({}), ElementsAre("B-1", "b-2", "b-3", "c"));
    EXPECT_THAT(found({.state = DeviceState::blocked}), ElementsAre("B-1"));
    EXPECT_THAT(found({.state = DeviceState::waiting_for_approval}), ElementsAre("b-2"));
    EXPECT_THAT(found({.state = DeviceState::registered}), ElementsAre("c"));
    EXPECT_THAT(found({.state = DeviceState::provisioned}), ElementsAre("b-3"));
    EXPECT_THAT(found({.id_prefix = "b-"}), ElementsAre("b-2", "b-3"));
    EXPECT_THAT(found({.id_prefix = "b-"}, {.after = "b-2"}), ElementsAre("b-3"));
    EXPECT_THAT(found({.id_prefix = "b-"}, {.after = "A"}), ElementsAre("b-2", "b-3"));
    EXPECT_THAT(found({.state = DeviceState::provisioned, .id_prefix = "b-3"}), ElementsAre("b-3"));
    blocked.blocked = false;
    put(PutDevice{blocked});
    EXPECT_THAT(found({.state = DeviceState::blocked}), IsEmpty());
}

template <class T>
std::vector<std::size_t> page_sizes(const std::function<Page<T>(const PageRequest&)>& listing,
                                    std::size_t count) {
    std::vector<std::size_t> sizes;
    PageRequest request{{}, count};
    do {
        const auto page = listing(request);
        sizes.push_back(page.items.size());
        request.after = page.next;
    } while (!request.after.empty());
    return sizes;
}

TEST_P(StoreContract, ListingsComeInPages) {
    Changes changes;
    for (const auto* name : {"a", "B", "c", "D", "e"}) {
        changes.writes.push_back(PutCa{a_ca(name)});
        changes.writes.push_back(PutGroup{a_group(name)});
        changes.writes.push_back(PutIndividual{an_individual(name)});
        changes.writes.push_back(PutRegistration{a_registration(name)});
        changes.writes.push_back(PutDevice{a_device(name)});
        changes.audit.push_back(an_event(name));
    }
    must_commit(changes);
    const RegistrationFilter all;
    const DeviceFilter all_devices;
    for (const auto& [count, sizes] : std::vector<std::pair<std::size_t, std::vector<std::size_t>>>{
             {2, {2, 2, 1}}, {4, {4, 1}}, {5, {5}}, {6, {5}}, {0, {1, 1, 1, 1, 1}}}) {
        EXPECT_EQ(page_sizes<CaCertificate>(
                      [&](const auto& page) { return run(reader_->cas(page)).value(); }, count),
                  sizes);
        EXPECT_EQ(page_sizes<EnrollmentGroup>(
                      [&](const auto& page) { return run(reader_->groups(page)).value(); }, count),
                  sizes);
        EXPECT_EQ(
            page_sizes<IndividualEnrollment>(
                [&](const auto& page) { return run(reader_->individuals(page)).value(); }, count),
            sizes);
        EXPECT_EQ(
            page_sizes<Registration>(
                [&](const auto& page) { return run(reader_->registrations(page, all)).value(); },
                count),
            sizes);
        EXPECT_EQ(
            page_sizes<Device>(
                [&](const auto& page) { return run(reader_->devices(page, all_devices)).value(); },
                count),
            sizes);
        EXPECT_EQ(page_sizes<AuditRecord>(
                      [&](const auto& page) { return run(reader_->audit(page)).value(); }, count),
                  sizes);
    }
    EXPECT_EQ(run(reader_->audit({.after = "x"})).error().reason, "malformed-page");
}

TEST_P(StoreContract, APageHasABound) {
    Changes changes;
    for (std::size_t i = 0; i < limits::page_max + 1; ++i) {
        changes.writes.push_back(PutDevice{a_device("dev-" + std::to_string(i))});
    }
    must_commit(changes);
    const auto page = run(reader_->devices({.count = limits::page_max + 1}, {})).value();
    EXPECT_EQ(page.items.size(), limits::page_max);
    EXPECT_FALSE(page.next.empty());
}

// --- Intermediates and audit ---------------------------------------------------------------

TEST_P(StoreContract, TheOldestIntermediateGoes) {
    const auto oldest = a_certificate("oldest");
    const auto touched = a_certificate("touched");
    put(RememberIntermediate{oldest, day("2026-01-02")},
        RememberIntermediate{touched, day("2026-01-01")},
        RememberIntermediate{touched, day("2026-02-01")});
    Changes changes;
    for (std::size_t i = 2; i < limits::seen_intermediates_max; ++i) {
        changes.writes.push_back(
            RememberIntermediate{a_certificate("i-" + std::to_string(i)), day("2026-01-03")});
    }
    must_commit(changes);
    const auto holds = [&](const x509::Certificate& certificate) {
        const auto seen = run(reader_->trust_records()).value().seen_intermediates;
        EXPECT_EQ(seen.size(), limits::seen_intermediates_max);
        return std::find(seen.begin(), seen.end(), certificate) != seen.end();
    };
    EXPECT_TRUE(holds(oldest));
    put(RememberIntermediate{a_certificate("one more"), day("2026-01-03")});
    EXPECT_FALSE(holds(oldest));
    EXPECT_TRUE(holds(touched));
}

TEST_P(StoreContract, TheAuditLogIsAChain) {
    must_commit({.writes = {PutSetting{"a", "b"}}, .audit = {an_event("one"), an_event("two")}});
    must_commit({.audit = {an_event("three")}});
    const auto page = run(reader_->audit({})).value();
    ASSERT_EQ(page.items.size(), 3U);
    EXPECT_EQ(page.items[0].sequence, 1U);
    EXPECT_EQ(page.items[0].previous, Digest{});
    EXPECT_EQ(page.items[2].event, an_event("three"));
    EXPECT_EQ(page.items[2].previous, page.items[1].hash);
    EXPECT_EQ(run(reader_->audit_head()).value(), signed_head(3, page.items[2].hash, audit_key_));
    const auto check = run(verify_audit(*reader_, audit_key_)).value();
    EXPECT_EQ(check.records, 3U);
    EXPECT_EQ(check.fault, std::nullopt);
    EXPECT_TRUE(run(verify_audit(*reader_, digest_of("another key"))).value().fault);
}

TEST_P(StoreContract, AnEmptyAuditLogIsSound) {
    const auto check = run(verify_audit(*reader_, audit_key_)).value();
    EXPECT_EQ(check.records, 0U);
    EXPECT_EQ(check.fault, std::nullopt);
}

}  // namespace
}  // namespace rollcall::store
