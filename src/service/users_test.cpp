// SPDX-License-Identifier: Apache-2.0
#include "service/users.hpp"

#include "base/limits.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using domain::Role;
using domain::User;
using domain::UserKind;
using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* password = "a long enough password";

class UsersTest : public ::testing::Test {
protected:
    Result<User> create(const NewUser& asked) { return run(desk.users.create(order, asked)); }
    User local(const std::string& name, Role role = Role::administrator) {
        return create({.name = name, .role = role, .password = password}).value();
    }
    std::string refusal(const NewUser& asked) {
        const auto made = create(asked);
        return made ? std::string{} : made.error().reason;
    }
    Result<User> change(const User& before, const UserChange& asked,
                        AdministratorLeft left = AdministratorLeft::users_and_tokens) {
        return run(desk.users.change(order, before, asked, left));
    }
    Result<User> remove(const User& before,
                        AdministratorLeft left = AdministratorLeft::users_and_tokens) {
        return run(desk.users.remove(order, before, left));
    }
    std::size_t sessions(const User& user) {
        return run(desk.store.sessions(user.id)).value().size();
    }
    void sign_in(const User& user) { (void)run(desk.sign_in.open(user, Browser{})).value(); }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
};

TEST_F(UsersTest, ALocalUserIsMadeFoundAndDeleted) {
    const auto ann = local("Ann", Role::viewer);
    EXPECT_EQ(ann.kind, UserKind::local);
    EXPECT_EQ(ann.role, Role::viewer);
    EXPECT_EQ(ann.created_by, "local administrator");
    EXPECT_TRUE(ann.may_sign_in());
    EXPECT_EQ(run(desk.users.named("ANN")).value(), ann);
    EXPECT_EQ(run(desk.users.with_id(ann.id)).value(), ann);
    EXPECT_EQ(desk.last_event().action, "user.create");
    EXPECT_EQ(desk.last_event().object, "user/Ann");
    for (const auto& record : desk.audit()) {
        EXPECT_THAT(record.event.detail, Not(HasSubstr(password)));
        EXPECT_THAT(record.event.detail, Not(HasSubstr("argon2")));
    }
    EXPECT_EQ(remove(ann).value(), ann);
    EXPECT_EQ(run(desk.users.named("ann")).error().reason, "user-not-found");
    EXPECT_EQ(desk.last_event().action, "user.delete");
}

TEST_F(UsersTest, OthersAreMadeWithoutPasswords) {
    const auto openid = create({.name = "ann@example.com", .kind = UserKind::openid}).value();
    EXPECT_EQ(openid.password_hash, "");
    EXPECT_TRUE(openid.may_sign_in());
    const auto principal = create({.kind = UserKind::service_principal,
                                   .id = "my-app",
                                   .tenant_id = "tenant-1",
                                   .object_id = "object-1"})
                               .value();
    EXPECT_EQ(principal.id, "my-app");
    EXPECT_EQ(principal.name, "object-1");
    EXPECT_FALSE(principal.may_sign_in());
}

TEST_F(UsersTest, WhatIsNoUserIsRefused) {
    (void)local("ann");
    struct Case {
        NewUser asked;
        const char* reason;
    };
    const std::vector<Case> cases{
        {{.name = "ANN", .password = password}, "user-exists"},
        {{.name = "", .password = password}, "malformed-name"},
        {{.name = "no spaces", .password = password}, "malformed-name"},
        {{.name = ".dot", .password = password}, "malformed-name"},
        {{.name = std::string(limits::user_name_chars_max + 1, 'a'), .password = password},
         "malformed-name"},
        {{.name = "bob"}, "password-missing"},
        {{.name = "bob", .password = "short"}, "password-too-short"},
        {{.name = "bob", .id = "no spaces", .password = password}, "malformed-id"},
        {{.name = "bob", .kind = UserKind::openid}, "malformed-email"},
        {{.name = "b@c@d", .kind = UserKind::openid}, "malformed-email"},
        {{.name = "b@c", .kind = UserKind::openid, .password = password}, "no-password-here"},
        {{.kind = UserKind::directory_group, .object_id = "o"}, "malformed-id"},
        {{.kind = UserKind::directory_group,
          .tenant_id = "t",
          .object_id = std::string(limits::directory_id_chars_max + 1, 'o')},
         "malformed-id"}};
    for (const auto& each : cases) {
        EXPECT_EQ(refusal(each.asked), each.reason) << each.asked.name;
    }
    EXPECT_EQ(refusal({.name = std::string(limits::user_name_chars_max, 'a'),
                       .id = std::string(limits::user_id_chars_max, 'i'),
                       .password = password}),
              "");
    EXPECT_EQ(refusal({.name = "carol",
                       .id = std::string(limits::user_id_chars_max + 1, 'i'),
                       .password = password}),
              "malformed-id");
}

