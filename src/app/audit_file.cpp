// SPDX-License-Identifier: Apache-2.0
#include "app/audit_file.hpp"

#include "base/limits.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <istream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {
namespace {

using store::AuditSeal;

Error no_event() {
    return {ErrorKind::malformed, "this line is no event of an audit log"};
}

Error no_seal() {
    return {ErrorKind::malformed, "this is no signed head or checkpoint of an audit log"};
}

/// A member that is text; none otherwise.
std::optional<std::string> text_of(const json::object& object, std::string_view name) {
    const json::value* const found = object.if_contains(name);
    if (found == nullptr || !found->is_string()) {
        return std::nullopt;
    }
    return std::string{found->as_string()};
}

std::optional<std::uint64_t> number_of(const json::object& object, std::string_view name) {
    const json::value* const found = object.if_contains(name);
    boost::system::error_code failed;
    const auto number =
        found != nullptr && found->is_number() ? found->to_number<std::uint64_t>(failed) : 0;
    return found == nullptr || !found->is_number() || failed ? std::nullopt : std::optional{number};
}

/// The text of `detail` that was hashed; none where two spellings of it say two things.
std::optional<std::string> detail_of(const json::object& line) {
    const json::value* const detail = line.if_contains("detail");
    if (detail == nullptr) {
        return std::nullopt;
    }
    if (!line.contains("detailText")) {
        return detail->is_null() ? std::string{} : json::serialize(*detail);
    }
    const auto text = text_of(line, "detailText");
    boost::system::error_code failed;
    const json::value spelled = json::parse(text.value_or(""), failed);
    return !failed && spelled == *detail ? text : std::nullopt;
}

/// A line without its end, at most limits::audit_line_bytes_max; none at the end of the file.
/// too_large beyond that.
Result<std::optional<std::string>> read_line(std::istream& in) {
    std::string line;
    std::streambuf* const bytes = in.rdbuf();
    constexpr auto end = std::char_traits<char>::eof();
    for (int c = bytes->sbumpc(); c != end; c = bytes->sbumpc()) {
        if (c == '\n') {
            return std::optional{std::move(line)};
        }
        if (line.size() == limits::audit_line_bytes_max) {
            return Error{ErrorKind::too_large, "a line has more than " +
                                                   std::to_string(limits::audit_line_bytes_max) +
                                                   " bytes: this is no export of an audit log"};
        }
        line.push_back(static_cast<char>(c));
    }
    return line.empty() ? std::optional<std::string>{} : std::optional{std::move(line)};
}

using LineHandler = std::function<void(const json::object* line)>;

/// Calls `handle` with every line; with null for one that is no JSON object.
Result<Done> each_line(const std::filesystem::path& file, const LineHandler& handle) {
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        return Error{ErrorKind::not_found,
                     file.string() + ": cannot be read: " + std::strerror(errno)};
    }
    while (true) {
        auto line = read_line(in);
        if (!line) {
            Error error = line.error();
            error.detail = file.string() + ": " + error.detail;
            return error;
        }
        if (!*line) {
            return Done{};
        }
        boost::system::error_code failed;
        const json::value parsed = json::parse(**line, failed);
        handle(failed ? nullptr : parsed.if_object());
    }
}

std::string of_earlier(const AuditSeal& head) {
    return "the head of " + to_iso8601_seconds(head.at) + " (number " +
           std::to_string(head.sequence) + ")";
}

}  // namespace

Result<store::AuditRecord> read_event(const json::object& line) {
    store::AuditRecord record;
    const auto sequence = number_of(line, "sequence");
    const auto at = text_of(line, "at");
    const auto actor = text_of(line, "actor");
    const auto source = text_of(line, "source");
    const auto action = text_of(line, "action");
    const auto object = text_of(line, "object");
    const auto reason = text_of(line, "reason");
    const auto previous = text_of(line, "previous");
    const auto hash = text_of(line, "hash");
    const auto detail = detail_of(line);
    if (!sequence || !at || !actor || !source || !action || !object || !reason || !previous ||
        !hash || !detail) {
        return no_event();
    }
    const auto time = parse_iso8601(*at);
    const auto before = parse_digest(*previous);
    const auto own = parse_digest(*hash);
    if (!time || !before || !own) {
        return no_event();
    }
    record.sequence = *sequence;
    record.event = {*time, *actor, *source, *action, *object, *detail, *reason};
    record.previous = *before;
    record.hash = *own;
    return record;
}

