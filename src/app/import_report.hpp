// SPDX-License-Identifier: Apache-2.0
// What an import did, or would do: counted for each file, and told entry by entry where there is
// something to tell. For people on stdout, or as one JSON object.
#pragma once

#include "app/import_entry.hpp"

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace rollcall::app {

enum class ImportOutcome : std::uint8_t {
    made,
    completed,  ///< was there without a certificate, or without words
    there,
    differs,
    refused,   ///< by the server
    left_out,  ///< something is to be supplied first
};
std::string_view to_string(ImportOutcome outcome);

/// One entry and what became of it.
struct ImportedEntry {
    std::string id{};
    ImportOutcome outcome = ImportOutcome::left_out;
    std::string code{};
    std::string detail{};
    std::vector<std::string> notes{};

    /// Is there more to say than that it went as it should?
    bool worth_telling() const {
        return !notes.empty() || outcome == ImportOutcome::differs ||
               outcome == ImportOutcome::refused || outcome == ImportOutcome::left_out;
    }
};

class ImportReport {
public:
    /// `everything`: keep also entries that went as they should.
    explicit ImportReport(bool dry_run, bool everything)
        : dry_run_(dry_run), everything_(everything) {}

    /// What is added from now on comes from this file.
    void begin(const std::string& file, ImportKind kind);
    void add(ImportedEntry entry);
    /// A member that cannot be carried over, of one entry.
    void not_carried(const std::string& member, const std::string& id);

    std::uint64_t count(ImportOutcome outcome) const;
    /// Nothing was refused or left out.
    bool complete() const {
        return count(ImportOutcome::refused) == 0 && count(ImportOutcome::left_out) == 0;
    }

    void print(std::ostream& out) const;
    json::object as_json() const;

private:
    static constexpr std::size_t outcomes = 6;
    struct File {
        std::string name;
        ImportKind kind;
        std::array<std::uint64_t, outcomes> counts{};
        std::vector<ImportedEntry> told{};
    };
    struct Lost {
        std::uint64_t entries = 0;
        std::string example{};
    };

    bool dry_run_;
    bool everything_;
    std::vector<File> files_;
    std::map<std::string, Lost> lost_;
};

}  // namespace rollcall::app
