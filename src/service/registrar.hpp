// SPDX-License-Identifier: Apache-2.0
// Registrar: a device registers, or asks how its registration went. Used by every device front;
// knows no wire words. See docs/LIFE-OF-A-REGISTRATION.md.
#pragma once

#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "domain/decision.hpp"
#include "service/admission.hpp"
#include "service/registration_rate.hpp"
#include "service/sessions.hpp"
#include "service/trust_book.hpp"
#include "service/webhook.hpp"
#include "store/refusals.hpp"
#include "store/store.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace rollcall::service {

/// What a device is answered. `registration.status` tells; `operation` is what it may poll.
struct DeviceAnswer {
    OperationId operation;
    domain::Registration registration;
};

struct RegistrarSettings {
    ScopeId scope;
};

/// What some registrations need and most do not; all of it outlives the Registrar.
struct RegistrarHelpers {
    AllocationHook* webhooks = nullptr;  ///< none: custom allocation fails
    Sessions* sessions = nullptr;        ///< of devices that move to another hub; none: no hub here
    RegistrationRate* rate = nullptr;    ///< none: nobody looks
};

class Registrar {
public:
    Registrar(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
              store::RefusalLog& refusals, Admission& admission, const Clock& clock,
              Entropy& entropy, Lane& deep_searches, Metrics& metrics, RegistrarSettings settings,
              RegistrarHelpers helpers = {});

    /// Judges, decides, commits; the answer is durable when it is given. A disabled entry is an
    /// answer with status `disabled`. Where the entry has a webhook, waits for it. Errors:
    /// not_found "unknown-scope"; attestation_failed with DPS' text; conflict
    /// "registration-raced" (another leaf at the same time, or trust moved twice): nothing
    /// changed; throttled (see Admission); unavailable.
    Task<Result<DeviceAnswer>> register_device(const domain::RegistrationRequest& request);

    /// How did `operation` go? Needs the leaf, or a token by the key, that registered, and looks
    /// again whether the trust it rests on still stands: withdrawn trust ends the operation as
    /// failed. Errors: not_found "operation-not-found" (also after limits::operation_life),
    /// attestation_failed.
    Task<Result<DeviceAnswer>> operation_status(const domain::RegistrationRequest& request,
                                                const OperationId& operation);

    /// The registration as it is, for a device that proves its enrollment afresh. Errors:
    /// not_found "registration-not-found", attestation_failed.
    Task<Result<DeviceAnswer>> lookup(const domain::RegistrationRequest& request);

private:
    /// Everything one attempt reads and finds.
    struct Judged {
        std::shared_ptr<const domain::TrustView> trust;
        domain::RegistrationContext context;
        domain::Attestation attestation;
    };

    Result<Done> check_scope(const domain::RegistrationRequest& request) const;
    /// A webhook's answer to a question, kept while the registration is tried again.
    struct Asked {
        domain::AskWebhook question;
        domain::WebhookReply reply;
    };

    void note_rate(void (RegistrationRate::*what)(TimePoint)) const;
    Task<Result<domain::WebhookReply>> ask_webhook(const domain::AskWebhook& ask,
                                                   const Judged& judged,
                                                   const domain::RegistrationRequest& request,
                                                   std::optional<Asked>& asked);
    void committed(const domain::Decision& decision, const domain::RegistrationRequest& request);
    Task<Result<Judged>> judge(const domain::RegistrationRequest& request, TimePoint now);
    Result<DeviceAnswer> refuse(const domain::Refusal& refusal, const Judged& judged,
                                const domain::RegistrationRequest& request, TimePoint now);
    domain::FreshIds fresh_ids();
    std::vector<Digest> claim_intermediates(domain::Changes& changes);
    void release_intermediates(const std::vector<Digest>& claimed);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    TrustBook& trust_book_;
    store::RefusalLog& refusals_;
    Admission& admission_;
    const Clock& clock_;
    Entropy& entropy_;
    Lane& deep_searches_;
    RegistrarSettings settings_;
    RegistrarHelpers helpers_;
    x509::SignatureMemory memory_;
    Counter& assigned_;
    Counter& repeated_;
    Counter& failed_;
    Counter& refused_;
    Counter& raced_;
    Metrics& metrics_;
    std::mutex claims_mutex_;
    /// Intermediates that some session is about to remember: a new factory's first thousand
    /// devices write theirs once.
    std::unordered_set<Digest> claims_;
};

}  // namespace rollcall::service
