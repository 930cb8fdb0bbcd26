// SPDX-License-Identifier: Apache-2.0
// CA certificates by name, as facades put them: made, replaced at once, and what rests on them
// then.
#include "base/limits.hpp"
#include "service/enroller.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Replacement;
using domain::Slot;
using test::a_root;
using test::OperatorDesk;
using test::run;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PutCa : public ::testing::Test {
protected:
    Result<Outcome<CaView>> put(const std::string& name, const std::string& file,
                                bool vouch = false, std::vector<std::string> if_match = {}) {
        const NewCa request{name, file, vouch, false};
        Order order = OperatorDesk::order();
        order.if_match.one_of = std::move(if_match);
        return run(desk.enroller.put_ca(order, request));
    }
    Result<Outcome<CaView>> put(const std::string& name, const test::Authority& ca,
                                bool vouch = false, std::vector<std::string> if_match = {}) {
        return put(name, ca.certificate().pem(), vouch, std::move(if_match));
    }
    Result<Outcome<CaView>> replace(const std::string& name, const test::Authority& ca,
                                    bool vouch = false) {
        return put(name, ca, vouch, {"*"});
    }
    void group_with(const std::string& id, const test::Authority& ca, Slot slot = Slot::primary,
                    bool vouch = false) {
        const auto order = OperatorDesk::order();
        const GroupSettings defaults;
        (void)run(desk.enroller.create_group(order, id, defaults));
        const auto upload = OperatorDesk::upload(ca.certificate(), Replacement::staged, vouch);
        (void)run(desk.enroller.set_group_slot(order, id, slot, upload)).value();
    }
    std::vector<CaView> all() {
        const auto trust = run(desk.trust_book.current()).value();
        const store::PageRequest page;
        return cas_page(*trust, page, desk.clock.now()).items;
    }

    OperatorDesk desk;
    const test::Authority old_root = a_root("Old Root");
    const test::Authority new_root = a_root("New Root");
};

TEST_F(PutCa, MakesARecordWhateverIsOddAboutIt) {
    const auto made = put("root", old_root).value();
    EXPECT_FALSE(made.record->ca.verified);
    EXPECT_EQ(desk.last_event().action, "ca.add");
    EXPECT_EQ(desk.last_event().object, "ca/root");
    EXPECT_TRUE(put("vouched", new_root, true).value().record->ca.verified);

    const auto leaf = old_root.leaf("device-1");
    const auto odd = put("leaf", leaf.pem()).value();
    EXPECT_FALSE(odd.findings.empty());
    EXPECT_EQ(odd.record->findings.size(), odd.findings.size());
    EXPECT_THAT(desk.last_event().detail, HasSubstr("\"findings\":["));
    // Of a file with several the first counts.
    const auto first = a_root("First").certificate();
    const auto two = put("two", first.pem() + a_root("Second").certificate().pem()).value();
    EXPECT_EQ(two.record->ca.certificate, first);
}

TEST_F(PutCa, ReplacesUnderAnIfMatchOnly) {
    const auto made = put("root", old_root).value();
    const std::string etag = made.record->ca.etag.str();
    EXPECT_EQ(put("ROOT", new_root).error().reason, "if-match-missing");
    EXPECT_EQ(put("root", new_root, false, {"other"}).error().kind, ErrorKind::stale);
    EXPECT_EQ(put("nobody", new_root, false, {"*"}).error().kind, ErrorKind::stale);
    EXPECT_THAT(all(), ::testing::SizeIs(1));
    EXPECT_EQ(all().front().ca, made.record->ca);
    const auto replaced = put("Root", new_root, false, {etag}).value();
    EXPECT_EQ(replaced.record->ca.id, made.record->ca.id);
    EXPECT_EQ(replaced.record->ca.name, "root");
    EXPECT_EQ(replaced.record->ca.created, made.record->ca.created);
    EXPECT_NE(replaced.record->ca.etag, made.record->ca.etag);
    EXPECT_EQ(replaced.record->ca.certificate, new_root.certificate());
    EXPECT_EQ(desk.last_event().action, "ca.replace");
    EXPECT_THAT(desk.last_event().detail, HasSubstr("Old Root"));
}

