// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about CA certificate records.
#include "base/limits.hpp"
#include "service/enroller_plan.hpp"
#include "x509/possession.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

std::string object_of(const domain::CaCertificate& ca) {
    return "ca/" + (ca.name.empty() ? ca.id.str() : ca.name);
}

Result<Done> check_ca_name(const std::string& name) {
    const bool printable = std::none_of(name.begin(), name.end(), [](unsigned char c) {
        return c < 0x20 || c == 0x7F || c == '/';
    });
    if (name.size() <= limits::ca_name_chars_max && printable) {
        return Done{};
    }
    return Error{ErrorKind::malformed,
                 "the name of a CA certificate has at most " +
                     std::to_string(limits::ca_name_chars_max) +
                     " characters, no '/' and no control characters",
                 "malformed-name"};
}

/// Where nobody is asked, as by facades, the audit log keeps what was odd.
std::vector<std::string> shown(const std::vector<x509::Finding>& findings) {
    std::vector<std::string> texts;
    for (const auto& finding : findings) {
        texts.push_back(finding.detail);
    }
    return texts;
}

}  // namespace

Task<Result<Outcome<CaView>>> Enroller::add_ca(const Order& order, const NewCa& request) {
    CO_TRY([[maybe_unused]] const Done name, check_ca_name(request.name));
    CO_TRY(const auto certificate, x509::read_one_certificate(request.certificate));
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(auto outcome, domain::add_ca(*snapshot.trust, request.name, certificate, request.vouch,
                                         request.force, writing));
        Plan plan;
        plan.take(std::move(outcome));
        plan.action = "ca.add";
        plan.object = object_of(plan.written<domain::PutCa>()->ca);
        plan.detail.certificate("certificate", certificate)
            .flag("vouched", request.vouch)
            .flag("forced", request.force);
        return plan;
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    co_return co_await show_ca(order, plan, certificate.sha256());
}

Task<Result<Outcome<CaView>>> Enroller::put_ca(const Order& order, const NewCa& request) {
    CO_TRY([[maybe_unused]] const Done name, check_ca_name(request.name));
    CO_TRY(const auto certificates,
           x509::read_certificates(request.certificate, limits::peer_certificates_max));
    const x509::Certificate& certificate = certificates.front();
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        const auto named = find_named_ca(*snapshot.trust, request.name);
        Plan plan;
        if (named) {
            const domain::CaCertificate& before = **named;
            TRY([[maybe_unused]] const Done meant, want_if_match(order));
            TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
            TRY(auto outcome,
                domain::replace_ca(*snapshot.trust, before, certificate, request.vouch, writing));
            plan.take(std::move(outcome));
            plan.action = "ca.replace";
            plan.detail.certificate("before", before.certificate);
        } else if (!order.if_match.one_of.empty()) {
            Error gone = named.error();
            gone.kind = ErrorKind::stale;
            return gone;
        } else {
            TRY(auto outcome, domain::add_ca(*snapshot.trust, request.name, certificate,
                                             request.vouch, true, writing));
            plan.take(std::move(outcome));
            plan.action = "ca.add";
        }
        plan.object = object_of(plan.written<domain::PutCa>()->ca);
        plan.detail.certificate("certificate", certificate).flag("vouched", request.vouch);
        if (std::vector<std::string> odd = shown(plan.findings); !odd.empty()) {
            plan.detail.texts("findings", odd);
        }
        return plan;
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    co_return co_await show_ca(order, plan, certificate.sha256());
}

Task<Result<Outcome<CaView>>> Enroller::show_ca(const Order& order, const Plan& plan,
                                                const Digest& sha256) {
    auto outcome = told<CaView>(order, plan);
    if (!order.dry_run) {
        CO_TRY(const auto trust, co_await trust_book_.current());
        CO_TRY(const auto* const ca, find_ca(*trust, sha256.hex()));
        outcome.record = view_of(*trust, *ca, clock_.now());
    }
    co_return outcome;
}

