// SPDX-License-Identifier: Apache-2.0
#include "app/explain.hpp"

#include "app/print.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

/// Members of an array, none where it is absent.
const json::array& items_of(const json::value& record, const char* path) {
    static const json::array none;
    const json::value* found = find_member(record, path);
    return found != nullptr && found->is_array() ? found->get_array() : none;
}

void print_findings(std::ostream& out, const json::array& findings, const char* indent) {
    for (const json::value& finding : findings) {
        const bool fatal = shown(finding, "gravity") == "fatal";
        out << indent << (fatal ? "FAULT " : shown(finding, "gravity") + " ")
            << shown(finding, "fault") << ": " << shown(finding, "detail") << '\n';
        if (const std::string fix = shown(finding, "fix"); fix != "-") {
            out << indent << "  fix: " << fix << '\n';
        }
    }
}

void print_sent(std::ostream& out, const json::value& refusal) {
    const json::array& sent = items_of(refusal, "verdict.sent");
    out << "\nThe chain as the device sent it (" << sent.size()
        << (sent.size() == 1 ? " certificate)" : " certificates)") << ":\n";
    if (sent.empty()) {
        out << "  nothing that could be read\n";
    }
    std::size_t place = 0;
    for (const json::value& certificate : sent) {
        out << "  " << ++place << ". " << shown(certificate, "subject") << '\n'
            << "     issued by " << shown(certificate, "issuer") << '\n'
            << "     valid " << shown(certificate, "notBefore") << " to "
            << shown(certificate, "notAfter") << ", " << shown(certificate, "key") << ", "
            << shown(certificate, "signatureAlgorithm") << '\n'
            << "     SHA-256 " << shown(certificate, "sha256Thumbprint") << '\n';
    }
}

bool has_fatal(const json::array& findings) {
    for (const json::value& finding : findings) {
        if (shown(finding, "gravity") == "fatal") {
            return true;
        }
    }
    return false;
}

/// The path that came furthest, link by link, with a mark where it breaks.
void print_path(std::ostream& out, const json::value& refusal) {
    const json::array& path = items_of(refusal, "verdict.path");
    const json::array& findings = items_of(refusal, "verdict.findings");
    if (path.empty() && findings.empty()) {
        return;
    }
    out << "\nThe path that came furthest, from the device up:\n";
    const char* link = "";
    for (const json::value& judged : path) {
        out << link;
        const json::array& own = items_of(judged, "findings");
        out << "  [" << (has_fatal(own) ? "x" : "ok") << "] " << shown(judged, "role") << "  "
            << shown(judged, "certificate.subject")
            << (shown(judged, "sent") == "no" ? "  (not sent; known here)" : "") << '\n';
        print_findings(out, own, "      ");
        link = "   |\n";
    }
    if (has_fatal(findings)) {
        out << "   x   the chain breaks here\n";
    }
    print_findings(out, findings, "      ");
}

void print_refusal(std::ostream& out, const json::value& refusal) {
    const bool entry = find_member(refusal, "entry.id") != nullptr;
    out << '\n';
    print_fields(
        out,
        {{"refused", shown(refusal, "at")},
         {"cause", shown(refusal, "cause")},
         {"what happened", shown(refusal, "explanation")},
         {"what mends it", shown(refusal, "fix")},
         {"decided by",
          entry ? shown(refusal, "entry.kind") + " " + shown(refusal, "entry.id") : "no entry"},
         {"decisive finding", shown(refusal, "verdict.reason")},
         {"device was told", shown(refusal, "errorCode") + " " + shown(refusal, "errorMessage")},
         {"came from", shown(refusal, "peerAddress") + " by " + shown(refusal, "protocol") + " " +
                           shown(refusal, "apiVersion") + ", " + shown(refusal, "tlsVersion") +
                           " " + shown(refusal, "tlsCipher")},
         {"user agent", shown(refusal, "userAgent")}});
    print_sent(out, refusal);
    print_path(out, refusal);
}

}  // namespace

void print_explanation(std::ostream& out, const json::value& explanation) {
    out << shown(explanation, "registrationId") << ": " << shown(explanation, "summary") << '\n';
    const json::value* registration = find_member(explanation, "registration");
    if (registration != nullptr && registration->is_object()) {
        out << '\n';
        print_fields(out, {{"status", shown(*registration, "status")},
                           {"last registered", shown(*registration, "last.at")},
                           {"entry", shown(*registration, "last.entry.kind") + " " +
                                         shown(*registration, "last.entry.id") + ", " +
                                         shown(*registration, "last.slot")},
                           {"leaf SHA-256", shown(*registration, "last.leafSha256Thumbprint")}});
    }
    const json::value* refusal = find_member(explanation, "refusal");
    if (refusal != nullptr && refusal->is_object()) {
        print_refusal(out, *refusal);
    }
}

}  // namespace rollcall::app
