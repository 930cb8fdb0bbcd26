// SPDX-License-Identifier: Apache-2.0
// `rollcall pki` as it is typed, in a directory of its own and at a time of its own.
#include "app/pki_make.hpp"

#include "app/arguments.hpp"
#include "app/pki_inspect.hpp"
#include "app/pki_place.hpp"
#include "base/files.hpp"
#include "support/scratch_directory.hpp"
#include "x509/path.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;

TimePoint day(const char* text) {
    return parse_iso8601(text).value();
}

struct Ran {
    Exit exit = Exit::done;
    std::string out{};
    std::string err{};
    std::string refusal{};
};

class Pki : public testing::Test {
protected:
    /// Runs `rollcall pki LINE`; "@" stands for the test's directory.
    Ran run(std::string line) {
        for (auto at = line.find('@'); at != line.npos; at = line.find('@')) {
            line.replace(at, 1, directory_.string());
        }
        std::istringstream in;
        std::ostringstream out;
        std::ostringstream err;
        static const CommandTable table = command_table();
        const auto reading =
            read_arguments(table, split_line("pki " + line), Streams{in, out, err});
        if (!reading) {
            return Ran{Exit::usage, "", "", reading.error().detail};
        }
        const auto done = carried_out(*reading);
        if (!done) {
            const bool usage = done.error().reason == "usage";
            return Ran{usage ? Exit::usage : Exit::refused, out.str(), err.str(),
                       done.error().detail};
        }
        return Ran{*done, out.str(), err.str(), ""};
    }
    Result<Exit> carried_out(const Reading& reading) {
        using Make = Result<Exit> (*)(const Invocation&, const PkiWorld&);
        const std::map<std::string, Make> makers{{"pki ca", make_ca},
                                                 {"pki intermediate", make_intermediate},
                                                 {"pki leaf", make_leaves},
                                                 {"pki verification", make_verification}};
        const auto maker = makers.find(reading.command->words);
        return maker == makers.end() ? inspect_files(reading.invocation, clock_)
                                     : maker->second(reading.invocation, world_);
    }

    std::string text(const std::string& name) const {
        return read_file(directory_ / name, 1'000'000).value();
    }
    x509::Certificate certificate(const std::string& name) const {
        return load_certificate(directory_ / name).value();
    }
    std::vector<x509::Certificate> certificates(const std::string& name) const {
        return x509::read_certificates(text(name), 32).value();
    }
    mode_t mode(const std::string& name) const {
        struct stat found {};
        EXPECT_EQ(::stat((directory_ / name).c_str(), &found), 0);
        return found.st_mode & 07777U;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator{directory_}, {}));
    }
    bool attests(const std::string& leaf, const std::vector<x509::Certificate>& sent,
                 const std::string& root) const {
        const auto end_entity = certificate(leaf);
        const x509::AnchorSet anchors{{certificate(root)}};
        const x509::PathMaterial material{end_entity, sent, nullptr, anchors};
        x509::PathRules rules;
        rules.at = clock_.now();
        return x509::verify_path(material, rules).valid;
    }

    test::ScratchDirectory scratch_;
    const std::filesystem::path directory_ = scratch_.path();
    ManualClock clock_{day("2030-06-15T12:00:00Z")};
    ScriptedEntropy entropy_{11};
    PkiWorld world_{clock_, entropy_};
};

TEST_F(Pki, ARootAnIntermediateAndALeafFitTogether) {
    EXPECT_EQ(run("ca --cn 'Factory Root' --out @/root").exit, Exit::done);
    EXPECT_EQ(run("intermediate --cn A --issuer @/root --out @/a").exit, Exit::done);
    EXPECT_EQ(run("intermediate --cn B --issuer @/a --out @/b").exit, Exit::done);
    EXPECT_EQ(run("leaf --cn dev-1 --issuer @/b --out @/dev-1 --chain").exit, Exit::done);
    const auto chain = certificates("dev-1.chain.pem");
    ASSERT_EQ(chain.size(), 3U);
    EXPECT_EQ(chain[0], certificate("dev-1.pem"));
    EXPECT_EQ(chain[1], certificate("b.pem"));
    EXPECT_EQ(chain[2], certificate("a.pem"));
    EXPECT_TRUE(attests("dev-1.pem", chain, "root.pem"));
    EXPECT_TRUE(load_key(directory_ / "dev-1.key").value().belongs_to(chain[0]));
}

