// SPDX-License-Identifier: Apache-2.0
// rollcall doctor: what is wrong, or soon will be, and what to do about it.
#include "app/admin_client.hpp"
#include "app/doctor.hpp"
#include "app/print.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace rollcall::app {

namespace {

void add(std::vector<Check>& all, const std::vector<Check>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

Result<std::vector<Check>> examine(AdminClient& client, const TimePoint now) {
    std::vector<Check> checks;
    TRY(const json::value server, client.get("/server"));
    add(checks, check_server(server, now, std::string{version}));
    if (!client.target().socket.empty()) {
        const std::filesystem::path socket{client.target().socket};
        checks.push_back(check_openssl(x509::openssl_builds()));
        add(checks, check_directory(socket.parent_path().string(), now));
    }
    Request groups;
    groups.path = "/groups";
    TRY([[maybe_unused]] const auto groups_done,
        client.each(groups, [&](const json::object& group) {
            add(checks, check_group(json::value(group), now));
        }));
    Request enrollments;
    enrollments.path = "/enrollments";
    TRY([[maybe_unused]] const auto enrollments_done,
        client.each(enrollments, [&](const json::object& enrollment) {
            add(checks, check_enrollment(json::value(enrollment), now));
        }));
    TRY(const json::value audit, client.get("/audit/verification"));
    checks.push_back(check_audit(audit));
    return checks;
}

void print_checks(const Invocation& call, const std::vector<Check>& checks) {
    if (call.globals().json) {
        ArrayPrinter array{call.io().out};
        for (const Check& check : checks) {
            array.item(json::object{{"verdict", word_of(check.verdict)},
                                    {"what", check.what},
                                    {"detail", check.detail},
                                    {"fix", check.fix}});
        }
        array.end();
        return;
    }
    TablePrinter table{call.io().out, {"", "WHAT", "FOUND"}};
    for (const Check& check : checks) {
        table.row({word_of(check.verdict), check.what, check.detail});
        if (!check.fix.empty()) {
            table.row({"", "", "  fix: " + check.fix});
        }
    }
    table.flush();
}

Result<Exit> doctor(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto checks, examine(client, SystemClock{}.now()));
    print_checks(call, checks);
    const auto bad = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
        return check.verdict == Check::Verdict::bad;
    });
    if (bad > 0) {
        return Error{
            .kind = ErrorKind::conflict,
            .detail = std::to_string(bad) + (bad == 1 ? " thing is" : " things are") + " wrong"};
    }
    return Exit::done;
}

}  // namespace

std::vector<Command> doctor_commands() {
    return {
        {"doctor",
         "look for what is wrong, or soon will be: certificates near their end, unverified slots, "
         "clocks, modes, the audit chain; exit 1 if something is",
         {},
         {{"rollcall doctor", ""}, {"rollcall doctor --json", "for a monitor"}},
         doctor},
    };
}

}  // namespace rollcall::app