TEST_F(PutCa, AnotherAuthorityHasToBeVerifiedAnew) {
    (void)put("root", old_root, true).value();
    EXPECT_FALSE(replace("root", new_root).value().record->ca.verified);
    EXPECT_TRUE(replace("root", old_root, true).value().record->ca.verified);
}

TEST_F(PutCa, TheSameAuthorityStaysVerifiedAndItsCodeDies) {
    const auto order = OperatorDesk::order();
    const test::Authority renewed = a_root("Old Root", {}, "Old Root");
    (void)put("root", old_root).value();
    (void)run(desk.enroller.ask_ca_code(order, "root")).value();
    EXPECT_EQ(replace("root", old_root).value().record->ca.pending_code, "");
    EXPECT_FALSE(all().front().ca.verified);
    EXPECT_TRUE(replace("root", old_root, true).value().record->ca.verified);
    const auto verified = all().front().ca.verified;
    desk.clock.advance(std::chrono::hours{1});
    EXPECT_EQ(replace("root", renewed).value().record->ca.verified, verified);
}

/// PRODUCT section 3.13: an immediate replacement through a facade withdraws trust.
TEST_F(PutCa, WithdrawsTrustFromWhatRestedOnTheOldOne) {
    (void)put("root", old_root, true).value();
    group_with("g", old_root);
    const auto before = desk.group("g");
    const auto outcome = replace("root", new_root).value();
    EXPECT_THAT(outcome.warnings, Contains(HasSubstr("'g' refers to it")));
    const auto after = desk.group("g");
    EXPECT_EQ(after.slots, before.slots);
    EXPECT_THAT(after.withdrawn, ElementsAre(old_root.certificate().ca_key()));
    EXPECT_GT(after.trust_version, before.trust_version);
    EXPECT_NE(after.etag, before.etag);
    EXPECT_FALSE(all().front().attests);
    // Put back it is trusted again.
    (void)replace("root", old_root, true).value();
    EXPECT_THAT(desk.group("g").withdrawn, ElementsAre(new_root.certificate().ca_key()));
    EXPECT_TRUE(all().front().attests);
}

TEST_F(PutCa, WithdrawsNothingWhereTheAuthorityStaysInTheGroup) {
    const test::Authority renewed = a_root("Old Root", {}, "Old Root");
    (void)put("root", old_root, true).value();
    group_with("g", old_root);
    group_with("g", renewed, Slot::secondary);
    (void)replace("root", new_root, true).value();
    EXPECT_THAT(desk.group("g").withdrawn, IsEmpty());
    // A renewal touches no group at all.
    const auto before = desk.group("g");
    (void)replace("root", a_root("New Root", {}, "New Root"), true).value();
    EXPECT_EQ(desk.group("g"), before);
}

TEST_F(PutCa, CompletesWhatWaitedForIt) {
    group_with("g", old_root, Slot::primary, true);
    (void)put("next", new_root).value();
    group_with("g", new_root);
    ASSERT_TRUE(desk.group("g").at(Slot::primary).pending);
    const auto done = replace("next", new_root, true).value();
    EXPECT_EQ(desk.group("g").at(Slot::primary).current, done.record->ca.id);
    EXPECT_FALSE(desk.group("g").at(Slot::primary).pending);
    EXPECT_THAT(all(), ::testing::SizeIs(1)) << "the unnamed one it replaced is gone";
}

TEST_F(PutCa, RefusesWhatWouldLeaveADoubt) {
    (void)put("root", old_root, true).value();
    (void)put("next", new_root, true).value();
    EXPECT_EQ(replace("next", old_root).error().reason, "ca-exists");
    EXPECT_EQ(put("third", old_root).error().reason, "ca-exists");
    group_with("g", old_root);
    group_with("h", new_root);
    const test::Authority renewed = a_root("Old Root", {}, "Old Root");
    EXPECT_EQ(replace("next", renewed).error().reason, "ca-in-other-group");
    EXPECT_FALSE(put("bad", "no certificate"));
    EXPECT_FALSE(put("a/b", a_root("C")));
    DistrustRequest lost;
    lost.certificate = a_root("Lost").certificate().pem();
    (void)run(desk.enroller.distrust(OperatorDesk::order(), lost)).value();
    EXPECT_EQ(replace("next", a_root("Lost")).error().reason, "key-distrusted");
    EXPECT_EQ(all().size(), 2U);
}

}  // namespace
}  // namespace rollcall::service