TEST_F(Pki, AnotherCertificatesBundleIsNotTakenForTheIssuers) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_EQ(run("intermediate --cn A --issuer @/root --out @/a").exit, Exit::done);
    ASSERT_EQ(run("intermediate --cn B --issuer @/root --out @/b").exit, Exit::done);
    fs::copy_file(directory_ / "a.chain.pem", directory_ / "b.chain.pem",
                  fs::copy_options::overwrite_existing);
    ASSERT_EQ(run("leaf --cn d --issuer @/b --out @/d --chain").exit, Exit::done);
    EXPECT_EQ(certificates("d.chain.pem").at(1), certificate("b.pem"));
}

TEST_F(Pki, KeysAreForTheirOwnerOnlyAndNeverPrinted) {
    const auto made = run("ca --cn R --out @/root");
    EXPECT_EQ(mode("root.key"), 0600U);
    EXPECT_NE(mode("root.pem") & 0044U, 0U);
    EXPECT_THAT(made.out, HasSubstr("root.key"));
    EXPECT_EQ(made.out.find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(run("inspect @/root.key").out.find("BEGIN"), std::string::npos);
}

TEST_F(Pki, DefaultsOfValidity) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_EQ(run("intermediate --cn A --issuer @/root --out @/a").exit, Exit::done);
    ASSERT_EQ(run("leaf --cn d --issuer @/a --out @/d").exit, Exit::done);
    ASSERT_EQ(run("verification --code C --issuer @/root --out @/proof.pem").exit, Exit::done);
    const struct {
        const char* file;
        int days;
    } cases[] = {{"root.pem", 3650}, {"a.pem", 1825}, {"d.pem", 365}, {"proof.pem", 1}};
    for (const auto& wanted : cases) {
        const auto made = certificate(wanted.file);
        EXPECT_EQ(made.not_before(), clock_.now()) << wanted.file;
        EXPECT_EQ(made.not_after(), clock_.now() + std::chrono::days{wanted.days}) << wanted.file;
    }
}

TEST_F(Pki, ExpiredAndFuture) {
    ASSERT_EQ(run("ca --cn R --out @/old --not-before -2y --not-after -1d").exit, Exit::done);
    EXPECT_EQ(certificate("old.pem").not_after(), day("2030-06-14T12:00:00Z"));
    ASSERT_EQ(run("ca --cn R --out @/new --not-before 2040-01-01 --days 1").exit, Exit::done);
    EXPECT_EQ(certificate("new.pem").not_after(), day("2040-01-02"));
}

TEST_F(Pki, EveryKindOfKey) {
    for (const std::string type : {"p256", "p384", "rsa2048", "ed25519"}) {
        ASSERT_EQ(run("ca --cn R --key " + type + " --out @/" + type).exit, Exit::done);
    }
    EXPECT_EQ(certificate("p384.pem").key().name, "P-384");
    EXPECT_EQ(certificate("rsa2048.pem").key().name, "RSA 2048");
    EXPECT_EQ(certificate("ed25519.pem").key().name, "Ed25519");
    EXPECT_EQ(run("ca --cn R --key rsa1024 --out @/x").exit, Exit::usage);
}

TEST_F(Pki, NothingIsReplacedUnlessForced) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    const std::string before = text("root.pem") + text("root.key");
    const auto refused = run("ca --cn R --out @/root");
    EXPECT_EQ(refused.exit, Exit::refused);
    EXPECT_THAT(refused.refusal, HasSubstr("--force"));
    EXPECT_EQ(text("root.pem") + text("root.key"), before);
    ASSERT_EQ(run("ca --cn R --out @/root --force").exit, Exit::done);
    EXPECT_NE(text("root.pem") + text("root.key"), before);
}

