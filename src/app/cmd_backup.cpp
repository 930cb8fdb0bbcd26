// SPDX-License-Identifier: Apache-2.0
// rollcall backup, restore: a data directory in one file, and back again.
#include "app/admin_client.hpp"
#include "app/backup.hpp"
#include "app/print.hpp"

#include <ostream>

#include <boost/json/parse.hpp>

namespace rollcall::app {

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;
constexpr std::uint64_t told_every = 256 * mebibyte;

Result<Done> want_directory(const Invocation& call, const std::string& command) {
    if (call.globals().url) {
        return usage_error(command + " works on the server's own machine, with --data");
    }
    return Done{};
}

/// A line for each 256 MiB; small stores need none.
BackupProgress telling(std::ostream& err) {
    return [&err, told = std::uint64_t{0}](std::uint64_t done, std::uint64_t all) mutable {
        if (done / told_every != told) {
            told = done / told_every;
            err << "copied " << done / mebibyte << " of " << all / mebibyte << " MiB\n";
        }
    };
}

void tell_contents(std::ostream& out, const json::value& manifest) {
    std::vector<std::pair<std::string, std::string>> fields{
        {"scope", shown(manifest, "scopeId")},
        {"taken at", shown(manifest, "takenAt")},
        {"written by",
         "rollcall " + shown(manifest, "rollcall") + ", schema " + shown(manifest, "schema")}};
    for (const auto& each : manifest.at("counts").as_object()) {
        fields.emplace_back(each.key(), shown(&each.value()));
    }
    for (const auto& part : manifest.at("parts").as_array()) {
        fields.emplace_back(shown(part, "name"), shown(part, "bytes") + " bytes");
    }
    print_fields(out, fields);
}

Result<Exit> backup(const Invocation& call) {
    TRY([[maybe_unused]] const Done local, want_directory(call, "backup"));
    const std::string file = call.text("FILE");
    TRY(const auto manifest, take_backup(data_directory_of(call.globals()), file,
                                         call.has("--force"), telling(call.io().err)));
    const json::value told = json::parse(to_text(manifest));
    if (call.globals().json) {
        print_json(call.io().out, told);
        return Exit::done;
    }
    tell_contents(call.io().out, told);
    call.io().err << file << " holds the server's secrets: keep it as you keep those.\n"
                  << "Telemetry and the list of refusals are not in it.\n";
    return Exit::done;
}

Result<Exit> restore(const Invocation& call) {
    TRY([[maybe_unused]] const Done local, want_directory(call, "restore"));
    const std::string data = data_directory_of(call.globals());
    TRY(const auto restored, restore_backup(call.text("FILE"), data));
    const json::value told = json::parse(to_text(restored.manifest));
    if (call.globals().json) {
        json::object record = told.as_object();
        record["data"] = data;
        record["auditIntact"] = restored.audit_fault.empty();
        print_json(call.io().out, record);
    } else {
        tell_contents(call.io().out, told);
    }
    if (!restored.audit_fault.empty()) {
        call.io().err << "warning: the audit log was broken when the backup was taken: "
                      << restored.audit_fault << '\n';
    }
    call.io().err << "Next: rollcall serve --data " << data << '\n';
    return Exit::done;
}

}  // namespace

std::vector<Command> backup_commands() {
    return {
        {"backup",
         "write all that a server needs to live elsewhere to one file, while it serves",
         {positional("FILE",
                     "made with mode 0600; a tar archive, its first part says what it holds"),
          flag("--force", "replace FILE where it is there")},
         {{"rollcall backup rollcall-2026-11-26.tar --data /var/lib/rollcall", ""},
          {"rollcall backup nightly.tar --force --json",
           "what it holds, with SHA-256 of each part"}},
         backup,
         "Holds the database as it is at one moment, secret.key, the administrator's token, "
         "rollcall.toml where it lies in the directory, and tls/. Whatever was acknowledged before "
         "the command began is in it. Not in it: telemetry (copy DIR/telemetry yourself where you "
         "keep it), the list of refusals, and certificates that lie outside of the directory.\n"
         "Runs on the server's own machine, as its user or root; the server need not run. Needs "
         "twice the database's size beside FILE while it works."},
        {"restore",
         "make a data directory from a backup",
         {positional("FILE", "what backup wrote")},
         {{"rollcall restore rollcall-2026-11-26.tar --data /var/lib/rollcall", ""}},
         restore,
         "The directory must be empty or not there. Everything is checked before it comes into its "
         "place; what is damaged, cut short, foreign or of a newer rollcall leaves nothing behind. "
         "A backup of an older rollcall is brought to this one's schema. The audit log tells of "
         "the "
         "restore.\n"
         "Do not let both servers serve the same devices: what one learns, the other does not."},
    };
}

}  // namespace rollcall::app
