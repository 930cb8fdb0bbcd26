// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "app/print.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/certificate.hpp"

#include <filesystem>
#include <sys/stat.h>

namespace rollcall::app {

namespace {

using Verdict = Check::Verdict;

/// Farther apart than this, one of the two clocks will soon refuse good certificates.
constexpr auto clocks_apart_max = std::chrono::seconds{60};
constexpr auto local_ca_notice = std::chrono::hours{24 * 365};
constexpr std::uintmax_t free_bytes_low = std::uintmax_t{1} << 30;
constexpr std::uintmax_t free_bytes_gone = std::uintmax_t{100} << 20;

std::string days_until(TimePoint end, TimePoint now) {
    const auto days = std::chrono::duration_cast<std::chrono::hours>(end - now).count() / 24;
    return std::to_string(days) + (days == 1 ? " day" : " days");
}

/// How the end of a certificate in use is to be judged.
Check judge_end(const std::string& what, const std::string& subject, TimePoint end, TimePoint now,
                const std::string& fix) {
    const std::string at = to_iso8601_seconds(end);
    if (end < now) {
        return {Verdict::bad, what, subject + " expired on " + at, fix};
    }
    if (end < now + roll_notice) {
        return {Verdict::warning, what, subject + " ends on " + at + ", in " + days_until(end, now),
                fix};
    }
    return {Verdict::good, what, subject + " until " + at};
}

/// One slot of a group that holds something.
void check_slot(std::vector<Check>& checks, const json::value& slot, const std::string& place,
                TimePoint now, bool& attests) {
    const json::value* pending = find_member(slot, "pending");
    if (pending != nullptr && pending->is_object()) {
        checks.push_back({Verdict::warning, place,
                          shown(*pending, "certificate.subject") + " waits to be verified",
                          "rollcall group cert code " + place.substr(6)});
    }
    const json::value* current = find_member(slot, "current");
    if (current == nullptr || !current->is_object()) {
        return;
    }
    if (shown(*current, "dangling") == "yes") {
        checks.push_back({Verdict::warning, place, "its CA certificate was deleted",
                          "set the slot again, or empty it"});
        return;
    }
    const auto end = parse_iso8601(shown(*current, "certificate.notAfter"));
    if (!end) {
        return;
    }
    const bool trusted = shown(*current, "attests") == "yes";
    attests = attests || (trusted && *end >= now);
    if (!trusted && *end >= now) {
        checks.push_back({Verdict::warning, place,
                          shown(*current, "certificate.subject") + " is not verified",
                          "rollcall group cert code " + place.substr(6)});
        return;
    }
    checks.push_back(judge_end(place, shown(*current, "certificate.subject"), *end, now,
                               "put its successor into the other slot: docs/how-to-roll-"
                               "certificates.md"));
}

void check_private(std::vector<Check>& checks, const std::filesystem::path& path,
                   unsigned allowed) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return;
    }
    const unsigned mode = status.st_mode & 0777U;
    if ((mode & ~allowed) == 0) {
        checks.push_back({Verdict::good, path.string(), "for its owner alone"});
        return;
    }
    const std::string wanted = allowed == 0700U ? "700" : "600";
    checks.push_back({Verdict::bad, path.string(), "others may open it",
                      "chmod " + wanted + " " + path.string()});
}

}  // namespace

std::string word_of(Check::Verdict verdict) {
    switch (verdict) {
        case Verdict::good: return "ok";
        case Verdict::warning: return "warning";
        case Verdict::bad: return "BAD";
    }
    return "";
}

std::vector<Check> check_server(const json::value& server, TimePoint now,
                                const std::string& client_version) {
    std::vector<Check> checks;
    const std::string version = shown(server, "version");
    checks.push_back({version == client_version ? Verdict::good : Verdict::warning, "version",
                      "server " + version + ", command line " + client_version,
                      version == client_version ? "" : "use the same version for both"});
    if (const auto time = parse_iso8601(shown(server, "time"))) {
        const auto apart = *time > now ? *time - now : now - *time;
        const bool good = apart <= clocks_apart_max;
        checks.push_back({good ? Verdict::good : Verdict::bad, "clock",
                          "the server's says " + to_iso8601_seconds(*time) +
                              (good ? "" : ", this machine's " + to_iso8601_seconds(now)),
                          good ? "" : "set both by NTP: validity is judged by the clock"});
    }
    bool device_door = false;
    if (const json::value* doors = find_member(server, "doors"); doors && doors->is_array()) {
        for (const json::value& door : doors->get_array()) {
            device_door = device_door || shown(door, "name").starts_with("device-");
        }
    }
    if (!device_door) {
        checks.push_back({Verdict::warning, "doors", "no device can register: its doors are off",
                          "start the server with --device-https ADDR:PORT"});
    }
    return checks;
}