Task<Result<Outcome<std::string>>> Enroller::delete_ca(const Order& order, const std::string& ca,
                                                       domain::Removal removal) {
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const record, find_ca(*snapshot.trust, ca));
        TRY([[maybe_unused]] const Done same, order.if_match.check(record->etag));
        Plan plan;
        plan.take(domain::delete_ca(*snapshot.trust, *record, removal, writing));
        plan.action = "ca.delete";
        plan.object = object_of(*record);
        plan.detail.text("mode", word_of(removal)).certificate("before", record->certificate);
        plan.preview.change = ChangeClass::removal;
        plan.preview.outgoing.push_back(record->certificate);
        plan.preview.summary.push_back("Deletes the CA certificate " + shown(record->certificate) +
                                       ".");
        store::RegistrationFilter rests;
        if (removal == domain::Removal::breach) {
            plan.preview.summary.emplace_back("Its key goes on the distrust list.");
            rests.spki = record->certificate.spki_sha256();
        } else {
            rests.ca = record->certificate.ca_key();
        }
        plan.rests.push_back(rests);
        return plan;
    };
    const Subject nothing_else;
    co_return co_await erase(order, nothing_else, planner);
}

Task<Result<PossessionCode>> Enroller::ask_ca_code(const Order& order, const std::string& ca) {
    const std::string code = x509::new_possession_code(entropy_);
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const record, find_ca(*snapshot.trust, ca));
        TRY([[maybe_unused]] const Done same, order.if_match.check(record->etag));
        return plan_code(*snapshot.trust, *record, code, writing);
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    const auto& record = plan.written<domain::PutCa>()->ca;
    co_return PossessionCode{code, record.id, record.certificate.sha256(), record.etag};
}

Result<Enroller::Plan> Enroller::plan_code(const domain::TrustView& trust,
                                           const domain::CaCertificate& ca, const std::string& code,
                                           const domain::Writing& writing) {
    if (ca.verified) {
        return Error{ErrorKind::conflict,
                     "the CA " + shown(ca.certificate) + " is verified already",
                     "already-verified"};
    }
    domain::CaCertificate record = ca;
    record.pending_code = code;
    record.etag = writing.ca_etag;
    record.updated = writing.now;
    Plan plan;
    plan.action = "ca.code";
    plan.object = object_of(ca);
    plan.detail.certificate("certificate", ca.certificate);
    plan.changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::ca, ca.id.str(), ca.etag});
    plan.changes.expects.push_back(domain::ExpectConfig{trust.config_version()});
    plan.changes.writes.push_back(domain::PutCa{std::move(record)});
    plan.changes.moves_config = true;
    return plan;
}

Task<Result<Outcome<CaView>>> Enroller::verify_ca(const Order& order, const std::string& ca,
                                                  const CaProof& proof) {
    std::optional<Digest> sha256;
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        TRY(const auto* const record, find_ca(*snapshot.trust, ca));
        TRY([[maybe_unused]] const Done same, order.if_match.check(record->etag));
        sha256 = record->certificate.sha256();
        return plan_verification(*snapshot.trust, *record, proof, writing);
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    co_return co_await show_ca(order, plan, *sha256);
}

Result<Enroller::Plan> Enroller::plan_verification(const domain::TrustView& trust,
                                                   const domain::CaCertificate& ca,
                                                   const CaProof& proof,
                                                   const domain::Writing& writing) {
    if (ca.verified) {
        return Error{ErrorKind::conflict,
                     "the CA " + shown(ca.certificate) + " is verified already",
                     "already-verified"};
    }
    using How = domain::CaVerification::How;
    if (!proof.vouch) {
        TRY(const auto certificate, x509::read_one_certificate(proof.certificate));
        if (ca.pending_code.empty()) {
            return Error{ErrorKind::conflict,
                         "no code was asked for this CA, or it was used or replaced: ask for one "
                         "and sign a certificate with that common name",
                         "no-code"};
        }
        TRY([[maybe_unused]] const Done possession,
            x509::check_possession(ca.certificate, ca.pending_code, certificate, writing.now,
                                   limits::clock_skew));
    }
    Plan plan;
    plan.take(
        domain::complete_verification(trust, ca, proof.vouch ? How::vouched : How::proof, writing));
    plan.action = "ca.verify";
    plan.object = object_of(ca);
    plan.detail.text("how", proof.vouch ? "vouched" : "proof")
        .certificate("certificate", ca.certificate);
    return plan;
}

}  // namespace rollcall::service
