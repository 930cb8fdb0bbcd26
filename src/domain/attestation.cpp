// SPDX-License-Identifier: Apache-2.0
#include "domain/attestation.hpp"

#include "base/limits.hpp"
#include "domain/key_attestation.hpp"

#include <algorithm>
#include <tuple>

namespace rollcall::domain {
namespace {

using x509::Certificate;
using x509::Fault;
using x509::PathVerdict;

/// What every step of one attestation looks at.
struct Bench {
    const TrustView& trust;
    const RegistrationContext& context;
    const RegistrationRequest& request;
    TimePoint now;
    x509::SignatureMemory* memory;
    std::size_t signatures_max;

    const Certificate& leaf() const { return request.peer.end_entity(); }

    x509::PathRules rules() const {
        x509::PathRules rules;
        rules.at = now;
        rules.purpose = x509::Purpose::client;
        rules.not_before_tolerance = limits::clock_skew;
        rules.signatures_max = signatures_max;
        rules.distrusted = &trust.distrusted();
        return rules;
    }

    x509::PathMaterial material(const x509::AnchorSet& anchors) const {
        const auto& sent = request.peer.certificates;
        return {leaf(), std::span{sent}.subspan(1), &trust.stored(), anchors};
    }
};

/// A group's slot that stands on a valid path. Level 1 is the end entity's issuer.
struct Match {
    std::size_t level;
    TrustView::Place place;
    std::size_t path;
};

/// Everything the search found: valid paths and the groups on them.
struct Findings {
    PathVerdict verdict;
    std::vector<x509::Path> paths;
    std::vector<Match> matches;
};

std::optional<Refusal> refuse_unreadable(const RegistrationRequest& request);
Attestation attest_individual(const Bench& bench, const IndividualEnrollment& enrollment);
Attestation attest_group(const Bench& bench);
Findings find_groups(const Bench& bench);
bool slot_in_validity(const TrustView::Place& place, TimePoint now);
Attestation choose(const Bench& bench, Findings& findings);
Refusal explain_no_path(const Bench& bench, PathVerdict verdict);
Refusal refusal(RefusalCause cause, std::string explanation, std::string fix,
                PathVerdict verdict = {}, std::optional<EntryRef> entry = std::nullopt);
Refusal refuse_fault(const Bench& bench, PathVerdict verdict,
                     std::optional<EntryRef> entry = std::nullopt);
PathVerdict leaf_only(const Bench& bench);
const Distrusted* distrusted_on(const Bench& bench, const PathVerdict& verdict);

}  // namespace

Attestation attest(const TrustView& trust, const RegistrationContext& context,
                   const RegistrationRequest& request, TimePoint now, x509::SignatureMemory* memory,
                   std::size_t signatures_max) {
    if (is_judged_by_key(context, request)) {
        return attest_by_key(trust, context, request, now);
    }
    if (auto unreadable = refuse_unreadable(request)) {
        return *std::move(unreadable);
    }
    const Bench bench{trust, context, request, now, memory, signatures_max};
    if (context.individual) {
        return attest_individual(bench, *context.individual);
    }
    return attest_group(bench);
}

bool is_who_registered(const TrustView& trust, const RegistrationContext& context,
                       const RegistrationRequest& request, const Adoption& adoption,
                       TimePoint now) {
    if (adoption.attestation == AttestationKind::symmetric_key) {
        return is_key_that_registered(trust, context, request, adoption, now);
    }
    return !request.peer.empty() && request.peer.end_entity().sha256() == adoption.leaf_sha256;
}

bool rests_on_distrusted_key(const TrustView& trust, const Adoption& adoption) {
    const auto& distrusted = trust.distrusted();
    const auto is_distrusted = [&](const Digest& key) { return distrusted.contains(key); };
    return is_distrusted(adoption.leaf_spki) || is_distrusted(adoption.ca.spki) ||
           std::any_of(adoption.path_keys.begin(), adoption.path_keys.end(), is_distrusted);
}

bool trust_is_withdrawn(const TrustView& trust,
                        const std::optional<IndividualEnrollment>& individual,
                        const RegistrationId& id, const Adoption& adoption) {
    if (rests_on_distrusted_key(trust, adoption)) {
        return true;
    }
    if (individual && individual->id == id && !individual->enabled) {
        return true;
    }
    if (adoption.entry.kind == EntryRef::Kind::individual) {
        return !individual || individual->instance != adoption.entry.instance ||
               std::find(individual->withdrawn.begin(), individual->withdrawn.end(),
                         adoption.leaf_sha256) != individual->withdrawn.end();
    }
    const EnrollmentGroup* const group = trust.group(adoption.entry);
    return group == nullptr || !group->enabled ||
           std::find(group->withdrawn.begin(), group->withdrawn.end(), adoption.ca) !=
               group->withdrawn.end();
}

namespace {

std::optional<Refusal> refuse_unreadable(const RegistrationRequest& request) {
    if (request.peer_error) {
        const bool too_many = request.peer_error->reason == "too-many-certificates";
        const bool too_large = request.peer_error->kind == ErrorKind::too_large;
        return refusal(
            too_many ? RefusalCause::too_many_certificates : RefusalCause::unreadable_certificate,
            "the certificates in the handshake were not taken: " + request.peer_error->detail,
            too_many    ? "send the device's certificate and its intermediates only"
            : too_large ? "make the certificate again, smaller: with fewer names or extensions"
                        : "make the certificate again; it is not valid DER");
    }
    if (request.peer.empty()) {
        return refusal(RefusalCause::no_certificate,
                       "the device sent no client certificate in the TLS handshake",
                       "give the device's TLS client its certificate, intermediates and key");
    }
    std::size_t bytes = 0;
    for (const auto& certificate : request.peer.certificates) {
        bytes += certificate.der().size();
    }
    if (request.peer.certificates.size() > limits::peer_certificates_max ||
        bytes > limits::peer_chain_bytes_max) {
        return refusal(RefusalCause::too_many_certificates,
                       "the device sent " + std::to_string(request.peer.certificates.size()) +
                           " certificates of " + std::to_string(bytes) + " bytes; the bounds are " +
                           std::to_string(limits::peer_certificates_max) + " and " +
                           std::to_string(limits::peer_chain_bytes_max),
                       "send the device's certificate and its intermediates only");
    }
    return std::nullopt;
}

/// PRODUCT section 3.2 and 3.4: an individual entry decides by itself, by exact match.
Attestation attest_individual(const Bench& bench, const IndividualEnrollment& enrollment) {
    const EntryRef entry = entry_of(enrollment);
    const std::string named = "individual enrollment '" + enrollment.id.original() + "'";
    if (!enrollment.enabled) {
        return refusal(RefusalCause::individual_disabled, "the " + named + " is disabled",
                       "enable it, or delete it so that a group may decide", leaf_only(bench),
                       entry);
    }
    std::optional<Slot> proved;
    bool holds_any = false;
    for (const Slot slot : both_slots) {
        const auto& held = enrollment.at(slot);
        holds_any = holds_any || held.has_value();
        if (held && *held == bench.leaf() && !proved) {
            proved = slot;
        }
    }
    if (!proved && bench.trust.distrusted().contains(bench.leaf().spki_sha256())) {
        return refuse_fault(bench, leaf_only(bench), entry);
    }
    if (!proved) {
        return refusal(holds_any ? RefusalCause::not_in_a_slot : RefusalCause::empty_enrollment,
                       "the certificate " + bench.leaf().sha256_thumbprint() +
                           (holds_any ? " is in neither slot of the " : " came to an empty ") +
                           named,
                       "put the device's certificate into a slot, or give the device a certificate "
                       "that is in one",
                       leaf_only(bench), entry);
    }
    PathVerdict verdict = x509::judge_exact_match(bench.leaf(), bench.rules());
    if (!verdict.valid) {
        return refuse_fault(bench, std::move(verdict), entry);
    }
    const auto places = bench.trust.places_of(bench.leaf().ca_key());
    const bool in_disabled_group = std::any_of(places.begin(), places.end(), [](const auto& place) {
        return !place.pending && !place.group->enabled;
    });
    if (bench.context.leaf_in_disabled_entry || in_disabled_group) {
        return refusal(RefusalCause::in_disabled_entry,
                       "the certificate also stands in a disabled entry, and such a certificate is "
                       "refused everywhere",
                       "enable that entry or remove the certificate from it", std::move(verdict),
                       entry);
    }
    Attested attested;
    attested.entry = entry;
    attested.slot = *proved;
    attested.ca_sha256 = bench.leaf().sha256();
    attested.ca = bench.leaf().ca_key();
    attested.credential = bench.leaf().sha256();
    attested.path = {bench.leaf()};
    attested.reprovision = enrollment.reprovision;
    attested.initial_twin = enrollment.initial_twin;
    attested.allocation = enrollment.allocation;
    attested.entry_trust_version = enrollment.trust_version;
    return attested;
}

Attestation attest_group(const Bench& bench) {
    const auto& name = bench.leaf().common_name();
    if (!name || !equal_ignoring_case(*name, bench.request.id.str())) {
        return refusal(RefusalCause::name_mismatch,
                       name ? "the certificate's common name '" + *name +
                                  "' is not the registration id '" + bench.request.id.original() +
                                  "'"
                            : "the certificate has no common name to compare with the registration "
                              "id '" +
                                  bench.request.id.original() + "'",
                       "issue the device a certificate whose common name is its registration id, "
                       "or register under the name in the certificate",
                       leaf_only(bench));
    }
    if (bench.context.leaf_in_disabled_entry) {
        return refusal(RefusalCause::in_disabled_entry,
                       "the certificate stands in a disabled individual enrollment",
                       "enable that enrollment or remove the certificate from it",
                       leaf_only(bench));
    }
    Findings findings = find_groups(bench);
    if (findings.paths.empty()) {
        return explain_no_path(bench, std::move(findings.verdict));
    }
    return choose(bench, findings);
}

Findings find_groups(const Bench& bench) {
    Findings findings;
    const auto take = [&](const x509::Path& path) {
        // Level 0 is the end entity: that it is some group's CA makes it nobody's device.
        for (std::size_t level = 1; level < path.certificates.size(); ++level) {
            for (const auto& place : bench.trust.places_of(path.certificates[level].ca_key())) {
                if (!place.pending) {
                    findings.matches.push_back({level, place, findings.paths.size()});
                }
            }
        }
        if (path.certificates.size() > 1) {
            findings.paths.push_back(path);
        }
        return x509::Search::go_on;
    };
    const auto material = bench.material(bench.trust.anchors());
    findings.verdict = x509::search_paths(material, bench.rules(), bench.memory, take);
    return findings;
}

bool slot_in_validity(const TrustView::Place& place, TimePoint now) {
    const Certificate& certificate = place.ca->certificate;
    return certificate.not_before() <= now + limits::clock_skew && now <= certificate.not_after();
}

/// Among the groups on valid paths, the one nearest the end entity decides; disabled wins at one
/// level; a path with any disabled group's CA on it proves nothing (PRODUCT section 3.2). A slot
/// outside its validity is no match, unless its group is disabled (section 3.6).
Attestation choose(const Bench& bench, Findings& findings) {
    const auto usable = [&](const Match& match) {
        return !match.place.group->enabled || slot_in_validity(match.place, bench.now);
    };
    const auto before = [](const Match& a, const Match& b) {
        const auto key = [](const Match& m) {
            return std::tuple{m.level, m.place.group->enabled, m.place.group->id.str(),
                              index(m.place.slot), m.path};
        };
        return key(a) < key(b);
    };
    auto& matches = findings.matches;
    const bool any = !matches.empty();
    matches.erase(std::remove_if(matches.begin(), matches.end(), std::not_fn(usable)),
                  matches.end());
    std::sort(matches.begin(), matches.end(), before);
    if (matches.empty()) {
        const auto& anchor = findings.paths.front().certificates.back();
        return refusal(
            any ? RefusalCause::slot_expired : RefusalCause::no_group,
            any ? "the CA in the group's slot is outside its validity, and no other slot "
                  "holds one of this chain"
                : "the chain leads to the verified CA '" + anchor.subject() +
                      "', but no enrollment group has a CA of this chain in a slot",
            any ? "put a valid CA certificate into the slot"
                : "put the CA into a group's slot, or move the device to a CA that is in "
                  "one",
            std::move(findings.verdict));
    }
    const auto has_disabled = [&](std::size_t path) {
        return std::any_of(matches.begin(), matches.end(), [&](const Match& match) {
            return match.path == path && !match.place.group->enabled;
        });
    };
    const Match& nearest = matches.front();
    const Match* chosen = nullptr;
    for (const auto& match : matches) {
        if (match.level == nearest.level && !has_disabled(match.path)) {
            chosen = &match;
            break;
        }
    }
    if (!nearest.place.group->enabled || chosen == nullptr) {
        const bool itself = !nearest.place.group->enabled;
        const auto disabled = std::find_if(matches.begin(), matches.end(), [](const Match& match) {
            return !match.place.group->enabled;
        });
        const EnrollmentGroup& group = *disabled->place.group;
        return refusal(
            itself ? RefusalCause::group_disabled : RefusalCause::in_disabled_entry,
            itself ? "the enrollment group '" + group.id.str() + "' decides and is disabled"
                   : "the chain goes through '" + disabled->place.ca->certificate.subject() +
                         "', which stands in the disabled group '" + group.id.str() + "'",
            "enable the group '" + group.id.str() + "'", std::move(findings.verdict),
            entry_of(group));
    }
    const EnrollmentGroup& group = *chosen->place.group;
    const x509::Path& path = findings.paths[chosen->path];
    Attested attested;
    attested.entry = entry_of(group);
    attested.slot = chosen->place.slot;
    attested.ca_sha256 = chosen->place.ca->certificate.sha256();
    attested.ca = chosen->place.ca->certificate.ca_key();
    attested.credential = bench.leaf().sha256();
    attested.completed = path.completed;
    attested.path = path.certificates;
    attested.reprovision = group.reprovision;
    attested.auto_approve = group.auto_approve;
    attested.refuse_older_leaf = group.refuse_older_leaf;
    attested.initial_twin = group.initial_twin;
    attested.allocation = group.allocation;
    attested.entry_trust_version = group.trust_version;
    return attested;
}

/// No path to a verified CA. Would there be one to a CA that merely is not verified? That is the
/// commonest mistake, and deserves its own sentence.
Refusal explain_no_path(const Bench& bench, PathVerdict verdict) {
    if (verdict.has(Fault::budget_spent)) {
        return refusal(RefusalCause::search_budget,
                       "the search for a path met its bound: " + verdict.reason,
                       "send only the certificates of one path, without cross-certificates that "
                       "are not needed",
                       std::move(verdict));
    }
    const bool anchor_missing = verdict.has(Fault::no_issuer_found) ||
                                verdict.has(Fault::unknown_anchor) ||
                                verdict.has(Fault::issuer_other_key);
    if (anchor_missing) {
        const auto material = bench.material(bench.trust.known_cas());
        std::optional<Certificate> unverified;
        const auto take = [&](const x509::Path& path) {
            if (path.certificates.size() < 2) {
                return x509::Search::go_on;
            }
            unverified = path.certificates.back();
            return x509::Search::stop;
        };
        PathVerdict known = x509::search_paths(material, bench.rules(), bench.memory, take);
        if (unverified) {
            return refusal(RefusalCause::unverified_ca,
                           "the chain leads to '" + unverified->subject() +
                               "', which is stored but was never verified",
                           "verify the CA: ask for its code, sign a certificate with that common "
                           "name by the CA's key, and upload it",
                           std::move(known));
        }
        // The CA that is missing was lost: say so instead of asking for it.
        if (known.has(Fault::distrusted_key)) {
            return refuse_fault(bench, std::move(known));
        }
    }
    return refuse_fault(bench, std::move(verdict));
}

/// The verdict says it all, but for when and why a key on it was distrusted.
Refusal refuse_fault(const Bench& bench, PathVerdict verdict, std::optional<EntryRef> entry) {
    const x509::Finding* const decisive = verdict.decisive();
    std::string reason = verdict.reason;
    std::string fix = decisive != nullptr ? decisive->fix : "";
    if (decisive == nullptr || decisive->fault != Fault::distrusted_key) {
        return refusal(RefusalCause::certificate_fault, std::move(reason), std::move(fix),
                       std::move(verdict), std::move(entry));
    }
    if (const auto* const lost = distrusted_on(bench, verdict)) {
        reason += "; distrusted on " + to_iso8601_seconds(lost->at) +
                  (lost->reason.empty() ? "" : " (" + lost->reason + ")");
    }
    return refusal(RefusalCause::distrusted, std::move(reason), std::move(fix), std::move(verdict),
                   std::move(entry));
}

/// The distrusted key that the verdict's path met.
const Distrusted* distrusted_on(const Bench& bench, const PathVerdict& verdict) {
    for (const auto& distrusted : bench.trust.records().distrusted) {
        for (const auto& judged : verdict.path) {
            if (judged.certificate.spki_sha256() == distrusted.spki) {
                return &distrusted;
            }
        }
    }
    return nullptr;
}

Refusal refusal(RefusalCause cause, std::string explanation, std::string fix, PathVerdict verdict,
                std::optional<EntryRef> entry) {
    return {cause, std::move(explanation), std::move(fix), std::move(verdict), std::move(entry)};
}

/// A verdict that shows the chain's end entity only, for refusals that need no path.
PathVerdict leaf_only(const Bench& bench) {
    return x509::judge_exact_match(bench.leaf(), bench.rules());
}

}  // namespace

std::string_view to_string(RefusalCause cause) {
    switch (cause) {
        case RefusalCause::no_certificate: return "no-certificate";
        case RefusalCause::unreadable_certificate: return "unreadable-certificate";
        case RefusalCause::too_many_certificates: return "too-many-certificates";
        case RefusalCause::name_mismatch: return "name-mismatch";
        case RefusalCause::not_in_a_slot: return "not-in-a-slot";
        case RefusalCause::empty_enrollment: return "empty-enrollment";
        case RefusalCause::certificate_fault: return "certificate-fault";
        case RefusalCause::unverified_ca: return "unverified-ca";
        case RefusalCause::slot_expired: return "slot-expired";
        case RefusalCause::no_group: return "no-group";
        case RefusalCause::older_leaf: return "older-leaf";
        case RefusalCause::distrusted: return "distrusted-key";
        case RefusalCause::individual_disabled: return "individual-disabled";
        case RefusalCause::group_disabled: return "group-disabled";
        case RefusalCause::in_disabled_entry: return "in-disabled-entry";
        case RefusalCause::search_budget: return "search-budget";
        case RefusalCause::token_malformed: return "token-malformed";
        case RefusalCause::token_expired: return "token-expired";
        case RefusalCause::token_resource: return "token-resource";
        case RefusalCause::token_wrong_key: return "token-wrong-key";
        case RefusalCause::token_missing: return "token-missing";
        case RefusalCause::wrong_attestation: return "wrong-attestation";
    }
    return "certificate-fault";
}

/// spec/dps-device-api.md 1.6: two texts are told apart on the wire, both under 401002. Tokens are
/// refused as the cloud was seen to do it (MicrosoftDocs/azure-docs#43157).
Failure Refusal::for_device() const {
    if (cause >= RefusalCause::token_malformed) {
        return {401000, "Unauthorized"};
    }
    const x509::Finding* const decisive = verdict.decisive();
    const bool missing_ca =
        cause == RefusalCause::unverified_ca || cause == RefusalCause::no_group ||
        (cause == RefusalCause::certificate_fault && decisive != nullptr &&
         (decisive->fault == Fault::no_issuer_found || decisive->fault == Fault::unknown_anchor ||
          decisive->fault == Fault::issuer_other_key));
    return {401002, missing_ca ? "CA certificate not found." : "Invalid certificate."};
}

}  // namespace rollcall::domain
