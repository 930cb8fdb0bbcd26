// SPDX-License-Identifier: Apache-2.0
#include "service/access.hpp"

#include "base/limits.hpp"
#include "support/operator_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using test::OperatorDesk;
using test::run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class AccessTest : public ::testing::Test {
protected:
    Result<NewToken> create(const std::string& name, std::optional<TimePoint> expires = {}) {
        TokenWish wish;
        wish.name = name;
        wish.expires = expires;
        return run(desk.access.create(order, wish));
    }
    Result<Caller> authenticate(std::optional<std::string> header) {
        const Presented presented{
            std::move(header), "192.0.2.7", {"svc.example", "/api/v1/groups"}};
        return run(desk.access.authenticate(presented));
    }

    OperatorDesk desk;
    Order order = OperatorDesk::order();
};

TEST_F(AccessTest, ATokenLetsItsBearerIn) {
    const auto made = create("ci").value();
    const Caller expected{"token:ci", "192.0.2.7", domain::Role::administrator};
    EXPECT_EQ(authenticate("Bearer " + made.secret).value(), expected);
    EXPECT_EQ(authenticate("bearer " + made.secret).value(), expected);
    EXPECT_THAT(desk.last_event().detail, Not(HasSubstr(made.secret)));
    EXPECT_EQ(desk.last_event().action, "token.create");
}

TEST_F(AccessTest, OthersStayOut) {
    const auto made = create("ci").value();
    struct Case {
        const char* what;
        std::optional<std::string> header;
        const char* reason;
    };
    const std::vector<Case> cases{
        {"nothing", std::nullopt, "token-missing"},
        {"an empty header", "", "token-missing"},
        {"the scheme alone", "Bearer ", "token-missing"},
        {"another scheme", "Basic " + made.secret, "token-missing"},
        {"the token's name", "Bearer ci", "token-unknown"},
        {"its hash", "Bearer " + made.token.secret_sha256.hex(), "token-unknown"},
        {"one character more", "Bearer " + made.secret + "0", "token-unknown"}};
    for (const auto& each : cases) {
        const auto refused = authenticate(each.header);
        ASSERT_FALSE(refused) << each.what;
        EXPECT_EQ(refused.error().kind, ErrorKind::unauthenticated) << each.what;
        EXPECT_EQ(refused.error().reason, each.reason) << each.what;
    }
}

TEST_F(AccessTest, ATokenEnds) {
    using namespace std::chrono_literals;
    const auto made = create("short", desk.clock.now() + 1h).value();
    desk.clock.advance(1h - 1us);
    EXPECT_TRUE(authenticate("Bearer " + made.secret));
    desk.clock.advance(1us);
    EXPECT_EQ(authenticate("Bearer " + made.secret).error().reason, "token-expired");
    EXPECT_EQ(create("past", desk.clock.now()).error().reason, "expires-in-the-past");
}

TEST_F(AccessTest, ARevokedTokenIsUnknown) {
    const auto made = create("ci").value();
    EXPECT_EQ(run(desk.access.revoke(order, "CI")).value().name, "ci");
    EXPECT_EQ(authenticate("Bearer " + made.secret).error().reason, "token-unknown");
    EXPECT_EQ(run(desk.access.revoke(order, "ci")).error().reason, "token-not-found");
    EXPECT_THAT(run(desk.access.list()).value(), IsEmpty());
}

TEST_F(AccessTest, NamesAreUniqueAndChecked) {
    EXPECT_TRUE(create("ci"));
    EXPECT_EQ(create("CI").error().reason, "token-exists");
    EXPECT_EQ(create("no good").error().reason, "malformed-name");
    EXPECT_EQ(create("").error().reason, "malformed-name");
}

TEST_F(AccessTest, ThereIsABoundOnTokens) {
    for (std::size_t i = 0; i < limits::tokens_max; ++i) {
        ASSERT_TRUE(create("t" + std::to_string(i)));
    }
    EXPECT_EQ(create("one-more").error().reason, "too-many-tokens");
}

TEST_F(AccessTest, TheFirstStartMakesOneTokenAndNoLaterOneDoes) {
    std::string kept;
    const auto keep = [&kept](const std::string& secret) -> Result<Done> {
        kept = secret;
        return Done{};
    };
    EXPECT_TRUE(run(desk.access.ensure_admin_token(keep)).value());
    EXPECT_EQ(authenticate("Bearer " + kept).value().name, "token:admin");
    kept.clear();
    EXPECT_FALSE(run(desk.access.ensure_admin_token(keep)).value());
    (void)run(desk.access.revoke(order, "admin")).value();
    EXPECT_FALSE(run(desk.access.ensure_admin_token(keep)).value());
    EXPECT_THAT(kept, IsEmpty());
}

