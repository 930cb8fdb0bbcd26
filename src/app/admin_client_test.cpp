// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"

#include "app/arguments.hpp"
#include "base/limits.hpp"
#include "support/canned_server.hpp"
#include "support/scratch_directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using rollcall::testing::CannedServer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Client : public ::testing::Test {
protected:
    Client() {
        for (const char* name :
             {"ROLLCALL_DATA", "ROLLCALL_URL", "ROLLCALL_TOKEN", "ROLLCALL_CA"}) {
            ::unsetenv(name);
        }
    }

    Globals here() const {
        Globals globals;
        globals.data = directory_.string();
        return globals;
    }
    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((directory_ / name).parent_path());
        std::ofstream{directory_ / name} << text;
    }

    struct Ran {
        Exit exit;
        std::string out;
        std::string err;
    };
    Ran run(const std::string& line) const {
        std::vector<std::string> arguments = split_line(line);
        arguments.insert(arguments.begin(), {"--data", directory_.string()});
        std::istringstream in;
        std::ostringstream out;
        std::ostringstream err;
        const Exit exit = run_command_line(command_table(), arguments, Streams{in, out, err});
        return {exit, out.str(), err.str()};
    }

    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
};

TEST_F(Client, FindsTheServer) {
    Globals globals;
    EXPECT_EQ(target_of(globals)->socket, "./rollcall-data/operator.sock");
    ::setenv("ROLLCALL_DATA", "/env/dir/", 1);
    EXPECT_EQ(target_of(globals)->socket, "/env/dir/operator.sock");
    ::setenv("ROLLCALL_URL", "https://env:9443/", 1);
    EXPECT_EQ(target_of(globals)->url, "https://env:9443");
    globals.data = "/given";
    EXPECT_EQ(target_of(globals)->socket, "/given/operator.sock");
    EXPECT_EQ(target_of(globals)->url, "");
    globals.url = "https://given:1";
    EXPECT_EQ(target_of(globals)->url, "https://given:1");
}

TEST_F(Client, TakesTokenAndCaOfTheDataDirectoryWithAUrl) {
    write("admin-token", "secret\n");
    write("tls/ca.pem", "x");
    Globals globals = here();
    globals.url = "https://127.0.0.1:9443";
    EXPECT_EQ(target_of(globals)->token, "secret");
    EXPECT_EQ(target_of(globals)->ca_file, (directory_ / "tls/ca.pem").string());
    globals.token = "other";
    globals.ca = "mine.pem";
    EXPECT_EQ(target_of(globals)->token, "other");
    EXPECT_EQ(target_of(globals)->ca_file, "mine.pem");
    globals.token = "@" + (directory_ / "admin-token").string();
    EXPECT_EQ(target_of(globals)->token, "secret");
    globals.token = "@" + (directory_ / "nothing").string();
    EXPECT_EQ(target_of(globals).error().reason, "usage");
}

TEST_F(Client, RefusesATokenOverPlainHttpToAnotherMachine) {
    Globals globals;
    globals.url = "http://example.com:9443";
    EXPECT_EQ(target_of(globals).error().reason, "usage");
    globals.url = "http://127.0.0.1:9443";
    EXPECT_TRUE(target_of(globals));
}

TEST_F(Client, EncodesPaths) {
    EXPECT_EQ(path_of({"groups", "a/b ?%\xc3\xbc", "swap"}), "/groups/a%2Fb%20%3F%25%C3%BC/swap");
}

TEST_F(Client, SendsTheRequestAndGivesTheBody) {
    const CannedServer server{directory_, {{200, R"({"ok":true})"}}};
    auto client = AdminClient::of(here());
    Request request;
    request.method = "PUT";
    request.path = path_of({"groups", "g"});
    request.query = {{"reason", "a b&c"}};
    request.body = json::object{{"x", 1}};
    request.if_match = "e1";
    const auto answer = client->send(request);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->at("ok"), true);
    const std::string asked = server.requests().at(0);
    EXPECT_THAT(asked, StartsWith("PUT /api/v1/groups/g?reason=a%20b%26c HTTP/1.1\r\n"));
    EXPECT_THAT(asked, HasSubstr("\r\nIf-Match: \"e1\"\r\n"));
    EXPECT_THAT(asked, HasSubstr("\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(asked, ::testing::EndsWith("\r\n\r\n{\"x\":1}"));
    EXPECT_THAT(asked, Not(HasSubstr("Authorization")));
}

