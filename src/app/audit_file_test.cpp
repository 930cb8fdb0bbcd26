// SPDX-License-Identifier: Apache-2.0
// What was done to an exported log, or to a log since an earlier export, is found and named.
#include "app/audit_file.hpp"

#include "base/limits.hpp"
#include "front/native_json.hpp"
#include "support/full_records.hpp"
#include "support/scratch_directory.hpp"

#include <algorithm>
#include <fstream>
#include <functional>

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using store::AuditSeal;
using test::an_event;
using test::digest_of;
using ::testing::HasSubstr;

const Digest key = digest_of("key");
const Digest other_key = digest_of("other");

json::object seal_json(const AuditSeal& seal) {
    return {{"kind", to_string(seal.kind)},
            {"scopeId", seal.scope},
            {"sequence", seal.sequence},
            {"hash", to_upper_hex(seal.hash.bytes)},
            {"at", to_iso8601_ticks(seal.at)},
            {"publicKey", to_upper_hex(seal.public_key.bytes)},
            {"signature", to_base64(seal.signature)}};
}

/// A server's log, and its exports.
struct Log {
    std::vector<store::AuditRecord> records;
    std::optional<store::AuditHead> checkpoint{};
    Digest key_ = key;

    void append(const domain::AuditEvent& event) {
        const auto head = records.empty()
                              ? store::signed_head(0, Digest{}, key_)
                              : store::AuditHead{records.back().sequence, records.back().hash, {}};
        records.push_back(store::chain_audit(head, event, key_).record);
    }
    /// As somebody does who has the server's key.
    void chain_anew() {
        Digest previous{};
        for (auto& record : records) {
            record.previous = previous;
            record.hash = store::audit_hash(record.sequence, record.event, previous);
            previous = record.hash;
        }
    }
    std::vector<json::object> exported() const {
        const auto at = test::day("2026-05-01");
        std::vector<json::object> lines;
        if (checkpoint) {
            lines.push_back(
                {{"checkpoint", seal_json(store::sealed(AuditSeal::Kind::checkpoint, "0ne1",
                                                        *checkpoint, at, key_))}});
        }
        store::AuditHead head = checkpoint.value_or(store::AuditHead{});
        for (const auto& record : records) {
            if (!checkpoint || record.sequence > checkpoint->sequence) {
                lines.push_back(front::to_json(record));
            }
            head = {record.sequence, record.hash, {}};
        }
        lines.push_back(
            {{"head", seal_json(store::sealed(AuditSeal::Kind::head, "0ne1", head, at, key_))}});
        return lines;
    }
};

Log a_log(int events = 5) {
    Log log;
    for (int i = 1; i <= events; ++i) {
        auto event = an_event("event." + std::to_string(i));
        event.at += std::chrono::microseconds{i};
        event.detail = i % 2 == 0 ? "" : R"({"enabled":{"before":true,"after":false},"n":1.50})";
        log.append(event);
    }
    return log;
}

class AuditFileTest : public ::testing::Test {
protected:
    std::filesystem::path write(const std::vector<json::object>& lines) {
        std::string text;
        for (const auto& line : lines) {
            text += json::serialize(line) + "\n";
        }
        return write(text);
    }
    std::filesystem::path write(const std::string& text) {
        const auto path = scratch_.path() / (std::to_string(++files_) + ".jsonl");
        std::ofstream{path, std::ios::binary} << text;
        return path;
    }
    EarlierExport earlier(const Log& log) { return read_earlier(write(log.exported())).value(); }
    EarlierExport earlier_head(const Log& log) {
        return read_earlier(write({log.exported().back()})).value();
    }
    AuditFindings walk(const std::vector<json::object>& lines,
                       std::optional<EarlierExport> earlier = {}) {
        return walk_file(write(lines), std::move(earlier)).value();
    }
    static json::object& detail(json::object& line) { return line["detail"].as_object(); }

    test::ScratchDirectory scratch_;
    int files_ = 0;
};

TEST_F(AuditFileTest, AnExportIsSoundAsItWasWritten) {
    const auto found = walk(a_log().exported());
    EXPECT_EQ(found.fault, std::nullopt);
    EXPECT_EQ(found.events, 5U);
    EXPECT_EQ(found.first, 1U);
    EXPECT_EQ(found.head->sequence, 5U);
    EXPECT_EQ(walk(a_log(0).exported()).fault, std::nullopt);
    EXPECT_EQ(walk(a_log().exported(), earlier(a_log(3))).fault, std::nullopt);
    EXPECT_EQ(walk(a_log().exported(), earlier_head(a_log(3))).fault, std::nullopt);
    EXPECT_EQ(walk(a_log().exported(), earlier_head(a_log(0))).fault, std::nullopt);
    EXPECT_EQ(walk(a_log().exported(), earlier(a_log())).fault, std::nullopt);
}

