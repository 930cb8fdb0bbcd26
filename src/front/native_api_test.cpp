// SPDX-License-Identifier: Apache-2.0
// The native API: its contract, its manners, and every route's success and refusals. Each answer
// is held against docs/api/openapi.json by the door itself.
#include "front/native_api.hpp"

#include "base/limits.hpp"
#include "service/verdict_json.hpp"
#include "support/native_door.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

using test::a_root;
using test::NativeDoor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class NativeApiTest : public ::testing::Test {
protected:
    NativeDoor door;
    const test::Authority old_root = a_root("Old Root");
    const test::Authority new_root = a_root("New Root");
    const x509::Certificate leaf = old_root.leaf("dev-1");

    static json::object pem(const x509::Certificate& certificate) {
        return {{"certificate", certificate.pem()}};
    }
    static json::object vouched(const x509::Certificate& certificate,
                                std::string_view mode = "staged") {
        return {{"certificate", certificate.pem()}, {"mode", mode}, {"vouch", true}};
    }
    std::size_t events() { return door.audit().size(); }
    static json::string_view view(std::string_view text) { return {text.data(), text.size()}; }
};

// --- The contract ----------------------------------------------------------------------------

/// A parameter of the document, references followed.
const json::object& parameter(const json::value& document, const json::value& raw) {
    const auto* const reference = raw.as_object().if_contains("$ref");
    return reference == nullptr
               ? raw.as_object()
               : document.at_pointer(reference->as_string().subview(1)).as_object();
}

TEST_F(NativeApiTest, TheDocumentAndTheRoutesAreTheSame) {
    std::map<std::string, const Route*> routes;
    for (const auto& route : native_routes()) {
        const std::string key = std::string{route.method} + " " + std::string{route.path};
        EXPECT_TRUE(routes.emplace(key, &route).second) << key << " stands there twice";
    }
    std::size_t operations = 0;
    std::set<std::string> ids;
    for (const auto& path : door.document.at("paths").as_object()) {
        for (const auto& each : path.value().as_object()) {
            ++operations;
            std::string method{each.key()};
            std::transform(method.begin(), method.end(), method.begin(), ::toupper);
            const std::string key = method + " " + std::string{path.key()};
            const auto found = routes.find(key);
            ASSERT_NE(found, routes.end()) << key << " is in the document only";
            const Route& route = *found->second;
            const auto& operation = each.value().as_object();
            EXPECT_EQ(operation.at("operationId").as_string(), view(route.operation_id)) << key;
            EXPECT_TRUE(ids.emplace(operation.at("operationId").as_string()).second) << key;
            EXPECT_EQ(operation.at("x-permission").as_string(),
                      view(service::to_string(route.permission)))
                << key;
            std::set<std::string> query;
            std::set<std::string> in_path;
            if (const auto* const list = operation.if_contains("parameters")) {
                for (const auto& raw : list->as_array()) {
                    const auto& one = parameter(door.document, raw);
                    const std::string name{one.at("name").as_string()};
                    if (one.at("in") == "query") {
                        query.insert(name);
                    } else if (one.at("in") == "path") {
                        in_path.insert(name);
                    }
                }
            }
            EXPECT_EQ(query, std::set<std::string>(route.query.begin(), route.query.end())) << key;
            for (const auto& name : in_path) {
                EXPECT_THAT(key, HasSubstr("{" + name + "}"));
            }
            EXPECT_EQ(static_cast<std::size_t>(std::count(key.begin(), key.end(), '{')),
                      in_path.size())
                << key;
            const auto* const body = operation.if_contains("requestBody");
            EXPECT_EQ(body == nullptr                  ? Body::none
                      : body->at("required").as_bool() ? Body::required
                                                       : Body::optional,
                      route.body)
                << key;
        }
    }
    EXPECT_EQ(operations, routes.size()) << "a route is missing from the document";
}

TEST_F(NativeApiTest, EveryRouteButTheDocumentAndSigningInWantsAPermission) {
    for (const auto& route : native_routes()) {
        const bool open = route.operation_id == "getOpenapi" ||
                          route.operation_id == "createSession" ||
                          route.operation_id == "listSignInMethods";
        EXPECT_EQ(route.permission == service::Permission::none, open) << route.operation_id;
        const bool reads = std::string_view{service::to_string(route.permission)}.ends_with("read");
        const bool asks = route.method == "GET" ||
                          route.operation_id == "previewGroupCertificate" ||
                          route.operation_id == "inspectCertificate";
        EXPECT_EQ(asks && route.permission != service::Permission::none, reads)
            << route.operation_id;
    }
}

TEST_F(NativeApiTest, ServesTheDocumentToAnyone) {
    auto request = NativeDoor::request("GET", "/openapi.json");
    request.connection = &door.remote;
    const auto reply = door.send(request);
    EXPECT_EQ(reply.status, 200u);
    EXPECT_EQ(reply.body, door.document);
}

/// Some place for each name of a path.
std::string filled(std::string_view path) {
    std::string target{path};
    for (auto at = target.find('{'); at != std::string::npos; at = target.find('{')) {
        const auto end = target.find('}', at);
        const std::string name = target.substr(at + 1, end - at - 1);
        target.replace(at, end - at + 1,
                       name == "slot"   ? "primary"
                       : name == "spki" ? std::string(64, 'A')
                                        : "nobody");
    }
    return target;
}

TEST_F(NativeApiTest, EveryRouteRefusesStrangers) {
    for (const auto& route : native_routes()) {
        if (route.permission == service::Permission::none) {
            continue;
        }
        auto request = NativeDoor::request(std::string{route.method}, filled(route.path));
        request.connection = &door.remote;
        const auto reply = door.send(request);
        EXPECT_EQ(reply.status, 401u) << route.operation_id;
        EXPECT_EQ(reply.code(), "token-missing") << route.operation_id;
        EXPECT_EQ(reply.header("WWW-Authenticate"), R"(Bearer realm="rollcall")");
        request.headers.emplace_back("Authorization", "Bearer rct_0000");
        const auto wrong = door.send(request);
        EXPECT_EQ(wrong.code(), "token-unknown") << route.operation_id;
        EXPECT_THAT(wrong.header("WWW-Authenticate"), HasSubstr("invalid_token"));
    }
}

