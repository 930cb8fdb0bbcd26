// SPDX-License-Identifier: Apache-2.0
// The enroller's use cases about the distrust list (PRODUCT section 3.11).
#include "service/enroller_plan.hpp"

#include <algorithm>

namespace rollcall::service {
namespace {

const domain::Distrusted* find(const domain::TrustView& trust, const Digest& spki) {
    const auto& list = trust.records().distrusted;
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&spki](const auto& each) { return each.spki == spki; });
    return found == list.end() ? nullptr : &*found;
}

std::string object_of(const Digest& spki) {
    return "key/" + to_upper_hex(spki.bytes);
}

/// The slots that attest nothing once this key is distrusted.
std::vector<std::string> warnings_for(const domain::TrustView& trust, const Digest& spki) {
    std::vector<std::string> warnings;
    for (const auto& ca : trust.records().cas) {
        if (ca.certificate.spki_sha256() != spki) {
            continue;
        }
        for (const auto& place : trust.places_of(ca.certificate.ca_key())) {
            if (place.ca->id != ca.id) {
                continue;
            }
            warnings.push_back("the " + shown(place.slot) + " slot of the group '" +
                               place.group->id.str() +
                               "' holds a certificate with this key; it attests no more and "
                               "should be replaced");
        }
    }
    return warnings;
}

}  // namespace

Task<Result<Outcome<domain::Distrusted>>> Enroller::distrust(const Order& order,
                                                             const DistrustRequest& request) {
    CO_TRY([[maybe_unused]] const Done why, want_reason(order));
    domain::Distrusted entry;
    if (request.spki) {
        entry.spki = *request.spki;
    } else {
        CO_TRY(const auto certificate, x509::read_one_certificate(request.certificate));
        entry.spki = certificate.spki_sha256();
        entry.subject = certificate.subject();
        entry.certificate = certificate;
    }
    const Planner planner = [&](const Snapshot& snapshot,
                                const domain::Writing& writing) -> Result<Plan> {
        if (const auto* const known = find(*snapshot.trust, entry.spki)) {
            return Error{ErrorKind::conflict,
                         "this key is on the distrust list since " + to_iso8601_seconds(known->at),
                         "already-distrusted"};
        }
        entry.reason = order.reason;
        entry.by = writing.by;
        entry.at = writing.now;
        Plan plan;
        plan.action = "distrust.add";
        plan.object = object_of(entry.spki);
        plan.detail.text("subject", entry.subject);
        plan.warnings = warnings_for(*snapshot.trust, entry.spki);
        plan.preview.summary.push_back(
            "Distrusts the key " + to_upper_hex(entry.spki.bytes) +
            (entry.subject.empty() ? "" : " of '" + entry.subject + "'") +
            ": no path that contains it is valid under any entry.");
        store::RegistrationFilter rests;
        rests.spki = entry.spki;
        plan.rests.push_back(rests);
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(domain::PutDistrusted{entry});
        plan.changes.moves_config = true;
        plan.changes.moves_anchors = true;
        return plan;
    };
    const Subject nothing_else;
    CO_TRY(const Plan plan, co_await change(order, nothing_else, planner));
    auto outcome = told<domain::Distrusted>(order, plan);
    if (!order.dry_run) {
        outcome.record = entry;
    }
    co_return outcome;
}

Task<Result<Outcome<std::string>>> Enroller::lift_distrust(const Order& order, const Digest& spki) {
    CO_TRY([[maybe_unused]] const Done why, want_reason(order));
    const Planner planner = [&](const Snapshot& snapshot, const domain::Writing&) -> Result<Plan> {
        const auto* const known = find(*snapshot.trust, spki);
        if (known == nullptr) {
            return Error{ErrorKind::not_found, "this key is not on the distrust list",
                         "not-distrusted"};
        }
        Plan plan;
        plan.action = "distrust.lift";
        plan.object = object_of(spki);
        plan.detail.text("subject", known->subject).text("distrustedFor", known->reason);
        plan.preview.summary.push_back("Takes the key " + to_upper_hex(spki.bytes) + " of '" +
                                       known->subject + "' off the distrust list.");
        plan.changes.expects.push_back(domain::ExpectConfig{snapshot.trust->config_version()});
        plan.changes.writes.push_back(domain::LiftDistrusted{spki});
        plan.changes.moves_config = true;
        plan.changes.moves_anchors = true;
        return plan;
    };
    const Subject nothing_else;
    co_return co_await erase(order, nothing_else, planner);
}

}  // namespace rollcall::service
