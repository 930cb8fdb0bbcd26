// SPDX-License-Identifier: Apache-2.0
#include "service/admission.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace rollcall::service {
namespace {

constexpr double burst_seconds = 10;
constexpr double connection_effort = 1;
constexpr double refusal_effort = 4;
/// Accounts looked at for a place when the table is full.
constexpr int looked_at_for_room = 16;

}  // namespace

std::optional<Source> source_of(const std::string& address) {
    Source source{};
    in6_addr six{};
    // IPv4 addresses are kept apart from every /64 that can be routed: 0:0:0:ffff::/64 is none.
    if (in_addr four{}; ::inet_pton(AF_INET, address.c_str(), &four) == 1) {
        source[2] = source[3] = 0xff;
        std::memcpy(&source[4], &four, sizeof four);
        return source;
    }
    if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) {
        std::memcpy(source.data(), &six, source.size());
        return source;
    }
    return std::nullopt;
}

Admission::Admission(const Clock& clock, Metrics& metrics, AdmissionRates rates)
    : clock_(clock),
      rates_(rates),
      turned_away_by_source_(metrics.counter("rollcall_admission_turned_away_total",
                                             "Connections closed before their handshake",
                                             {{"bound", "source"}})),
      turned_away_as_strangers_(metrics.counter("rollcall_admission_turned_away_total",
                                                "Connections closed before their handshake",
                                                {{"bound", "strangers"}})),
      throttled_(metrics.counter("rollcall_admission_throttled_total",
                                 "Registrations and searches answered with 429", {})),
      strangers_{rates.strangers * burst_seconds, clock.now()} {}

bool Admission::proven(const Account& account, TimePoint now) const {
    return account.proven_until > now;
}

bool Admission::is_stranger(const Account* account, TimePoint now) const {
    return account == nullptr || !proven(*account, now);
}

double Admission::rate_of(const Account& account, TimePoint now) const {
    return proven(account, now) ? rates_.proven_source : rates_.source;
}

void Admission::refill(Bucket& bucket, double rate, TimePoint now) {
    if (now > bucket.at) {
        const std::chrono::duration<double> passed = now - bucket.at;
        bucket.left = std::min(bucket.left + passed.count() * rate, rate * burst_seconds);
    }
    bucket.at = now;  // also when the clock was set back
}

/// Makes the account where there is none; null where there is no room for another.
Admission::Account* Admission::account_of(const Source& source, TimePoint now) {
    auto found = accounts_.find(source);
    if (found == accounts_.end()) {
        if (accounts_.size() >= limits::admission_sources_max) {
            make_room(now);
        }
        if (accounts_.size() >= limits::admission_sources_max) {
            return nullptr;
        }
        found =
            accounts_.emplace(source, Account{{rates_.source * burst_seconds, now}, {}, 0}).first;
    }
    Account& account = found->second;
    refill(account.bucket, rate_of(account, now), now);
    return &account;
}

/// Forgets a few that would be made anew as they are.
void Admission::make_room(TimePoint now) {
    auto place = accounts_.lower_bound(hand_);
    for (int i = 0; i < looked_at_for_room; ++i) {
        if (place == accounts_.end()) {
            place = accounts_.begin();
        }
        Account& account = place->second;
        refill(account.bucket, rate_of(account, now), now);
        const bool idle = account.bucket.left >= rates_.source * burst_seconds;
        const bool forget = idle && account.searches == 0 && !proven(account, now);
        place = forget ? accounts_.erase(place) : std::next(place);
    }
    hand_ = place == accounts_.end() ? Source{} : place->first;
}

bool Admission::knock(const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return true;
    }
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    Account* const account = account_of(*source, now);
    if (account != nullptr && account->bucket.left < connection_effort) {
        turned_away_by_source_.add();
        return false;
    }
    if (is_stranger(account, now)) {
        refill(strangers_, rates_.strangers, now);
        if (strangers_.left < connection_effort) {
            turned_away_as_strangers_.add();
            return false;
        }
        strangers_.left -= connection_effort;
    }
    if (account != nullptr) {
        account->bucket.left -= connection_effort;
    }
    return true;
}

Result<Done> Admission::enter(const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return Done{};
    }
    const std::scoped_lock lock{mutex_};
    const Account* const account = account_of(*source, clock_.now());
    if (account != nullptr && account->bucket.left < 0) {
        throttled_.add();
        return Error{ErrorKind::throttled,
                     "Too many registrations from your address were refused; try again later.",
                     "source-throttled"};
    }
    return Done{};
}

void Admission::succeeded(const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return;
    }
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    Account* const account = account_of(*source, now);
    if (account == nullptr) {
        return;
    }
    if (!proven(*account, now)) {
        strangers_.left =
            std::min(strangers_.left + connection_effort, rates_.strangers * burst_seconds);
        account->bucket.left = std::max(account->bucket.left, rates_.proven_source);
    }
    account->proven_until = now + limits::proven_source_life;
    account->bucket.left =
        std::min(account->bucket.left + connection_effort, rates_.proven_source * burst_seconds);
}

void Admission::refused(const std::string& address) {
    const auto source = source_of(address);
    if (!source) {
        return;
    }
    const std::scoped_lock lock{mutex_};
    const TimePoint now = clock_.now();
    Account* const account = account_of(*source, now);
    if (is_stranger(account, now)) {
        refill(strangers_, rates_.strangers, now);
        strangers_.left = std::max(strangers_.left - refusal_effort, 0.0);
    }
    if (account != nullptr) {
        // Never so deep that a second would not bring it back.
        account->bucket.left =
            std::max(account->bucket.left - refusal_effort, -rate_of(*account, now));
    }
}

Result<Admission::Search> Admission::enter_search(const std::string& address) {
    const auto source = source_of(address);
    const std::scoped_lock lock{mutex_};
    Account* const account = source ? account_of(*source, clock_.now()) : nullptr;
    const bool full = searches_ >= limits::searches_max ||
                      (account != nullptr && account->searches >= limits::source_searches_max);
    if (full) {
        throttled_.add();
        return Error{ErrorKind::throttled,
                     "Too many certificate chains wait for a long search; try again later.",
                     "searches-throttled"};
    }
    ++searches_;
    if (account != nullptr) {
        ++account->searches;
    }
    return Search{*this, account != nullptr ? source : std::nullopt};
}

void Admission::leave_search(const std::optional<Source>& source) {
    const std::scoped_lock lock{mutex_};
    --searches_;
    if (source) {
        --accounts_.at(*source).searches;  // not forgotten while it searches
    }
}

std::size_t Admission::sources() const {
    const std::scoped_lock lock{mutex_};
    return accounts_.size();
}

Admission::Search::Search(Search&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), source_(std::move(other.source_)) {}

Admission::Search::~Search() {
    if (owner_ != nullptr) {
        owner_->leave_search(source_);
    }
}

}  // namespace rollcall::service