TEST_F(Pki, NothingHalfIsLeftWhereTheKeyExistsAlready) {
    ASSERT_TRUE(
        write_file(directory_ / "x.key", "mine", Secrecy::secret, FileSet::Existing::refuse));
    EXPECT_EQ(run("ca --cn R --out @/x").exit, Exit::refused);
    EXPECT_EQ(text("x.key"), "mine");
    EXPECT_EQ(files(), 1U);
}

TEST_F(Pki, RenewalWithTheOldKeyIsTheSameAuthority) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_EQ(run("leaf --cn d --issuer @/root --out @/d").exit, Exit::done);
    ASSERT_EQ(run("ca --cn R --key-file @/root.key --days 9000 --out @/root-2").exit, Exit::done);
    EXPECT_EQ(certificate("root-2.pem").ca_key(), certificate("root.pem").ca_key());
    EXPECT_TRUE(attests("d.pem", {}, "root-2.pem"));
}

TEST_F(Pki, ACrossCertificateCarriesOldLeavesToTheNewRoot) {
    ASSERT_EQ(run("ca --cn R1 --out @/r1").exit, Exit::done);
    ASSERT_EQ(run("ca --cn R2 --out @/r2").exit, Exit::done);
    ASSERT_EQ(run("leaf --cn d --issuer @/r1 --out @/d").exit, Exit::done);
    EXPECT_FALSE(attests("d.pem", {}, "r2.pem"));
    const auto made =
        run("intermediate --subject-cert @/r1.pem --issuer @/r2 --out @/r1-cross --days 30");
    ASSERT_EQ(made.exit, Exit::done) << made.refusal;
    EXPECT_TRUE(attests("d.pem", certificates("r1-cross.chain.pem"), "r2.pem"));
    EXPECT_FALSE(fs::exists(directory_ / "r1-cross.key"));
    ASSERT_EQ(run("intermediate --subject-cert @/r1.pem --key-file @/r1.key --issuer @/r2 "
                  "--out @/r1-pair")
                  .exit,
              Exit::done);
    EXPECT_EQ(run("leaf --cn e --issuer @/r1-pair --out @/e").exit, Exit::done);
}

TEST_F(Pki, ASelfSignedDevice) {
    ASSERT_EQ(run("leaf --cn d --self-signed --out @/d").exit, Exit::done);
    EXPECT_TRUE(certificate("d.pem").self_issued());
    EXPECT_EQ(certificate("d.pem").ca_flag(), false);
}

TEST_F(Pki, AFleet) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    const auto made =
        run("leaf --cn dev-{} --issuer @/root --out @/fleet/d{} --count 101 "
            "--first 7 --json");
    ASSERT_EQ(made.exit, Exit::done) << made.refusal;
    const auto records = json::parse(made.out).as_array();
    ASSERT_EQ(records.size(), 101U);
    EXPECT_EQ(records[0].at("commonName").as_string(), "dev-7");
    EXPECT_EQ(certificate("fleet/d107.pem").common_name(), "dev-107");
    EXPECT_EQ(made.err, "made 100 of 101\n");
    EXPECT_TRUE(attests("fleet/d50.pem", {}, "root.pem"));
}

TEST_F(Pki, AFleetThatMeetsAnExistingFileStopsAndSaysWhere) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_EQ(run("leaf --cn d --self-signed --out @/d3").exit, Exit::done);
    const auto refused = run("leaf --cn d{} --issuer @/root --out @/d{} --count 5 --json");
    EXPECT_EQ(refused.exit, Exit::refused);
    EXPECT_THAT(refused.refusal, HasSubstr("made 2 of 5"));
    EXPECT_EQ(json::parse(refused.out).as_array().size(), 2U) << "what was made is still told";
    EXPECT_FALSE(fs::exists(directory_ / "d4.pem"));
}

