// SPDX-License-Identifier: Apache-2.0
// RefusalLog: why devices were refused (PRODUCT section 5). The last refusal of each id; of ids
// that are nobody's only the newest limits::stranger_refusals_max. Off the synced path and never in
// the audit chain: a stranger can write nothing durable to the main store, and cannot grow this one
// beyond its bound. Implemented on a file of its own (refusal_file.*) and in memory (for tests).
#pragma once

#include "base/task.hpp"
#include "domain/attestation.hpp"
#include "store/store.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rollcall::store {

struct RefusalRecord {
    RegistrationId id;
    bool known = false;  ///< the id has a registration
    TimePoint at{};
    domain::RefusalCause cause = domain::RefusalCause::certificate_fault;
    domain::Failure told{};  ///< what the device was answered
    std::string explanation{};
    std::string fix{};
    std::optional<domain::EntryRef> entry{};
    /// service/verdict_json.hpp
    std::string verdict_json{};
    /// The chain as sent, DER, end entity first.
    std::vector<Bytes> sent{};
    domain::Protocol protocol = domain::Protocol::https;
    std::string api_version{};
    std::string user_agent{};
    std::string tls_version{};
    std::string tls_cipher{};
    std::string peer_address{};

    bool operator==(const RefusalRecord&) const = default;
};

class RefusalLog {
public:
    virtual ~RefusalLog() = default;

    /// Never blocks and never fails; when too many wait, or strangers come too fast, it is dropped
    /// and counted.
    virtual void note(RefusalRecord record) = 0;
    /// The last refusal of that id, with what note() has taken before this call.
    virtual Task<Result<std::optional<RefusalRecord>>> last(const RegistrationId& id) = 0;
    /// The newest first, one for each id; at most limits::page_max.
    virtual Task<Result<std::vector<RefusalRecord>>> newest(std::size_t count) = 0;
};

/// For tests and the simulator.
class MemoryRefusalLog final : public RefusalLog {
public:
    void note(RefusalRecord record) override;
    Task<Result<std::optional<RefusalRecord>>> last(const RegistrationId& id) override;
    Task<Result<std::vector<RefusalRecord>>> newest(std::size_t count) override;

private:
    mutable std::mutex mutex_;
    std::uint64_t sequence_ = 0;
    std::map<std::uint64_t, RefusalRecord, std::greater<>> newest_first_;
    std::map<std::string, std::uint64_t> places_;
    std::set<std::uint64_t> strangers_;
};

}  // namespace rollcall::store
