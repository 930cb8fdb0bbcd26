// SPDX-License-Identifier: Apache-2.0
#include "x509/certificate_checks.hpp"

#include "x509/parsed.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

using Findings = std::vector<Finding>;

void add(Findings& findings, Fault fault, std::string detail, std::string fix,
         Gravity gravity = Gravity::fatal) {
    findings.push_back({fault, gravity, std::move(detail), std::move(fix)});
}

std::string renewal_advice(Role role) {
    switch (role) {
        case Role::end_entity: return "give the device a new certificate";
        case Role::intermediate:
            return "renew this intermediate with its old key, or issue the device's certificate "
                   "under a CA that is valid";
        case Role::anchor: break;
    }
    return "put a valid CA certificate into the slot; one renewed with the same key keeps the "
           "devices' certificates in use";
}

/// RFC 5280 section 6.1.3 (a)(2); not_after includes its whole second.
void check_validity(const Certificate& certificate, Role role, const PathRules& rules,
                    Findings& findings) {
    if (std::chrono::floor<std::chrono::seconds>(rules.at) > certificate.not_after()) {
        add(findings, Fault::expired,
            "expired on " + to_iso8601_seconds(certificate.not_after()) + ", " +
                relative_time(certificate.not_after(), rules.at),
            renewal_advice(role));
    }
    if (rules.at + rules.not_before_tolerance < certificate.not_before()) {
        add(findings, Fault::not_yet_valid,
            "becomes valid on " + to_iso8601_seconds(certificate.not_before()) + ", " +
                relative_time(certificate.not_before(), rules.at),
            "wait until then, or correct the clock of whoever issued it");
    }
}

void check_key(const Certificate& certificate, const PathRules& rules, Findings& findings) {
    const auto& parsed = certificate.parsed();
    if (!parsed.key_strong) {
        const bool undecodable =
            public_key(certificate) == nullptr && parsed.key.kind != KeyKind::other;
        add(findings, undecodable ? Fault::undecodable_key : Fault::weak_key,
            undecodable ? "has a key that cannot be read (" + parsed.key.name + ")"
                        : "has the key " + parsed.key.name + ", which is not strong enough",
            "make a new key: P-256, P-384, RSA 2048 or more, or Ed25519");
    }
    if (rules.distrusted != nullptr && rules.distrusted->contains(parsed.spki_sha256)) {
        add(findings, Fault::distrusted_key,
            "has a key that was put on the distrust list (SHA-256 of the key " +
                parsed.spki_sha256.hex() + ")",
            "issue new certificates under another key; only lifting the distrust admits this one");
    }
}

/// RFC 5280 sections 4.1.1.2 and 6.1.3 (a)(1); an anchor's own signature proves nothing.
void check_signature_form(const Certificate& certificate, Findings& findings) {
    const auto& signature = certificate.parsed().signature;
    if (!signature.consistent) {
        add(findings, Fault::algorithm_mismatch,
            "names another signature algorithm inside than outside the signature",
            "issue it again; this one was damaged or tampered with");
    }
    if (!signature.strong) {
        add(findings, Fault::weak_signature,
            "is signed with " + signature.name + ", which is not strong enough",
            "issue it again with SHA-256 or better");
    }
}

/// RFC 5280 sections 6.1.4 (o) and 6.1.5 (e), and what could not be read.
void check_extensions(const Certificate& certificate, Findings& findings) {
    const auto& parsed = certificate.parsed();
    for (const auto& flaw : parsed.extensions.flaws) {
        add(findings, flaw.fault, flaw.detail, "issue it again without that extension");
    }
}

/// PRODUCT section 3.7: EKU present without what is asked. On CAs it constrains what they issue.
void check_purpose(const Certificate& certificate, Role role, const PathRules& rules,
                   Findings& findings) {
    const auto& usage = certificate.parsed().extensions.extended_key_usage;
    if (!usage || rules.purpose == Purpose::any) {
        return;
    }
    const bool client = rules.purpose == Purpose::client;
    if (client ? usage->client : usage->server) {
        return;
    }
    std::string names;
    for (const auto& name : usage->names) {
        names += names.empty() ? name : ", " + name;
    }
    const std::string wanted = client ? "clientAuth" : "serverAuth";
    add(findings, Fault::wrong_purpose,
        "is for " + (names.empty() ? "nothing" : names) + " (extended key usage), not for " +
            wanted,
        role == Role::end_entity
            ? "issue it again with the extended key usage " + wanted + ", or with none"
            : "use a CA whose extended key usage includes " + wanted + ", or that has none");
}

