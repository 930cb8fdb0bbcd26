// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using net::ListenAddress;
using testing::HasSubstr;

Result<Settings> settings_of(const std::string& text) {
    const auto config = parse_config(text, "rollcall.toml");
    if (!config) {
        return config.error();
    }
    return check_config(*config);
}

std::string complaint_about(const std::string& text) {
    const auto settings = settings_of(text);
    return settings ? "accepted" : settings.error().detail;
}

TEST(Config, EmptyFileIsAWorkingOne) {
    const auto settings = settings_of("");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->data, "./rollcall-data");
    EXPECT_EQ(settings->device_https, (ListenAddress{"127.0.0.1", 8443}));
    EXPECT_EQ(settings->operator_door, (ListenAddress{"127.0.0.1", 9443}));
    EXPECT_EQ(settings->metrics, (ListenAddress{"127.0.0.1", 9464}));
    EXPECT_FALSE(settings->server_credential);
    EXPECT_EQ(settings->device_amqp, (net::ListenAddress{"127.0.0.1", 5671}));
    EXPECT_EQ(settings->assign, Assign::now);
    EXPECT_FALSE(settings->shares_door());
}

std::string read_whole(const std::string& name) {
    return *read_file(name, limits::config_bytes_max);
}

// What the documentation shows as defaults are the defaults, and it leaves no key out.
TEST(Config, IsDocumentedAsItIs) {
    const std::string shown = read_whole(ROLLCALL_SOURCE_DIR "/docs/rollcall.toml");
    const auto documented = settings_of(shown);
    ASSERT_TRUE(documented) << documented.error().detail;
    EXPECT_EQ(*documented, *settings_of(""));
    std::string everything;
    std::istringstream lines{shown};
    for (std::string line; std::getline(lines, line);) {
        everything +=
            (line.starts_with("#") && !line.starts_with("# ") ? line.substr(1) : line) + "\n";
    }
    const auto all = parse_config(everything, "docs/rollcall.toml");
    ASSERT_TRUE(all) << all.error().detail;
    EXPECT_TRUE(all->data && all->device_https && all->device_mqtt && all->device_amqp &&
                all->operator_door && all->metrics && all->server_certificate && all->server_key &&
                all->names && all->operator_names && all->hub_host && all->assign && all->threads &&
                all->drain_seconds && all->admission_source && all->admission_proven_source &&
                all->admission_strangers && all->audit_keep_days && all->audit_keep_events &&
                all->log_level && all->log_format);
    EXPECT_TRUE(all->requests_per_second && all->session_idle_minutes && all->session_hours);
    const OpenidConfig& openid = all->openid;
    EXPECT_TRUE(openid.issuer && openid.client_id && openid.client_secret_file && openid.scopes &&
                openid.ca_file && openid.public_url && openid.loopback_http && openid.trust_email &&
                openid.role_claim && openid.administrators && openid.builders && openid.operators &&
                openid.viewers);
}

TEST(Config, SaysEverythingItCanSay) {
    const auto settings = settings_of(R"(
data = "/var/lib/rollcall"
names = ["dps.example", "10.0.0.1"]
operator_names = ["Admin.example"]
hub_host = "hub.example"
assign = "poll"
threads = 3
drain_seconds = 0

[listen]
device_https = "0.0.0.0:443"
device_mqtt = "off"
device_amqp = "127.0.0.1:0"
operator = "0.0.0.0:443"
metrics = "off"

[tls]
certificate = "a.pem"
key = "a.key"

[admission]
source = 7
proven_source = 1000000
strangers = 9

[log]
level = "debug"
format = "json"
)");
    ASSERT_TRUE(settings) << settings.error().detail;
    EXPECT_EQ(settings->data, "/var/lib/rollcall");
    EXPECT_EQ(settings->names, (std::vector<std::string>{"dps.example", "10.0.0.1"}));
    EXPECT_EQ(settings->operator_names, (std::vector<std::string>{"admin.example"}));
    EXPECT_EQ(settings->hub_host, "hub.example");
    EXPECT_EQ(settings->assign, Assign::poll);
    EXPECT_EQ(settings->threads, 3U);
    EXPECT_EQ(settings->drain_time.count(), 0);
    EXPECT_EQ(settings->admission,
              (service::AdmissionRates{.source = 7, .proven_source = 1e6, .strangers = 9}));
    EXPECT_TRUE(settings->shares_door());
    EXPECT_FALSE(settings->metrics);
    EXPECT_EQ(settings->device_amqp, (net::ListenAddress{"127.0.0.1", 0}));
    ASSERT_TRUE(settings->server_credential);
    EXPECT_EQ(settings->server_credential->chain, "a.pem");
    EXPECT_EQ(settings->log_level, Severity::debug);
    EXPECT_TRUE(settings->log_json);
}

