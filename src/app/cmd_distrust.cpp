// SPDX-License-Identifier: Apache-2.0
// rollcall distrust: keys that nobody may use again.
#include "app/operation.hpp"
#include "base/bytes.hpp"

#include <algorithm>
#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/distrust";
    return print_listing(call, request,
                         {{"KEY SHA-256", "spkiSha256"},
                          {"SUBJECT", "subject"},
                          {"SINCE", "at"},
                          {"BY", "by"},
                          {"REASON", "reason"}},
                         "No key is distrusted.");
}

Result<Exit> add(const Invocation& call) {
    Request request = changing(call, "POST", "/distrust");
    const std::string& given = call.text("KEY");
    if (parse_digest(given)) {
        (*request.body)["spkiSha256"] = given;
    } else {
        TRY((*request.body)["certificate"], read_certificate_file(given));
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer,
                                  "The key " + shown(*answer, "spkiSha256") + " is distrusted.")
                  : Exit::done;
}

Result<Exit> lift(const Invocation& call) {
    const std::string& key = call.text("KEY");
    if (!parse_digest(key)) {
        return usage_error(
            "KEY is the key's SHA-256, 64 hex characters, as in: rollcall distrust "
            "list");
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const Request request = changing(call, "DELETE", path_of({"distrust", key}));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer, "The key is not distrusted any more.")
                  : Exit::done;
}

}  // namespace

std::vector<Command> distrust_commands() {
    return {
        {"distrust list",
         "all distrusted keys",
         {},
         {{"rollcall distrust list", ""}, {"rollcall distrust list --json", ""}},
         list},
        {"distrust add",
         "refuse every path that contains a key, under any entry, from now on",
         {positional("KEY",
                     "a file with a certificate that has the key, or the SHA-256 of its "
                     "SubjectPublicKeyInfo"),
          reason_option().must_be_given()},
         {{"rollcall distrust add stolen.pem --reason 'laptop lost' --yes", ""},
          {"rollcall distrust add stolen.pem --reason 'laptop lost'", "shows what would happen"}},
         add},
        {"distrust lift",
         "let a key be used again",
         {positional("KEY", "the key's SHA-256"), reason_option().must_be_given()},
         {{"rollcall distrust lift "
           "8D7F9D5BDA29B0C9D5F6EC9B40E0E0F1A4E3C2B1D0F9E8D7C6B5A49382716050 --reason 'found "
           "again, sealed' --yes",
           ""}},
         lift},
    };
}

}  // namespace rollcall::app