TEST_F(NativeApiTest, EveryRouteRefusesUnknownParametersAndMembers) {
    for (const auto& route : native_routes()) {
        const std::string method{route.method};
        const auto parameter = door.send(method, filled(route.path) + "?nonsense=1");
        EXPECT_EQ(parameter.code(), "unknown-parameter") << route.operation_id;
        EXPECT_THAT(parameter.text("/detail"), HasSubstr("'nonsense'"));
        const auto member = door.send(method, filled(route.path), json::object{{"nonsense", 1}});
        EXPECT_EQ(member.status, 400u) << route.operation_id;
        if (route.body == Body::none) {
            EXPECT_EQ(member.code(), "unexpected-body") << route.operation_id;
        } else {
            EXPECT_EQ(member.code(), "unknown-member") << route.operation_id;
            EXPECT_THAT(member.text("/detail"), HasSubstr("'nonsense'"));
        }
        if (route.body == Body::required) {
            EXPECT_EQ(door.send(method, filled(route.path)).code(), "missing-body");
        }
    }
}

TEST_F(NativeApiTest, EveryChangeTakesAReason) {
    for (const auto& route : native_routes()) {
        const bool own = route.permission == service::Permission::session_write ||
                         route.operation_id == "createSession" ||
                         route.operation_id == "inspectCertificate";
        if (own) {  // a user's own session concerns nobody else, and who looks changes nothing
            continue;
        }
        const bool changes = route.method != "GET" && route.body != Body::none;
        if (changes) {
            const std::string long_reason(limits::reason_chars_max + 1, 'x');
            const auto reply = door.send(std::string{route.method}, filled(route.path),
                                         json::object{{"reason", 7}});
            EXPECT_EQ(reply.status, 400u) << route.operation_id;
            EXPECT_NE(reply.code(), "unknown-member") << route.operation_id;
        }
        if (route.method == "DELETE") {
            EXPECT_THAT(route.query, ::testing::Contains("reason")) << route.operation_id;
        }
    }
}

// --- Manners ---------------------------------------------------------------------------------

TEST_F(NativeApiTest, RefusesWhatIsNotARequestOfIts) {
    struct Case {
        const char* what;
        const char* method;
        const char* target;
        const char* body;
        unsigned status;
        const char* code;
    };
    const std::vector<Case> cases{
        {"no such address", "GET", "/nothing", "", 404, "no-such-address"},
        {"above the root", "GET", "", "", 404, "no-such-address"},
        {"another method", "PUT", "/groups", "{}", 405, "method-not-allowed"},
        {"a broken escape", "GET", "/groups/%zz", "", 400, "malformed-path"},
        {"a parameter twice", "GET", "/groups?limit=1&limit=2", "", 400, "repeated-parameter"},
        {"no number", "GET", "/groups?limit=many", "", 400, "malformed-parameter"},
        {"too few", "GET", "/groups?limit=0", "", 400, "malformed-parameter"},
        {"too many", "GET", "/groups?limit=1001", "", 400, "malformed-parameter"},
        {"no flag", "GET", "/groups?pem=yes", "", 400, "malformed-parameter"},
        {"no JSON", "POST", "/groups", "{", 400, "malformed-json"},
        {"JSON and more", "POST", "/groups", "{} {}", 400, "malformed-json"},
        {"no object", "POST", "/groups", "[]", 400, "not-an-object"},
        {"a member twice", "POST", "/groups", R"({"id":"a","id":"b"})", 400, "repeated-member"},
        {"an inner member twice", "POST", "/groups",
         R"({"id":"a","initialTwin":{"tags":{"x":1,"x":2}}})", 400, "repeated-member"},
        {"a wrong type", "POST", "/groups", R"({"id":7})", 400, "malformed-member"},
        {"a missing member", "POST", "/groups", R"({"enabled":true})", 400, "missing-member"},
        {"an unknown inner member", "POST", "/groups",
         R"({"id":"a","reprovisionPolicy":{"never":true}})", 400, "unknown-member"},
        {"no slot", "GET", "/groups/g/certificates/third", "", 400, "malformed-slot"},
        {"no state", "GET", "/devices?state=lost", "", 400, "malformed-parameter"},
        {"no status", "GET", "/registrations?status=lost", "", 400, "malformed"},
        {"no place in the log", "GET", "/audit?after=x", "", 400, "malformed-parameter"},
        {"no key", "GET", "/distrust/xyz", "", 400, "malformed-key"}};
    for (const auto& each : cases) {
        const auto reply = door.send(NativeDoor::request(each.method, each.target, each.body));
        EXPECT_EQ(reply.status, each.status) << each.what;
        EXPECT_EQ(reply.code(), each.code) << each.what;
        EXPECT_EQ(reply.text("/type"), "urn:rollcall:problem:" + std::string{each.code});
        EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
    }
}

TEST_F(NativeApiTest, JsonHasABoundOfDepth) {
    const auto nested = [](std::size_t depth) {
        return R"({"id":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
    };
    const auto send = [&](std::size_t depth) {
        return door.send(NativeDoor::request("POST", "/groups", nested(depth))).code();
    };
    EXPECT_EQ(send(limits::json_depth_max), "malformed-member") << "understood, but no text";
    EXPECT_EQ(send(limits::json_depth_max + 1), "malformed-json");
}

TEST_F(NativeApiTest, AnInitialTwinHasABoundOfDepth) {
    const auto nested = [](std::size_t depth) {
        json::object twin;
        for (std::size_t i = 1; i < depth; ++i) {
            twin = json::object{{"x", std::move(twin)}};
        }
        return json::object{{"id", "g" + std::to_string(depth)}, {"initialTwin", std::move(twin)}};
    };
    EXPECT_EQ(door.send("POST", "/groups", nested(limits::initial_twin_depth_max)).status, 201u);
    const auto refused = door.send("POST", "/groups", nested(limits::initial_twin_depth_max + 1));
    EXPECT_EQ(refused.code(), "member-too-deep");
    EXPECT_EQ(door.send("GET", "/groups").status, 200u);
}

