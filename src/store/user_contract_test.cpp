// SPDX-License-Identifier: Apache-2.0
// What both stores promise about users and their sessions; see store_contract_test.cpp.
#include "support/store_twins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::store {
namespace {

using namespace rollcall::domain;
using namespace rollcall::test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UserContract : public StoreTwins {
protected:
    std::optional<SignedIn> by_secret(const std::string& secret) {
        return run(reader_->session(digest_of(secret))).value();
    }
    std::vector<std::string> session_ids(const std::string& user_id) {
        std::vector<std::string> ids;
        const auto sessions = run(reader_->sessions(user_id)).value();
        for (const auto& session : sessions) {
            ids.push_back(session.id);
        }
        return ids;
    }
};

INSTANTIATE_TEST_SUITE_P(Twins, UserContract, both_stores(), store_name);

TEST_P(UserContract, AUserComesBackWholeByIdNameAndIdentity) {
    auto ann = a_user("Ann");
    put(PutUser{ann});
    EXPECT_EQ(run(reader_->user("ID-ann")).value(), ann) << "without case";
    EXPECT_EQ(run(reader_->user_named("ANN")).value(), ann) << "without case";
    EXPECT_EQ(run(reader_->user_of(*ann.identity)).value(), ann);
    EXPECT_EQ(run(reader_->user("Ann")).value(), std::nullopt) << "that is the name";
    EXPECT_EQ(run(reader_->user_named("id-Ann")).value(), std::nullopt) << "that is the id";
    EXPECT_EQ(run(reader_->user_of({"https://other", "s"})).value(), std::nullopt);
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::user, "ID-ANN", ann.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::user_name, "aNN", ann.etag}), "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::user_name, "ann", ETag{}}), "already-exists");

    ann.kind = UserKind::local;
    ann.enabled = true;
    ann.identity.reset();
    ann.role_by_claim = false;
    ann.name = "Anna";
    put(PutUser{ann});
    EXPECT_EQ(run(reader_->user("id-ann")).value(), ann);
    EXPECT_EQ(run(reader_->user_named("ann")).value(), std::nullopt);
    EXPECT_EQ(run(reader_->user_of({})).value(), std::nullopt) << "no identity is nobody's";

    auto bob = a_user("bob");
    put(PutUser{bob});
    EXPECT_THAT(run(reader_->users()).value(), ElementsAre(ann, bob));
    put(DeleteUser{"Id-Ann"});
    EXPECT_THAT(run(reader_->users()).value(), ElementsAre(bob));
}

TEST_P(UserContract, AnIdentityIsOfOneUserOnly) {
    put(PutUser{a_user("ann")});
    auto other = a_user("bob");
    other.identity = a_user("ann").identity;
    const Changes changes{.writes = {PutUser{other}}};
    EXPECT_EQ(run(ledger_->commit(changes)).error().reason, "identity-taken");
    other.identity->issuer = "https://elsewhere.example";
    put(PutUser{other});
    EXPECT_EQ(run(reader_->user_of(*other.identity)).value(), other);
}

TEST_P(UserContract, AnAdministratorIsLeft) {
    auto ann = a_user("ann");
    ann.role = Role::administrator;
    ann.enabled = true;
    put(PutUser{ann});
    const auto now = day("2026-06-01");
    const ExpectAdministrator users_only{"ID-ANN", false, now};
    const ExpectAdministrator with_tokens{"id-ann", true, now};
    EXPECT_EQ(refusal(users_only), "last-administrator");
    EXPECT_EQ(refusal(with_tokens), "last-administrator");

    auto token = a_token("ci");  // ends on 2027-01-01
    token.role = Role::administrator;
    put(PutToken{token});
    EXPECT_EQ(refusal(users_only), "last-administrator");
    EXPECT_EQ(refusal(with_tokens), "");
    EXPECT_EQ(refusal(ExpectAdministrator{"id-ann", true, day("2027-01-01")}),
              "last-administrator");
    token.role = Role::viewer;
    put(PutToken{token});
    EXPECT_EQ(refusal(with_tokens), "last-administrator");

    auto bob = a_user("bob");
    bob.role = Role::administrator;
    bob.enabled = true;
    const auto without = [&](auto change) {
        auto changed = bob;
        change(changed);
        put(PutUser{changed});
        return refusal(users_only);
    };
    EXPECT_EQ(without([](User&) {}), "");
    EXPECT_EQ(without([](User& user) { user.enabled = false; }), "last-administrator");
    EXPECT_EQ(without([](User& user) { user.role = Role::builder; }), "last-administrator");
    EXPECT_EQ(without([](User& user) { user.kind = UserKind::directory_group; }),
              "last-administrator");
}

