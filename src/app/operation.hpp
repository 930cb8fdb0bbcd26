// SPDX-License-Identifier: Apache-2.0
// What the commands that change records have in common: care with what takes something away,
// words about what came out, certificates read from files.
#pragma once

#include "app/admin_client.hpp"
#include "app/command.hpp"
#include "app/print.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::app {

/// How careful a change is without --yes.
enum class Care {
    none,     ///< done at once
    devices,  ///< refused where known devices would lose their only way in
    always,   ///< only shown: the server answers what it would do, nothing changes
};

struct Operation {
    Request request;
    Care care = Care::none;
};

/// Carries the operation out as its care and --yes say. The answer's body; none where it was only
/// shown (then a Preview went to stdout with --json, to stderr in words).
Result<std::optional<json::value>> perform(const Invocation& call, AdminClient& client,
                                           const Operation& operation);

/// Findings and warnings of an answer, in words on stderr.
void tell_findings(const Invocation& call, const json::value& answer);

/// With --json the answer to stdout, otherwise its findings and then `words` to stderr.
Exit report_change(const Invocation& call, const json::value& answer, const std::string& words);

/// A listing: a table of `columns`, or a JSON array with --json. `nothing`: said on stderr where
/// the list is empty.
Result<Exit> print_listing(const Invocation& call, const Request& request,
                           const std::vector<Column>& columns, const std::string& nothing);

/// One certificate from a file in any spelling, as PEM. Refuses private keys and bundles before
/// anything leaves this machine.
Result<std::string> read_certificate_file(const std::string& name);

/// "--reason TEXT" and "--etag ETAG", which most changes take.
Parameter reason_option();
Parameter etag_option();
/// "--force": takes a certificate that could never attest.
Parameter force_flag();

/// A request with the reason in the body (POST, PUT, PATCH) or in the query (DELETE), and the ETag.
Request changing(const Invocation& call, std::string method, std::string path);

/// "3 devices", "1 device".
std::string counted(std::uint64_t count, const std::string& noun);

}  // namespace rollcall::app