TEST_F(Pki, UsageThatIsRefusedSaysWhatToDo) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    const struct {
        const char* line;
        const char* hint;
    } cases[] = {
        {"ca --out @/x", "--cn"},
        {"ca --cn R", "--out"},
        {"ca --cn R --out @/x --key p256 --key-file @/root.key", "leave one out"},
        {"ca --cn R --out @/x --days 1 --not-after +1d", "leave one out"},
        {"ca --cn R --out @/x --not-after tomorrow", "+1y"},
        {"ca --cn R --out @/x --path-length -1", "--path-length"},
        {"ca --cn R --out @/x --path-length 1001", "1000"},
        {"intermediate --issuer @/root --out @/x", "--subject-cert"},
        {"intermediate --cn A --out @/x", "--issuer"},
        {"intermediate --cn A --subject-cert @/root.pem --issuer @/root --out @/x", "--cn"},
        {"leaf --cn d --out @/x", "--self-signed"},
        {"leaf --cn d --out @/x --self-signed --issuer @/root", "--self-signed"},
        {"leaf --cn d --out @/x --self-signed --count 2", "{}"},
        {"leaf --cn d{} --out @/x{} --self-signed --count 0", "--count"},
        {"leaf --cn d{} --out @/x{} --self-signed --count 1000001", "1000000"},
        {"verification --issuer @/root", "--code"},
        {"inspect", "FILE"},
    };
    for (const auto& wrong : cases) {
        const auto refused = run(wrong.line);
        EXPECT_EQ(refused.exit, Exit::usage) << wrong.line;
        EXPECT_THAT(refused.refusal, HasSubstr(wrong.hint)) << wrong.line;
        EXPECT_EQ(files(), 2U) << wrong.line;
    }
}

TEST_F(Pki, AnIssuerThatIsNoneIsRefusedByName) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_EQ(run("ca --cn S --out @/other").exit, Exit::done);
    const auto missing = run("leaf --cn d --issuer @/none --out @/d");
    EXPECT_EQ(missing.exit, Exit::refused);
    EXPECT_THAT(missing.refusal, HasSubstr("none.pem"));
    const auto wrong = run("leaf --cn d --issuer @/root --issuer-key @/other.key --out @/d");
    EXPECT_EQ(wrong.exit, Exit::refused);
    EXPECT_THAT(wrong.refusal, HasSubstr("--issuer-key"));
}

TEST_F(Pki, AnIssuerMayBeNamedByItsFileAndItsKeyStandElsewhere) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    EXPECT_EQ(run("leaf --cn d --issuer @/root.pem --out @/d1").exit, Exit::done);
    fs::rename(directory_ / "root.pem", directory_ / "ca.crt");
    EXPECT_EQ(run("leaf --cn d --issuer @/ca --issuer-key @/root.key --out @/d2").exit, Exit::done);
    EXPECT_EQ(run("leaf --cn d --issuer @/ca.crt --issuer-key @/root.key --out @/d3.pem").exit,
              Exit::done);
    EXPECT_TRUE(fs::exists(directory_ / "d3.key"));
}

TEST_F(Pki, WarnsOfAnIssuerThatIsNoCaAndOfALongerLife) {
    ASSERT_EQ(run("leaf --cn d --self-signed --out @/d --days 10").exit, Exit::done);
    const auto made = run("leaf --cn e --issuer @/d --out @/e --days 11");
    EXPECT_EQ(made.exit, Exit::done);
    EXPECT_THAT(made.err, HasSubstr("does not say that it is a CA"));
    EXPECT_THAT(made.err, HasSubstr("longer than its issuer"));
    EXPECT_EQ(run("leaf --cn e --issuer @/d --out @/f --days 10").err.find("longer"),
              std::string::npos);
}