TEST_F(NativeApiTest, AnInitialTwinHasABound) {
    const auto twin = [](std::size_t bytes) {
        // {"x":"..."} is eight bytes around the text.
        return json::object{{"id", "g" + std::to_string(bytes)},
                            {"initialTwin", json::object{{"x", std::string(bytes - 8, 'a')}}}};
    };
    EXPECT_EQ(door.send("POST", "/groups", twin(limits::initial_twin_bytes_max)).status, 201u);
    const auto refused = door.send("POST", "/groups", twin(limits::initial_twin_bytes_max + 1));
    EXPECT_EQ(refused.status, 413u);
    EXPECT_THAT(refused.text("/detail"), HasSubstr(std::to_string(limits::initial_twin_bytes_max)));
}

TEST_F(NativeApiTest, WantsJson) {
    auto request = NativeDoor::request("POST", "/groups", R"({"id":"g"})");
    request.headers = {{"Content-Type", "text/plain"}};
    EXPECT_EQ(door.send(request).status, 415u);
    request.headers.clear();
    EXPECT_EQ(door.send(request).status, 415u);
    request.headers = {{"Content-Type", "Application/JSON ; charset=utf-8"}};
    EXPECT_EQ(door.send(request).status, 201u);
    auto patch = NativeDoor::request("PATCH", "/groups/g", R"({"enabled":false})");
    patch.headers = {{"Content-Type", "application/merge-patch+json"}};
    EXPECT_EQ(door.send(patch).status, 200u);
}

