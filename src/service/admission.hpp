// SPDX-License-Identifier: Apache-2.0
// Admission: who may try, how often, how many at once. Strangers cost a handshake each before
// anybody knows what they are; what they may cost is bounded by source and in all, and a source
// behind which a device has proved itself has a wider bound of its own, so that a flood of
// strangers does not keep it out.
//
// Effort is counted in handshakes: a connection takes one, a refusal four more; who succeeds gets
// the connection's back. A large fleet behind one address is thus bound only while it is refused.
#pragma once

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/telemetry.hpp"
#include "base/world.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace rollcall::service {

/// An IPv4 address, or the /64 an IPv6 address is of: what one party has for itself.
using Source = std::array<std::uint8_t, 8>;

/// none for what is no address (a unix-domain socket has none): it is not counted.
std::optional<Source> source_of(const std::string& address);

/// Effort a second; ten seconds' worth may come at once.
struct AdmissionRates {
    double source = limits::source_effort_per_second;
    double proven_source = limits::proven_source_effort_per_second;
    /// All sources together behind which no device has proved itself lately.
    double strangers = limits::strangers_effort_per_second_and_core;

    bool operator==(const AdmissionRates&) const = default;
};

class Admission {
public:
    Admission(const Clock& clock, Metrics& metrics, AdmissionRates rates);

    /// A connection from `address`, before its handshake. false: turn it away.
    bool knock(const std::string& address);

    /// Before a device is judged: throttled ("source-throttled") when refusals have used up what
    /// its source may cost, which happens on connections that stay open.
    Result<Done> enter(const std::string& address);

    /// A device behind `address` proved its enrollment; or did not.
    void succeeded(const std::string& address);
    void refused(const std::string& address);

    /// A long search for a path is under way while this exists.
    class Search {
    public:
        Search(Search&& other) noexcept;
        Search& operator=(Search&&) = delete;
        ~Search();

    private:
        friend class Admission;
        Search(Admission& owner, std::optional<Source> source)
            : owner_(&owner), source_(std::move(source)) {}
        Admission* owner_;
        std::optional<Source> source_;
    };
    /// Bounded by source and in all (PRODUCT section 3.8): throttled ("searches-throttled").
    Result<Search> enter_search(const std::string& address);

    /// Sources that are remembered; for tests and metrics.
    std::size_t sources() const;

private:
    /// Effort left; refills with time up to ten seconds' worth.
    struct Bucket {
        double left = 0;
        TimePoint at{};
    };
    struct Account {
        Bucket bucket;
        TimePoint proven_until{};
        std::size_t searches = 0;
    };

    bool proven(const Account& account, TimePoint now) const;
    double rate_of(const Account& account, TimePoint now) const;
    /// Its effort counts for the strangers' share too: no account, or not proven.
    bool is_stranger(const Account* account, TimePoint now) const;
    static void refill(Bucket& bucket, double rate, TimePoint now);
    Account* account_of(const Source& source, TimePoint now);
    void make_room(TimePoint now);
    void leave_search(const std::optional<Source>& source);

    const Clock& clock_;
    const AdmissionRates rates_;
    Counter& turned_away_by_source_;
    Counter& turned_away_as_strangers_;
    Counter& throttled_;
    mutable std::mutex mutex_;
    /// Ordered: no choice of addresses makes it slow.
    std::map<Source, Account> accounts_;
    Source hand_{};  ///< where make_room() goes on
    Bucket strangers_;
    std::size_t searches_ = 0;
};

}  // namespace rollcall::service
