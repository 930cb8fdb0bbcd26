// SPDX-License-Identifier: Apache-2.0
// rollcall import: takes over what Azure's tools exported. All files are read and checked before
// anything is sent; then they are read again and sent, many entries a request. Whatever was made is
// found the next time, so that an import that was interrupted is run again.
#include "app/import_entry.hpp"
#include "app/import_file.hpp"
#include "app/import_report.hpp"
#include "app/operation.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/world.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <ostream>
#include <unordered_map>
#include <unordered_set>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {

namespace {

constexpr std::uint64_t told_every = 10'000;
/// Of one request; an operator's body may have a little more.
constexpr std::size_t request_bytes_max = limits::operator_body_bytes_max * 3 / 4;
constexpr std::array both_slots{"primary", "secondary"};

/// Ids compare without case, those of each kind of record apart from the others.
std::string folded(ImportKind kind, const std::string& id) {
    return std::string{makes(kind)} + '/' + to_lower_ascii(id);
}

/// The same of one export only.
std::string exactly(ImportKind kind, const std::string& id) {
    return std::to_string(static_cast<int>(kind)) + folded(kind, id);
}

/// What the first reading found out.
struct Source {
    std::string name;
    ImportKind kind = ImportKind::dps_enrollment;
    std::size_t entries = 0;
    std::string single{};  ///< exactly() of an entry that stands alone
};

/// The files that were named, read once.
class Sources {
public:
    /// Everything that is wrong with them is found here, before anything is sent.
    Result<Done> read(const std::vector<std::string>& names);

    /// Calls `take` for each entry, in order. An entry of a list that also stands in a file of its
    /// own (`… show --show-keys`) comes as it stands there.
    using Take = std::function<Result<Done>(ImportKind, const json::object&)>;
    Result<Done> each(const Source& source, const Take& take) const;

    /// Lists, and entries of their own that are in no list.
    const std::vector<Source>& sources() const { return sources_; }
    std::size_t entries() const;

private:
    Result<Done> read_one(const std::string& name);
    Result<Done> note(Source& source, ImportFile& file, ImportFile::Entry& entry);

