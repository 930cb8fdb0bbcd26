// SPDX-License-Identifier: Apache-2.0
// Shared access policies, and who comes in with what their keys sign.
#include "base/limits.hpp"
#include "service/access.hpp"
#include "support/operator_desk.hpp"
#include "support/sas_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;
using domain::SasPolicy;
using domain::SasRight;
using domain::SasRights;
using domain::Slot;
using test::OperatorDesk;
using test::run;
using test::sas_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class PoliciesTest : public ::testing::Test {
protected:
    Result<SasPolicy> create(const std::string& name,
                             const SasRights& rights = {SasRight::enrollment_read}) {
        return run(desk.access.create_policy(order, name, rights));
    }
    Result<Caller> authenticate(const std::string& header, const std::string& host = "svc.example",
                                const std::string& path = "/enrollments/a") {
        const Presented presented{header, "192.0.2.7", {host, path}};
        return run(desk.access.authenticate(presented));
    }
    std::string refusal(const std::string& header, const std::string& host = "svc.example",
                        const std::string& path = "/enrollments/a") {
        const auto caller = authenticate(header, host, path);
        if (caller) {
            return "";
        }
        EXPECT_EQ(caller.error().kind, ErrorKind::unauthenticated);
        return caller.error().reason;
    }
    std::string by(const domain::SymmetricKey& key, const std::string& name = "ci",
                   const std::string& sr = "svc.example") {
        return sas_of(key, sr, desk.clock.now() + 1h, "&skn=" + name);
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
};

TEST_F(PoliciesTest, EitherKeyLetsItsBearerInWithThePolicysRights) {
    const auto policy = create("ci").value();
    EXPECT_NE(policy.keys.front(), policy.keys.back());
    const Caller expected{"policy:ci", "192.0.2.7", SasRights{SasRight::enrollment_read}};
    EXPECT_EQ(authenticate(by(policy.keys.front())).value(), expected);
    EXPECT_EQ(authenticate(by(policy.keys.back())).value(), expected);
    EXPECT_EQ(authenticate(by(policy.keys.back(), "CI")).value(), expected);
    EXPECT_EQ(desk.last_event().action, "policy.create");
    EXPECT_EQ(desk.last_event().object, "policy/ci");
    EXPECT_EQ(desk.last_event().detail, R"({"rights":["EnrollmentRead"]})");
}

TEST_F(PoliciesTest, OthersStayOut) {
    const auto policy = create("ci").value();
    const auto other = create("other").value();
    const auto& key = policy.keys.front();
    const std::string good = by(key);
    struct Case {
        const char* what;
        std::string header;
        const char* reason;
    };
    std::string cut = good;
    cut.erase(cut.find("%"), 3);
    std::string later = good;
    later[later.find("&se=") + 4] = '9';
    std::string elsewhere = good;
    elsewhere.replace(elsewhere.find("svc."), 4, "ops.");
    const std::vector<Case> cases{
        {"the scheme alone", "SharedAccessSignature", "malformed-sas"},
        {"a signature cut short", cut, "malformed-sas"},
        {"another end than was signed", later, "sas-refused"},
        {"another resource than was signed", elsewhere, "sas-refused"},
        {"another policy's key", by(other.keys.front()), "sas-refused"},
        {"an unknown policy", by(key, "nobody"), "sas-refused"},
        {"an unknown policy, and the key that stands in for its",
         by(*domain::symmetric_key_of(Bytes(limits::symmetric_key_bytes_max, 0)), "nobody"),
         "sas-refused"},
        {"no policy", sas_of(key, "svc.example", desk.clock.now() + 1h, ""), "sas-refused"},
        {"for another host", by(key, "ci", "other.example"), "sas-refused"},
        {"for another path", by(key, "ci", "svc.example%2FenrollmentGroups"), "sas-refused"},
        {"a key as a bearer token", "Bearer " + key.base64(), "token-unknown"}};
    for (const auto& each : cases) {
        EXPECT_EQ(refusal(each.header), each.reason) << each.what;
    }
    EXPECT_EQ(refusal(good), "");
    // The refusals of strangers and of those with the wrong key read alike.
    EXPECT_EQ(authenticate(by(key, "nobody")).error().detail,
              authenticate(by(other.keys.front())).error().detail);
}

TEST_F(PoliciesTest, ASignatureEndsWithTheSkewOfDevicesTokens) {
    const auto policy = create("ci").value();
    const std::string sas = sas_of(policy.keys.front(), "svc.example", desk.clock.now(), "&skn=ci");
    desk.clock.advance(limits::clock_skew);
    EXPECT_EQ(refusal(sas), "");
    desk.clock.advance(1us);
    EXPECT_EQ(refusal(sas), "sas-expired");
    // That it ended is told only to who has a key.
    const std::string forged =
        sas_of(test::a_key(3), "svc.example", desk.clock.now() - 1h, "&skn=ci");
    EXPECT_EQ(refusal(forged), "sas-refused");
}

TEST_F(PoliciesTest, OneKeyIsReplacedWhileTheOtherServes) {
    const auto policy = create("ci").value();
    for (const Slot slot : domain::both_slots) {
        const auto before = run(desk.store.policy("ci")).value().value();
        const auto after = run(desk.access.rotate_policy(order, "CI", slot)).value();
        EXPECT_EQ(desk.last_event().action, "policy.rotate");
        EXPECT_EQ(refusal(by(before.keys.at(index(slot)))), "sas-refused");
        EXPECT_EQ(refusal(by(before.keys.at(index(domain::other(slot))))), "");
        EXPECT_EQ(refusal(by(after.keys.at(index(slot)))), "");
        EXPECT_NE(after.etag, before.etag);
    }
    Order stale = order;
    stale.if_match.one_of = {policy.etag.str()};
    EXPECT_EQ(run(desk.access.rotate_policy(stale, "ci", Slot::primary)).error().kind,
              ErrorKind::stale);
    EXPECT_EQ(run(desk.access.revoke_policy(stale, "ci")).error().kind, ErrorKind::stale);
    EXPECT_EQ(run(desk.access.rotate_policy(order, "x", Slot::primary)).error().reason,
              "policy-not-found");
}

TEST_F(PoliciesTest, ARevokedPolicyIsUnknown) {
    const auto policy = create("ci").value();
    EXPECT_EQ(run(desk.access.revoke_policy(order, "CI")).value().name, "ci");
    EXPECT_EQ(refusal(by(policy.keys.front())), "sas-refused");
    EXPECT_EQ(run(desk.access.revoke_policy(order, "ci")).error().reason, "policy-not-found");
    EXPECT_THAT(run(desk.access.list_policies()).value(), IsEmpty());
}

TEST_F(PoliciesTest, ShowingKeysIsAuditedFirst) {
    const auto policy = create("ci").value();
    EXPECT_EQ(run(desk.access.show_policy(order, "ci")).value(), policy);
    EXPECT_EQ(desk.last_event().action, "policy.show");
    for (const auto& record : desk.audit()) {
        EXPECT_THAT(record.event.detail, Not(HasSubstr(policy.keys.front().base64())));
    }
    desk.store.fail_commits(true);
    EXPECT_FALSE(run(desk.access.show_policy(order, "ci")));
}

TEST_F(PoliciesTest, NamesAreSharedWithTokens) {
    TokenWish ci;
    ci.name = "Ci";
    TokenWish web;
    web.name = "web";
    EXPECT_TRUE(create("ci"));
    EXPECT_EQ(create("CI").error().reason, "token-exists");
    EXPECT_EQ(run(desk.access.create(order, ci)).error().reason, "token-exists");
    EXPECT_TRUE(run(desk.access.create(order, web)));
    EXPECT_EQ(create("WEB").error().reason, "token-exists");
    EXPECT_EQ(create("no good").error().reason, "malformed-name");
    EXPECT_EQ(create("nothing", {}).error().reason, "no-right");
}

TEST_F(PoliciesTest, ThereIsABoundOnPolicies) {
    for (std::size_t i = 0; i < limits::sas_policies_max; ++i) {
        ASSERT_TRUE(create("p" + std::to_string(i)));
    }
    EXPECT_EQ(create("one-more").error().reason, "too-many-policies");
}

TEST_F(PoliciesTest, TheFirstStartMakesTheOwnersPolicyAndNoLaterOneDoes) {
    EXPECT_TRUE(run(desk.access.ensure_owner_policy()).value());
    const auto made = run(desk.store.policy("provisioningserviceowner")).value().value();
    EXPECT_EQ(made.rights, SasRights::of_dps());
    EXPECT_FALSE(run(desk.access.ensure_owner_policy()).value());
    EXPECT_EQ(run(desk.store.policy("provisioningserviceowner")).value().value(), made);
    (void)run(desk.access.revoke_policy(order, "provisioningserviceowner")).value();
    EXPECT_FALSE(run(desk.access.ensure_owner_policy()).value());
    EXPECT_THAT(run(desk.access.list_policies()).value(), IsEmpty());
}

TEST_F(PoliciesTest, ATokenOfTheOwnersNameStays) {
    TokenWish wish;
    wish.name = std::string{domain::owner_policy_name};
    (void)run(desk.access.create(order, wish)).value();
    EXPECT_FALSE(run(desk.access.ensure_owner_policy()).value());
    EXPECT_THAT(run(desk.access.list_policies()).value(), IsEmpty());
    EXPECT_THAT(run(desk.access.list()).value(), SizeIs(1));
}

TEST_F(PoliciesTest, NoRightGivesTokensPoliciesUsersOrDistrust) {
    const Caller caller{"policy:all", "", SasRights::all()};
    const Caller nobody{"anyone", ""};
    const Caller administrator{"token:admin", "", domain::Role::administrator};
    for (const auto permission :
         {Permission::token_read, Permission::token_write, Permission::token_show,
          Permission::audit_read, Permission::distrust_read, Permission::distrust_write,
          Permission::user_read, Permission::user_write}) {
        EXPECT_FALSE(may(caller, permission)) << to_string(permission);
        EXPECT_FALSE(may(nobody, permission)) << to_string(permission);
        EXPECT_TRUE(may(administrator, permission)) << to_string(permission);
    }
    const Caller owner{"policy:owner", "", SasRights::of_dps()};
    EXPECT_FALSE(may(owner, Permission::device_read));
    EXPECT_FALSE(may(owner, Permission::device_write));
    EXPECT_TRUE(may(nobody, Permission::none));
    EXPECT_FALSE(may(nobody, Permission::server_read));
}

}  // namespace
}  // namespace rollcall::service
