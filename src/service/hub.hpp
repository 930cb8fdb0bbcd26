// SPDX-License-Identifier: Apache-2.0
// Hub: what a device does once it is provisioned, and what an operator does with it: telemetry,
// twins, methods, messages. Use cases only; the words of the wire are the fronts'
// (spec/hub-mqtt.md, PRODUCT section 3.13).
#pragma once

#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "domain/hub_access.hpp"
#include "service/admission.hpp"
#include "service/caller.hpp"
#include "service/sessions.hpp"
#include "service/trust_book.hpp"
#include "service/twin_document.hpp"
#include "store/store.hpp"
#include "store/telemetry.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rollcall::service {

/// Who wants to speak as a device, and how it came.
struct HubRequest {
    DeviceId device;
    x509::PeerChain peer{};
    /// The shared access signature it brought (domain/sas.hpp), as it came; empty: none.
    std::string sas{};
    domain::Protocol protocol = domain::Protocol::mqtt;
    std::string peer_address{};
    std::string user_agent{};
};

struct MethodAnswer {
    int status = 0;         ///< the device's own
    std::string payload{};  ///< JSON text as the device sent it; empty: none
};

/// What an operator sends to a device.
struct NewMessage {
    std::string id{};  ///< message id; empty: one is made
    domain::MessageProperties properties{};
    std::string body{};
    std::optional<std::chrono::seconds> time_to_live{};  ///< default limits::message_life
};

/// Merge patches (RFC 7396) as JSON texts; none: left alone.
struct TwinChange {
    std::optional<std::string> tags{};
    std::optional<std::string> desired{};
    /// Otherwise `desired` is no patch, but all there shall be, or all of the members it names.
    TwinWrite desired_is = TwinWrite::patch;
};

class Hub {
public:
    /// `name`: the own hub's, which devices' tokens are for.
    Hub(store::StoreReader& reader, store::Ledger& ledger, TrustBook& trust_book,
        Sessions& sessions, store::Sink& sink, Admission& admission, const Clock& clock,
        Entropy& entropy, Metrics& metrics, std::string name);
    ~Hub();

    // --- A device comes ---
    /// May it speak? Its facts, for a session to enter with. forbidden ("hub-refused", the note
    /// says why: domain::HubRefusal), or the store's errors.
    Task<Result<SessionFacts>> admit(const HubRequest& request);
    /// Enters the session and looks again, so that trust withdrawn meanwhile is not missed: the
    /// order makes that either this sees it or the sweep sees the session. Errors as admit().
    Task<Result<Done>> enter(const SessionFacts& facts, std::shared_ptr<LiveSession> session,
                             const HubRequest& request);
    void leave(const DeviceId& device, const LiveSession& session);

    // --- A device speaks ---
    /// Durable when it returns. `batch` gets its times here.
    Task<Result<Done>> send(std::vector<domain::Telemetry>& batch);
    /// A device that has no twin yet has an empty one.
    Task<Result<domain::Twin>> twin(const DeviceId& device);
    /// Merges into the reported properties; their new version. malformed ("twin-...", see
    /// twin_document.hpp), too_large, unavailable.
    Task<Result<std::uint64_t>> report(const DeviceId& device, const std::string& patch);
    /// What waits for it and has not expired, in order.
    Task<Result<std::vector<domain::DeviceMessage>>> waiting(const DeviceId& device);
    Task<Result<Done>> complete(const DeviceId& device, std::uint64_t number);
    /// What a lasting session was subscribed to.
    Task<Result<domain::Subscriptions>> subscriptions(const DeviceId& device);
    Task<Result<Done>> keep_subscriptions(const DeviceId& device,
                                          const domain::Subscriptions& subscriptions);
    /// The device's answer to a MethodRequest; one that nobody waits for is dropped, as is one for
    /// another device's.
    void method_answered(const DeviceId& device, std::uint64_t id, MethodAnswer answer);

    // --- An operator speaks to a device ---
    /// Queues a message and tells the device when it is connected. Errors: not_found
    /// ("device-not-found"), conflict ("queue-full"), too_large ("message-too-large"), malformed.
    Task<Result<domain::DeviceMessage>> send_message(const Order& order, const std::string& device,
                                                     NewMessage message);
    /// Drops every message that waits; how many there were.
    Task<Result<std::size_t>> purge_messages(const Order& order, const std::string& device);
    /// Errors: not_found, stale (If-Match against the twin's etag), malformed ("twin-..."),
    /// too_large. The device is told of what changed in desired when it is connected.
    Task<Result<domain::Twin>> change_twin(const Order& order, const std::string& device,
                                           const TwinChange& change);
    /// Calls a direct method and waits for the answer. Errors: not_found ("device-not-found"),
    /// conflict ("device-not-connected"), deadline ("method-timeout"), unavailable
    /// ("device-left": the session ended before it answered), malformed, too_large. `payload`:
    /// JSON text, empty for none.
    Task<Result<MethodAnswer>> call(const Order& order, const std::string& device,
                                    const std::string& method, const std::string& payload,
                                    std::chrono::seconds timeout);

    // --- A job speaks to a device (service/job_run) ---
    // Without an audit event for each device: the job has one. `also` becomes true together with
    // what is done, so that a server that is killed neither does it twice nor forgets it.
    /// Merges into the desired properties. Errors as change_twin().
    Task<Result<domain::Twin>> set_desired(const DeviceId& device, const std::string& patch,
                                           const domain::Changes& also);
    /// Calls a method. `also` is committed before the device is told: from then on it may have
    /// been. Errors as call(), but that an unknown device is one that is not connected.
    Task<Result<MethodAnswer>> call_with(const DeviceId& device, const std::string& method,
                                         const std::string& payload, std::chrono::seconds timeout,
                                         const domain::Changes& also);

    const Sessions& sessions() const { return sessions_; }

private:
    struct Calls;

    Task<Result<domain::Device>> known(const std::string& device);
    Task<Result<domain::Twin>> write_twin(const DeviceId& device, const TwinChange& change,
                                          const Order* order, const domain::Changes& also);
    using Judgement = std::variant<domain::HubAdmission, domain::HubRefusal>;
    Task<Result<Judgement>> judge(const HubRequest& request);
    Error refused(const HubRequest& request, domain::HubRefusal why);
    Task<Result<std::string>> initial_twin(const DeviceId& device);
    Task<Result<domain::Twin>> stored_twin(const DeviceId& device);
    void tell(const DeviceId& device, Delivery delivery);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    TrustBook& trust_book_;
    Sessions& sessions_;
    store::Sink& sink_;
    Admission& admission_;
    const Clock& clock_;
    Entropy& entropy_;
    std::unique_ptr<Calls> calls_;
    Metrics& metrics_;
    const std::string name_;
    Counter& connects_;
    Counter& messages_;
};

}  // namespace rollcall::service