    struct Place {
        std::uint32_t source = 0;
        std::uint32_t entry = 0;
    };
    std::vector<Source> sources_;
    std::unordered_map<std::string, Place> places_;
    std::unordered_map<std::string, json::object> singles_;
    std::unordered_set<std::string> listed_;  ///< of the singles
};

Result<Done> Sources::read(const std::vector<std::string>& names) {
    // Those of one entry first: they replace what a list says.
    std::vector<std::string> lists;
    for (const auto& name : names) {
        TRY(auto file, ImportFile::open(name));
        TRY(auto first, file.next());
        if (!file.is_single()) {
            lists.push_back(name);
            continue;
        }
        TRY([[maybe_unused]] const auto end, file.next());
        const auto known = kind_of(first->object);
        if (!known) {
            return file.refused(known.error().detail, known.error().reason);
        }
        const ImportKind kind = *known;
        const auto named = id_of(kind, first->object);
        if (!named) {
            return file.refused(named.error().detail, named.error().reason);
        }
        const std::string id = *named;
        if (!singles_.emplace(exactly(kind, id), std::move(first->object)).second) {
            return file.refused("'" + id + "' stands in another file too", "repeated-entry");
        }
        sources_.push_back({name, kind, 1, exactly(kind, id)});
    }
    for (const auto& name : lists) {
        TRY([[maybe_unused]] const Done read, read_one(name));
    }
    // What a list holds is reported with the list.
    std::erase_if(sources_,
                  [this](const Source& source) { return listed_.contains(source.single); });
    return Done{};
}

Result<Done> Sources::read_one(const std::string& name) {
    TRY(auto file, ImportFile::open(name));
    Source source{name};
    while (true) {
        TRY(auto entry, file.next());
        if (!entry) {
            break;
        }
        TRY([[maybe_unused]] const Done noted, note(source, file, *entry));
    }
    sources_.push_back(source);
    return Done{};
}

Result<Done> Sources::note(Source& source, ImportFile& file, ImportFile::Entry& entry) {
    const auto kind = kind_of(entry.object);
    if (!kind) {
        return file.refused(kind.error().detail, kind.error().reason);
    }
    if (source.entries > 0 && *kind != source.kind) {
        return file.refused("the entries before it are of another command (" +
                                std::string{command_of(source.kind)} + ")",
                            "another-export");
    }
    source.kind = *kind;
    source.entries += 1;
    const auto id = id_of(*kind, entry.object);
    if (!id) {
        return file.refused(id.error().detail, id.error().reason);
    }
    if (singles_.contains(exactly(*kind, *id))) {
        listed_.insert(exactly(*kind, *id));
    }
    const Place place{static_cast<std::uint32_t>(sources_.size()),
                      static_cast<std::uint32_t>(entry.number)};
    const auto [before, fresh] = places_.emplace(folded(*kind, *id), place);
    if (!fresh) {
        const auto& other = before->second;
        const std::string where =
            other.source == place.source ? "" : sources_.at(other.source).name + ", ";
        return file.refused("'" + *id + "' stands there twice: it is also " + where + "entry " +
                                std::to_string(other.entry),
                            "repeated-entry");
    }
    return Done{};
}

Result<Done> Sources::each(const Source& source, const Take& take) const {
    TRY(auto file, ImportFile::open(source.name));
    std::size_t count = 0;
    while (true) {
        TRY(const auto entry, file.next());
        if (!entry) {
            break;
        }
        count += 1;
        const auto kind = kind_of(entry->object);
        const auto id = id_of(source.kind, entry->object);
        if (!kind || *kind != source.kind || !id) {
            return file.refused("the file changed while it was read", "import-changed");
        }
        const auto single = singles_.find(exactly(source.kind, *id));
        const bool alone = single != singles_.end();
        TRY([[maybe_unused]] const Done taken,
            take(source.kind, alone ? single->second : entry->object));
    }
    if (count != source.entries) {
        return file.refused("the file changed while it was read", "import-changed");
    }
    return Done{};
}

std::size_t Sources::entries() const {
    std::size_t count = 0;
    for (const auto& source : sources_) {
        count += source.entries;
    }
    return count;
}

// --- Sending ----------------------------------------------------------------------------------

ImportOutcome outcome_of(const std::string& word) {
    for (const auto outcome : {ImportOutcome::made, ImportOutcome::completed, ImportOutcome::there,
                               ImportOutcome::differs}) {
        if (to_string(outcome) == word) {
            return outcome;
        }
    }
    return ImportOutcome::refused;
}

/// Gathers entries and sends them when there are enough.
class Sender {
public:
    Sender(const Invocation& call, AdminClient& client, ImportReport& report, bool dry_run)
        : call_(call), client_(client), report_(report), dry_run_(dry_run) {}

    Result<Done> add(ImportKind kind, ImportPlan plan);
    /// What is gathered, to the server.
    Result<Done> flush();

private:
    Result<Done> vouch(const ImportPlan& plan);
    void tell(const ImportPlan& plan, const json::value& answer);