TEST_F(NativeApiTest, TellsMethodsAndToleratesASlash) {
    EXPECT_EQ(door.send("PUT", "/groups").header("Allow"), "GET, HEAD, POST, OPTIONS");
    const auto options = door.send("OPTIONS", "/groups/g");
    EXPECT_EQ(options.status, 204u);
    EXPECT_EQ(options.header("Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
    EXPECT_EQ(door.send("GET", "/groups/").status, 200u);
    EXPECT_EQ(door.send("HEAD", "/groups").status, 200u);
}

TEST_F(NativeApiTest, SaysWhatBrowsersShallNotDo) {
    auto request = NativeDoor::request("GET", "/openapi.json");
    EXPECT_EQ(door.send(request).header("Strict-Transport-Security"), "");
    request.connection = &door.remote;
    const auto reply = door.send(request);
    EXPECT_EQ(reply.header("Cache-Control"), "no-store");
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(reply.header("Strict-Transport-Security"), "max-age=31536000");
}

TEST_F(NativeApiTest, AnInternalErrorLosesItsText) {
    door.store.fail_questions(true);
    const auto away = door.send("GET", "/devices");
    EXPECT_EQ(away.status, 503u);
    EXPECT_EQ(away.header("Retry-After"), "1");
    const Error secret{ErrorKind::internal, "the password is swordfish", "swordfish"};
    auto so_far = NativeDoor::request("GET", "/devices");
    so_far.connection = &door.local;
    const auto refused = door.api.refuse(500, secret, so_far);
    EXPECT_THAT(refused.body, Not(HasSubstr("swordfish")));
    EXPECT_TRUE(refused.close);
}

TEST_F(NativeApiTest, PagesAreWalkedToTheirEnd) {
    for (const auto* const id : {"c", "a", "B", "d", "e"}) {
        ASSERT_EQ(door.send("POST", "/groups", json::object{{"id", id}}).status, 201u);
    }
    std::vector<std::string> seen;
    std::string after;
    for (int pages = 1;; ++pages) {
        const auto reply = door.send("GET", "/groups?limit=2" + after);
        for (const auto& item : reply.at("/items").as_array()) {
            seen.emplace_back(item.at("id").as_string());
        }
        if (reply.at("/next").is_null()) {
            EXPECT_EQ(pages, 3);
            break;
        }
        after = "&after=" + reply.text("/next");
    }
    EXPECT_THAT(seen, ElementsAre("a", "B", "c", "d", "e"));
}

// --- Stories ---------------------------------------------------------------------------------

TEST_F(NativeApiTest, TellsWhatTheServerIs) {
    const auto reply = door.send("GET", "/server");
    EXPECT_EQ(reply.text("/scopeId"), "0ne12345678");
    EXPECT_EQ(reply.text("/caller/name"), "local administrator");
    EXPECT_EQ(reply.text("/doors/0/address"), "127.0.0.1:9443");
    EXPECT_TRUE(reply.at("/serverCa").is_null());
    EXPECT_TRUE(door.send("GET", "/sign-in-methods").at("/openId").is_null());
    door.facts.ca_pem = "the CA";
    door.facts.names = {"dps.example"};
    door.facts.openid = true;
    EXPECT_EQ(door.send("GET", "/server").text("/serverCa"), "the CA");
    EXPECT_EQ(door.send("GET", "/server").text("/names/0"), "dps.example");
    EXPECT_EQ(door.send("GET", "/sign-in-methods").text("/openId/start"), "/auth/oidc/start");
}

TEST_F(NativeApiTest, AGroupLivesAndDies) {
    const auto made = door.send("POST", "/groups", json::object{{"id", "plant a"}});
    EXPECT_EQ(made.status, 400u) << "a blank is no character of a group id";
    const auto created =
        door.send("POST", "/groups",
                  json::object{{"id", "plant:a"},
                               {"autoApprove", false},
                               {"reprovisionPolicy", json::object{{"migrateDeviceData", false}}},
                               {"initialTwin", json::object{{"tags", json::object{{"site", "a"}}}}},
                               {"reason", "a new plant"}});
    EXPECT_EQ(created.status, 201u);
    EXPECT_EQ(created.header("Location"), "/api/v1/groups/plant:a");
    EXPECT_EQ(created.header("ETag"), '"' + created.text("/group/etag") + '"');
    EXPECT_EQ(door.send("POST", "/groups", json::object{{"id", "Plant:A"}}).code(), "group-exists");

    const auto shown = door.send("GET", "/groups/PLANT%3Aa");
    EXPECT_EQ(shown.text("/initialTwin/tags/site"), "a");
    EXPECT_FALSE(shown.at("/autoApprove").as_bool());
    EXPECT_TRUE(shown.at("/reprovisionPolicy/updateHubAssignment").as_bool());

    auto patch =
        NativeDoor::request("PATCH", "/groups/plant:a", R"({"enabled":false,"initialTwin":null})");
    patch.headers.emplace_back("If-Match", R"("stale")");
    EXPECT_EQ(door.send(patch).status, 412u);
    patch.headers.back().second = R"(W/"x", )" + shown.header("ETag");
    const auto patched = door.send(patch);
    EXPECT_EQ(patched.status, 200u);
    EXPECT_FALSE(patched.at("/group/enabled").as_bool());
    EXPECT_TRUE(patched.at("/group/initialTwin").is_null());

    EXPECT_TRUE(door.send("DELETE", "/groups/plant:a?dryRun=true").at("/dryRun").as_bool());
    const auto gone = door.send("DELETE", "/groups/plant:a?reason=the%20plant%20is%20closed");
    EXPECT_EQ(gone.text("/deleted"), "group/plant:a");
    EXPECT_EQ(door.last_event().reason, "the plant is closed");
    EXPECT_EQ(door.send("GET", "/groups/plant:a").code(), "group-not-found");
}

TEST_F(NativeApiTest, HubsAreLinkedAndEntriesChooseAmongThem) {
    const auto made = door.send(
        "POST", "/hubs", json::object{{"name", "Eu.example"}, {"weight", 3}, {"reason", "new"}});
    EXPECT_EQ(made.status, 201u);
    EXPECT_EQ(made.header("Location"), "/api/v1/hubs/Eu.example");
    EXPECT_EQ(made.at("/hub/weight").as_int64(), 3);
    EXPECT_EQ(
        door.send("POST", "/hubs", json::object{{"name", "own.example"}, {"own", true}}).status,
        201u);
    const auto first = door.send("GET", "/hubs?limit=1");
    EXPECT_EQ(first.text("/items/0/name"), "own.example") << "ours first";
    const auto rest = door.send("GET", "/hubs?limit=1&after=" + first.text("/next"));
    EXPECT_EQ(rest.text("/items/0/name"), "Eu.example");
    EXPECT_TRUE(rest.at("/next").is_null());
    EXPECT_EQ(door.send("GET", "/hubs/eu.example").at("/devices").as_int64(), 0);
    EXPECT_EQ(door.send("PATCH", "/hubs/eu.example", json::object{{"weight", 4294967297}}).code(),
              "malformed-weight");
    EXPECT_FALSE(door.send("PATCH", "/hubs/eu.example", json::object{{"allocate", false}})
                     .at("/hub/allocate")
                     .as_bool());
    EXPECT_EQ(door.send("PATCH", "/hubs/none.example", json::object{}).status, 404u);
    EXPECT_EQ(door.send("GET", "/hubs/none.example").code(), "hub-not-found");

    const auto group =
        door.send("POST", "/groups",
                  json::object{{"id", "g"},
                               {"allocationPolicy", "custom"},
                               {"iotHubs", json::array{"eu.example"}},
                               {"customAllocationDefinition",
                                json::object{{"webhookUrl", "https://hook.example/?code=KEY"}}}});
    EXPECT_EQ(group.status, 201u);
    EXPECT_EQ(group.text("/group/customAllocationDefinition/webhookUrl"),
              "https://hook.example/?****");
    EXPECT_THAT(group.text("/warnings/0"), HasSubstr("takes no devices"));
    const auto plain = door.send("PATCH", "/groups/g",
                                 json::object{{"allocationPolicy", nullptr},
                                              {"iotHubs", nullptr},
                                              {"customAllocationDefinition", nullptr}});
    EXPECT_TRUE(plain.at("/group/allocationPolicy").is_null());
    EXPECT_TRUE(plain.at("/group/customAllocationDefinition").is_null());
    for (const char* const body :
         {R"({"allocationPolicy":"nearest"})", R"({"iotHubs":"a"})", R"({"iotHubs":[1]})",
          R"({"allocationPolicy":7})", R"({"customAllocationDefinition":"https://a/"})",
          R"({"customAllocationDefinition":{"webhookUrl":"https://a/","secret":1}})"}) {
        const auto refused = door.send("PATCH", "/groups/g", body);
        EXPECT_EQ(refused.status, 400u) << body;
    }

    EXPECT_TRUE(door.send("GET", "/allocation").at("/allocationPolicy").is_null());
    const auto rule = door.send(
        "PATCH", "/allocation",
        json::object{{"allocationPolicy", "static"}, {"iotHubs", json::array{"eu.example"}}});
    EXPECT_EQ(rule.text("/allocation/allocationPolicy"), "static");
    EXPECT_TRUE(door.send("DELETE", "/hubs/eu.example?dryRun=true").at("/dryRun").as_bool());
    EXPECT_EQ(door.send("DELETE", "/hubs/EU.example").text("/deleted"), "hub/Eu.example");
}

TEST_F(NativeApiTest, ARollByProofOfPossession) {
    door.group_with("g", old_root.certificate());
    const auto staged =
        door.send("PUT", "/groups/g/certificates/primary", pem(new_root.certificate()));
    EXPECT_EQ(staged.status, 200u);
    EXPECT_TRUE(staged.at("/pending").as_bool());
    EXPECT_EQ(staged.text("/group/certificates/primary/current/certificate/commonName"),
              "Old Root");
    EXPECT_FALSE(staged.at("/group/certificates/primary/pending/verified").as_bool());

    const auto code = door.send("POST", "/groups/g/certificates/primary/code");
    EXPECT_EQ(code.text("/sha256Thumbprint"), new_root.certificate().sha256_thumbprint());
    EXPECT_EQ(code.header("ETag"), staged.header("ETag"));
    const auto shown = door.send("GET", "/groups/g/certificates/primary?pem=true");
    EXPECT_TRUE(shown.at("/pending/codePending").as_bool());
    EXPECT_THAT(json::serialize(shown.body), Not(HasSubstr(code.text("/code"))));
    EXPECT_EQ(shown.text("/current/certificate/pem"), old_root.certificate().pem());

    const auto wrong = door.send("POST", "/groups/g/certificates/primary/verify",
                                 pem(old_root.proof(code.text("/code"))));
    EXPECT_EQ(wrong.status, 409u);
    const auto done = door.send("POST", "/groups/g/certificates/primary/verify",
                                pem(new_root.proof(code.text("/code"))));
    EXPECT_EQ(done.text("/group/certificates/primary/current/certificate/commonName"), "New Root");
    EXPECT_TRUE(done.at("/group/certificates/primary/pending").is_null());
    const auto slots = door.send("GET", "/groups/g/certificates");
    EXPECT_TRUE(slots.at("/primary/current/attests").as_bool());
    EXPECT_TRUE(slots.at("/secondary/current").is_null());
}

TEST_F(NativeApiTest, ABreachIsShownFirstAndThenDone) {
    door.group_with("g", old_root.certificate());
    door.known_device("dev-1", domain::entry_of(door.group("g")), domain::Slot::primary,
                      old_root.certificate(), leaf);
    const auto before = events();
    const auto body = vouched(new_root.certificate(), "breach");
    for (const auto& shown : {door.send("PUT", "/groups/g/certificates/primary?dryRun=true", body),
                              door.send("POST", "/groups/g/certificates/primary/preview", body)}) {
        EXPECT_EQ(shown.status, 200u);
        EXPECT_EQ(shown.text("/change"), "new-key");
        EXPECT_EQ(shown.at("/impact/devices").to_number<int>(), 1);
        EXPECT_EQ(shown.text("/impact/first/0"), "dev-1");
        EXPECT_EQ(shown.at("/distrusts").as_array().size(), 1u);
        EXPECT_THAT(shown.text("/summary/0"), HasSubstr("distrust list"));
    }
    EXPECT_EQ(events(), before);
    EXPECT_EQ(door.send("PUT", "/groups/g/certificates/primary", body).status, 200u);
    const auto list = door.send("GET", "/distrust");
    EXPECT_EQ(list.at("/items").as_array().size(), 1u);
    EXPECT_EQ(door.send("PUT", "/groups/g/certificates/secondary", vouched(old_root.certificate()))
                  .code(),
              "key-distrusted");
    const auto adoption = door.send("GET", "/groups/g/adoption");
    EXPECT_EQ(adoption.at("/devices").to_number<int>(), 1);
    EXPECT_EQ(adoption.text("/certificates/0/standing"), "current");
    EXPECT_EQ(adoption.text("/certificates/1/standing"), "gone");
    EXPECT_EQ(adoption.text("/certificates/1/sha256Thumbprint"),
              old_root.certificate().sha256_thumbprint());
}

TEST_F(NativeApiTest, BothSlotsAreReplacedTogetherSwappedAndEmptied) {
    door.group_with("g", old_root.certificate());
    const json::object body{{"primary", new_root.certificate().pem()},
                            {"secondary", a_root("Third").certificate().pem()},
                            {"vouch", true}};
    EXPECT_EQ(door.send("PUT", "/groups/g/certificates", body).code(), "missing-member");
    auto breach = body;
    breach["mode"] = "breach";
    EXPECT_EQ(door.send("PUT", "/groups/g/certificates", breach).status, 200u);
    const auto swapped = door.send("POST", "/groups/g/swap");
    EXPECT_EQ(swapped.text("/group/certificates/primary/current/certificate/commonName"), "Third");
    EXPECT_EQ(door.send("DELETE", "/groups/g/certificates/primary?pendingOnly=true").code(),
              "slot-empty");
    EXPECT_EQ(door.send("DELETE", "/groups/g/certificates/primary?mode=gently").code(),
              "malformed-parameter");
    const auto emptied = door.send("DELETE", "/groups/g/certificates/primary?mode=breach");
    EXPECT_TRUE(emptied.at("/group/certificates/primary/current").is_null());
}

TEST_F(NativeApiTest, UploadsThatAreNone) {
    door.group_with("g", old_root.certificate());
    const auto put = [&](const std::string& text) {
        return door.send("PUT", "/groups/g/certificates/secondary",
                         json::object{{"certificate", text}});
    };
    EXPECT_EQ(put(old_root.key().pem()).code(), "private-key-uploaded");
    EXPECT_EQ(put("hello").code(), "no-certificate");
    EXPECT_EQ(put(leaf.pem()).code(), "could-never-attest");
    EXPECT_EQ(put(leaf.pem() + leaf.pem()).code(), "too-many-certificates");
    EXPECT_EQ(door.send("PUT", "/groups/nobody/certificates/primary", pem(leaf)).code(),
              "group-not-found");
    EXPECT_EQ(put(std::string(limits::certificate_file_bytes_max + 1, 'A')).status, 413u);
    // What could never attest is taken when forced, and said to be so.
    const auto forced = door.send("PUT", "/groups/g/certificates/secondary",
                                  json::object{{"certificate", leaf.pem()}, {"force", true}});
    EXPECT_EQ(forced.status, 200u);
    EXPECT_EQ(forced.text("/findings/0/gravity"), "fatal");
}

TEST_F(NativeApiTest, ACaCertificateLivesAndDies) {
    const auto added = door.send(
        "POST", "/ca-certificates",
        json::object{{"name", "Factory 1"}, {"certificate", old_root.certificate().pem()}});
    EXPECT_EQ(added.status, 201u);
    EXPECT_FALSE(added.at("/caCertificate/verified").as_bool());
    const std::string id = added.text("/caCertificate/id");
    EXPECT_EQ(added.header("Location"), "/api/v1/ca-certificates/" + id);
    for (const auto& name :
         {id, std::string{"factory%201"}, old_root.certificate().sha256().hex()}) {
        EXPECT_EQ(door.send("GET", "/ca-certificates/" + name).text("/id"), id);
    }
    const auto code = door.send("POST", "/ca-certificates/Factory%201/code");
    EXPECT_EQ(door.send("POST", "/ca-certificates/Factory%201/verify", json::object{}).code(),
              "missing-member");
    EXPECT_EQ(door.send("POST", "/ca-certificates/Factory%201/verify",
                        json::object{{"vouch", true}, {"certificate", "x"}})
                  .code(),
              "missing-member");
    const auto verified = door.send("POST", "/ca-certificates/Factory%201/verify",
                                    pem(old_root.proof(code.text("/code"))));
    EXPECT_EQ(verified.text("/caCertificate/verification/how"), "proof");
    EXPECT_TRUE(verified.at("/caCertificate/attests").as_bool());
    EXPECT_EQ(door.send("GET", "/ca-certificates?pem=true").at("/items").as_array().size(), 1u);
    EXPECT_EQ(door.send("DELETE", "/ca-certificates/" + id + "?dryRun=true").text("/change"),
              "removal");
    EXPECT_EQ(door.send("DELETE", "/ca-certificates/" + id).text("/deleted"), "ca/Factory 1");
    EXPECT_EQ(door.send("GET", "/ca-certificates/" + id).code(), "ca-not-found");
    const auto vouched_for =
        door.send("POST", "/ca-certificates",
                  json::object{{"certificate", new_root.certificate().pem()}, {"vouch", true}});
    EXPECT_EQ(vouched_for.text("/caCertificate/verification/how"), "vouched");
}

TEST_F(NativeApiTest, AnIndividualEnrollmentLivesAndDies) {
    const auto second = old_root.leaf("dev-1", {}, "second key");
    const auto made =
        door.send("POST", "/enrollments",
                  json::object{{"registrationId", "Dev-1"},
                               {"deviceId", "the-device"},
                               {"certificates", json::object{{"primary", leaf.pem()}}}});
    EXPECT_EQ(made.status, 201u);
    EXPECT_EQ(made.header("Location"), "/api/v1/enrollments/Dev-1");
    EXPECT_EQ(made.text("/enrollment/certificates/primary/commonName"), "dev-1");
    EXPECT_EQ(door.send("POST", "/enrollments", json::object{{"registrationId", "dev-1"}}).code(),
              "enrollment-exists");
    const auto set = door.send("PUT", "/enrollments/dev-1/certificates/secondary", pem(second));
    EXPECT_EQ(set.text("/enrollment/certificates/secondary/sha256Thumbprint"),
              second.sha256_thumbprint());
    const auto swapped = door.send("POST", "/enrollments/dev-1/swap");
    EXPECT_EQ(swapped.text("/enrollment/certificates/primary/sha256Thumbprint"),
              second.sha256_thumbprint());
    const json::object patch{{"enabled", false},
                             {"deviceId", nullptr},
                             {"certificates", json::object{{"secondary", nullptr}}},
                             {"mode", "breach"}};
    const auto shown = door.send("PATCH", "/enrollments/dev-1?dryRun=true", patch);
    EXPECT_EQ(shown.text("/change"), "removal");
    const auto patched = door.send("PATCH", "/enrollments/dev-1", patch);
    EXPECT_TRUE(patched.at("/enrollment/deviceId").is_null());
    EXPECT_TRUE(patched.at("/enrollment/certificates/secondary").is_null());
    EXPECT_EQ(door.send("PUT", "/enrollments/dev-1/certificates/secondary", pem(leaf)).code(),
              "key-distrusted");
    EXPECT_EQ(door.send("GET", "/enrollments?pem=true").at("/items").as_array().size(), 1u);
    const auto got = door.send("GET", "/enrollments/DEV-1");
    EXPECT_EQ(got.header("ETag"), patched.header("ETag"));
    EXPECT_EQ(door.send("DELETE", "/enrollments/dev-1/certificates/secondary").code(),
              "slot-empty");
    EXPECT_EQ(door.send("DELETE", "/enrollments/dev-1").text("/deleted"), "enrollment/Dev-1");
    EXPECT_EQ(door.send("GET", "/enrollments/dev-1").code(), "enrollment-not-found");
    EXPECT_EQ(door.send("GET", "/enrollments/no%20good").code(), "enrollment-not-found");
}

TEST_F(NativeApiTest, DevicesAndRegistrationsAreShownAndStopped) {
    door.group_with("g", old_root.certificate());
    const auto entry = domain::entry_of(door.group("g"));
    for (const auto* const id : {"dev-1", "dev-2", "other"}) {
        door.known_device(id, entry, domain::Slot::primary, old_root.certificate(), leaf);
    }
    EXPECT_EQ(door.send("GET", "/devices").at("/items").as_array().size(), 3u);
    EXPECT_EQ(door.send("GET", "/devices?prefix=dev&limit=1").at("/items").as_array().size(), 1u);
    const auto found = door.send("GET", "/devices?search=EV-2&group=G&total=true");
    EXPECT_EQ(found.at("/items").as_array().size(), 1u);
    EXPECT_EQ(found.at("/total").to_number<int>(), 1);
    EXPECT_EQ(found.text("/items/0/id"), "dev-2");
    EXPECT_EQ(found.text("/items/0/displayName"), "dev-2");
    EXPECT_FALSE(found.at("/items/0/connected").as_bool());
    EXPECT_EQ(found.text("/items/0/slot"), "primary");
    EXPECT_EQ(found.text("/items/0/leafNotAfter"), to_iso8601_seconds(leaf.not_after()));
    EXPECT_FALSE(found.at("/items/0/lastRegistered").is_null());
    EXPECT_EQ(door.send("GET", "/devices?individual=true").at("/items").as_array().size(), 0u);
    EXPECT_EQ(door.send("GET", "/devices?state=asleep").code(), "malformed-parameter");
    EXPECT_EQ(door.send("POST", "/devices/dev-1/block").text("/state"), "blocked");
    EXPECT_EQ(door.send("GET", "/devices?state=blocked").text("/items/0/id"), "dev-1");
    EXPECT_EQ(door.send("POST", "/devices/dev-2/block?dryRun=true").text("/impact/first/0"),
              "dev-2");
    EXPECT_EQ(door.send("POST", "/devices/dev-1/unblock").text("/state"), "provisioned");
    EXPECT_EQ(door.send("POST", "/devices/dev-1/approve").status, 200u);
    const auto detail = door.send("GET", "/devices/dev-1");
    EXPECT_EQ(detail.text("/registration/assignedHub"), "hub.example");
    EXPECT_EQ(detail.at("/history").as_array().size(), 1u);
    EXPECT_TRUE(detail.at("/lastRefusal").is_null());

    const auto count = [&](const std::string& query) {
        return door.send("GET", "/registrations" + query).at("/items").as_array().size();
    };
    EXPECT_EQ(count(""), 3u);
    EXPECT_EQ(count("?group=G&status=assigned"), 3u);
    EXPECT_EQ(count("?status=failed"), 0u);
    EXPECT_EQ(count("?ca=" + old_root.certificate().sha256_thumbprint()), 3u);
    EXPECT_EQ(count("?ca=" + std::string(64, '0')), 0u);
    EXPECT_EQ(door.send("GET", "/registrations?ca=nothing").code(), "ca-not-found");
    EXPECT_EQ(door.send("GET", "/registrations/dev-1").at("/history").as_array().size(), 1u);
    EXPECT_EQ(door.send("GET", "/registrations/nobody").code(), "registration-not-found");

    EXPECT_EQ(door.send("DELETE", "/devices/dev-1").text("/deleted"), "device/dev-1");
    EXPECT_EQ(door.send("GET", "/devices/dev-1").code(), "device-not-found");
    EXPECT_EQ(door.send("GET", "/registrations/dev-1").status, 404u);
}

TEST_F(NativeApiTest, ARefusalIsExplainedWithItsWholeVerdict) {
    door.group_with("g", new_root.certificate());
    domain::RegistrationRequest request;
    request.id = RegistrationId::trusted("dev-1");
    request.peer.certificates = {leaf, old_root.certificate()};
    request.peer_address = "192.0.2.9";
    const auto trust = test::run(door.trust_book.current()).value();
    const auto attestation = domain::attest(*trust, {}, request, door.clock.now(), nullptr, 64);
    const auto& refusal = std::get<domain::Refusal>(attestation);
    EXPECT_EQ(door.send("GET", "/registrations/dev-1/explanation").code(), "nothing-known");
    door.refusals.note(service::refusal_record(refusal, request, false, door.clock.now()));
    const auto reply = door.send("GET", "/registrations/dev-1/explanation");
    EXPECT_EQ(reply.status, 200u);
    EXPECT_TRUE(reply.at("/registration").is_null());
    EXPECT_EQ(reply.text("/refusal/verdict/sent/0/commonName"), "dev-1");
    EXPECT_EQ(reply.text("/refusal/verdict/sent/1/commonName"), "Old Root");
    EXPECT_EQ(reply.text("/refusal/verdict/path/0/role"), "end-entity");
    EXPECT_EQ(reply.text("/refusal/verdict/path/0/certificate/commonName"), "dev-1");
    EXPECT_EQ(reply.text("/refusal/errorMessage"), "CA certificate not found.");
    EXPECT_FALSE(reply.text("/refusal/fix").empty());
    EXPECT_THAT(reply.text("/summary"), StartsWith("Refused at 2030-06-15"));
    EXPECT_EQ(door.send("GET", "/registrations/no%20good/explanation").status, 404u);
    const auto newest = door.send("GET", "/refusals?limit=1");
    EXPECT_EQ(newest.text("/items/0/registrationId"), "dev-1");
    EXPECT_EQ(newest.text("/items/0/peerAddress"), "192.0.2.9");
}

TEST_F(NativeApiTest, AKeyIsDistrustedShownAndLifted) {
    const std::string spki = to_upper_hex(old_root.certificate().spki_sha256().bytes);
    const json::object by_certificate{{"certificate", old_root.certificate().pem()},
                                      {"reason", "found on the internet"}};
    EXPECT_EQ(door.send("POST", "/distrust", json::object{{"reason", "x"}}).code(),
              "missing-member");
    EXPECT_EQ(door.send("POST", "/distrust", json::object{{"spkiSha256", spki}}).code(),
              "reason-required");
    EXPECT_EQ(door.send("POST", "/distrust", json::object{{"spkiSha256", "xx"}}).code(),
              "malformed-key");
    EXPECT_EQ(door.send("POST", "/distrust?dryRun=true", by_certificate).status, 200u);
    const auto added = door.send("POST", "/distrust", by_certificate);
    EXPECT_EQ(added.status, 201u);
    EXPECT_EQ(added.text("/spkiSha256"), spki);
    EXPECT_EQ(added.header("Location"), "/api/v1/distrust/" + spki);
    EXPECT_EQ(door.send("GET", "/distrust/" + to_lower_ascii(spki)).text("/reason"),
              "found on the internet");
    EXPECT_EQ(door.send("DELETE", "/distrust/" + spki).code(), "reason-required");
    EXPECT_EQ(door.send("DELETE", "/distrust/" + spki + "?reason=a+mistake").status, 200u);
    EXPECT_EQ(door.send("GET", "/distrust/" + spki).code(), "not-distrusted");
}

TEST_F(NativeApiTest, TheAuditLogIsReadAndVerified) {
    door.group_with("g", old_root.certificate());
    const auto log = door.send("GET", "/audit?limit=1");
    EXPECT_EQ(log.text("/items/0/action"), "group.create");
    EXPECT_EQ(log.text("/next"), "1");
    const auto rest = door.send("GET", "/audit?after=1");
    EXPECT_EQ(rest.text("/items/0/action"), "group.certificate.set");
    EXPECT_EQ(rest.text("/items/0/detail/after/subject"), old_root.certificate().subject());
    EXPECT_EQ(rest.text("/items/0/previous"), log.text("/items/0/hash"));
    const auto verified = door.send("GET", "/audit/verification");
    EXPECT_TRUE(verified.at("/intact").as_bool());
    EXPECT_EQ(verified.at("/events").to_number<int>(), 2);
}

TEST_F(NativeApiTest, TheAuditLogIsSearchedFromItsEnd) {
    door.group_with("first", old_root.certificate());
    door.group_with("second", new_root.certificate());
    const auto last = door.send("GET", "/audit?order=newest&limit=1");
    EXPECT_EQ(last.text("/items/0/object"), "group/second");
    const auto rest = door.send("GET", "/audit?order=newest&object=FIRST&limit=1");
    EXPECT_EQ(rest.text("/items/0/object"), "group/first");
    EXPECT_EQ(door.send("GET", "/audit?order=newest&actor=nobody").at("/items").as_array().size(),
              0u);
    EXPECT_EQ(door.send("GET", "/audit?order=upside-down").code(), "malformed-parameter");
    EXPECT_EQ(door.send("GET", "/audit?object=first").code(), "malformed-parameter");
}

TEST_F(NativeApiTest, ListsAreSearched) {
    door.group_with("plant-a", old_root.certificate());
    door.group_with("plant-b", new_root.certificate());
    const auto ids = [this](const std::string& target, const char* member) {
        std::vector<std::string> all;
        const auto reply = door.send("GET", target);
        for (const auto& item : reply.at("/items").as_array()) {
            all.emplace_back(item.as_object().at(member).as_string());
        }
        return all;
    };
    EXPECT_THAT(ids("/groups?search=T-B", "id"), ElementsAre("plant-b"));
    EXPECT_THAT(ids("/groups?search=%25", "id"), ElementsAre());
    const auto subject = new_root.certificate().subject();
    EXPECT_EQ(
        ids("/ca-certificates?search=" + to_upper_hex(new_root.certificate().sha256().bytes), "id")
            .size(),
        1u);
    (void)door.send("POST", "/enrollments",
                    json::object{{"registrationId", "Press-1"}, {"symmetricKey", json::object{}}});
    EXPECT_THAT(ids("/enrollments?search=RESS", "registrationId"), ElementsAre("Press-1"));
    EXPECT_THAT(ids("/enrollments?search=lathe", "registrationId"), ElementsAre());
}

TEST_F(NativeApiTest, TheOverviewTellsOfAllAtOnce) {
    door.group_with("g", old_root.certificate());
    const auto entry = domain::entry_of(door.group("g"));
    door.known_device("dev-1", entry, domain::Slot::primary, old_root.certificate(), leaf);
    const auto reply = door.send("GET", "/overview");
    EXPECT_EQ(reply.at("/devices/total").to_number<int>(), 1);
    EXPECT_EQ(reply.at("/devices/provisioned").to_number<int>(), 1);
    EXPECT_EQ(reply.at("/groups").to_number<int>(), 1);
    EXPECT_EQ(reply.text("/adoption/0/group"), "g");
    EXPECT_EQ(reply.at("/adoption/0/devices").to_number<int>(), 1);
    EXPECT_EQ(reply.text("/adoption/0/subject"), old_root.certificate().subject());
    int cas = 0;
    int leaves = 0;
    for (const auto& day : reply.at("/expiries").as_array()) {
        cas += day.at("caCertificates").to_number<int>();
        leaves += day.at("deviceCertificates").to_number<int>();
    }
    EXPECT_EQ(cas, 1);
    EXPECT_EQ(leaves, 1);
    EXPECT_EQ(reply.at("/registrationsPerMinute").as_array().size(), 60u);
}

TEST_F(NativeApiTest, ACertificateIsLookedAtAndNotKept) {
    const auto ask = [this](const json::object& body) {
        return door.send("POST", "/certificates/inspect", body);
    };
    const auto events = door.audit().size();
    const auto good = ask({{"certificate", old_root.certificate().pem()}});
    EXPECT_EQ(good.text("/certificate/subject"), old_root.certificate().subject());
    EXPECT_EQ(good.at("/findings").as_array().size(), 0u);
    EXPECT_GE(ask({{"certificate", leaf.pem()}}).at("/findings").as_array().size(), 1u)
        << "a leaf is no CA";
    const auto named =
        ask({{"certificate", leaf.pem()}, {"as", "device"}, {"registrationId", "somebody-else"}});
    EXPECT_GE(named.at("/findings").as_array().size(), 1u);
    EXPECT_EQ(ask({{"certificate", "a picture"}}).status, 400u);
    EXPECT_EQ(door.audit().size(), events);
}

TEST_F(NativeApiTest, ATokenIsMadeUsedAndRevoked) {
    const auto made = door.send("POST", "/tokens",
                                json::object{{"name", "ci"}, {"expires", "2030-07-01T00:00:00Z"}});
    EXPECT_EQ(made.status, 201u);
    auto request = NativeDoor::request("GET", "/tokens");
    request.connection = &door.remote;
    request.headers.emplace_back("Authorization", "Bearer " + made.text("/token"));
    const auto list = door.send(request);
    EXPECT_EQ(list.text("/items/0/name"), "ci");
    EXPECT_EQ(list.text("/items/0/createdBy"), "local administrator");
    EXPECT_THAT(json::serialize(list.body), Not(HasSubstr(made.text("/token"))));
    EXPECT_EQ(door.send("POST", "/tokens", json::object{{"name", "CI"}}).code(), "token-exists");
    EXPECT_EQ(door.send("POST", "/tokens", json::object{{"name", "x"}, {"role", "god"}}).code(),
              "unknown-role");
    EXPECT_EQ(door.send("POST", "/tokens", json::object{{"name", "x"}, {"expires", "soon"}}).code(),
              "malformed-member");
    auto revoke = NativeDoor::request("DELETE", "/tokens/ci?reason=done");
    revoke.connection = &door.remote;
    revoke.headers = request.headers;
    EXPECT_EQ(door.send(revoke).text("/deleted"), "token/ci");
    EXPECT_EQ(door.last_event().actor, "token:ci");
    EXPECT_EQ(door.last_event().source, "192.0.2.7");
    EXPECT_EQ(door.send(request).status, 401u);
}

}  // namespace
}  // namespace rollcall::front