Result<AuditSeal> read_seal(const json::value& seal) {
    const json::object* const object = seal.if_object();
    if (object == nullptr) {
        return no_seal();
    }
    const auto kind = text_of(*object, "kind");
    const auto scope = text_of(*object, "scopeId");
    const auto sequence = number_of(*object, "sequence");
    const auto at = parse_iso8601(text_of(*object, "at").value_or(""));
    const auto hash = parse_digest(text_of(*object, "hash").value_or(""));
    const auto key = parse_digest(text_of(*object, "publicKey").value_or(""));
    const auto signature = parse_base64(text_of(*object, "signature").value_or(""));
    const bool known =
        kind == to_string(AuditSeal::Kind::head) || kind == to_string(AuditSeal::Kind::checkpoint);
    if (!known || !scope || !sequence || !at || !hash || !key || !signature) {
        return no_seal();
    }
    return AuditSeal{kind == to_string(AuditSeal::Kind::head) ? AuditSeal::Kind::head
                                                              : AuditSeal::Kind::checkpoint,
                     *scope,
                     *sequence,
                     *hash,
                     *at,
                     *key,
                     *signature};
}

void AuditWalk::fault(std::uint64_t sequence, std::string what) {
    if (!findings_.fault) {
        findings_.fault = store::AuditFault{sequence, std::move(what)};
    }
}

void AuditWalk::feed_rubbish() {
    fault(walk_.sequence() + 1, "the line in its place is no JSON object");
}

void AuditWalk::feed(const json::object& line) {
    const bool first = !std::exchange(begun_, true);
    const json::value* const checkpoint = line.if_contains("checkpoint");
    const json::value* const head = line.if_contains("head");
    if (findings_.head) {
        fault(walk_.sequence() + 1, "something stands behind the signed head");
    } else if (checkpoint != nullptr || head != nullptr) {
        const auto seal = read_seal(checkpoint != nullptr ? *checkpoint : *head);
        if (!seal) {
            fault(walk_.sequence() + 1, seal.error().detail);
        } else if (checkpoint == nullptr) {
            end_at(*seal);
        } else if (first) {
            begin_at(*seal);
        } else {
            fault(walk_.sequence() + 1, "a checkpoint stands behind events");
        }
    } else if (const auto record = read_event(line)) {
        follow(*record);
    } else {
        fault(walk_.sequence() + 1, record.error().detail);
    }
}

void AuditWalk::check_signer(const AuditSeal& seal) {
    if (!is_genuine(seal)) {
        fault(seal.sequence,
              "the " + std::string{to_string(seal.kind)} + " is not what was signed");
        return;
    }
    // Two servers' logs differ from their first record on: that they are two is what to tell.
    if (earlier_ && seal.public_key != earlier_->head.public_key) {
        findings_.fault = {seal.sequence, "the " + std::string{to_string(seal.kind)} +
                                              " is signed with another key than the earlier head"};
    } else if (earlier_ && seal.scope != earlier_->head.scope) {
        findings_.fault = {seal.sequence, "the log is that of " + seal.scope +
                                              ", the earlier head that of " + earlier_->head.scope};
    }
}

void AuditWalk::begin_at(const AuditSeal& checkpoint) {
    check_signer(checkpoint);
    if (checkpoint.kind != AuditSeal::Kind::checkpoint) {
        fault(checkpoint.sequence, "the log begins with what is no checkpoint");
        return;
    }
    walk_ = store::ChainWalk{checkpoint.sequence, checkpoint.hash};
    begin_ = checkpoint.sequence;
    compare(checkpoint.sequence, checkpoint.hash);
    if (earlier_ && earlier_->head.sequence < begin_ && !earlier_->hashes.contains(begin_)) {
        fault(begin_, "the events up to there were pruned, and " + of_earlier(earlier_->head) +
                          " is older: compare with one from there on");
    }
}