    const Invocation& call_;
    AdminClient& client_;
    ImportReport& report_;
    bool dry_run_;
    std::string_view makes_{};  ///< all that is gathered
    std::vector<ImportPlan> gathered_;
    std::size_t bytes_ = 0;
};

Result<Done> Sender::add(ImportKind kind, ImportPlan plan) {
    const std::size_t bytes = json::serialize(*plan.body).size();
    if (bytes_ + bytes > request_bytes_max || gathered_.size() == limits::batch_enrollments_max) {
        TRY([[maybe_unused]] const Done sent, flush());
    }
    makes_ = makes(kind);
    bytes_ += bytes;
    gathered_.push_back(std::move(plan));
    return Done{};
}

Result<Done> Sender::flush() {
    if (gathered_.empty()) {
        return Done{};
    }
    Request request = changing(call_, "POST", "/import/" + std::string{makes_});
    if (dry_run_) {
        request.query.emplace_back("dryRun", "true");
    }
    json::array entries;
    for (const auto& plan : gathered_) {
        entries.push_back(*plan.body);
    }
    (*request.body)["entries"] = std::move(entries);
    TRY(const json::value answer, client_.send(request));
    const json::value* const told = find_member(answer, "entries");
    if (told == nullptr || !told->is_array() || told->get_array().size() != gathered_.size()) {
        return Error{.kind = ErrorKind::internal,
                     .detail = "the server answered with another number of entries"};
    }
    for (std::size_t i = 0; i < gathered_.size(); ++i) {
        if (makes_ == "groups" && call_.has("--vouch") && !dry_run_) {
            TRY([[maybe_unused]] const Done vouched, vouch(gathered_[i]));
        }
        tell(gathered_[i], told->get_array()[i]);
    }
    gathered_.clear();
    bytes_ = 0;
    return Done{};
}

/// The operator's word for the CAs of a group that wait for a proof.
Result<Done> Sender::vouch(const ImportPlan& plan) {
    const auto group = client_.get(path_of({"groups", plan.id}));
    if (!group) {
        return group.error().kind == ErrorKind::not_found ? Result<Done>{Done{}} : group.error();
    }
    const json::value body(*plan.body);
    for (const std::string slot : both_slots) {
        const std::string place = "certificates." + slot;
        const bool waits = shown(*group, place + ".pending.verified") == "no" ||
                           shown(*group, place + ".current.verified") == "no";
        const json::value* const certificate =
            find_member(body, "attestation.x509.signingCertificates." + slot + ".certificate");
        if (!waits || certificate == nullptr) {
            continue;
        }
        Request request =
            changing(call_, "PUT", path_of({"groups", plan.id, "certificates", slot}));
        (*request.body)["certificate"] = *certificate;
        (*request.body)["vouch"] = true;
        TRY([[maybe_unused]] const auto done, client_.send(request));
    }
    return Done{};
}

void Sender::tell(const ImportPlan& plan, const json::value& answer) {
    ImportedEntry entry{plan.id, outcome_of(shown(answer, "outcome"))};
    const auto text = [&answer](const char* name) {
        const json::value* const found = find_member(answer, name);
        return found != nullptr ? shown(found) : std::string{};
    };
    entry.code = text("code");
    entry.detail = text("detail");
    if (const std::string differences = text("differences"); !differences.empty()) {
        entry.detail = "differs in " + differences;
    }
    if (entry.outcome != ImportOutcome::refused && entry.outcome != ImportOutcome::there) {
        entry.notes = plan.notes;
    }
    for (const char* const name : {"warnings", "findings"}) {
        const json::value* const lines = find_member(answer, name);
        if (lines == nullptr || !lines->is_array()) {
            continue;
        }
        for (const auto& line : lines->get_array()) {
            const bool finding = line.is_object();
            if (!finding || shown(line, "gravity") != "note") {
                entry.notes.push_back(finding ? shown(line, "detail") : shown(&line));
            }
        }
    }
    report_.add(std::move(entry));
}

// --- The command ------------------------------------------------------------------------------

Result<CertificateShelf> open_shelf(const Invocation& call) {
    const auto directory = call.maybe("--certificates");
    if (!directory) {
        return CertificateShelf{};
    }
    TRY(auto shelf, CertificateShelf::open(*directory));
    call.io().err << *directory << ": " << counted(shelf.certificates(), "certificate");
    if (const auto& others = shelf.strangers(); !others.empty()) {
        call.io().err << "; " << counted(others.size(), "file") << " without one ("
                      << printable(others.front()) << (others.size() > 1 ? ", ..." : "") << ")";
    }
    call.io().err << '\n';
    return shelf;
}

/// One entry: sent, or reported as it is.
Result<Done> carry(ImportKind kind, ImportPlan plan, ImportReport& report, Sender& sender) {
    for (const auto& member : plan.not_carried) {
        report.not_carried(member, plan.id);
    }
    if (plan.body) {
        return sender.add(kind, std::move(plan));
    }
    ImportedEntry entry{plan.id, ImportOutcome::left_out};
    entry.code = plan.missing;
    entry.detail = plan.supply;
    entry.notes = std::move(plan.notes);
    report.add(std::move(entry));
    return Done{};
}

Result<Done> carry_all(const Invocation& call, const Sources& sources,
                       const CertificateShelf& shelf, ImportReport& report, bool dry_run) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Sender sender{call, client, report, dry_run};
    const ImportPolicy policy{SystemClock{}.now(), call.has("--allow-missing")};
    std::uint64_t done = 0;
    const std::uint64_t all = sources.entries();
    for (const auto& source : sources.sources()) {
        report.begin(source.name, source.kind);
        const auto take = [&](ImportKind kind, const json::object& exported) -> Result<Done> {
            TRY([[maybe_unused]] const Done carried,
                carry(kind, plan_import(kind, exported, shelf, policy), report, sender));
            done += 1;
            if (done % told_every == 0) {
                call.io().err << done << " of " << all << " entries\n";
            }
            return Done{};
        };
        TRY([[maybe_unused]] const Done read, sources.each(source, take));
        TRY([[maybe_unused]] const Done sent, sender.flush());
    }
    return Done{};
}