TEST_F(Client, SendsDeleteWithoutABodyAfterOneWith) {
    const CannedServer server{directory_, {{200, "{}"}, {200, "{}"}}};
    auto client = AdminClient::of(here());
    Request request;
    request.method = "POST";
    request.path = "/a";
    request.body = json::object{{"x", 1}};
    ASSERT_TRUE(client->send(request));
    request = {};
    request.method = "DELETE";
    request.path = "/b";
    ASSERT_TRUE(client->send(request));
    EXPECT_THAT(server.requests().at(1), StartsWith("DELETE /api/v1/b HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests().at(1), Not(HasSubstr("Content-")));
}

TEST_F(Client, WalksPages) {
    const CannedServer server{directory_,
                              {{200, R"({"items":[{"id":"a"},{"id":"b"}],"next":"b&"})"},
                               {200, R"({"items":[{"id":"c"}],"next":null})"}}};
    auto client = AdminClient::of(here());
    std::string seen;
    Request request;
    request.path = "/groups";
    ASSERT_TRUE(client->each(
        request, [&](const json::object& item) { seen += item.at("id").as_string(); },
        [&] { seen += "|"; }));
    EXPECT_EQ(seen, "ab|c|");
    EXPECT_THAT(server.requests().at(0), StartsWith("GET /api/v1/groups?limit=1000 "));
    EXPECT_THAT(server.requests().at(1), StartsWith("GET /api/v1/groups?limit=1000&after=b%26 "));
}

TEST_F(Client, SaysWhatTheProblemSays) {
    const Error error =
        error_of(409, R"({"title":"Conflict","status":409,"code":"ca-in-other-group",
        "detail":"plant-b has this CA","field":"certificate","trackingId":"t1"})");
    EXPECT_EQ(error.kind, ErrorKind::conflict);
    EXPECT_EQ(error.reason, "ca-in-other-group");
    EXPECT_EQ(error.detail,
              "plant-b has this CA\n  (ca-in-other-group, field certificate, tracking id t1)");
    EXPECT_THAT(error_of(502, "<html>").detail, HasSubstr("answered 502"));
    EXPECT_THAT(error_of(401, "{}").detail, HasSubstr("--token"));
    EXPECT_EQ(error_of(400, R"({"code":"usage","detail":"x"})").reason, "");
    EXPECT_EQ(error_of(503, R"({"code":"unreachable","detail":"x"})").reason, "");
}

TEST_F(Client, NoServerIsExitThreeWithAHint) {
    const Ran ran = run("group list");
    EXPECT_EQ(ran.exit, Exit::unreachable);
    EXPECT_THAT(ran.err, HasSubstr("rollcall serve --data " + directory_.string()));
    EXPECT_EQ(ran.out, "");
    std::filesystem::remove_all(directory_);
    const Ran nowhere = run("group list");
    EXPECT_EQ(nowhere.exit, Exit::unreachable);
    EXPECT_THAT(nowhere.err, HasSubstr("there is no data directory"));
}

TEST_F(Client, WorksInADirectoryTooDeepForASocketAddress) {
    const auto deep = directory_ / std::string(120, 'd');
    std::filesystem::create_directories(deep);
    std::filesystem::create_directory_symlink(deep, directory_ / "short");
    const CannedServer server{directory_ / "short", {{200, R"({"items":[],"next":null})"}}};
    Globals globals;
    globals.data = deep.string();
    auto client = AdminClient::of(globals);
    const auto answer = client->get("/groups");
    EXPECT_TRUE(answer) << answer.error().detail;
}

TEST_F(Client, BoundsAnswers) {
    const std::string most = "\"" + std::string(limits::admin_answer_bytes_max - 2, 'x') + "\"";
    const CannedServer server{directory_, {{200, most}, {200, most + " "}}};
    auto client = AdminClient::of(here());
    EXPECT_TRUE(client->get("/groups"));
    EXPECT_FALSE(client->get("/groups"));
}

TEST_F(Client, RefusalIsExitOne) {
    const CannedServer server{
        directory_, {{404, R"({"code":"group-not-found","detail":"there is no group nobody"})"}}};
    const Ran ran = run("group show nobody");
    EXPECT_EQ(ran.exit, Exit::refused);
    EXPECT_THAT(ran.err, StartsWith("rollcall: there is no group nobody\n"));
}

TEST_F(Client, WhatIsNotRollcallIsSaid) {
    const CannedServer server{directory_, {{200, "<html>"}}};
    const Ran ran = run("group list");
    EXPECT_EQ(ran.exit, Exit::refused);
    EXPECT_THAT(ran.err, HasSubstr("not JSON"));
}

constexpr const char* preview = R"({"dryRun":true,"change":"removal","incoming":[],"outgoing":[],
    "pending":false,"distrusts":[],"impact":{"devices":2,"first":["dev-1","dev-2"]},
    "findings":[],"warnings":["mind this"],"summary":["the group plant-a goes"]})";