/// RFC 5280 section 6.1.4 (k) and (n). An anchor without basicConstraints is taken; one that says
/// CA:FALSE is not.
void check_issuer(const Certificate& certificate, Role role, Findings& findings) {
    const Extensions& extensions = certificate.parsed().extensions;
    const auto& constraints = extensions.basic_constraints;
    if (constraints ? !constraints->ca : role != Role::anchor) {
        add(findings, Fault::not_a_ca,
            constraints ? "says that it is no CA (basicConstraints CA:FALSE)"
                        : "has no basicConstraints, so it is no CA",
            "issue the certificate under a real CA, or make this one again with CA:TRUE");
    }
    if (extensions.key_usage && !extensions.key_usage->allows(KU_KEY_CERT_SIGN)) {
        add(findings, Fault::no_cert_sign,
            "may not sign certificates (keyUsage without keyCertSign)",
            "make the CA certificate again with keyCertSign");
    }
    if (certificate.parsed().subject_normalised.empty()) {
        add(findings, Fault::not_a_ca, "has an empty subject, which no CA may have",
            "make the CA certificate again with a name");
    }
}

/// A CA's certificate is no device's. RFC 5280 would let it pass.
void check_end_entity(const Certificate& certificate, const PathRules& rules, Findings& findings) {
    const Extensions& extensions = certificate.parsed().extensions;
    if (extensions.name_constraints) {
        add(findings, Fault::malformed_extension,
            "has nameConstraints, which only a CA's certificate may have",
            "issue it again without that extension");
    }
    if (certificate.ca_flag() == true) {
        const bool device = rules.purpose == Purpose::client;
        add(findings, Fault::wrong_purpose, "is a CA's certificate (CA:TRUE), not an end entity's",
            "issue the device a certificate of its own, with CA:FALSE",
            device ? Gravity::fatal : Gravity::warning);
    }
    if (certificate.parsed().issuer_normalised.empty()) {
        add(findings, Fault::no_issuer_found, "names no issuer", "issue it under a CA with a name");
    }
}

}  // namespace

std::vector<Finding> check_validity_and_key(const Certificate& certificate, Role role,
                                            const PathRules& rules) {
    Findings findings;
    check_validity(certificate, role, rules, findings);
    check_key(certificate, rules, findings);
    return findings;
}

std::vector<Finding> check_certificate(const Certificate& certificate, Role role,
                                       const PathRules& rules) {
    Findings findings = check_validity_and_key(certificate, role, rules);
    if (role != Role::anchor) {
        check_signature_form(certificate, findings);
    }
    check_extensions(certificate, findings);
    check_purpose(certificate, role, rules, findings);
    if (role == Role::end_entity) {
        check_end_entity(certificate, rules, findings);
    } else {
        check_issuer(certificate, role, findings);
    }
    return findings;
}

bool has_fatal(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.gravity == Gravity::fatal; });
}

std::string reason_line(const Finding& finding, const Certificate* on) {
    std::string line{to_string(finding.fault)};
    line += ": ";
    if (on != nullptr) {
        line += (on->subject().empty() ? "the certificate" : on->subject()) + " ";
    }
    return line + finding.detail;
}

std::string relative_time(TimePoint then, TimePoint now) {
    using namespace std::chrono;
    const auto distance = then < now ? now - then : then - now;
    const auto said = [&](auto count, const char* unit) {
        const std::string amount = std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
        return then < now ? amount + " ago" : "in " + amount;
    };
    if (const auto count = duration_cast<days>(distance).count(); count > 0) {
        return said(count, "day");
    }
    if (const auto count = duration_cast<hours>(distance).count(); count > 0) {
        return said(count, "hour");
    }
    if (const auto count = duration_cast<minutes>(distance).count(); count > 0) {
        return said(count, "minute");
    }
    return said(duration_cast<seconds>(distance).count(), "second");
}

}  // namespace rollcall::x509