/// With what was done before: whoever runs the same again goes on from there.
Error interrupted(Error error, const ImportReport& report, bool dry_run) {
    const auto made = report.count(ImportOutcome::made) + report.count(ImportOutcome::completed);
    if (!dry_run) {
        error.detail += "\n" + std::to_string(made) + (made == 1 ? " entry is" : " entries are") +
                        " known to be made; run the same again to go on";
    }
    return error;
}

Result<Exit> import_files(const Invocation& call) {
    Sources sources;
    TRY([[maybe_unused]] const Done read, sources.read(call.all("FILE")));
    TRY(const auto shelf, open_shelf(call));
    const bool dry_run = call.has("--dry-run") || !call.globals().yes;
    ImportReport report{dry_run, call.has("--dry-run")};
    const auto done = carry_all(call, sources, shelf, report, dry_run);
    if (!done) {
        return interrupted(done.error(), report, dry_run);
    }
    if (call.globals().json) {
        print_json(call.io().out, report.as_json());
    } else {
        report.print(call.io().out);
    }
    if (dry_run) {
        call.io().err << "Nothing was changed. Add --yes to do it"
                      << (call.has("--dry-run") ? ", without --dry-run.\n" : ".\n");
    }
    if (!report.complete()) {
        const auto count =
            report.count(ImportOutcome::refused) + report.count(ImportOutcome::left_out);
        return Error{.kind = ErrorKind::conflict,
                     .detail = std::to_string(count) +
                               (count == 1 ? " entry was" : " entries were") +
                               " not taken; supply what is wanted and run the same again"};
    }
    return Exit::done;
}

}  // namespace

std::vector<Command> import_commands() {
    return {
        {"import",
         "take over what az iot dps and az iot central export",
         {positional("FILE",
                     "what enrollment list, enrollment-group list, device list or "
                     "enrollment-group list wrote, as JSON; or one entry, as show writes it")
              .may_repeat(),
          option("--certificates DIR",
                 "certificates, found by the thumbprints that the export has of them"),
          flag("--allow-missing",
               "take an enrollment that has one of its certificates though the other is not there"),
          flag("--vouch", "vouch for the groups' CA certificates: no proof is asked of them"),
          flag("--dry-run", "tell of every entry what would become of it; change nothing"),
          reason_option()},
         {{"rollcall import enrollments.json --certificates certs", "say what would happen"},
          {"rollcall import groups.json enrollments.json --certificates certs --yes", ""},
          {"rollcall import enrollments.json dev-1.json --json --yes",
           "dev-1.json has what `az iot dps enrollment show --show-keys` printed"}},
         import_files,
         "Azure's services give no certificate back, only its thumbprint: supply the files. "
         "Symmetric keys are only in what `show --show-keys` prints. What cannot be carried over "
         "is "
         "told. Entries that are there already are compared and left alone, so that the same "
         "import "
         "can be run again: after it was interrupted, or when more certificates were found.\n"
         "Exit code 1 where an entry was refused or left out."},
    };
}

}  // namespace rollcall::app
