// SPDX-License-Identifier: Apache-2.0
// rollcall ca: CA certificates as records of their own.
#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/ca-certificates";
    return print_listing(call, request,
                         {{"ID", "id"},
                          {"NAME", "name"},
                          {"SUBJECT", "certificate.subject"},
                          {"NOT AFTER", "certificate.notAfter"},
                          {"VERIFIED", "verified"},
                          {"ATTESTS", "attests"},
                          {"SHA-256", "certificate.sha256Thumbprint"}},
                         "There is no CA certificate. Add one: rollcall ca add NAME FILE");
}

std::string uses_of(const json::value& ca) {
    const json::value* uses = find_member(ca, "usedBy");
    std::string text;
    if (uses != nullptr && uses->is_array()) {
        for (const json::value& use : uses->get_array()) {
            text += (text.empty() ? "" : ", ") + shown(use, "group") + " " + shown(use, "slot") +
                    (shown(use, "as") == "pending" ? " (pending)" : "");
        }
    }
    return text.empty() ? "-" : text;
}

std::string findings_of(const json::value& ca) {
    const json::value* findings = find_member(ca, "findings");
    std::string text;
    if (findings != nullptr && findings->is_array()) {
        for (const json::value& finding : findings->get_array()) {
            text += (text.empty() ? "" : "\n") + shown(finding, "detail");
        }
    }
    return text.empty() ? "-" : text;
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request;
    request.path = path_of({"ca-certificates", call.text("CA")});
    if (call.has("--pem")) {
        request.query.emplace_back("pem", "true");
    }
    TRY(const json::value ca, client.send(request));
    if (call.globals().json) {
        print_json(call.io().out, ca);
        return Exit::done;
    }
    if (call.has("--pem")) {
        const json::value* pem = find_member(ca, "certificate.pem");
        call.io().out << (pem != nullptr && pem->is_string() ? pem->get_string().c_str() : "");
        return Exit::done;
    }
    const bool verified = shown(ca, "verified") == "yes";
    print_fields(
        call.io().out,
        {{"id", shown(ca, "id")},
         {"name", shown(ca, "name")},
         {"subject", shown(ca, "certificate.subject")},
         {"issuer", shown(ca, "certificate.issuer")},
         {"serial", shown(ca, "certificate.serialNumber")},
         {"valid", shown(ca, "certificate.notBefore") + " to " + shown(ca, "certificate.notAfter")},
         {"key", shown(ca, "certificate.key")},
         {"signature", shown(ca, "certificate.signatureAlgorithm")},
         {"SHA-1", shown(ca, "certificate.sha1Thumbprint")},
         {"SHA-256", shown(ca, "certificate.sha256Thumbprint")},
         {"key's SHA-256", shown(ca, "certificate.spkiSha256")},
         {"verified", verified
                          ? shown(ca, "verification.how") + ", " + shown(ca, "verification.at") +
                                ", by " + shown(ca, "verification.by")
                          : "no"},
         {"attests", shown(ca, "attests")},
         {"code pending", shown(ca, "codePending")},
         {"used by", uses_of(ca)},
         {"odd", findings_of(ca)},
         {"created", shown(ca, "created")},
         {"updated", shown(ca, "updated")},
         {"etag", shown(ca, "etag")}});
    return Exit::done;
}

Result<Exit> add(const Invocation& call) {
    TRY(const std::string pem, read_certificate_file(call.text("FILE")));
    Request request = changing(call, "POST", "/ca-certificates");
    (*request.body)["name"] = call.text("NAME");
    (*request.body)["certificate"] = pem;
    if (call.has("--vouch")) {
        (*request.body)["vouch"] = true;
    }
    if (call.has("--force")) {
        (*request.body)["force"] = true;
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    const std::string name = shown(answer, "caCertificate.name");
    const bool verified = shown(answer, "caCertificate.verified") == "yes";
    return report_change(call, answer,
                         name + " (" + shown(answer, "caCertificate.certificate.subject") +
                             (verified ? ") is there and verified."
                                       : ") is there. Prove that its key is yours: rollcall ca "
                                         "code " +
                                             name));
}

Result<Exit> code(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer,
        client.send(changing(call, "POST", path_of({"ca-certificates", call.text("CA"), "code"}))));
    if (call.globals().json) {
        print_json(call.io().out, answer);
        return Exit::done;
    }
    call.io().out << shown(answer, "code") << '\n';
    call.io().err << "Have the owner of the CA make a certificate whose CN is this code, then: "
                     "rollcall ca verify "
                  << call.text("CA") << " FILE\n";
    return Exit::done;
}

Result<Exit> verify(const Invocation& call) {
    if (call.has("FILE") == call.has("--vouch")) {
        return usage_error("give the verification certificate FILE, or --vouch");
    }
    Request request =
        changing(call, "POST", path_of({"ca-certificates", call.text("CA"), "verify"}));
    if (call.has("--vouch")) {
        (*request.body)["vouch"] = true;
    } else {
        TRY((*request.body)["certificate"], read_certificate_file(call.text("FILE")));
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer,
                         shown(answer, "caCertificate.certificate.subject") + " is verified.");
}

Result<Exit> remove(const Invocation& call) {
    Request request = changing(call, "DELETE", path_of({"ca-certificates", call.text("CA")}));
    if (call.has("--breach")) {
        request.query.emplace_back("mode", "breach");
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const auto answer, perform(call, client, {request, Care::always}));
    return answer ? report_change(call, *answer, call.text("CA") + " is deleted.") : Exit::done;
}

}  // namespace

std::vector<Command> ca_commands() {
    const Parameter ca = positional("CA", "name or id of the CA certificate's record");
    return {
        {"ca list",
         "all CA certificates, those uploaded into slots too",
         {},
         {{"rollcall ca list", ""}, {"rollcall ca list --json", ""}},
         list},
        {"ca show",
         "one CA certificate, how it was verified and which slots use it",
         {ca, flag("--pem", "print the certificate alone, as PEM")},
         {{"rollcall ca show factory-root", ""}, {"rollcall ca show factory-root --pem", ""}},
         show},
        {"ca add",
         "add a CA certificate under a name",
         {positional("NAME", "its name, unique without case"),
          positional("FILE", "the CA certificate: PEM, DER or base64; - reads stdin"),
          flag("--vouch", "vouch for the CA instead of proving that its key is yours"),
          force_flag(), reason_option()},
         {{"rollcall ca add factory-root root.pem", ""},
          {"rollcall ca add factory-root root.pem --vouch", "verified at once; the audit says so"}},
         add},
        {"ca code",
         "ask for the code of a proof of possession; prints the code alone",
         {ca, reason_option(), etag_option()},
         {{"rollcall ca code factory-root", ""}},
         code},
        {"ca verify",
         "prove possession of the CA's key with a verification certificate",
         {ca,
          positional("FILE", "the certificate whose CN is the code, signed directly by the CA")
              .may_be_left_out(),
          flag("--vouch", "vouch for the CA instead"), reason_option(), etag_option()},
         {{"rollcall ca verify factory-root proof.pem", ""},
          {"rollcall ca verify factory-root --vouch", ""}},
         verify},
        {"ca delete",
         "delete a CA certificate; slots that refer to it attest nothing any more",
         {ca, flag("--breach", "the key was lost: close what rests on it and distrust the key"),
          reason_option(), etag_option()},
         {{"rollcall ca delete factory-root", "shows what would happen"},
          {"rollcall ca delete factory-root --yes", ""}},
         remove},
    };
}

}  // namespace rollcall::app