TEST(Config, RefusesWithTheLineAndTheNearestKey) {
    const std::pair<const char*, const char*> cases[] = {
        {"dta = 'x'", "rollcall.toml line 1: unknown key dta (did you mean \"data\"?)"},
        {"\n[listen]\nhttps = 'x'", "rollcall.toml line 3: unknown key listen.https"},
        {"[unknown]\na = 1", "unknown key unknown"},
        {"data = 5", "rollcall.toml line 1: data is a text"},
        {"threads = 'two'", "threads is a whole number"},
        {"threads = 2.0", "threads is a whole number"},
        {"names = 'one'", "names is a list of texts"},
        {"names = ['one', 2]", "names is a list of texts"},
        {"listen = 5", "unknown key listen"},
        {"data = ", "rollcall.toml line 1: "},
        {"data = 'a'\ndata = 'b'", "rollcall.toml line 2: "},
    };
    for (const auto& [text, said] : cases) {
        EXPECT_THAT(complaint_about(text), HasSubstr(said)) << text;
    }
}

TEST(Config, RefusesWhatCannotWork) {
    const std::pair<const char*, const char*> cases[] = {
        {"[listen]\noperator = 'here'", "operator is ADDRESS:PORT or off, not \"here\""},
        {"[listen]\ndevice_mqtt = 'on'", "device-mqtt is ADDRESS:PORT or off"},
        {"[listen]\nmetrics = '127.0.0.1:8443'", "metrics and device-https are one address"},
        {"[listen]\noperator = '127.0.0.1:8443'", "share 127.0.0.1:8443"},
        {"[tls]\ncertificate = 'a'", "certificate is given without its key"},
        {"[tls]\nkey = 'a'", "key is given without its certificate"},
        {"names = ['a b']", "\"a b\" is no host name"},
        {"names = ['']", "is no host name"},
        {"hub_host = '-x'", "is no host name"},
        {"assign = 'later'", "assign is \"now\" or \"poll\""},
        {"threads = 257", "threads is 0"},
        {"threads = -1", "threads is 0"},
        {"drain_seconds = 3601", "drain_seconds is 0"},
        {"[admission]\nsource = 0", "admission.source is 1 to 1000000"},
        {"[admission]\nstrangers = -1", "admission.strangers is 0 to"},
        {"[admission]\nproven_source = 1000001", "admission.proven_source is 1 to"},
        {"[audit]\nkeep_days = 0", "audit.keep_days is 1 to 36500"},
        {"[audit]\nkeep_days = 36501", "audit.keep_days is 1 to 36500"},
        {"[audit]\nkeep_events = 999", "audit.keep_events is 1000 to 1000000000"},
        {"[audit]\nkeep_events = 1000000001", "audit.keep_events is 1000 to 1000000000"},
        {"[audit]\nkeep = '365d'", "unknown key audit.keep"},
        {"data = ''", "data is empty"},
        {"[log]\nlevel = 'loud'", "log.level is"},
        {"[log]\nformat = 'xml'", "log.format is"},
        {"[operators]\nrequests_per_second = -1", "operators.requests_per_second is 0"},
        {"[operators]\nrequests_per_second = 1000001", "operators.requests_per_second is 0"},
        {"[operators]\nsession_hours = 0", "operators.session_hours is 1 to 720"},
        {"[operators]\nsession_hours = 721", "operators.session_hours is 1 to 720"},
        {"[operators]\nsession_idle_minutes = 15", "operators.session_idle_minutes is 16 to"},
        {"[operators]\nsession_idle_minutes = 43201", "operators.session_idle_minutes is 16 to"},
        {"[oidc]\nissuer = 'https://i'", "oidc.issuer and oidc.client_id are given together"},
        {"[oidc]\nclient_id = 'i'", "oidc.issuer and oidc.client_id are given together"},
        {"[oidc]\nissuer = 'http://i'\nclient_id = 'c'", "oidc.issuer is an https address"},
        {"[oidc]\nissuer = 'http://127.0.0.1:1'\nclient_id = 'c'", "is an https address"},
        {"[oidc]\npublic_url = 'http://i'", "oidc.public_url is https://HOST"},
        {"[oidc]\npublic_url = 'https://i/path'", "oidc.public_url is https://HOST"},
        {"[oidc]\nscopes = ['email']", "oidc.scopes has openid"},
        {"[oidc]\nrole_claim = 'groups'", "oidc.role_claim needs values"},
        {"[oidc]\nviewers = ['all']", "oidc.role_claim needs values"},
    };
    for (const auto& [text, said] : cases) {
        EXPECT_THAT(complaint_about(text), HasSubstr(said)) << text;
    }
    EXPECT_EQ(complaint_about("[oidc]\nissuer = 'http://127.0.0.1:1'\nclient_id = 'c'\n"
                              "loopback_http = true\nrole_claim = 'g'\nviewers = ['v']"),
              "accepted");
    EXPECT_EQ(complaint_about("[operators]\nrequests_per_second = 0\nsession_hours = 720\n"
                              "session_idle_minutes = 16"),
              "accepted");
    EXPECT_EQ(complaint_about("threads = 256\ndrain_seconds = 3600"), "accepted");
    EXPECT_EQ(complaint_about("[audit]\nkeep_days = 36500\nkeep_events = 1000000000"), "accepted");
    EXPECT_EQ(settings_of("[audit]\nkeep_days = 1\nkeep_events = 1000")->audit_keep,
              (service::AuditKeep{std::chrono::days{1}, 1'000}));
    // Two doors on port 0 are two ports.
    EXPECT_EQ(complaint_about("[listen]\nmetrics='127.0.0.1:0'\ndevice_https='127.0.0.1:0'\n"
                              "operator='127.0.0.1:0'"),
              "accepted");
    const auto one = settings_of(
        "operator_names = ['admin.example']\n[listen]\n"
        "device_https='127.0.0.1:0'\noperator='127.0.0.1:0'");
    EXPECT_TRUE(one->shares_door());
}

TEST(Config, TellsAllProblemsAtOnce) {
    const std::string said = complaint_about("assign = 'x'\nthreads = 999\nhub_host = ''");
    EXPECT_THAT(said, HasSubstr("assign"));
    EXPECT_THAT(said, HasSubstr("threads"));
    EXPECT_THAT(said, HasSubstr("hub_host"));
    const std::string unknown = complaint_about("a = 1\nb = 2\ndata = 3");
    EXPECT_THAT(unknown, HasSubstr("unknown key a"));
    EXPECT_THAT(unknown, HasSubstr("unknown key b"));
    EXPECT_THAT(unknown, HasSubstr("data is a text"));
}

TEST(Config, OptionsOverlayTheFile) {
    const auto file = parse_config("data = 'a'\nhub_host = 'h'\nnames = ['x']", "f");
    ASSERT_TRUE(file);
    Config options;
    options.data = "b";
    options.names = std::vector<std::string>{"y", "z"};
    options.metrics = "off";
    const auto settings = check_config(overlay(*file, options));
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->data, "b");
    EXPECT_EQ(settings->hub_host, "h");
    EXPECT_EQ(settings->names, (std::vector<std::string>{"y", "z"}));
    EXPECT_FALSE(settings->metrics);
}

TEST(OwnHubName, FollowsTheRule) {
    Settings settings;
    EXPECT_EQ(own_hub_name(settings, {}, "machine"), "machine");
    EXPECT_EQ(own_hub_name(settings, {"cert.example", "b"}, "machine"), "cert.example");
    settings.names = {"name.example", "second"};
    EXPECT_EQ(own_hub_name(settings, {"cert.example"}, "machine"), "name.example");
    settings.hub_host = "hub.example";
    EXPECT_EQ(own_hub_name(settings, {"cert.example"}, "machine"), "hub.example");
}

}  // namespace
}  // namespace rollcall::app