TEST_F(AuditFileTest, EverythingDoneToAnExportIsFoundWhereItWasDone) {
    using Lines = std::vector<json::object>;
    struct Case {
        const char* what;
        std::function<void(Lines&)> change;
        std::uint64_t sequence;
    };
    const std::vector<Case> cases{
        {"an actor edited", [](Lines& lines) { lines[1]["actor"] = "x"; }, 2},
        {"a time edited", [](Lines& lines) { lines[1]["at"] = "2026-04-01T00:00:00.0000030Z"; }, 2},
        {"a reason edited", [](Lines& lines) { lines[0]["reason"] = ""; }, 1},
        {"a detail edited", [](Lines& lines) { detail(lines[2])["n"] = 2; }, 3},
        {"a detail emptied", [](Lines& lines) { lines[2]["detail"] = nullptr; }, 3},
        {"a detail's text given", [](Lines& lines) { lines[1]["detailText"] = "{}"; }, 2},
        {"a hash edited", [](Lines& lines) { lines[4]["hash"] = std::string(64, 'A'); }, 5},
        {"one removed", [](Lines& lines) { lines.erase(lines.begin() + 2); }, 3},
        {"the first removed", [](Lines& lines) { lines.erase(lines.begin()); }, 1},
        {"the last removed", [](Lines& lines) { lines.erase(lines.begin() + 4); }, 5},
        {"two exchanged", [](Lines& lines) { std::swap(lines[1], lines[3]); }, 2},
        {"one there twice", [](Lines& lines) { lines.insert(lines.begin(), lines[0]); }, 2},
        {"cut short", [](Lines& lines) { lines.resize(3); }, 4},
        {"the head alone gone", [](Lines& lines) { lines.pop_back(); }, 6},
        {"no line at all", [](Lines& lines) { lines.clear(); }, 1},
        {"something behind the head", [](Lines& lines) { lines.push_back(lines[0]); }, 6},
        {"the head moved back",
         [](Lines& lines) {
             lines[5]["head"].as_object()["sequence"] = 3;
             lines.erase(lines.begin() + 3, lines.begin() + 5);
         },
         3},
        {"the head signed by another",
         [](Lines& lines) {
             Log log = a_log();
             log.key_ = other_key;
             lines[5]["head"].as_object()["signature"] =
                 log.exported().back()["head"].at("signature");
         },
         5},
        {"a line that is no event", [](Lines& lines) { lines[2].erase("hash"); }, 3},
        {"a number that is text", [](Lines& lines) { lines[2]["sequence"] = "3"; }, 3},
        {"a checkpoint in between",
         [](Lines& lines) {
             Log pruned = a_log();
             pruned.checkpoint = store::AuditHead{3, pruned.records[2].hash, {}};
             lines.insert(lines.begin() + 3, pruned.exported().front());
         },
         4}};
    for (const auto& each : cases) {
        auto lines = a_log().exported();
        each.change(lines);
        const auto found = walk(lines);
        ASSERT_TRUE(found.fault) << each.what;
        EXPECT_EQ(found.fault->sequence, each.sequence) << each.what << ": " << found.fault->what;
    }
}

TEST_F(AuditFileTest, ARewrittenLogIsSoundAndNotWhatWasExportedBefore) {
    Log rewritten = a_log();
    rewritten.records[1].event.reason = "another";
    rewritten.chain_anew();
    EXPECT_EQ(walk(rewritten.exported()).fault, std::nullopt) << "alone, nobody can tell";

    const auto by_export = walk(rewritten.exported(), earlier(a_log(4)));
    ASSERT_TRUE(by_export.fault);
    EXPECT_EQ(by_export.fault->sequence, 2U) << "a whole export says which";
    const auto by_head = walk(rewritten.exported(), earlier_head(a_log(4)));
    ASSERT_TRUE(by_head.fault);
    EXPECT_EQ(by_head.fault->sequence, 4U) << "a head says up to where";
    EXPECT_THAT(by_head.fault->what, HasSubstr("rewritten"));
    EXPECT_EQ(walk(rewritten.exported(), earlier(a_log(1))).fault, std::nullopt)
        << "what was exported before the change is still there";
}

