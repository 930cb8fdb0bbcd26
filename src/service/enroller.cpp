// SPDX-License-Identifier: Apache-2.0
#include "service/enroller.hpp"

#include "base/limits.hpp"
#include "service/enroller_plan.hpp"

namespace rollcall::service {
namespace {

std::string hub_sentence(std::uint64_t devices) {
    if (devices == 0) {
        return "No known device is assigned to it.";
    }
    return (devices == 1 ? std::string{"1 known device is"}
                         : std::to_string(devices) + " known devices are") +
           " assigned to it, until the next registration.";
}

std::string impact_sentence(std::uint64_t devices) {
    if (devices == 0) {
        return "No known device rests on it alone.";
    }
    return devices == 1 ? "1 known device last proved itself with it and has no other way in."
                        : std::to_string(devices) +
                              " known devices last proved themselves with it and have no other "
                              "way in.";
}

}  // namespace

Enroller::Enroller(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
                   const Clock& clock, Entropy& entropy)
    : reader_(reader), ledger_(ledger), trust_book_(trust_book), clock_(clock), entropy_(entropy) {}

Task<Result<Enroller::Plan>> Enroller::change(const Order& order, const Subject& subject,
                                              const Planner& planner) {
    CO_TRY([[maybe_unused]] const Done told, check_reason(order));
    for (int attempt = 0; attempt < limits::change_attempts_max; ++attempt) {
        CO_TRY(const Snapshot snapshot, co_await look(subject));
        const domain::Writing writing = draw(order);
        CO_TRY(Plan plan, planner(snapshot, writing));
        if (order.dry_run && !plan.audited_alone) {
            CO_TRY([[maybe_unused]] const Done measured, co_await measure(plan));
            co_return plan;
        }
        if (plan.changes.writes.empty() && !plan.audited_alone) {
            co_return plan;  // it is so already
        }
        plan.changes.audit.push_back(
            audit_event(order, plan.action, plan.object, plan.detail, writing.now));
        const auto receipt = co_await ledger_.commit(plan.changes);
        if (receipt) {
            co_return plan;
        }
        if (receipt.error().kind != ErrorKind::stale) {
            co_return receipt.error();
        }
    }
    co_return too_busy();
}

Task<Result<Enroller::Snapshot>> Enroller::look(const Subject& subject) {
    Snapshot snapshot;
    CO_TRY(snapshot.trust, co_await trust_book_.current());
    if (subject.individual) {
        CO_TRY(snapshot.individual, co_await reader_.individual(*subject.individual));
        CO_TRY(snapshot.registration, co_await reader_.registration(*subject.individual));
    }
    if (subject.device) {
        CO_TRY(snapshot.device, co_await reader_.device(*subject.device));
        if (snapshot.device) {
            CO_TRY(snapshot.registration,
                   co_await reader_.registration(snapshot.device->registration));
        }
        if (subject.device_notes) {
            CO_TRY(snapshot.device_notes, co_await reader_.device_notes(*subject.device));
        }
    }
    co_return snapshot;
}

/// Completes a preview: who rests on what goes, and which keys would be distrusted.
Task<Result<Done>> Enroller::measure(Plan& plan) {
    for (const auto& write : plan.changes.writes) {
        if (const auto* const distrusted = std::get_if<domain::PutDistrusted>(&write)) {
            plan.preview.distrusts.push_back(distrusted->distrusted.spki);
        }
    }
    Impact& impact = plan.preview.impact;
    for (const auto& filter : plan.rests) {
        CO_TRY(const std::uint64_t count, co_await reader_.registration_count(filter));
        impact.devices += count;
        if (count == 0 || impact.first.size() >= limits::impact_names_max) {
            continue;
        }
        const store::PageRequest page{{}, limits::impact_names_max - impact.first.size()};
        CO_TRY(const auto found, co_await reader_.registrations(page, filter));
        for (const auto& registration : found.items) {
            impact.first.push_back(registration.id.original());
        }
    }
    if (!plan.rests.empty() || impact.devices > 0) {
        plan.preview.summary.push_back(plan.rests_on_hub ? hub_sentence(impact.devices)
                                                         : impact_sentence(impact.devices));
    }
    co_return Done{};
}

domain::Writing Enroller::draw(const Order& order) {
    domain::Writing writing;
    writing.now = clock_.now();
    writing.ca_ids = {new_ca_id(entropy_), new_ca_id(entropy_)};
    writing.ca_etag = new_etag(entropy_);
    writing.entry_etag = new_etag(entropy_);
    writing.by = order.caller.name;
    writing.reason = order.reason;
    return writing;
}

Task<Result<Outcome<std::string>>> Enroller::erase(const Order& order, const Subject& subject,
                                                   const Planner& planner) {
    CO_TRY(const Plan plan, co_await change(order, subject, planner));
    auto outcome = told<std::string>(order, plan);
    if (!order.dry_run) {
        outcome.record = plan.object;
    }
    co_return outcome;
}

void Enroller::Plan::take(domain::SlotOutcome outcome) {
    changes = std::move(outcome.changes);
    findings = std::move(outcome.findings);
    warnings = std::move(outcome.warnings);
    preview.pending = outcome.pending;
}

std::string shown(const x509::Certificate& certificate) {
    return "'" + certificate.subject() + "' (SHA-256 " + certificate.sha256_thumbprint() + ")";
}

std::string shown(domain::Slot slot) {
    return std::string{domain::to_string(slot)};
}

std::string_view word_of(domain::Removal removal) {
    switch (removal) {
        case domain::Removal::plain: return "plain";
        case domain::Removal::immediate: return "replaceNow";
        case domain::Removal::breach: return "breach";
    }
    return "plain";
}

std::string_view word_of(domain::Replacement replacement) {
    switch (replacement) {
        case domain::Replacement::staged: return "staged";
        case domain::Replacement::immediate: return "replaceNow";
        case domain::Replacement::breach: return "breach";
    }
    return "staged";
}

Error too_busy() {
    return {ErrorKind::unavailable,
            "others change the same records faster than this change could be made; nothing was "
            "changed, try again",
            "busy"};
}

Result<Done> check_reason(const Order& order) {
    if (order.reason.size() > limits::reason_chars_max) {
        return Error{
            ErrorKind::malformed,
            "the reason has more than " + std::to_string(limits::reason_chars_max) + " characters",
            "reason-too-long"};
    }
    return Done{};
}

Result<Done> want_reason(const Order& order) {
    if (order.reason.empty()) {
        return Error{ErrorKind::malformed, "say why: this change wants a reason",
                     "reason-required"};
    }
    return Done{};
}

}  // namespace rollcall::service
