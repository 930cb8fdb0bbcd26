// SPDX-License-Identifier: Apache-2.0
#include "app/pki_verify.hpp"

#include "app/arguments.hpp"
#include "base/limits.hpp"
#include "support/pki.hpp"
#include "support/scratch_directory.hpp"

#include <fstream>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace rollcall::test;  // NOLINT: the builders' words are the test's language
namespace json = boost::json;

const ManualClock clock_of_today{today};

/// A request that is valid, to be changed by one thing at a time.
json::object a_request() {
    const Authority root = a_root("Root");
    const Authority factory = root.intermediate("Factory");
    return {{"id", "a"},
            {"at", std::chrono::floor<std::chrono::seconds>(today).time_since_epoch().count()},
            {"anchors", json::array{root.certificate().pem()}},
            {"chain", json::array{factory.leaf("dev-1").pem(), factory.certificate().pem()}}};
}

std::string answer(const json::object& request) {
    return judge_line(json::serialize(request), clock_of_today);
}

std::string answer_with(std::string_view name, json::value value) {
    json::object request = a_request();
    request[name] = std::move(value);
    return answer(request);
}

TEST(PkiVerifyBatch, AnswersEachLineWithItsId) {
    EXPECT_EQ(answer(a_request()),
              R"({"id":"a","valid":true,"reason":"CN=dev-1 <- CN=Factory <- CN=Root"})");
    EXPECT_THAT(answer_with("id", 7), StartsWith(R"({"id":7,"valid":true)"));
    EXPECT_THAT(answer_with("anchors", json::array{a_root("Other").certificate().pem()}),
                StartsWith(R"({"id":"a","valid":false,"reason":"no-issuer-found: )"));
}

TEST(PkiVerifyBatch, KnowsItsFieldsAndTheirDefaults) {
    EXPECT_THAT(answer_with("at", nullptr), HasSubstr("\"valid\":true")) << "now";
    EXPECT_THAT(answer_with("at", 0), HasSubstr("not-yet-valid"));
    EXPECT_THAT(answer_with("at", "2030-06-15T00:00:00Z"), HasSubstr("\"valid\":true"));
    EXPECT_THAT(answer_with("max_depth", 1), HasSubstr("\"valid\":true"));
    EXPECT_THAT(answer_with("max_depth", 0), HasSubstr("path-too-long"));
    EXPECT_THAT(answer_with("max_depth", nullptr), HasSubstr("\"valid\":true"));
    EXPECT_THAT(answer_with("purpose", "server"), HasSubstr("wrong-purpose"));
    EXPECT_THAT(answer_with("purpose", "any"), HasSubstr("\"valid\":true"));
    EXPECT_THAT(answer_with("name", "dev-1"), HasSubstr("name-mismatch"));
    EXPECT_THAT(answer_with("crls", json::array{}), HasSubstr("\"valid\":true"));
    EXPECT_THAT(answer_with("crls", json::array{"no list"}), HasSubstr("unknown-revocation"))
        << "a list was meant to be there";
    EXPECT_THAT(answer_with("anchors", a_request()["anchors"].at(0)), HasSubstr("\"valid\":true"))
        << "one text in place of an array";
    EXPECT_THAT(answer_with("anchors", json::array{}), HasSubstr("no-issuer-found"));
}

TEST(PkiVerifyBatch, JudgesUnreadableCertificatesAndLeavesOutStrays) {
    const std::string broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    EXPECT_THAT(answer_with("chain", json::array{broken}),
                StartsWith(R"({"id":"a","valid":false,"reason":"malformed-certificate: )"));
    EXPECT_THAT(answer_with("anchors", json::array{broken}),
                StartsWith(R"({"id":"a","valid":false,"reason":"malformed-certificate: )"));
    json::object request = a_request();
    request["chain"].get_array().push_back(json::value(broken));
    request["anchors"].get_array().push_back(json::value(broken));
    EXPECT_THAT(answer(request), HasSubstr("\"valid\":true"));
}

TEST(PkiVerifyBatch, SkipsWhatItCannotJudge) {
    EXPECT_EQ(answer_with("chain", json::array{}), R"({"id":"a","skip":"the chain is empty"})");
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, json::value>>{
             {"at", "yesterday"},
             {"at", true},
             {"at", 1e300},
             {"chain", 3},
             {"chain", json::array{3}},
             {"chain", json::array{"no certificate"}},
             {"max_depth", -1},
             {"max_depth", "two"},
             {"purpose", "email"},
             {"purpose", 1},
             {"name", 1}}) {
        EXPECT_THAT(answer_with(name, value), StartsWith(R"({"id":"a","skip":")")) << name;
    }
}

TEST(PkiVerifyBatch, SurvivesEveryKindOfLine) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"{}", R"({"id":null,"skip":)"},
        {"[]", R"({"id":null,"skip":)"},
        {"3", R"({"id":null,"skip":)"},
        {"not json", R"({"id":null,"skip":)"},
        {R"({"id":"x")", R"({"id":"x","skip":)"},
        {R"({"id" : 12, "chain":)", R"({"id":12,"skip":)"},
        {R"({"id":["x"], "chain":)", R"({"id":null,"skip":)"},
        {R"({"id":"x)", R"({"id":null,"skip":)"},
        {R"({"id")", R"({"id":null,"skip":)"},
        {"{\"id\":\"\xff\"}", R"({"id":null,"skip":)"},
        {std::string(100, '['), R"({"id":null,"skip":)"},
    };
    for (const auto& [line, begins] : table) {
        EXPECT_THAT(judge_line(line, clock_of_today), StartsWith(begins)) << line;
    }
}

TEST(PkiVerifyBatch, AnswersLineByLine) {
    const std::string request = json::serialize(a_request());
    std::istringstream in{request + "\n\nnonsense\r\n" + request};
    std::ostringstream out;
    verify_batch(in, out, clock_of_today);
    const std::string valid = answer(a_request()) + "\n";
    EXPECT_THAT(out.str(), StartsWith(valid + R"({"id":null,"skip":")"));
    EXPECT_THAT(out.str(), testing::EndsWith("\"}\n" + valid));
}

TEST(PkiVerifyBatch, GoesOnAfterALineThatIsTooLong) {
    const std::string request = json::serialize(a_request());
    const std::string padded =
        std::string(limits::pki_verify_line_bytes_max - request.size(), ' ') + request;
    std::istringstream in{padded + "\n " + padded + "\n" + request + "\n"};
    std::ostringstream out;
    verify_batch(in, out, clock_of_today);
    const std::string valid = answer(a_request()) + "\n";
    EXPECT_EQ(out.str(), valid + R"({"id":"a","skip":"the line is too long"})" + "\n" + valid);
}

// --- one chain -----------------------------------------------------------------------------------

struct Ran {
    Exit exit;
    std::string out;
    std::string err;
};

class PkiVerify : public testing::Test {
protected:
    std::string write(const std::string& name, const std::string& text) const {
        const auto path = directory_.path() / name;
        std::ofstream{path} << text;
        return path.string();
    }

    Ran run(const std::string& options) const {
        std::istringstream in;
        std::ostringstream out;
        std::ostringstream err;
        const Exit exit = run_command_line(command_table(), split_line("pki verify " + options),
                                           Streams{in, out, err});
        return {exit, out.str(), err.str()};
    }

    const Authority root_ = a_root("Root");
    const ScratchDirectory directory_;
    const std::string anchors_ = write("root.pem", root_.certificate().pem());
    const std::string chain_ = write("chain.pem", root_.leaf("dev-1").pem());
    const std::string at_ =
        " --at " +
        std::to_string(std::chrono::floor<std::chrono::seconds>(today).time_since_epoch().count());
};

TEST_F(PkiVerify, ExitsByItsVerdict) {
    const std::string both = "--anchors " + anchors_ + " --chain " + chain_;
    const Ran valid = run(both + at_);
    EXPECT_EQ(valid.exit, Exit::done);
    EXPECT_EQ(valid.out, "valid: CN=dev-1 <- CN=Root\n");
    const Ran early = run(both + " --at 0");
    EXPECT_EQ(early.exit, Exit::refused);
    EXPECT_THAT(early.out, StartsWith("invalid: not-yet-valid: CN=dev-1"));
    EXPECT_EQ(std::count(early.out.begin(), early.out.end(), '\n'), 1);
    const Ran server = run(both + at_ + " --purpose server");
    EXPECT_EQ(server.exit, Exit::refused);
}

TEST_F(PkiVerify, SaysWhenItCannotJudge) {
    const Ran missing = run("--anchors " + anchors_ + " --chain /no/such/file" + at_);
    EXPECT_EQ(missing.exit, Exit::cannot_judge);
    EXPECT_THAT(missing.err, HasSubstr("/no/such/file"));
    const Ran empty = run("--anchors " + anchors_ + at_ + " --chain " + write("empty", "hello"));
    EXPECT_EQ(empty.exit, Exit::cannot_judge);
    EXPECT_EQ(run("--anchors " + anchors_).exit, Exit::usage);
    const std::string both = "--anchors " + anchors_ + " --chain " + chain_;
    EXPECT_EQ(run(both + " --at 900000000001").exit, Exit::usage);
    EXPECT_EQ(run(both + " --at 900000000000").exit, Exit::refused);
    EXPECT_EQ(run(both + " --at -900000000000").exit, Exit::refused);
    EXPECT_EQ(run(both + at_ + " --max-depth -2").exit, Exit::usage);
    EXPECT_EQ(run(both + at_ + " --clock-skew 86401").exit, Exit::usage);
    EXPECT_EQ(run(both + at_ + " --clock-skew 86400").exit, Exit::done);
}

TEST_F(PkiVerify, TakesFilesUpToItsBound) {
    const std::string leaf = root_.leaf("dev-1").pem();
    std::string strays;
    for (std::size_t i = 1; i < limits::pki_verify_certificates_max; ++i) {
        strays += root_.certificate().pem();
    }
    const auto judged = [&](const std::string& text) {
        return run("--anchors " + anchors_ + at_ + " --chain " + write("many.pem", text));
    };
    EXPECT_EQ(judged(leaf + strays).exit, Exit::done);
    const Ran beyond = judged(leaf + strays + leaf);
    EXPECT_EQ(beyond.exit, Exit::refused);
    EXPECT_THAT(beyond.out, HasSubstr("too-many-certificates"));
}

}  // namespace
}  // namespace rollcall::app