TEST_F(AuditFileTest, ALogThatWasPutBackIsFound) {
    for (const auto& before : {earlier(a_log(5)), earlier_head(a_log(5))}) {
        const auto found = walk(a_log(3).exported(), before);
        ASSERT_TRUE(found.fault);
        EXPECT_EQ(found.fault->sequence, 4U);
    }
}

TEST_F(AuditFileTest, AnotherServersLogIsFound) {
    Log other = a_log();
    other.key_ = other_key;
    const auto found = walk(other.exported(), earlier_head(a_log()));
    ASSERT_TRUE(found.fault);
    EXPECT_THAT(found.fault->what, HasSubstr("another key"));
}

TEST_F(AuditFileTest, APrunedLogIsSoundFromItsCheckpointOn) {
    Log pruned = a_log();
    pruned.checkpoint = store::AuditHead{3, pruned.records[2].hash, {}};
    const auto found = walk(pruned.exported());
    EXPECT_EQ(found.fault, std::nullopt);
    EXPECT_EQ(found.events, 2U);
    EXPECT_EQ(found.first, 4U);
    EXPECT_EQ(walk(pruned.exported(), earlier_head(a_log(3))).fault, std::nullopt);
    EXPECT_EQ(walk(pruned.exported(), earlier(a_log(4))).fault, std::nullopt);
    EXPECT_EQ(walk(pruned.exported(), earlier(pruned)).fault, std::nullopt);

    const auto too_old = walk(pruned.exported(), earlier(a_log(2)));
    ASSERT_TRUE(too_old.fault) << "nothing of what it knows is there";
    EXPECT_EQ(too_old.fault->sequence, 3U);
    EXPECT_THAT(too_old.fault->what, HasSubstr("pruned"));

    Log rewritten = pruned;
    rewritten.checkpoint->hash = digest_of("another");
    rewritten.records[3].previous = digest_of("another");
    rewritten.records[3].hash =
        store::audit_hash(4, rewritten.records[3].event, rewritten.records[3].previous);
    rewritten.records[4].previous = rewritten.records[3].hash;
    rewritten.records[4].hash =
        store::audit_hash(5, rewritten.records[4].event, rewritten.records[4].previous);
    EXPECT_EQ(walk(rewritten.exported()).fault, std::nullopt);
    const auto seen = walk(rewritten.exported(), earlier(a_log(4)));
    ASSERT_TRUE(seen.fault);
    EXPECT_EQ(seen.fault->sequence, 3U);
}

TEST_F(AuditFileTest, WhatIsNotSoundItselfCompareNothing) {
    auto edited = a_log().exported();
    edited[1]["actor"] = "x";
    EXPECT_EQ(read_earlier(write(edited)).error().kind, ErrorKind::malformed);
    auto cut = a_log().exported();
    cut.pop_back();
    EXPECT_EQ(read_earlier(write(cut)).error().kind, ErrorKind::malformed);
    json::object head = a_log().exported().back();
    head["head"].as_object()["sequence"] = 4;
    EXPECT_EQ(read_earlier(write({head})).error().kind, ErrorKind::malformed);
    EXPECT_EQ(read_earlier(write("")).error().kind, ErrorKind::malformed);
    EXPECT_EQ(read_earlier(scratch_.path() / "none").error().kind, ErrorKind::not_found);
}

TEST_F(AuditFileTest, OtherFilesAreNoLogs) {
    const std::string events = json::serialize(a_log().exported().front());
    for (const std::string& text :
         {std::string{"hello\n"}, std::string{"[]\n"}, std::string{"\n"}, std::string{"{}\n"},
          events.substr(0, events.size() / 2), std::string(3, '\0')}) {
        const auto found = walk_file(write(text), {}).value();
        ASSERT_TRUE(found.fault) << text;
        EXPECT_EQ(found.fault->sequence, 1U) << text;
    }
}

TEST_F(AuditFileTest, ALineHasABound) {
    const std::string line(limits::audit_line_bytes_max, ' ');
    EXPECT_TRUE(walk_file(write(line + "\n"), {}));
    const auto longer = walk_file(write(line + " \n"), {});
    EXPECT_EQ(longer.error().kind, ErrorKind::too_large);
}

TEST_F(AuditFileTest, ADetailThatIsSpelledOtherwiseKeepsItsSpelling) {
    Log log;
    auto event = an_event("event");
    event.detail = R"({ "a" : 1 })";
    log.append(event);
    const auto lines = log.exported();
    EXPECT_EQ(lines[0].at("detailText").as_string(), event.detail.c_str());
    EXPECT_EQ(walk(lines).fault, std::nullopt);
}

}  // namespace
}  // namespace rollcall::app
