// SPDX-License-Identifier: Apache-2.0
#include "app/operation.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/certificate.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

std::uint64_t devices_lost(const json::value& preview) {
    const json::value* devices = find_member(preview, "impact.devices");
    boost::system::error_code failed;
    const auto count = devices != nullptr ? devices->to_number<std::uint64_t>(failed) : 0;
    return failed ? 0 : count;
}

void tell_lines(std::ostream& err, const json::value& answer, const char* member,
                const std::string& before) {
    const json::value* lines = find_member(answer, member);
    if (lines == nullptr || !lines->is_array()) {
        return;
    }
    for (const json::value& line : lines->get_array()) {
        err << before << shown(&line) << '\n';
    }
}

void tell_preview(const Invocation& call, const json::value& preview) {
    std::ostream& err = call.io().err;
    err << "This would happen:\n";
    tell_lines(err, preview, "summary", "  - ");
    const json::value* first = find_member(preview, "impact.first");
    if (first != nullptr && first->is_array() && !first->get_array().empty()) {
        const bool more = first->get_array().size() < devices_lost(preview);
        err << "    " << shown(first) << (more ? ", ...\n" : "\n");
    }
    tell_findings(call, preview);
}

Result<json::value> preview_of(AdminClient& client, Request request) {
    request.query.emplace_back("dryRun", "true");
    return client.send(request);
}

}  // namespace

std::string counted(std::uint64_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void tell_findings(const Invocation& call, const json::value& answer) {
    std::ostream& err = call.io().err;
    tell_lines(err, answer, "warnings", "warning: ");
    const json::value* findings = find_member(answer, "findings");
    if (findings == nullptr || !findings->is_array()) {
        return;
    }
    for (const json::value& finding : findings->get_array()) {
        err << shown(finding, "gravity") << ": " << shown(finding, "detail");
        const std::string fix = shown(finding, "fix");
        err << (fix == "-" ? "" : "; " + fix) << '\n';
    }
}

Result<std::optional<json::value>> perform(const Invocation& call, AdminClient& client,
                                           const Operation& operation) {
    if (operation.care != Care::none && !call.globals().yes) {
        TRY(const json::value preview, preview_of(client, operation.request));
        if (operation.care == Care::always) {
            if (call.globals().json) {
                print_json(call.io().out, preview);
            } else {
                tell_preview(call, preview);
            }
            call.io().err << "Nothing was changed. Add --yes to do it.\n";
            return std::optional<json::value>{};
        }
        if (devices_lost(preview) > 0) {
            tell_preview(call, preview);
            return Error{.kind = ErrorKind::conflict,
                         .detail =
                             "nothing was changed, since devices would lose their only way "
                             "in; add --yes to do it all the same"};
        }
    }
    TRY(json::value answer, client.send(operation.request));
    return std::optional<json::value>{std::move(answer)};
}

Exit report_change(const Invocation& call, const json::value& answer, const std::string& words) {
    if (call.globals().json) {
        print_json(call.io().out, answer);
    } else {
        tell_findings(call, answer);
        call.io().err << words << '\n';
    }
    return Exit::done;
}

Result<Exit> print_listing(const Invocation& call, const Request& request,
                           const std::vector<Column>& columns, const std::string& nothing) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    if (call.globals().json) {
        ArrayPrinter array{call.io().out};
        TRY([[maybe_unused]] const auto done,
            client.each(request, [&](const json::object& record) { array.item(record); }));
        array.end();
        return Exit::done;
    }
    std::vector<std::string> titles;
    for (const Column& column : columns) {
        titles.push_back(column.title);
    }
    TablePrinter table{call.io().out, titles};
    const auto add = [&](const json::object& record) {
        const json::value value(record);
        std::vector<std::string> cells;
        for (const Column& column : columns) {
            cells.push_back(shown(value, column.path));
        }
        table.row(std::move(cells));
    };
    TRY([[maybe_unused]] const auto done, client.each(request, add, [&] { table.flush(); }));
    if (table.rows() == 0) {
        call.io().err << nothing << '\n';
    }
    return Exit::done;
}

Result<std::string> read_certificate_file(const std::string& name) {
    TRY(const std::string text, read_file(name, limits::certificate_file_bytes_max));
    const auto certificate = x509::read_one_certificate(text);
    if (!certificate) {
        Error error = certificate.error();
        error.detail = name + ": " + error.detail;
        return error;
    }
    return certificate->pem();
}

Parameter reason_option() {
    return option("--reason TEXT", "why, in your own words; kept in the audit log");
}

Parameter etag_option() {
    return option("--etag ETAG", "refuse if the record has changed since it had this ETag");
}

Parameter force_flag() {
    return flag("--force", "take a certificate that could never attest (expired, not a CA)");
}

Request changing(const Invocation& call, std::string method, std::string path) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    const bool in_query = request.method == "DELETE";
    if (!in_query) {
        request.body.emplace();
    }
    if (const auto reason = call.maybe("--reason")) {
        if (in_query) {
            request.query.emplace_back("reason", *reason);
        } else {
            (*request.body)["reason"] = *reason;
        }
    }
    request.if_match = call.text_or("--etag", "");
    return request;
}

}  // namespace rollcall::app
