// SPDX-License-Identifier: Apache-2.0
// Every route of every API on the operator door, asked by everybody: with each role, with a policy
// that has all rights, with a token that is none, and with nothing.
#include "front/certificate_api.hpp"
#include "front/console.hpp"
#include "front/dps_service_api.hpp"
#include "front/operator_reception.hpp"
#include "front/registry_api.hpp"
#include "front/session_cookie.hpp"
#include "support/central_door.hpp"
#include "support/sas_maker.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using service::Permission;
using test::run;

class PermissionWalk : public ::testing::Test {
protected:
    struct Somebody {
        std::string name;
        std::optional<std::string> authorization{};
        service::Caller caller{};
        bool known = true;
    };

    PermissionWalk() {
        for (const auto role : domain::every_role) {
            const std::string name{domain::to_string(role)};
            service::TokenWish wish;
            wish.name = name;
            wish.role = role;
            const auto order = test::OperatorDesk::order();
            const auto made = run(door.access.create(order, wish)).value();
            everybody.push_back({name, "Bearer " + made.secret, {name, "", role}});
        }
        const auto rights = domain::SasRights::all();
        const auto order = test::OperatorDesk::order();
        const auto policy = run(door.access.create_policy(order, "all-rights", rights)).value();
        everybody.push_back(
            {"all rights",
             test::sas_of(policy.keys[0], "svc.example", test::today + days(1), "&skn=all-rights"),
             {"policy", "", rights}});
        everybody.push_back({"nobody", std::nullopt, {}, false});
        everybody.push_back({"a stranger", "Bearer rct_00", {}, false});
    }
    static std::chrono::hours days(int count) { return std::chrono::hours{24 * count}; }

    /// Of a browser in which somebody with that role has just signed in.
    net::HttpHeaders signed_in(domain::Role role) {
        const std::string name = "user-" + std::string{domain::to_string(role)};
        auto user = run(door.users.named(name));
        if (!user) {
            service::NewUser asked;
            asked.name = name;
            asked.role = role;
            asked.password = "three words and more";
            const auto order = test::OperatorDesk::order();
            user = run(door.users.create(order, asked));
        }
        const service::Browser browser;
        const auto opened = run(door.sign_in.open(*user, browser)).value();
        return {{"Cookie", std::string{session_cookie} + "=" + opened.secret},
                {"X-Rollcall-CSRF", opened.signed_in.session.csrf}};
    }

    net::HttpResponse ask(const DeclaredRoute& route, net::HttpHeaders headers) {
        net::HttpRequest request;
        request.headers = std::move(headers);
        request.method = route.method;
        request.target = route.target;
        const auto query = request.target.find('?');
        request.path = request.target.substr(0, query);
        request.query = query == std::string::npos ? "" : request.target.substr(query + 1);
        request.host = "svc.example";
        request.connection = &door.remote;
        return run(reception.handle(request));
    }

    static DeclaredRoutes all_routes() {
        DeclaredRoutes all;
        for (const auto& routes :
             {NativeApi::declared_routes(), DpsServiceApi::declared_routes(),
              CertificateApi::declared_routes(), RegistryApi::declared_routes(),
              CentralApi::declared_routes(), Console::declared_routes()}) {
            all.insert(all.end(), routes.begin(), routes.end());
        }
        return all;
    }

    test::CentralDoor door;
    ArmService arm{};
    CertificateApi certificates{{door.enroller, door.access, door.trust_book, door.entropy, arm}};
    DpsServiceApi dps{
        {door.enroller, door.access, door.trust_book, door.store, door.clock, door.entropy}};
    RegistryApi registry{
        {door.enroller, door.access, door.hub, door.store, door.clock, door.entropy}};
    static constexpr ConsoleFile page{"index.html", "text/html", "1", "<!doctype html>", ""};
    Console console{{&page, 1}};
    OperatorReception reception{{{"enrollments", dps},
                                 {"enrollmentGroups", dps},
                                 {"registrations", dps},
                                 {"subscriptions", certificates},
                                 {"devices", registry},
                                 {"twins", registry},
                                 {"api/v1", door.api},
                                 {"api", door.central},
                                 {"", console},
                                 {"ui", console},
                                 {"assets", console}},
                                door.api};
    std::vector<Somebody> everybody;
};

/// What is let in may be refused for other reasons: there is no "x", and there are no bodies.
TEST_F(PermissionWalk, EveryRouteLetsInWhoMayAndNobodyElse) {
    const auto routes = all_routes();
    std::size_t denied = 0;
    for (const auto& route : routes) {
        for (const auto& somebody : everybody) {
            net::HttpHeaders headers;
            if (somebody.authorization) {
                headers.emplace_back("Authorization", *somebody.authorization);
            }
            const auto response = ask(route, std::move(headers));
            const std::string what = somebody.name + ": " + route.method + " " + route.target +
                                     " answered " + std::to_string(response.status) + " " +
                                     response.body;
            EXPECT_NE(response.status, 405U) << what;
            EXPECT_LT(response.status, 500U) << what;
            if (!somebody.known) {
                EXPECT_EQ(response.status == 401, route.permission != Permission::none) << what;
                continue;
            }
            const bool let_in = response.status != 401 && response.status != 403;
            EXPECT_EQ(let_in, service::may(somebody.caller, route.permission)) << what;
            denied += let_in ? 0 : 1;
        }
    }
    EXPECT_GT(routes.size(), 125U) << "some API tells of no routes";
    EXPECT_GT(denied, routes.size()) << "hardly anybody was refused";
}

/// A cookie counts for the native API alone. Each request has a session of its own, as some end it.
TEST_F(PermissionWalk, EveryRouteKnowsWhoSignedIn) {
    std::size_t denied = 0;
    for (const auto& route : all_routes()) {
        const bool native = route.target.starts_with("/api/v1/");
        for (const auto role : domain::every_role) {
            const auto response = ask(route, signed_in(role));
            const std::string what = std::string{domain::to_string(role)} + ": " + route.method +
                                     " " + route.target + " answered " +
                                     std::to_string(response.status) + " " + response.body;
            if (route.permission == Permission::none) {
                EXPECT_NE(response.status, 403U) << what;
                continue;
            }
            if (!native) {
                EXPECT_EQ(response.status, 401U) << what;
                continue;
            }
            const bool let_in = response.status != 401 && response.status != 403;
            const service::Caller caller{"user", "", role};
            EXPECT_EQ(let_in, service::may(caller, route.permission)) << what;
            denied += let_in ? 0 : 1;
        }
    }
    EXPECT_GT(denied, 40U) << "hardly anybody was refused";
}

TEST_F(PermissionWalk, NoRouteStandsThereTwice) {
    std::set<std::string> seen;
    for (const auto& route : all_routes()) {
        EXPECT_TRUE(seen.insert(route.method + " " + route.target).second)
            << route.method << " " << route.target;
    }
}

}  // namespace
}  // namespace rollcall::front
