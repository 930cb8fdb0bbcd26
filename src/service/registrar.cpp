// SPDX-License-Identifier: Apache-2.0
#include "service/registrar.hpp"

#include "base/limits.hpp"
#include "service/twin_document.hpp"
#include "service/verdict_json.hpp"

#include <algorithm>
#include <variant>

namespace rollcall::service {
namespace {

/// Of a poll that is not the one's who registered.
Error not_who_registered(const domain::RegistrationRequest& request) {
    if (request.sas.empty()) {
        return {ErrorKind::attestation_failed, "Invalid certificate."};
    }
    return {ErrorKind::attestation_failed, "Unauthorized", "token-refused"};
}

Error registration_raced() {
    return {ErrorKind::conflict, "Precondition failed.", "registration-raced"};
}

domain::Failure withdrawn_trust(domain::AttestationKind kind) {
    if (kind == domain::AttestationKind::x509) {
        return {401002, "Invalid certificate."};
    }
    return {401000, "Unauthorized"};
}

bool is_moved_version(const Error& error) {
    return error.kind == ErrorKind::stale ||
           (error.kind == ErrorKind::conflict && error.reason == "trust-moved");
}

Digest leaf_of(const domain::RegistrationRequest& request) {
    return request.peer.empty() ? Digest{} : request.peer.end_entity().sha256();
}

/// Since `before` was read, did another certificate, or key, register under this id?
bool another_leaf_came(const std::optional<domain::Registration>& before,
                       const std::optional<domain::Registration>& after, const Digest& credential) {
    const bool moved = after && (!before || before->etag != after->etag);
    return moved && after->last.leaf_sha256 != credential;
}

Counter& outcome_counter(Metrics& metrics, const char* outcome) {
    return metrics.counter("rollcall_registrations_total", "Registrations by outcome",
                           {{"outcome", outcome}});
}

}  // namespace

Registrar::Registrar(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
                     store::RefusalLog& refusals, Admission& admission, const Clock& clock,
                     Entropy& entropy, Lane& deep_searches, Metrics& metrics,
                     RegistrarSettings settings, RegistrarHelpers helpers)
    : reader_(reader),
      ledger_(ledger),
      trust_book_(trust_book),
      refusals_(refusals),
      admission_(admission),
      clock_(clock),
      entropy_(entropy),
      deep_searches_(deep_searches),
      settings_(std::move(settings)),
      helpers_(helpers),
      assigned_(outcome_counter(metrics, "assigned")),
      repeated_(outcome_counter(metrics, "repeated")),
      failed_(outcome_counter(metrics, "failed")),
      refused_(outcome_counter(metrics, "refused")),
      raced_(outcome_counter(metrics, "raced")),
      metrics_(metrics) {}

Task<Result<DeviceAnswer>> Registrar::register_device(const domain::RegistrationRequest& request) {
    CO_TRY([[maybe_unused]] const Done scope, check_scope(request));
    std::optional<domain::Registration> first_seen;
    std::optional<Asked> asked;
    for (int attempt = 0; attempt < 2; ++attempt) {
        domain::DecisionInputs inputs;
        inputs.now = clock_.now();
        CO_TRY(const Judged judged, co_await judge(request, inputs.now));
        if (const auto* const refusal = std::get_if<domain::Refusal>(&judged.attestation)) {
            co_return refuse(*refusal, judged, request, inputs.now);
        }
        const auto& known = judged.context.registration;
        const auto& attested = std::get<domain::Attested>(judged.attestation);
        if (attempt > 0 && another_leaf_came(first_seen, known, attested.credential)) {
            break;
        }
        first_seen = known;
        inputs.fresh = fresh_ids();
        if (domain::resets_twin(attested)) {
            inputs.initial_twin = parse_initial_twin(attested.initial_twin);
        }
        auto verdict = domain::decide(attested, *judged.trust, judged.context, request, inputs);
        if (const auto* const ask = std::get_if<domain::AskWebhook>(&verdict)) {
            CO_TRY(inputs.reply, co_await ask_webhook(*ask, judged, request, asked));
            verdict = domain::decide(attested, *judged.trust, judged.context, request, inputs);
        }
        if (const auto* const refusal = std::get_if<domain::Refusal>(&verdict)) {
            co_return refuse(*refusal, judged, request, inputs.now);
        }
        auto& decision = std::get<domain::Decision>(verdict);
        if (decision.repeated) {
            repeated_.add();
            note_rate(&RegistrationRate::assigned);
            admission_.succeeded(request.peer_address);
            co_return DeviceAnswer{decision.registration.last.operation, decision.registration};
        }
        const auto claimed = claim_intermediates(decision.changes);
        const auto receipt = co_await ledger_.commit(decision.changes);
        release_intermediates(claimed);
        if (receipt) {
            committed(decision, request);
            co_return DeviceAnswer{inputs.fresh.operation, std::move(decision.registration)};
        }
        if (!is_moved_version(receipt.error())) {
            co_return receipt.error();
        }
    }
    raced_.add();
    co_return registration_raced();
}

void Registrar::committed(const domain::Decision& decision,
                          const domain::RegistrationRequest& request) {
    const bool assigned = decision.registration.status == domain::RegistrationStatus::assigned;
    (assigned ? assigned_ : failed_).add();
    note_rate(assigned ? &RegistrationRate::assigned : &RegistrationRate::refused);
    admission_.succeeded(request.peer_address);
    if (decision.left_us && helpers_.sessions != nullptr) {
        helpers_.sessions->end(decision.registration.device_id, SessionEnd::moved);
    }
}

void Registrar::note_rate(void (RegistrationRate::*what)(TimePoint)) const {
    if (helpers_.rate != nullptr) {
        (helpers_.rate->*what)(clock_.now());
    }
}

/// The device waits meanwhile, at most limits::webhook_time_max; its core does not.
Task<Result<domain::WebhookReply>> Registrar::ask_webhook(
    const domain::AskWebhook& ask, const Judged& judged, const domain::RegistrationRequest& request,
    std::optional<Asked>& asked) {
    if (asked && asked->question == ask) {
        co_return asked->reply;
    }
    if (helpers_.webhooks == nullptr) {
        co_return domain::WebhookReply{domain::webhook_failure(domain::webhook_lied)};
    }
    const auto& attested = std::get<domain::Attested>(judged.attestation);
    WebhookCall call;
    call.url = ask.custom.webhook_url;
    call.body = webhook_request(ask, attested, *judged.trust, judged.context, request);
    CO_TRY(const WebhookAnswer answer, co_await helpers_.webhooks->call_webhook(call));
    auto reply = read_webhook_answer(answer);
    const bool good = reply.failure.code == 0;
    metrics_
        .counter("rollcall_webhook_calls_total", "Questions to allocation webhooks, by outcome.",
                 {{"outcome", good ? "allocated" : "failed"}})
        .add();
    if (!good) {
        log_event(Severity::warning, "webhook-failed",
                  {{"registration", request.id.original()},
                   {"webhook", domain::shown_url(call.url)},
                   {"outcome", std::string{to_string(answer.outcome)}},
                   {"status", std::to_string(answer.status)},
                   {"told", reply.failure.message},
                   {"note", answer.note}});
    }
    asked = Asked{ask, reply};
    co_return reply;
}

Task<Result<DeviceAnswer>> Registrar::operation_status(const domain::RegistrationRequest& request,
                                                       const OperationId& operation) {
    CO_TRY([[maybe_unused]] const Done scope, check_scope(request));
    if (request.peer.empty() && request.sas.empty()) {
        co_return not_who_registered(request);
    }
    CO_TRY(const auto context, co_await reader_.registration_context(request.id, leaf_of(request)));
    const Error unknown{ErrorKind::not_found, "Operation not found.", "operation-not-found"};
    if (!context.registration) {
        co_return unknown;
    }
    domain::Registration registration = *context.registration;
    if (registration.last.operation != operation) {
        CO_TRY(const auto history, co_await reader_.adoptions(request.id));
        const auto found = std::find_if(history.begin(), history.end(), [&](const auto& adoption) {
            return adoption.operation == operation;
        });
        if (found == history.end()) {
            co_return unknown;
        }
        registration.last = *found;
        registration.status = found->status;
        registration.substatus = found->substatus;
        registration.failure = found->failure;
        registration.payload.clear();
    }
    const domain::Adoption& adoption = registration.last;
    if (clock_.now() - adoption.at > limits::operation_life) {
        co_return unknown;
    }
    CO_TRY(const auto trust, co_await trust_book_.current());
    if (!domain::is_who_registered(*trust, context, request, adoption, clock_.now())) {
        co_return not_who_registered(request);
    }
    admission_.succeeded(request.peer_address);
    if (domain::trust_is_withdrawn(*trust, context.individual, request.id, adoption)) {
        registration.status = domain::RegistrationStatus::failed;
        registration.failure = withdrawn_trust(adoption.attestation);
    }
    co_return DeviceAnswer{operation, std::move(registration)};
}

Task<Result<DeviceAnswer>> Registrar::lookup(const domain::RegistrationRequest& request) {
    CO_TRY([[maybe_unused]] const Done scope, check_scope(request));
    const TimePoint now = clock_.now();
    CO_TRY(const Judged judged, co_await judge(request, now));
    if (const auto* const refusal = std::get_if<domain::Refusal>(&judged.attestation)) {
        co_return refuse(*refusal, judged, request, now);
    }
    const auto& registration = judged.context.registration;
    if (!registration) {
        co_return Error{ErrorKind::not_found, "Registration not found.", "registration-not-found"};
    }
    admission_.succeeded(request.peer_address);
    co_return DeviceAnswer{registration->last.operation, *registration};
}

Result<Done> Registrar::check_scope(const domain::RegistrationRequest& request) const {
    if (request.scope != settings_.scope) {
        return Error{ErrorKind::not_found, "No such scope: check the device's ID scope.",
                     "unknown-scope"};
    }
    return Done{};
}

/// A search that is not done within what a core may spend goes on on the lane, from the start:
/// what it verified of intermediates is remembered.
Task<Result<Registrar::Judged>> Registrar::judge(const domain::RegistrationRequest& request,
                                                 TimePoint now) {
    CO_TRY([[maybe_unused]] const Done admitted, admission_.enter(request.peer_address));
    CO_TRY(auto trust, co_await trust_book_.current());
    CO_TRY(auto context, co_await reader_.registration_context(request.id, leaf_of(request)));
    auto attestation =
        domain::attest(*trust, context, request, now, &memory_, limits::path_signatures_on_core);
    const auto* const refusal = std::get_if<domain::Refusal>(&attestation);
    if (refusal != nullptr && refusal->cause == domain::RefusalCause::search_budget) {
        CO_TRY([[maybe_unused]] const auto place, admission_.enter_search(request.peer_address));
        const auto search = [&] {
            return domain::attest(*trust, context, request, now, &memory_,
                                  limits::path_signatures_max);
        };
        attestation = co_await on_lane(deep_searches_, search);
    }
    co_return Judged{std::move(trust), std::move(context), std::move(attestation)};
}

Result<DeviceAnswer> Registrar::refuse(const domain::Refusal& refusal, const Judged& judged,
                                       const domain::RegistrationRequest& request, TimePoint now) {
    refused_.add();
    note_rate(&RegistrationRate::refused);
    admission_.refused(request.peer_address);
    refusals_.note(refusal_record(refusal, request, judged.context.registration.has_value(), now));
    if (!refusal.is_disabled()) {
        const domain::Failure told = refusal.for_device();
        return Error{ErrorKind::attestation_failed, told.message,
                     told.code == 401000 ? "token-refused" : ""};
    }
    DeviceAnswer answer{new_operation_id(entropy_), {}};
    answer.registration.id = request.id;
    answer.registration.status = domain::RegistrationStatus::disabled;
    return answer;
}

domain::FreshIds Registrar::fresh_ids() {
    return {new_operation_id(entropy_), new_etag(entropy_), new_etag(entropy_), new_etag(entropy_)};
}

std::vector<Digest> Registrar::claim_intermediates(domain::Changes& changes) {
    std::vector<Digest> claimed;
    const auto claimed_by_another = [&](const domain::Write& write) {
        const auto* const remember = std::get_if<domain::RememberIntermediate>(&write);
        if (remember == nullptr) {
            return false;
        }
        if (!claims_.insert(remember->certificate.sha256()).second) {
            return true;
        }
        claimed.push_back(remember->certificate.sha256());
        return false;
    };
    const std::lock_guard lock(claims_mutex_);
    std::erase_if(changes.writes, claimed_by_another);
    changes.moves_config = changes.moves_config || !claimed.empty();
    return claimed;
}

void Registrar::release_intermediates(const std::vector<Digest>& claimed) {
    const std::lock_guard lock(claims_mutex_);
    for (const auto& digest : claimed) {
        claims_.erase(digest);
    }
}

}  // namespace rollcall::service
