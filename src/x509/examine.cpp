// SPDX-License-Identifier: Apache-2.0
// Judgements of single certificates, without a path: exact matches and uploads.
#include "x509/certificate_checks.hpp"
#include "x509/parsed.hpp"
#include "x509/path.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

/// Not yet valid will pass, and a roll may well be staged ahead of time: said, not refused.
void soften_not_yet_valid(std::vector<Finding>& findings) {
    for (auto& finding : findings) {
        if (finding.fault == Fault::not_yet_valid) {
            finding.gravity = Gravity::warning;
        }
    }
}

}  // namespace

PathVerdict judge_exact_match(const Certificate& end_entity, const PathRules& rules) {
    PathVerdict verdict;
    auto findings = check_validity_and_key(end_entity, Role::end_entity, rules);
    verdict.valid = !has_fatal(findings);
    verdict.path.push_back({.certificate = end_entity,
                            .role = Role::end_entity,
                            .sent = true,
                            .findings = std::move(findings)});
    if (const Finding* decisive = verdict.decisive()) {
        verdict.reason = reason_line(*decisive, &end_entity);
    }
    return verdict;
}

std::vector<Finding> examine_ca(const Certificate& certificate, TimePoint at) {
    PathRules rules;
    rules.at = at;
    auto findings = check_certificate(certificate, Role::anchor, rules);
    soften_not_yet_valid(findings);
    if (!certificate.ca_flag()) {
        findings.push_back({Fault::not_a_ca, Gravity::warning,
                            "has no basicConstraints; it is taken as a CA because you say so",
                            "make CA certificates with basicConstraints CA:TRUE"});
    }
    if (!certificate.parsed().signature.strong) {
        findings.push_back({Fault::weak_signature, Gravity::note,
                            "is signed with " + certificate.signature_algorithm() +
                                "; an anchor's own signature is not relied on",
                            ""});
    }
    return findings;
}

std::vector<Finding> examine_leaf(const Certificate& certificate, std::string_view registration_id,
                                  TimePoint at) {
    PathRules rules;
    rules.at = at;
    auto findings = check_validity_and_key(certificate, Role::end_entity, rules);
    soften_not_yet_valid(findings);
    const auto& name = certificate.common_name();
    if (!name || !equal_ignoring_case(*name, registration_id)) {
        findings.push_back({Fault::name_mismatch, Gravity::warning,
                            name
                                ? "has the common name '" + *name + "', not the registration id '" +
                                      std::string{registration_id} + "'"
                                : "has no common name to compare with the registration id",
                            "issue it with the registration id as its common name; SDKs take the "
                            "id from there"});
    }
    if (certificate.ca_flag() == true) {
        findings.push_back({Fault::wrong_purpose, Gravity::warning,
                            "is a CA's certificate (CA:TRUE), not a device's",
                            "issue the device a certificate of its own, with CA:FALSE"});
    }
    const auto& usage = certificate.parsed().extensions.extended_key_usage;
    if (usage && !usage->client) {
        findings.push_back({Fault::wrong_purpose, Gravity::warning,
                            "has an extended key usage without clientAuth, so other servers may "
                            "refuse it",
                            "issue it with clientAuth, or without extended key usage"});
    }
    return findings;
}

}  // namespace rollcall::x509
