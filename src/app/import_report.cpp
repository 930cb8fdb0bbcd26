// SPDX-License-Identifier: Apache-2.0
#include "app/import_report.hpp"

#include "app/print.hpp"
#include "base/limits.hpp"

#include <ostream>

#include <boost/json/array.hpp>

namespace rollcall::app {
namespace {

/// In the order in which they are told.
constexpr std::array all_outcomes{ImportOutcome::made,    ImportOutcome::completed,
                                  ImportOutcome::there,   ImportOutcome::differs,
                                  ImportOutcome::refused, ImportOutcome::left_out};

/// For people, of what was done and of what would be.
std::string_view words_of(ImportOutcome outcome, bool dry_run) {
    switch (outcome) {
        case ImportOutcome::made: return dry_run ? "would be made" : "made";
        case ImportOutcome::completed:
            return dry_run ? "would get what they lacked" : "got what they lacked";
        case ImportOutcome::there: return "there already";
        case ImportOutcome::differs: return "there, but otherwise: left alone";
        case ImportOutcome::refused: return dry_run ? "would be refused" : "refused";
        case ImportOutcome::left_out: break;
    }
    return "left out: something has to be supplied";
}

json::object to_json(const ImportedEntry& entry) {
    json::object object{{"id", entry.id},
                        {"outcome", std::string{to_string(entry.outcome)}},
                        {"code", entry.code},
                        {"detail", entry.detail}};
    json::array notes;
    for (const auto& note : entry.notes) {
        notes.emplace_back(note);
    }
    object["notes"] = std::move(notes);
    return object;
}

}  // namespace

std::string_view to_string(ImportOutcome outcome) {
    switch (outcome) {
        case ImportOutcome::made: return "made";
        case ImportOutcome::completed: return "completed";
        case ImportOutcome::there: return "there";
        case ImportOutcome::differs: return "differs";
        case ImportOutcome::refused: return "refused";
        case ImportOutcome::left_out: break;
    }
    return "leftOut";
}

void ImportReport::begin(const std::string& file, ImportKind kind) {
    files_.push_back({file, kind});
}

void ImportReport::add(ImportedEntry entry) {
    File& file = files_.back();
    file.counts.at(static_cast<std::size_t>(entry.outcome)) += 1;
    if (everything_ || entry.worth_telling()) {
        file.told.push_back(std::move(entry));
    }
}

void ImportReport::not_carried(const std::string& member, const std::string& id) {
    Lost& lost = lost_[member];
    if (lost.entries == 0) {
        lost.example = id;
    }
    lost.entries += 1;
}

std::uint64_t ImportReport::count(ImportOutcome outcome) const {
    std::uint64_t count = 0;
    for (const auto& file : files_) {
        count += file.counts.at(static_cast<std::size_t>(outcome));
    }
    return count;
}

void ImportReport::print(std::ostream& out) const {
    for (const auto& file : files_) {
        out << printable(file.name) << " (" << command_of(file.kind) << ")\n";
        for (const auto outcome : all_outcomes) {
            const auto count = file.counts.at(static_cast<std::size_t>(outcome));
            if (count == 0) {
                continue;
            }
            out << "  " << count << " " << noun_of(file.kind) << (count == 1 ? "" : "s") << " "
                << words_of(outcome, dry_run_) << '\n';
            std::size_t told = 0;
            std::size_t more = 0;
            for (const auto& entry : file.told) {
                if (entry.outcome != outcome) {
                    continue;
                }
                if (!everything_ && told == limits::import_places_told_max) {
                    more += 1;
                    continue;
                }
                told += 1;
                out << "    " << printable(entry.id);
                out << (entry.detail.empty() ? "" : ": ") << printable(entry.detail) << '\n';
                for (const auto& note : entry.notes) {
                    out << "      " << printable(note) << '\n';
                }
            }
            if (more > 0) {
                out << "    ... and " << more << " more; --json tells of all\n";
            }
        }
    }
    if (!lost_.empty()) {
        out << "Not carried over:\n";
    }
    for (const auto& [member, lost] : lost_) {
        out << "  " << printable(member) << ": " << lost.entries
            << (lost.entries == 1 ? " entry" : " entries") << ", " << printable(lost.example)
            << (lost.entries == 1 ? "" : " the first") << '\n';
    }
}

json::object ImportReport::as_json() const {
    json::array files;
    for (const auto& file : files_) {
        json::object counts;
        for (const auto outcome : all_outcomes) {
            counts[json::string{to_string(outcome)}] =
                file.counts.at(static_cast<std::size_t>(outcome));
        }
        json::array entries;
        for (const auto& entry : file.told) {
            entries.push_back(to_json(entry));
        }
        files.push_back(json::object{{"file", file.name},
                                     {"of", std::string{command_of(file.kind)}},
                                     {"counts", std::move(counts)},
                                     {"entries", std::move(entries)}});
    }
    json::array lost;
    for (const auto& [member, each] : lost_) {
        lost.push_back(
            json::object{{"member", member}, {"entries", each.entries}, {"first", each.example}});
    }
    return {{"dryRun", dry_run_},
            {"complete", complete()},
            {"files", std::move(files)},
            {"notCarried", std::move(lost)}};
}

}  // namespace rollcall::app
