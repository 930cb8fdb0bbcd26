// SPDX-License-Identifier: Apache-2.0
#include "service/sign_in.hpp"

#include "service/access.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using namespace std::chrono_literals;
using domain::Role;
using domain::User;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string password = "a long enough password";

class SignInTest : public ::testing::Test {
protected:
    SignInTest() { ann = user("ann"); }

    User user(const std::string& name, Role role = Role::administrator) {
        NewUser asked;
        asked.name = name;
        asked.role = role;
        asked.password = password;
        return run(desk.users.create(order, asked)).value();
    }
    Result<OpenedSession> sign_in(const std::string& name, const std::string& with) {
        return run(desk.sign_in.by_password(name, with, browser));
    }
    std::string opened() { return sign_in("ann", password).value().secret; }
    Result<RecognisedSession> show(const std::string& secret) {
        return run(desk.sign_in.recognise(secret, "192.0.2.7"));
    }
    std::string refusal(const std::string& secret) {
        const auto shown = show(secret);
        return shown ? std::string{} : shown.error().reason;
    }
    /// The new secret, where there was one.
    std::string fresh(const std::string& secret) { return show(secret).value().fresh_secret; }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
    Browser browser{"192.0.2.7", "a browser"};
    User ann;
};

TEST_F(SignInTest, APasswordOpensASession) {
    const auto session = sign_in("ANN", password).value();
    EXPECT_THAT(session.secret, StartsWith("rcs_"));
    EXPECT_THAT(session.secret, SizeIs(4 + 64));
    EXPECT_EQ(session.signed_in.user, ann);
    const auto known = show(session.secret).value();
    EXPECT_EQ(known.signed_in.user, ann);
    EXPECT_EQ(known.signed_in.session, session.signed_in.session);
    EXPECT_EQ(known.fresh_secret, "");
    EXPECT_EQ(known.signed_in.session.user_agent, "a browser");
    const Caller caller{"user:ann", "192.0.2.7", Role::administrator};
    EXPECT_EQ(SignIn::caller_of(known.signed_in, "192.0.2.7"), caller);
    EXPECT_NE(opened(), session.secret);
}