TEST_F(AccessTest, ASecretThatCannotBeKeptIsNoToken) {
    const auto cannot = [](const std::string&) -> Result<Done> {
        return Error{ErrorKind::unavailable, "disk full"};
    };
    EXPECT_FALSE(run(desk.access.ensure_admin_token(cannot)));
    EXPECT_THAT(run(desk.access.list()).value(), IsEmpty());
}

class CentralTokenTest : public AccessTest {
protected:
    NewToken central(std::optional<TimePoint> expires = {}) {
        TokenWish wish;
        wish.name = "portal";
        wish.role = domain::Role::viewer;
        wish.form = domain::TokenForm::central;
        wish.expires = expires;
        wish.application = "0ne00000001";
        return run(desk.access.create(order, wish)).value();
    }
    static std::string replaced(std::string text, const std::string& what, const std::string& by) {
        return text.replace(text.find(what), what.size(), by);
    }
};

TEST_F(CentralTokenTest, ItIsSentAsItWasShown) {
    const auto made = central();
    EXPECT_THAT(made.secret, ::testing::MatchesRegex("SharedAccessSignature sr=0ne00000001&sig="
                                                     "[A-Za-z0-9%]+&skn=portal&se=[0-9]{13}"));
    const Caller expected{"token:portal", "192.0.2.7", domain::Role::viewer};
    EXPECT_EQ(authenticate(made.secret).value(), expected);
    EXPECT_EQ(*made.token.expires, desk.clock.now() + limits::central_token_life);
    EXPECT_EQ(authenticate("Bearer " + made.secret).error().reason, "token-unknown");
}

TEST_F(CentralTokenTest, EveryMemberIsHeld) {
    const auto made = central();
    const auto ends = made.secret.substr(made.secret.find("&se="));
    const auto& other = "SharedAccessSignature sr=0ne00000001&sig=" + std::string(43, 'A') +
                        "%3D&skn=portal" + ends;
    struct Case {
        const char* what;
        std::string header;
        const char* reason;
    };
    const std::vector<Case> cases{
        {"another application", replaced(made.secret, "0ne00000001", "0ne00000002"), "sas-refused"},
        {"another name", replaced(made.secret, "skn=portal", "skn=portal2"), "sas-refused"},
        {"no name", replaced(made.secret, "&skn=portal", ""), "sas-refused"},
        {"a later end", made.secret + "0", "sas-refused"},
        {"another secret", other, "sas-refused"},
        {"cut short", made.secret.substr(0, made.secret.find("&se=")), "malformed-sas"}};
    for (const auto& each : cases) {
        const auto refused = authenticate(each.header);
        ASSERT_FALSE(refused) << each.what;
        EXPECT_EQ(refused.error().reason, each.reason) << each.what;
    }
    EXPECT_TRUE(authenticate(made.secret));
}

TEST_F(CentralTokenTest, ItEndsToTheMillisecondAndCanBeRevoked) {
    using namespace std::chrono_literals;
    const auto made = central(desk.clock.now() + 1h);
    desk.clock.advance(1h - 1ms);
    EXPECT_TRUE(authenticate(made.secret));
    desk.clock.advance(1ms);
    EXPECT_EQ(authenticate(made.secret).error().reason, "token-expired");
    (void)run(desk.access.revoke(order, "portal")).value();
    EXPECT_EQ(authenticate(made.secret).error().reason, "sas-refused");
}

TEST_F(AccessTest, ItsLastUseIsKeptToTheMinute) {
    using namespace std::chrono_literals;
    const auto made = create("ci").value();
    const auto used = [this] { return run(desk.access.token_named("ci")).value().last_used; };
    EXPECT_EQ(used(), std::nullopt);
    const auto first = desk.clock.now();
    EXPECT_TRUE(authenticate("Bearer " + made.secret));
    EXPECT_EQ(used(), first);
    desk.clock.advance(limits::token_use_step - 1us);
    EXPECT_TRUE(authenticate("Bearer " + made.secret));
    EXPECT_EQ(used(), first);
    desk.clock.advance(1us);
    EXPECT_TRUE(authenticate("Bearer " + made.secret));
    EXPECT_EQ(used(), desk.clock.now());
    EXPECT_EQ(run(desk.access.token_named("ci")).value().etag, made.token.etag);
}

}  // namespace
}  // namespace rollcall::service