TEST_F(Client, DestructiveVerbsOnlyShowUntilYes) {
    const CannedServer server{
        directory_,
        {{200, preview}, {200, preview}, {200, R"({"deleted":"group/g","warnings":[]})"}}};
    const Ran shown = run("group delete g");
    EXPECT_EQ(shown.exit, Exit::done);
    EXPECT_EQ(shown.out, "");
    EXPECT_THAT(shown.err, HasSubstr("the group plant-a goes"));
    EXPECT_THAT(shown.err, HasSubstr("goes\n    dev-1, dev-2\n"));
    EXPECT_THAT(shown.err, HasSubstr("mind this"));
    EXPECT_THAT(shown.err, HasSubstr("Add --yes"));
    const Ran as_json = run("group delete g --json");
    EXPECT_EQ(json::parse(as_json.out).at("impact").at("devices"), 2);
    EXPECT_EQ(run("group delete g --yes --reason gone").exit, Exit::done);
    const auto asked = server.requests();
    EXPECT_THAT(asked.at(0), StartsWith("DELETE /api/v1/groups/g?dryRun=true "));
    EXPECT_THAT(asked.at(2), StartsWith("DELETE /api/v1/groups/g?reason=gone "));
}

TEST_F(Client, PlainChangesStopWhereDevicesWouldBeLost) {
    const auto leaf = directory_ / "leaf.pem";
    const CannedServer server{directory_, {{200, preview}}};
    std::ostringstream made;
    ASSERT_EQ(run("pki leaf --self-signed --cn dev-1 --out " + (directory_ / "leaf").string()).exit,
              Exit::done);
    const Ran ran = run("enrollment cert set dev-1 primary " + leaf.string());
    EXPECT_EQ(ran.exit, Exit::refused);
    EXPECT_THAT(ran.err, HasSubstr("nothing was changed, since devices would lose"));
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Client, CodeIsPrintedAlone) {
    const CannedServer server{
        directory_, {{200, R"({"code":"ABC","caCertificate":"id","sha256Thumbprint":"FF"})"}}};
    const Ran ran = run("group cert code g primary");
    EXPECT_EQ(ran.out, "ABC\n");
    EXPECT_THAT(server.requests().at(0),
                StartsWith("POST /api/v1/groups/g/certificates/primary/code "));
}

TEST_F(Client, PrivateKeysNeverLeaveTheMachine) {
    const CannedServer server{directory_, {}};
    ASSERT_EQ(run("pki ca --cn Root --out " + (directory_ / "root").string()).exit, Exit::done);
    const Ran ran = run("group cert set g primary " + (directory_ / "root.key").string());
    EXPECT_EQ(ran.exit, Exit::refused);
    EXPECT_THAT(ran.err, HasSubstr("private key"));
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(Client, ListsAsTableAndAsJson) {
    const char* page = R"({"items":[{"id":"dev-1","state":"provisioned",
        "entry":{"kind":"group","id":"plant-a"},"updated":"t","leafSha256Thumbprint":"FF"}],
        "next":null})";
    const CannedServer server{directory_, {{200, page}, {200, page}, {200, R"({"items":[]})"}}};
    const Ran table = run("device list --state provisioned");
    EXPECT_THAT(table.out, StartsWith("DEVICE"));
    EXPECT_THAT(table.out, HasSubstr("dev-1   provisioned"));
    EXPECT_THAT(server.requests().at(0), HasSubstr("state=provisioned"));
    EXPECT_EQ(json::parse(run("device list --json").out).as_array().size(), 1U);
    const Ran none = run("device list");
    EXPECT_EQ(none.out, "");
    EXPECT_EQ(none.err, "No device.\n");
}

}  // namespace
}  // namespace rollcall::app
