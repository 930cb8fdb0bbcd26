// SPDX-License-Identifier: Apache-2.0
// Users in IoT Central's words.
#include "support/central_door.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

constexpr const char* administrator = R"([{"role":"ca310b8d-2f4a-44e0-a36e-957c202cd8d4"}])";
constexpr const char* operator_ = R"([{"role":"ae2c9854-393b-4f97-8c42-479d70ce626e"}])";

class CentralUsersTest : public ::testing::Test {
protected:
    static std::string email_user(const std::string& email, const std::string& roles) {
        return R"({"type":"email","email":")" + email + R"(","roles":)" + roles + "}";
    }
    void a_user(const std::string& id, const char* roles) {
        ASSERT_EQ(door.send("PUT", "/users/" + id, email_user(id + "@plant.example", roles)).status,
                  200U);
    }

    test::CentralDoor door;
};

TEST_F(CentralUsersTest, SomebodyByEmailSignsInAtTheProvider) {
    const auto made = door.send("PUT", "/users/ann", email_user("ann@plant.example", operator_));
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.word("/id"), "ann");
    EXPECT_EQ(made.word("/type"), "email");
    EXPECT_EQ(made.word("/email"), "ann@plant.example");
    EXPECT_EQ(made.at("/roles"), operator_);
    EXPECT_EQ(door.send("GET", "/users/ann").text, made.text);
    const auto kept = test::run(door.users.named("ann@plant.example")).value();
    EXPECT_EQ(kept.kind, domain::UserKind::openid);
    EXPECT_EQ(kept.role, domain::Role::operator_);
}

TEST_F(CentralUsersTest, DirectoriesKeepTheirIds) {
    const auto made =
        door.send("PUT", "/users/robot",
                  std::string{R"({"type":"servicePrincipal","tenantId":"t-1","objectId":"o-1",)"} +
                      R"("roles":)" + operator_ + "}");
    ASSERT_EQ(made.status, 200U) << made.text;
    EXPECT_EQ(made.word("/tenantId"), "t-1");
    EXPECT_EQ(made.word("/objectId"), "o-1");
    EXPECT_FALSE(made.has_member("email"));
    const auto lacking =
        door.send("PUT", "/users/group",
                  std::string{R"({"type":"adGroup","tenantId":"t-1","roles":)"} + operator_ + "}");
    EXPECT_EQ(lacking.status, 422U) << lacking.text;
}

TEST_F(CentralUsersTest, ARoleIsChangedAndNothingElse) {
    a_user("boss", administrator);
    a_user("ann", operator_);
    const auto with = [](const std::string& roles) { return R"({"roles":)" + roles + "}"; };
    EXPECT_EQ(door.send("PATCH", "/users/ann", with(administrator)).at("/roles"), administrator);
    EXPECT_EQ(door.send("PATCH", "/users/ann", with("[]")).at("/roles"), administrator);
    EXPECT_EQ(
        door.send("PUT", "/users/ann", email_user("ann@plant.example", operator_)).at("/roles"),
        operator_);
    for (const auto& body :
         {email_user("eve@plant.example", operator_),
          std::string{R"({"type":"adGroup","tenantId":"t","objectId":"o","roles":)"} + operator_ +
              "}"}) {
        EXPECT_EQ(door.send("PUT", "/users/ann", body).status, 409U) << body;
        EXPECT_EQ(door.send("PATCH", "/users/ann", body).status, 409U) << body;
    }
    EXPECT_EQ(door.send("GET", "/users/ann").word("/email"), "ann@plant.example");
}

TEST_F(CentralUsersTest, SomeAdministratorStays) {
    a_user("boss", administrator);
    EXPECT_EQ(door.send("DELETE", "/users/boss").status, 409U);
    EXPECT_EQ(
        door.send("PATCH", "/users/boss", std::string{R"({"roles":)"} + operator_ + "}").status,
        409U);
    a_user("ann", administrator);
    EXPECT_EQ(door.send("DELETE", "/users/boss").status, 204U);
    EXPECT_EQ(door.send("DELETE", "/users/boss").status, 404U);
}

TEST_F(CentralUsersTest, BadUsersAreNotMade) {
    const std::string roles = operator_;
    for (const auto& body :
         {std::string{R"({"type":"email","roles":)"} + roles + "}", email_user("ann", roles),
          email_user("a@b", "[]"), email_user("a@b", R"([{"role":"none"}])"),
          email_user("a@b",
                     R"([{"role":"ae2c9854-393b-4f97-8c42-479d70ce626e","organization":"n"}])"),
          std::string{R"({"type":"local","name":"ann","roles":)"} + roles + "}",
          std::string{R"({"type":"robot","roles":)"} + roles + "}",
          std::string{R"({"type":7,"roles":)"} + roles + "}",
          std::string{R"({"email":"a@b","roles":)"} + roles + "}"}) {
        EXPECT_EQ(door.send("PUT", "/users/ann", body).status, 422U) << body;
    }
    EXPECT_EQ(door.send("GET", "/users/ann").status, 404U);
    EXPECT_EQ(door.send("PATCH", "/users/ann", R"({"roles":[]})").status, 404U);
    a_user("bob", operator_);
    EXPECT_EQ(door.send("PUT", "/users/rob", email_user("bob@plant.example", roles)).status, 409U)
        << "an address is one user's";
}

TEST_F(CentralUsersTest, PagesLeadThroughAllOfThem) {
    for (const char* id : {"ann", "bob", "cid"}) {
        a_user(id, operator_);
    }
    service::NewUser local;
    local.name = "dan";
    local.role = domain::Role::viewer;
    local.password = "correct horse battery";
    const auto order = test::OperatorDesk::order();
    ASSERT_TRUE(test::run(door.users.create(order, local)));
    std::vector<std::string> seen;
    std::string target = "/users?$top=3";
    while (!target.empty()) {
        const auto page = door.send("GET", target);
        for (const auto& user : page.body.at("value").as_array()) {
            const auto& each = user.as_object();
            seen.emplace_back(each.contains("email") ? each.at("email").as_string()
                                                     : each.at("name").as_string());
        }
        target.clear();
        if (page.has_member("nextLink")) {
            const auto link = page.word("/nextLink");
            target = link.substr(link.find("/api/") + 4);
        }
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"ann@plant.example", "bob@plant.example",
                                              "cid@plant.example", "dan"}));
    EXPECT_EQ(door.send("GET", "/organizations").text, R"({"value":[]})");
}

}  // namespace
}  // namespace rollcall::front