TEST_F(SignInTest, NobodyLearnsWhetherItWasTheNameOrThePassword) {
    const auto wrong = sign_in("ann", "another long password").error();
    const auto unknown = sign_in("nobody", password).error();
    EXPECT_EQ(wrong.kind, ErrorKind::unauthenticated);
    EXPECT_EQ(wrong.reason, "sign-in-refused");
    EXPECT_EQ(unknown.reason, wrong.reason);
    EXPECT_EQ(unknown.detail, wrong.detail);
    EXPECT_THAT(wrong.note, HasSubstr("ann"));
    EXPECT_FALSE(sign_in("ann", "")) << "empty";
    EXPECT_FALSE(sign_in("ann", password + std::string(2'000, 'x')));
}

TEST_F(SignInTest, WhoMayNotSignInDoesNot) {
    const auto bob = user("bob");
    const auto session = sign_in("bob", password).value();
    const UserChange off{.enabled = false};
    const auto disabled = run(desk.users.change(order, bob, off)).value();
    EXPECT_EQ(refusal(session.secret), "session-unknown");
    EXPECT_EQ(sign_in("bob", password).error().reason, "sign-in-refused");
    NewUser openid;
    openid.name = "o@example.com";
    openid.kind = domain::UserKind::openid;
    (void)run(desk.users.create(order, openid)).value();
    EXPECT_EQ(sign_in("o@example.com", "").error().reason, "sign-in-refused");
}

TEST_F(SignInTest, WrongPasswordsAreCounted) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(sign_in("ann", "a wrong password").error().reason, "sign-in-refused");
    }
    EXPECT_EQ(sign_in("ann", password).error().reason, "name-throttled");
    browser.source = "192.0.2.8";
    EXPECT_TRUE(sign_in("ann", password)) << "from elsewhere she gets in";
}

TEST_F(SignInTest, ARoleThatWasTakenIsGoneAtOnce) {
    const auto secret = opened();
    const UserChange less{.role = Role::viewer};
    (void)run(desk.users.change(order, ann, less)).value();
    EXPECT_EQ(show(secret).value().signed_in.user.role, Role::viewer);
}

TEST_F(SignInTest, ASessionEndsUnusedAndOld) {
    const auto idle = opened();
    desk.clock.advance(limits::session_idle_time - 1us);
    auto used = opened();
    EXPECT_EQ(refusal(idle), "");
    desk.clock.advance(limits::session_idle_time);
    EXPECT_EQ(refusal(used), "session-ended");
    EXPECT_EQ(refusal(used), "session-unknown") << "it is gone";

    auto busy = opened();
    const TimePoint begun = desk.clock.now();
    while (desk.clock.now() + 50min < begun + limits::session_life) {
        desk.clock.advance(50min);
        const auto next = fresh(busy);
        busy = next.empty() ? busy : next;
    }
    desk.clock.set(begun + limits::session_life - 1us);
    EXPECT_EQ(refusal(busy), "");
    desk.clock.set(begun + limits::session_life);
    EXPECT_EQ(refusal(busy), "session-ended");
}

TEST_F(SignInTest, TheSecretIsReplaced) {
    const auto first = opened();
    desk.clock.advance(limits::session_secret_life - 1us);
    EXPECT_EQ(fresh(first), "");
    desk.clock.advance(1us);
    const auto second = fresh(first);
    ASSERT_NE(second, "");
    EXPECT_EQ(fresh(first), "") << "two requests at once get one new secret";
    EXPECT_EQ(show(second).value().signed_in.session.confirmed, false) << "as it was before";
    EXPECT_EQ(refusal(first), "") << "what was under way";
    desk.clock.advance(limits::session_grace - 1us);
    EXPECT_EQ(refusal(first), "");
    EXPECT_EQ(refusal(second), "");
}

TEST_F(SignInTest, AnOldSecretThatComesAgainEndsTheSession) {
    const auto first = opened();
    desk.clock.advance(limits::session_secret_life);
    const auto second = fresh(first);
    EXPECT_EQ(refusal(second), "");
    desk.clock.advance(limits::session_grace);
    EXPECT_EQ(refusal(first), "session-ended");
    EXPECT_EQ(refusal(second), "session-unknown") << "for both";
    EXPECT_THAT(desk.desk_metrics.text(), HasSubstr("rollcall_sessions_ended_for_reuse_total 1"));
}

TEST_F(SignInTest, ABrowserThatNeverGotTheNewSecretGetsAnother) {
    const auto first = opened();
    desk.clock.advance(limits::session_secret_life);
    const auto lost = fresh(first);
    desk.clock.advance(limits::session_grace);
    const auto second = fresh(first);
    EXPECT_NE(second, "");
    EXPECT_NE(second, lost);
    EXPECT_EQ(refusal(lost), "session-unknown");
    EXPECT_EQ(refusal(second), "");
}

TEST_F(SignInTest, SigningOutEndsOneOrAll) {
    const auto here = sign_in("ann", password).value();
    const auto there = opened();
    EXPECT_THAT(run(desk.sign_in.sessions_of(ann)).value(), SizeIs(2));
    EXPECT_TRUE(run(desk.sign_in.sign_out(here.signed_in)));
    EXPECT_EQ(refusal(here.secret), "session-unknown");
    EXPECT_EQ(refusal(there), "");
    const auto again = sign_in("ann", password).value();
    EXPECT_TRUE(run(desk.sign_in.sign_out_everywhere(again.signed_in)));
    EXPECT_EQ(refusal(there), "session-unknown");
    EXPECT_EQ(refusal(again.secret), "session-unknown");
    EXPECT_THAT(run(desk.sign_in.sessions_of(ann)).value(), IsEmpty());
}

TEST_F(SignInTest, OneUserHasSoManySessions) {
    const auto oldest = opened();
    for (std::size_t i = 1; i < limits::sessions_per_user_max; ++i) {
        desk.clock.advance(1s);
        (void)opened();
    }
    EXPECT_EQ(refusal(oldest), "");
    desk.clock.advance(1s);
    const auto newest = opened();
    EXPECT_EQ(refusal(oldest), "session-unknown");
    EXPECT_EQ(refusal(newest), "");
    EXPECT_THAT(run(desk.sign_in.sessions_of(ann)).value(), SizeIs(limits::sessions_per_user_max));
}

TEST_F(SignInTest, AUserChangesItsOwnPassword) {
    const auto here = sign_in("ann", password).value();
    const auto there = opened();
    const std::string next = "another long password";
    const auto change = [&](const std::string& current, const std::string& fresh_one) {
        return run(desk.sign_in.change_password(here.signed_in, current, fresh_one, browser));
    };
    EXPECT_EQ(change("wrong", next).error().reason, "wrong-password");
    EXPECT_EQ(change(password, "short").error().reason, "password-too-short");
    EXPECT_EQ(refusal(there), "");
    const auto changed = change(password, next).value();
    EXPECT_EQ(refusal(changed.secret), "");
    EXPECT_EQ(refusal(here.secret), "session-unknown");
    EXPECT_EQ(refusal(there), "session-unknown");
    EXPECT_FALSE(sign_in("ann", password));
    EXPECT_TRUE(sign_in("ann", next));
    EXPECT_EQ(desk.last_event().actor, "user:ann");
    EXPECT_EQ(desk.last_event().action, "user.update");
    EXPECT_THAT(desk.last_event().detail, Not(HasSubstr(next)));
    EXPECT_EQ(change(password, next).error().kind, ErrorKind::stale) << "read before";
}

TEST_F(SignInTest, AUserThatWasChangedMeanwhileIsNotLetIn) {
    const UserChange other{.password = "another long password"};
    (void)run(desk.users.change(order, ann, other)).value();
    EXPECT_EQ(run(desk.sign_in.open(ann, browser)).error().kind, ErrorKind::stale);
}

TEST_F(SignInTest, ASessionThatWasSignedOutDoesNotComeBack) {
    const auto secret = opened();
    const auto signed_in = show(secret).value().signed_in;
    domain::Changes late;  // what a request that was under way would write
    late.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::session, signed_in.session.id,
                           ETag::trusted(signed_in.session.secret_sha256.hex())});
    late.writes.push_back(domain::PutSession{signed_in.session});
    EXPECT_TRUE(run(desk.sign_in.sign_out(signed_in)));
    EXPECT_EQ(run(desk.store.commit(late)).error().kind, ErrorKind::stale);
    EXPECT_EQ(refusal(secret), "session-unknown");
}

TEST_F(SignInTest, ADiskThatIsFullKeepsNobodyOut) {
    const auto secret = opened();
    desk.clock.advance(limits::session_secret_life);
    desk.store.fail_commits(true);
    const auto shown = show(secret).value();
    EXPECT_EQ(shown.fresh_secret, "") << "no secret that was not kept";
    EXPECT_EQ(sign_in("ann", password).error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace rollcall::service
