// SPDX-License-Identifier: Apache-2.0
#include "service/overview.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::service {
namespace {

/// Of every group: what stands in its slots and what is still rested on.
std::vector<GroupAdoption> adoptions_of(const domain::TrustView& trust,
                                        const std::vector<store::GroupCount>& counts) {
    std::map<std::pair<std::string, std::string>, std::vector<store::AdoptionCount>> by_entry;
    for (const auto& each : counts) {
        by_entry[{to_lower_ascii(each.entry.id), each.entry.instance}].push_back(each.count);
    }
    std::vector<GroupAdoption> adoptions;
    for (const auto& group : trust.records().groups) {
        const auto entry = domain::entry_of(group);
        const auto& of_group = by_entry[{to_lower_ascii(entry.id), entry.instance}];
        for (auto& adoption : adoption_of(trust, group, of_group)) {
            adoptions.push_back({group.id, domain::kind_of(group), std::move(adoption)});
        }
    }
    std::stable_sort(adoptions.begin(), adoptions.end(), [](const auto& a, const auto& b) {
        return a.adoption.devices > b.adoption.devices;
    });
    adoptions.resize(std::min(adoptions.size(), Overview::adoptions_max));
    return adoptions;
}

std::map<std::chrono::sys_days, Ending> endings_of(const domain::TrustView& trust,
                                                   const store::FleetCounts& counts) {
    std::map<std::chrono::sys_days, Ending> endings;
    for (const auto& ca : trust.records().cas) {
        ++endings[std::chrono::floor<std::chrono::days>(ca.certificate.not_after())]
              .ca_certificates;
    }
    for (const auto& day : counts.leaf_ends) {
        endings[day.day].device_certificates += day.devices;
    }
    return endings;
}

}  // namespace

std::vector<RefusalSummary> summary_of(const std::vector<store::RefusalRecord>& newest) {
    std::vector<RefusalSummary> summaries;
    for (const auto& record : newest) {
        const auto same = std::find_if(summaries.begin(), summaries.end(), [&](const auto& each) {
            return each.cause == record.cause;
        });
        if (same == summaries.end()) {
            summaries.push_back({record.cause, 1, record});
        } else {
            ++same->count;
        }
    }
    std::stable_sort(summaries.begin(), summaries.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    return summaries;
}

Overview::Overview(store::FleetReader& fleet, store::RefusalLog& refusals, TrustBook& trust_book,
                   const Sessions& sessions, const RegistrationRate& rate, const Clock& clock)
    : fleet_(fleet),
      refusals_(refusals),
      trust_book_(trust_book),
      sessions_(sessions),
      rate_(rate),
      clock_(clock) {}

Task<Result<FleetOverview>> Overview::look() {
    CO_TRY(const auto counts, co_await counted());
    CO_TRY(const auto newest, co_await refusals_.newest(limits::page_max));
    CO_TRY(const auto trust, co_await trust_book_.current());
    FleetOverview overview;
    overview.counted = counts->at;
    overview.counts = counts->counts;
    overview.groups = trust->records().groups.size();
    overview.ca_certificates = trust->records().cas.size();
    overview.distrusted = trust->records().distrusted.size();
    overview.sessions = sessions_.count();
    overview.rate = rate_.last_hour(clock_.now());
    overview.refusals = summary_of(newest);
    overview.adoptions = adoptions_of(*trust, counts->counts.groups);
    overview.endings = endings_of(*trust, counts->counts);
    co_return overview;
}

/// Those who ask while it is counted get what was counted before.
Task<Result<std::shared_ptr<const Overview::Counted>>> Overview::counted() {
    const TimePoint begun = clock_.now();
    {
        const std::scoped_lock lock{mutex_};
        if (counted_ && begun < counted_->good_until && begun >= counted_->at) {
            co_return counted_;
        }
        if (counted_) {
            auto meanwhile = std::make_shared<Counted>(*counted_);
            meanwhile->good_until = begun + count_life;
            meanwhile->at = std::min(meanwhile->at, begun);
            counted_ = std::move(meanwhile);
        }
    }
    auto fresh = std::make_shared<Counted>();
    CO_TRY(fresh->counts, co_await fleet_.fleet_counts());
    const TimePoint ended = clock_.now();
    fresh->at = ended;
    fresh->good_until = ended + std::max<std::chrono::microseconds>(
                                    count_life, (ended - begun) * count_cost_factor);
    const std::scoped_lock lock{mutex_};
    counted_ = fresh;
    co_return counted_;
}

}  // namespace rollcall::service