TEST_F(UsersTest, ThereIsABound) {
    domain::Changes changes;
    for (std::size_t i = 0; i + 1 < limits::users_max; ++i) {
        User user;
        user.id = user.name = "u" + std::to_string(i);
        changes.writes.push_back(domain::PutUser{user});
    }
    ASSERT_TRUE(run(desk.store.commit(changes)));
    EXPECT_EQ(refusal({.name = "last", .password = password}), "");
    EXPECT_EQ(refusal({.name = "more", .password = password}), "too-many-users");
}

TEST_F(UsersTest, ARoleIsChangedAndTold) {
    const auto ann = local("ann", Role::viewer);
    sign_in(ann);
    const auto after = change(ann, {.role = Role::builder}).value();
    EXPECT_EQ(after.role, Role::builder);
    EXPECT_NE(after.etag, ann.etag);
    EXPECT_EQ(sessions(ann), 1U) << "it works on, with the new role";
    EXPECT_THAT(desk.last_event().detail, HasSubstr("viewer"));
    EXPECT_THAT(desk.last_event().detail, HasSubstr("builder"));
    EXPECT_EQ(change(ann, {.role = Role::viewer}).error().kind, ErrorKind::stale);
    order.if_match.one_of = {"another"};
    EXPECT_EQ(change(after, {.role = Role::viewer}).error().kind, ErrorKind::stale);
    EXPECT_EQ(remove(after).error().kind, ErrorKind::stale);
}

TEST_F(UsersTest, SessionsEndWithThePasswordAndTheUser) {
    const auto ann = local("ann");
    (void)local("bob");
    sign_in(ann);
    sign_in(ann);
    EXPECT_EQ(sessions(ann), 2U);
    const auto changed = change(ann, {.password = "another long password"}).value();
    EXPECT_EQ(sessions(ann), 0U);
    EXPECT_NE(changed.password_hash, ann.password_hash);
    sign_in(changed);
    const auto disabled = change(changed, {.enabled = false}).value();
    EXPECT_EQ(sessions(ann), 0U);
    const auto enabled = change(disabled, {.enabled = true}).value();
    sign_in(enabled);
    const auto ended = run(desk.users.end_sessions(order, enabled));
    EXPECT_TRUE(ended);
    EXPECT_EQ(sessions(ann), 0U);
    EXPECT_EQ(desk.last_event().action, "user.sign-out");
    sign_in(enabled);
    (void)remove(enabled).value();
    EXPECT_EQ(sessions(ann), 0U);

    const auto carol = create({.name = "c@example.com", .kind = UserKind::openid}).value();
    EXPECT_EQ(change(carol, {.password = password}).error().reason, "no-password-here");
}

TEST_F(UsersTest, TheLastAdministratorStays) {
    const auto ann = local("ann");
    (void)local("bob", Role::viewer);
    order.caller = {"user:ann", "192.0.2.7", Role::administrator};
    EXPECT_EQ(remove(ann).error().reason, "last-administrator");
    EXPECT_EQ(change(ann, {.enabled = false}).error().reason, "last-administrator");
    EXPECT_EQ(change(ann, {.role = Role::builder}).error().reason, "last-administrator");
    const auto changed = change(ann, {.password = "another long password"}).value();

    const auto carol = local("carol");
    EXPECT_TRUE(change(changed, {.role = Role::builder}));
    EXPECT_EQ(remove(carol).error().reason, "last-administrator");

    order = OperatorDesk::order();
    EXPECT_EQ(remove(carol, AdministratorLeft::users).error().reason, "last-administrator")
        << "the cloud's rule binds the local administrator too";
    EXPECT_TRUE(remove(carol)) << "the socket remains";
}

}  // namespace
}  // namespace rollcall::service
