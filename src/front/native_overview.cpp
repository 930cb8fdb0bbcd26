// SPDX-License-Identifier: Apache-2.0
// Native API: the whole fleet in one answer, for the console's first page.
#include "front/native_routes.hpp"
#include "service/overview.hpp"

#include <numeric>

namespace rollcall::front {
namespace {

using service::Permission;

json::object devices_json(const store::FleetCounts& counts) {
    const auto of = [&counts](domain::DeviceState state) {
        return counts.devices.at(static_cast<std::size_t>(state));
    };
    using State = domain::DeviceState;
    return {
        {"total", std::accumulate(counts.devices.begin(), counts.devices.end(), std::uint64_t{0})},
        {"registered", of(State::registered)},
        {"provisioned", of(State::provisioned)},
        {"waitingForApproval", of(State::waiting_for_approval)},
        {"blocked", of(State::blocked)}};
}

json::array rate_json(const std::vector<service::RegistrationRate::Minute>& minutes) {
    json::array told;
    for (const auto& minute : minutes) {
        told.push_back(json::object{{"minute", to_iso8601_seconds(minute.begin)},
                                    {"assigned", minute.assigned},
                                    {"refused", minute.refused}});
    }
    return told;
}

json::array refusals_json(const std::vector<service::RefusalSummary>& refusals) {
    json::array told;
    for (const auto& each : refusals) {
        told.push_back(json::object{{"cause", domain::to_string(each.cause)},
                                    {"count", each.count},
                                    {"lastAt", to_iso8601_ticks(each.last.at)},
                                    {"lastRegistrationId", each.last.id.original()},
                                    {"explanation", each.last.explanation},
                                    {"fix", each.last.fix}});
    }
    return told;
}

json::array adoption_json(const service::FleetOverview& overview) {
    json::array told;
    for (const auto& [group, attestation, adoption] : overview.adoptions) {
        const auto& certificate = adoption.certificate;
        told.push_back(json::object{
            {"group", group.str()},
            {"attestation", domain::to_string(attestation)},
            {"slot", domain::to_string(adoption.slot)},
            {"sha256Thumbprint", to_upper_hex(adoption.sha256.bytes)},
            {"subject", certificate ? json::value(certificate->subject()) : json::value(nullptr)},
            {"notAfter", certificate ? json::value(to_iso8601_seconds(certificate->not_after()))
                                     : json::value(nullptr)},
            {"standing", word_of(adoption.standing)},
            {"devices", adoption.devices}});
    }
    for (const auto slot : domain::both_slots) {
        const auto devices = overview.counts.own_slots.at(domain::index(slot));
        if (devices > 0) {
            told.push_back(json::object{{"group", nullptr},
                                        {"attestation", nullptr},
                                        {"slot", domain::to_string(slot)},
                                        {"sha256Thumbprint", nullptr},
                                        {"subject", nullptr},
                                        {"notAfter", nullptr},
                                        {"standing", "current"},
                                        {"devices", devices}});
        }
    }
    return told;
}

json::array expiries_json(const service::FleetOverview& overview) {
    json::array told;
    for (const auto& [day, ending] : overview.endings) {
        told.push_back(json::object{{"day", to_iso8601_seconds(TimePoint{day}).substr(0, 10)},
                                    {"caCertificates", ending.ca_certificates},
                                    {"deviceCertificates", ending.device_certificates}});
    }
    return told;
}

Task<Result<Answer>> get_overview(const NativeServices& services, const Call&) {
    CO_TRY(const auto overview, co_await services.overview.look());
    Answer answer;
    answer.body = json::object{{"time", to_iso8601_ticks(services.clock.now())},
                               {"counted", to_iso8601_ticks(overview.counted)},
                               {"devices", devices_json(overview.counts)},
                               {"groups", overview.groups},
                               {"enrollments", overview.counts.individuals},
                               {"caCertificates", overview.ca_certificates},
                               {"distrusted", overview.distrusted},
                               {"sessions", json::object{{"total", overview.sessions}}},
                               {"registrationsPerMinute", rate_json(overview.rate)},
                               {"refusals", refusals_json(overview.refusals)},
                               {"adoption", adoption_json(overview)},
                               {"expiries", expiries_json(overview)}};
    co_return answer;
}

}  // namespace

void add_overview_routes(std::vector<Route>& routes) {
    routes.push_back(
        {"GET", "/overview", "getOverview", Permission::device_read, {}, Body::none, get_overview});
}

}  // namespace rollcall::front