TEST_F(Pki, AVerificationCertificateGoesToStandardOutputWithoutAKey) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    const auto made = run("verification --code C0DE --issuer @/root");
    ASSERT_EQ(made.exit, Exit::done);
    const auto proof = x509::read_one_certificate(made.out);
    ASSERT_TRUE(proof);
    EXPECT_EQ(proof->common_name(), "C0DE");
    EXPECT_TRUE(x509::is_signed_by(*proof, certificate("root.pem")));
    EXPECT_EQ(files(), 2U);
}

TEST_F(Pki, InspectTellsEachCertificateOfEachFile) {
    ASSERT_EQ(run("ca --cn R --out @/root --days 10").exit, Exit::done);
    ASSERT_EQ(run("intermediate --cn A --issuer @/root --out @/a --path-length 0").exit,
              Exit::done);
    ASSERT_EQ(run("leaf --cn d --issuer @/a --out @/d --chain").exit, Exit::done);
    const auto told = run("inspect --json @/d.chain.pem @/root.pem");
    EXPECT_EQ(told.exit, Exit::done);
    const auto files_told = json::parse(told.out).as_array();
    ASSERT_EQ(files_told.size(), 2U);
    const auto& chain = files_told[0].at("certificates").as_array();
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_EQ(chain[0].at("extendedKeyUsage"), (json::array{"clientAuth"}));
    EXPECT_EQ(chain[1].at("pathLength"), 0);
    EXPECT_EQ(chain[1].at("keyUsage"), (json::array{"keyCertSign", "cRLSign"}));
    EXPECT_THAT(run("inspect @/root.pem").out, HasSubstr("expires in 10 days"));
    clock_.set(day("2030-07-15T12:00:00Z"));
    EXPECT_THAT(run("inspect @/root.pem").out, HasSubstr("expired 20 days ago"));
}

TEST_F(Pki, InspectShowsWhatIsOdd) {
    ASSERT_EQ(run("ca --cn R --out @/root --not-before -2d --not-after -1d").exit, Exit::done);
    const auto told = run("inspect --json @/root.pem");
    const auto files_told = json::parse(told.out);
    const auto& findings = files_told.at(0).at("certificates").at(0).at("findings").as_array();
    ASSERT_FALSE(findings.empty());
    EXPECT_EQ(findings[0].at("fault"), "expired");
    EXPECT_THAT(run("inspect @/root.pem").out, HasSubstr("fatal: "));
}

TEST_F(Pki, InspectNamesWhatIsNoCertificate) {
    ASSERT_EQ(run("ca --cn R --out @/root").exit, Exit::done);
    ASSERT_TRUE(write_file(directory_ / "empty", "", Secrecy::open, FileSet::Existing::refuse));
    const auto told = run("inspect --json @/root.key @/empty @/missing @/root.pem");
    EXPECT_EQ(told.exit, Exit::refused);
    const auto files_told = json::parse(told.out).as_array();
    ASSERT_EQ(files_told.size(), 4U);
    EXPECT_EQ(files_told[0].at("refusal").at("reason"), "private-key-uploaded");
    EXPECT_EQ(files_told[0].at("privateKey").at("key"), "P-256");
    EXPECT_EQ(files_told[1].at("refusal").at("reason"), "no-certificate");
    EXPECT_FALSE(files_told[2].at("refusal").is_null());
    EXPECT_TRUE(files_told[3].at("refusal").is_null());
    EXPECT_THAT(run("inspect @/root.key").out, HasSubstr("P-256"));
}

TEST(PkiPlace, TakesAPrefixOrTheCertificatesName) {
    EXPECT_EQ(place_of("a/root").certificate, "a/root.pem");
    EXPECT_EQ(place_of("a/root.pem").key, "a/root.key");
    EXPECT_EQ(place_of("a/root.crt").chain, "a/root.chain.pem");
    EXPECT_EQ(place_of("dev.1").certificate, "dev.1.pem");
    EXPECT_EQ(place_of(".pem").certificate, ".pem.pem");
}

}  // namespace
}  // namespace rollcall::app
