// SPDX-License-Identifier: Apache-2.0
// What `audit export` writes and `audit verify` reads: a JSON object a line. An event as the API
// gives it; before the first, of a pruned log, {"checkpoint": SEAL}; behind the last {"head": SEAL}
// (store/audit_seal.hpp). Needs no server and no secret.
#pragma once

#include "app/admin_client.hpp"
#include "store/audit_seal.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace rollcall::app {

/// What an earlier export says of the log: where it ended and, where it is a whole one, every
/// event's hash.
struct EarlierExport {
    store::AuditSeal head;
    std::map<std::uint64_t, Digest> hashes{};
};

/// What a walk over a log found.
struct AuditFindings {
    std::uint64_t events = 0;  ///< sound ones
    std::uint64_t first = 0;   ///< of those that are there; 0: none
    std::optional<store::AuditFault> fault{};
    std::optional<store::AuditSeal> head{};
};

/// Follows a log line by line, and holds it against an earlier export where there is one. The first
/// fault counts.
class AuditWalk {
public:
    explicit AuditWalk(std::optional<EarlierExport> earlier = {}) : earlier_(std::move(earlier)) {}

    /// An event, or an object with `checkpoint` or `head`.
    void feed(const json::object& line);
    /// A line that is no JSON object.
    void feed_rubbish();
    AuditFindings finish();

private:
    void begin_at(const store::AuditSeal& checkpoint);
    void end_at(const store::AuditSeal& head);
    void follow(const store::AuditRecord& record);
    void compare(std::uint64_t sequence, const Digest& hash);
    void check_signer(const store::AuditSeal& seal);
    void fault(std::uint64_t sequence, std::string what);

    std::optional<EarlierExport> earlier_;
    store::ChainWalk walk_{};
    std::uint64_t begin_ = 0;
    bool begun_ = false;
    AuditFindings findings_{};
};

/// The event of a line; malformed where it is none.
Result<store::AuditRecord> read_event(const json::object& line);
/// A seal as the API gives it; malformed where it is none. Its signature is not looked at.
Result<store::AuditSeal> read_seal(const json::value& seal);

/// Walks a file. Errors are those of reading it; what is wrong with the log is a finding.
Result<AuditFindings> walk_file(const std::filesystem::path& file,
                                std::optional<EarlierExport> earlier);

/// Reads an export, or its last line alone. malformed for one that is not sound itself: nothing can
/// be held against it.
Result<EarlierExport> read_earlier(const std::filesystem::path& file);

}  // namespace rollcall::app