std::vector<Check> check_group(const json::value& group, TimePoint now) {
    std::vector<Check> checks;
    const std::string id = shown(group, "id");
    if (shown(group, "enabled") == "no") {
        checks.push_back({Verdict::warning, "group " + id, "is disabled: its devices are refused",
                          "rollcall group enable " + id});
        return checks;
    }
    bool attests = false;
    for (const std::string slot : {"primary", "secondary"}) {
        if (const json::value* held = find_member(group, "certificates." + slot)) {
            check_slot(checks, *held, "group " + id + " " + slot, now, attests);
        }
    }
    if (!attests) {
        checks.push_back({Verdict::bad, "group " + id, "no slot attests: every device is refused",
                          "rollcall group cert set " + id + " primary FILE, and verify it"});
    }
    return checks;
}

std::vector<Check> check_enrollment(const json::value& enrollment, TimePoint now) {
    std::vector<Check> checks;
    const std::string what = "enrollment " + shown(enrollment, "registrationId");
    if (shown(enrollment, "enabled") == "no") {
        return checks;
    }
    std::optional<TimePoint> last;
    for (const std::string slot : {"primary", "secondary"}) {
        const auto end = parse_iso8601(shown(enrollment, "certificates." + slot + ".notAfter"));
        if (end && (!last || *end > *last)) {
            last = *end;
        }
    }
    if (!last) {
        checks.push_back({Verdict::warning, what, "holds no certificate: its device is refused",
                          "rollcall enrollment cert set"});
        return checks;
    }
    const Check end = judge_end(what, "its last certificate", *last, now,
                                "put the device's next certificate into the other slot");
    if (end.verdict != Verdict::good) {
        checks.push_back(end);
    }
    return checks;
}

Check check_audit(const json::value& verification) {
    if (shown(verification, "intact") == "yes") {
        return {Verdict::good, "audit", "unbroken: " + shown(verification, "events") + " events"};
    }
    return {Verdict::bad, "audit",
            "broken at number " + shown(verification, "brokenAt") + ": " +
                shown(verification, "detail"),
            "somebody wrote to the store by hand: compare with an export or a backup"};
}

Check check_openssl(const x509::OpensslBuilds& builds) {
    if (!builds.differ()) {
        return {Verdict::good, "OpenSSL", builds.linked};
    }
    return {Verdict::warning, "OpenSSL",
            "runs with " + builds.linked + "; installed is " + *builds.installed,
            "build rollcall again, with the libssl-dev of the same version"};
}

std::vector<Check> check_directory(const std::string& directory, TimePoint now) {
    std::vector<Check> checks;
    const std::filesystem::path root{directory};
    check_private(checks, root, 0700U);
    for (const char* name : {"admin-token", "secret.key", "tls/ca-key.pem", "tls/server-key.pem"}) {
        check_private(checks, root / name, 0600U);
    }
    std::error_code failed;
    const auto space = std::filesystem::space(root, failed);
    if (!failed) {
        const Verdict verdict = space.available < free_bytes_gone  ? Verdict::bad
                                : space.available < free_bytes_low ? Verdict::warning
                                                                   : Verdict::good;
        checks.push_back(
            {verdict, "disk", std::to_string(space.available >> 20) + " MiB free",
             verdict == Verdict::good ? "" : "make room: without it no change is kept"});
    }
    const auto text = read_file(root / "tls" / "ca.pem", limits::certificate_file_bytes_max);
    const auto ca =
        text ? x509::read_one_certificate(*text) : Result<x509::Certificate>{text.error()};
    if (ca && ca->not_before() > now) {
        checks.push_back({Verdict::bad, "local CA",
                          "begins only on " + to_iso8601_seconds(ca->not_before()),
                          "no device takes it before; if the clock was wrong when it was made, "
                          "remove " +
                              (root / "tls").string() + ", start again and give out the new one"});
    } else if (ca) {
        const bool near = ca->not_after() < now + local_ca_notice;
        checks.push_back({near ? Verdict::warning : Verdict::good, "local CA",
                          "until " + to_iso8601_seconds(ca->not_after()),
                          near ? "plan a new one: every device has to trust it" : ""});
    }
    return checks;
}

}  // namespace rollcall::app