/// Holds one place of the log against what the earlier export says of it.
void AuditWalk::compare(std::uint64_t sequence, const Digest& hash) {
    if (!earlier_) {
        return;
    }
    const auto known = earlier_->hashes.find(sequence);
    if (known != earlier_->hashes.end() && known->second != hash) {
        fault(sequence, "the record is not the one that was exported before");
    } else if (sequence == earlier_->head.sequence && hash != earlier_->head.hash) {
        fault(sequence, "this record, or one before it, is not what " + of_earlier(earlier_->head) +
                            " was signed over: the log was rewritten");
    }
}

void AuditWalk::follow(const store::AuditRecord& record) {
    if (findings_.fault) {
        return;
    }
    if (const auto wrong = walk_.follow(record)) {
        fault(wrong->sequence, wrong->what);
        return;
    }
    compare(record.sequence, record.hash);
}

void AuditWalk::end_at(const AuditSeal& head) {
    check_signer(head);
    findings_.head = head;
    if (head.kind != AuditSeal::Kind::head) {
        fault(head.sequence, "the log ends with what is no head");
    } else if (head.sequence > walk_.sequence()) {
        fault(walk_.sequence() + 1, "the log ends before its signed end");
    } else if (head.sequence < walk_.sequence() || head.hash != walk_.hash()) {
        fault(head.sequence, "the record is not the one that was signed");
    }
}

AuditFindings AuditWalk::finish() {
    if (!findings_.head) {
        fault(walk_.sequence() + 1, "the log ends without a signed head: its end is missing");
    } else if (earlier_ && earlier_->head.sequence > walk_.sequence()) {
        fault(walk_.sequence() + 1,
              "the log ends before " + of_earlier(earlier_->head) + ": what came behind is gone");
    }
    findings_.events = walk_.sequence() - begin_;
    findings_.first = findings_.events == 0 ? 0 : begin_ + 1;
    return findings_;
}

Result<AuditFindings> walk_file(const std::filesystem::path& file,
                                std::optional<EarlierExport> earlier) {
    AuditWalk walk{std::move(earlier)};
    TRY([[maybe_unused]] const auto read, each_line(file, [&walk](const json::object* line) {
            line == nullptr ? walk.feed_rubbish() : walk.feed(*line);
        }));
    return walk.finish();
}

Result<EarlierExport> read_earlier(const std::filesystem::path& file) {
    const auto not_sound = [&file](const std::string& why) {
        return Error{ErrorKind::malformed,
                     file.string() + " is no sound export, nothing can be held against it: " + why};
    };
    AuditWalk walk;
    EarlierExport earlier;
    std::optional<json::value> only_head;
    std::size_t lines = 0;
    TRY([[maybe_unused]] const auto read, each_line(file, [&](const json::object* line) {
            ++lines;
            if (line == nullptr) {
                walk.feed_rubbish();
                return;
            }
            walk.feed(*line);
            if (const auto* const head = line->if_contains("head")) {
                only_head = *head;
            } else if (const auto record = read_event(*line)) {
                earlier.hashes.emplace(record->sequence, record->hash);
            }
        }));
    if (lines == 1 && only_head) {  // the last line of an export, kept alone
        const auto seal = read_seal(*only_head);
        if (!seal || seal->kind != AuditSeal::Kind::head || !is_genuine(*seal)) {
            return not_sound("its head is not what was signed");
        }
        earlier.head = *seal;
        return earlier;
    }
    const AuditFindings findings = walk.finish();
    if (findings.fault) {
        return not_sound("number " + std::to_string(findings.fault->sequence) + ": " +
                         findings.fault->what);
    }
    earlier.head = *findings.head;
    return earlier;
}

}  // namespace rollcall::app
