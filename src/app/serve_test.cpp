// SPDX-License-Identifier: Apache-2.0
#include "app/serve.hpp"

#include "app/arguments.hpp"
#include "app/doors.hpp"
#include "app/serve_options.hpp"
#include "base/limits.hpp"
#include "support/scratch_directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadyLine, NamesEveryDoor) {
    const ScopeId scope = ScopeId::trusted("0ne00000001");
    EXPECT_EQ(ready_line(scope, {{"device-https", "127.0.0.1:8443"},
                                 {"operator", "[::1]:9443"},
                                 {"metrics", "off"}}),
              "ready scope=0ne00000001 device-https=127.0.0.1:8443 device-mqtt=off "
              "device-amqp=off operator=[::1]:9443 metrics=off");
    EXPECT_EQ(ready_line(scope, {}),
              "ready scope=0ne00000001 device-https=off device-mqtt=off device-amqp=off "
              "operator=off metrics=off");
}

TEST(LocalNames, PutsWhatWasGivenFirst) {
    Settings settings;
    settings.names = {"dps.example", "10.0.0.1"};
    settings.hub_host = "hub.example";
    settings.device_https = net::ListenAddress{"0.0.0.0", 443};
    settings.operator_door = net::ListenAddress{"192.0.2.1", 9443};
    const ServerNames names = local_names(settings, "machine");
    EXPECT_THAT(names.dns, ElementsAre("dps.example", "hub.example", "machine", "localhost"));
    EXPECT_THAT(names.addresses, ElementsAre("10.0.0.1", "192.0.2.1", "127.0.0.1", "::1"));
}

class ServeOptions : public testing::Test {
protected:
    ServeOptions() {
        before_ = std::filesystem::current_path();
        std::filesystem::current_path(directory_);
        ::unsetenv("ROLLCALL_DATA");
    }
    ~ServeOptions() override { std::filesystem::current_path(before_); }

    Result<Settings> settings(const std::string& options) {
        const CommandTable table = command_table();
        const auto reading =
            read_arguments(table, split_line("serve " + options), Streams{in_, out_, err_});
        if (!reading) {
            return reading.error();
        }
        return settings_of(reading->invocation);
    }

    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
    std::filesystem::path before_;
    std::istringstream in_;
    std::ostringstream out_;
    std::ostringstream err_;
};

TEST_F(ServeOptions, TakesEveryOption) {
    const auto given = settings(
        "--data d --device-https 127.0.0.1:0 --device-mqtt off --device-amqp 127.0.0.1:5671 "
        "--operator 127.0.0.1:1 --metrics off --server-cert c --server-key k --name a --name b "
        "--operator-name o --hub-host h --assign poll --threads 2 --drain-seconds 0 "
        "--log-level error --log-format json");
    ASSERT_TRUE(given) << given.error().detail;
    EXPECT_EQ(given->data, "d");
    EXPECT_EQ(given->device_https, (net::ListenAddress{"127.0.0.1", 0}));
    EXPECT_FALSE(given->metrics);
    EXPECT_EQ(given->device_amqp, (net::ListenAddress{"127.0.0.1", 5671}));
    EXPECT_THAT(given->names, ElementsAre("a", "b"));
    EXPECT_THAT(given->operator_names, ElementsAre("o"));
    EXPECT_EQ(given->hub_host, "h");
    EXPECT_EQ(given->assign, Assign::poll);
    EXPECT_EQ(given->threads, 2U);
    EXPECT_EQ(given->drain_time.count(), 0);
    EXPECT_EQ(given->log_level, Severity::error);
    EXPECT_TRUE(given->log_json);
    EXPECT_EQ(given->server_credential->key, "k");
}

TEST_F(ServeOptions, OperatorsToolsUseTheOperatorsNamesFirst) {
    const auto shared = settings("--name Dps.Example --operator-name Ops.Example");
    EXPECT_THAT(operator_hosts(*shared, "Hub.Example"),
                ElementsAre("ops.example", "dps.example", "hub.example"));
    EXPECT_THAT(operator_hosts(*settings(""), "Hub.Example"), ElementsAre("hub.example"));
}

TEST_F(ServeOptions, ReadsTheUsualFileAndIsOutranked) {
    std::ofstream{"rollcall.toml"} << "data = 'of-file'\nthreads = 5\n";
    EXPECT_EQ(settings("")->data, "of-file");
    EXPECT_THAT(err_.str(), HasSubstr("reading ./rollcall.toml"));
    EXPECT_EQ(settings("--data given")->data, "given");
    EXPECT_EQ(settings("--data given")->threads, 5U);
    ::setenv("ROLLCALL_DATA", "of-environment", 1);
    EXPECT_EQ(settings("")->data, "of-environment");
    std::ofstream{"other.toml"} << "threads = 6\n";
    EXPECT_EQ(settings("--config other.toml")->threads, 6U);
    EXPECT_THAT(settings("--config none.toml").error().detail, HasSubstr("none.toml"));
}

TEST_F(ServeOptions, BoundsTheFile) {
    const std::string line = "threads = 5\n#";
    const std::string fill(limits::config_bytes_max - line.size(), 'x');
    std::ofstream{"most.toml"} << line << fill;
    EXPECT_EQ(settings("--config most.toml")->threads, 5U);
    std::ofstream{"more.toml"} << line << fill << "x";
    EXPECT_EQ(settings("--config more.toml").error().kind, ErrorKind::too_large);
}

TEST_F(ServeOptions, TellsProblemsOfFileAndOptions) {
    EXPECT_THAT(settings("--operator x --hub-host 'a b'").error().detail,
                testing::AllOf(HasSubstr("operator is ADDRESS:PORT"), HasSubstr("hub_host")));
    std::ofstream{"rollcall.toml"} << "thread = 5\n";
    EXPECT_THAT(settings("").error().detail, HasSubstr("did you mean \"threads\"?"));
}

}  // namespace
}  // namespace rollcall::app