TEST_P(UserContract, ASessionComesBackWithItsUserByEitherSecret) {
    const auto ann = a_user("ann");
    put(PutUser{a_user("aaron")}, PutUser{ann}, PutUser{a_user("bob")});
    auto session = a_session("s1", "ID-ann");
    put(PutSession{session});
    session.user_id = "id-ann";
    const SignedIn both{session, ann};
    EXPECT_EQ(by_secret("secret of s1"), both);
    EXPECT_EQ(by_secret("secret before of s1"), both);
    EXPECT_EQ(by_secret("s1"), std::nullopt);
    EXPECT_EQ(
        refusal(ExpectEtag{RecordKind::session, "s1", ETag::trusted(session.secret_sha256.hex())}),
        "");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::session, "s1", ETag::trusted("0")}), "etag-moved");
    EXPECT_EQ(refusal(ExpectEtag{RecordKind::session, "s2", ETag{}}), "");

    session.previous_sha256.reset();
    session.confirmed = !session.confirmed;
    session.secret_sha256 = digest_of("another");
    put(PutSession{session});
    EXPECT_EQ(by_secret("another"), (SignedIn{session, ann}));
    EXPECT_EQ(by_secret("secret of s1"), std::nullopt);
    put(DeleteSession{"s1"}, DeleteSession{"s1"});
    EXPECT_EQ(by_secret("another"), std::nullopt);
}

TEST_P(UserContract, SessionsEndWithTheirUserAndWithTime) {
    put(PutUser{a_user("ann")}, PutUser{a_user("bob")});
    auto old = a_session("old", "id-ann");
    old.created = old.used = day("2026-01-01");
    auto unused = a_session("unused", "id-ann");
    unused.created = day("2026-01-02");
    unused.used = day("2026-01-02");
    auto fresh = a_session("fresh", "id-ann");
    fresh.created = fresh.used = day("2026-01-03");
    put(PutSession{old}, PutSession{unused});
    EXPECT_THAT(session_ids("ID-ANN"), ElementsAre("unused", "old"));
    put(PutSession{fresh, day("2026-01-02"), day("2026-01-02")});
    EXPECT_THAT(session_ids("id-ann"), ElementsAre("fresh", "unused"))
        << "the times themselves stay";
    put(PutSession{fresh, day("2026-01-03"), day("2026-01-01")});
    EXPECT_THAT(session_ids("id-ann"), ElementsAre("fresh"));
    put(PutSession{a_session("bobs", "id-bob")});
    EXPECT_THAT(session_ids("id-bob"), ElementsAre("bobs"));
    put(DeleteSessionsOf{"ID-BOB"});
    EXPECT_THAT(session_ids("id-bob"), IsEmpty());
    EXPECT_THAT(session_ids("id-ann"), ElementsAre("fresh"));
    put(DeleteUser{"ID-ann"});
    EXPECT_THAT(session_ids("id-ann"), IsEmpty());
    EXPECT_EQ(by_secret("secret of fresh"), std::nullopt);
}

}  // namespace
}  // namespace rollcall::store
