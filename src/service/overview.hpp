// SPDX-License-Identifier: Apache-2.0
// Overview: the state of the whole fleet in one answer, for the console's first page. Counting
// reads every device, so that one count serves everybody for a while.
#pragma once

#include "base/task.hpp"
#include "base/world.hpp"
#include "service/registration_rate.hpp"
#include "service/sessions.hpp"
#include "service/trust_book.hpp"
#include "service/views.hpp"
#include "store/fleet.hpp"
#include "store/refusals.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::service {

/// Refusals of one cause among the newest limits::page_max.
struct RefusalSummary {
    domain::RefusalCause cause = domain::RefusalCause::certificate_fault;
    std::uint64_t count = 0;
    store::RefusalRecord last;
};

/// Certificates that end on one day (UTC).
struct Ending {
    std::uint64_t ca_certificates = 0;
    std::uint64_t device_certificates = 0;
};

/// A CA or a key in a slot of a group, and who rests on it.
struct GroupAdoption {
    GroupId group;
    domain::AttestationKind attestation = domain::AttestationKind::x509;
    CertificateAdoption adoption;
};

struct FleetOverview {
    TimePoint counted{};  ///< when the devices were
    store::FleetCounts counts{};
    std::size_t groups = 0;
    std::size_t ca_certificates = 0;
    std::size_t distrusted = 0;
    std::size_t sessions = 0;  ///< devices connected to the hub now
    std::vector<RegistrationRate::Minute> rate{};
    std::vector<RefusalSummary> refusals{};  ///< the most frequent first
    /// Those with most devices first, at most Overview::adoptions_max.
    std::vector<GroupAdoption> adoptions{};
    std::map<std::chrono::sys_days, Ending> endings{};
};

class Overview {
public:
    /// One count serves this long, and twenty times as long as it took.
    static constexpr auto count_life = std::chrono::seconds{5};
    static constexpr int count_cost_factor = 20;
    /// What one page shows.
    static constexpr std::size_t adoptions_max = 200;

    Overview(store::FleetReader& fleet, store::RefusalLog& refusals, TrustBook& trust_book,
             const Sessions& sessions, const RegistrationRate& rate, const Clock& clock);

    /// Errors: the store's.
    Task<Result<FleetOverview>> look();

private:
    struct Counted {
        store::FleetCounts counts;
        TimePoint at{};
        TimePoint good_until{};
    };
    Task<Result<std::shared_ptr<const Counted>>> counted();

    store::FleetReader& fleet_;
    store::RefusalLog& refusals_;
    TrustBook& trust_book_;
    const Sessions& sessions_;
    const RegistrationRate& rate_;
    const Clock& clock_;
    std::mutex mutex_;
    std::shared_ptr<const Counted> counted_{};
};

/// Of records, the newest first.
std::vector<RefusalSummary> summary_of(const std::vector<store::RefusalRecord>& newest);

}  // namespace rollcall::service
