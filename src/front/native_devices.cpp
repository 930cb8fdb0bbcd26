// SPDX-License-Identifier: Apache-2.0
// Native API: devices and their registrations, with what they proved themselves with and why they
// were refused.
#include "base/limits.hpp"
#include "front/native_routes.hpp"

#include <array>

namespace rollcall::front {
namespace {

using service::Permission;

Answer device_answer(const service::Outcome<domain::Device>& outcome) {
    Answer answer;
    if (outcome.preview) {
        answer.body = to_json(*outcome.preview, outcome.findings, outcome.warnings, Pem::without);
        return answer;
    }
    answer.body = to_json(*outcome.record);
    answer.etag = outcome.record->etag;
    return answer;
}

json::array history_json(const std::vector<domain::Adoption>& history) {
    json::array array;
    for (const auto& adoption : history) {
        array.push_back(to_json(adoption));
    }
    return array;
}

json::value refusal_json(const std::optional<store::RefusalRecord>& refusal) {
    return refusal ? json::value(to_json(*refusal)) : json::value(nullptr);
}

json::value registration_json(const std::optional<domain::Registration>& registration) {
    return registration ? json::value(to_json(*registration)) : json::value(nullptr);
}

Result<domain::DeviceState> parse_state(const std::string& word) {
    using State = domain::DeviceState;
    constexpr std::array states{State::registered, State::provisioned, State::waiting_for_approval,
                                State::blocked};
    for (const auto state : states) {
        if (domain::to_string(state) == word) {
            return state;
        }
    }
    return Error{
        ErrorKind::malformed,
        "the parameter 'state' is registered, provisioned, waiting-for-approval or blocked",
        "malformed-parameter"};
}

Result<store::FleetFilter> read_filter(const Call& call) {
    store::FleetFilter filter;
    filter.id_prefix = call.in_query("prefix").value_or("");
    filter.containing = call.in_query("search").value_or("");
    filter.group = call.in_query("group");
    TRY(filter.individual, call.flag("individual"));
    if (const auto word = call.in_query("state")) {
        TRY(filter.state, parse_state(*word));
    }
    return filter;
}

/// A device of a list: what it is called, whether it is connected now, and what it last proved
/// itself with.
json::object listed(const store::FleetDevice& each, const service::Sessions& sessions) {
    json::object body = to_json(each.noted.device);
    body["displayName"] = each.noted.name();
    body["connected"] = sessions.of(each.noted.device.id) != nullptr;
    const auto& registration = each.registration;
    const bool came = registration && registration->adoptions > 0;
    const bool by_certificate =
        came && registration->last.attestation == domain::AttestationKind::x509;
    const auto if_any = [](bool any, const std::string& text) {
        return any ? json::value(text) : json::value(nullptr);
    };
    const auto& last = came ? registration->last : domain::Adoption{};
    body["lastRegistered"] = if_any(came, to_iso8601_ticks(last.at));
    body["slot"] = if_any(came, std::string{domain::to_string(last.slot)});
    body["leafNotAfter"] = if_any(by_certificate, to_iso8601_seconds(last.not_after));
    return body;
}

/// `prefix` and `state` alone have an index to be found by; `search` looks through the list.
Task<Result<Answer>> list_devices(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    CO_TRY(const auto filter, read_filter(call));
    CO_TRY(const bool total, call.flag("total"));
    CO_TRY(const auto page, co_await services.fleet.fleet(request, filter));
    json::array items;
    for (const auto& each : page.items) {
        items.push_back(listed(each, services.hub.sessions()));
    }
    json::object body = page_json(std::move(items), page.next);
    if (total) {
        CO_TRY(const auto count, co_await services.fleet.fleet_count(filter));
        body["total"] = count;
    }
    Answer answer;
    answer.body = std::move(body);
    co_return answer;
}

Task<Result<Answer>> get_device(const NativeServices& services, const Call& call) {
    const auto id = parse_device_id(call.in_path("device"));
    std::optional<domain::Device> device;
    if (id) {
        CO_TRY(device, co_await services.reader.device(*id));
    }
    if (!device) {
        co_return service::no_device(call.in_path("device"));
    }
    CO_TRY(const auto registration, co_await services.reader.registration(device->registration));
    CO_TRY(const auto history, co_await services.reader.adoptions(device->registration));
    CO_TRY(const auto refusal, co_await services.refusals.last(device->registration));
    json::object body = to_json(*device);
    body["registration"] = registration_json(registration);
    body["history"] = history_json(history);
    body["lastRefusal"] = refusal_json(refusal);
    Answer answer;
    answer.body = std::move(body);
    answer.etag = device->etag;
    co_return answer;
}

using Switch = Task<Result<service::Outcome<domain::Device>>> (service::Enroller::*)(
    const service::Order&, const std::string&);

Task<Result<Answer>> turn(const NativeServices& services, const Call& call, Switch what) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await (services.enroller.*what)(order, call.in_path("device")));
    co_return device_answer(outcome);
}

Task<Result<Answer>> approve_device(const NativeServices& services, const Call& call) {
    return turn(services, call, &service::Enroller::approve_device);
}
Task<Result<Answer>> block_device(const NativeServices& services, const Call& call) {
    return turn(services, call, &service::Enroller::block_device);
}
Task<Result<Answer>> unblock_device(const NativeServices& services, const Call& call) {
    return turn(services, call, &service::Enroller::unblock_device);
}

Task<Result<Answer>> delete_device(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome,
           co_await services.enroller.delete_device(order, call.in_path("device")));
    co_return deleted(outcome);
}

/// What ?ca= means: a record's certificate, or any fingerprint. Stores find the former by its key.
Task<Result<Done>> read_ca(const NativeServices& services, const std::string& text,
                           store::RegistrationFilter& filter) {
    CO_TRY(const auto trust, co_await services.trust_book.current());
    const auto record = service::find_ca(*trust, text);
    if (record) {
        filter.ca_sha256 = (*record)->certificate.sha256();
        filter.ca = (*record)->certificate.ca_key();
        co_return Done{};
    }
    const auto digest = parse_digest(text);
    if (!digest) {
        co_return record.error();
    }
    filter.ca_sha256 = *digest;
    co_return Done{};
}

Task<Result<Answer>> list_registrations(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    store::RegistrationFilter filter;
    filter.group = call.in_query("group");
    if (const auto status = call.in_query("status")) {
        CO_TRY(filter.status, domain::parse_registration_status(*status));
    }
    if (const auto ca = call.in_query("ca")) {
        CO_TRY([[maybe_unused]] const Done read, co_await read_ca(services, *ca, filter));
    }
    CO_TRY(const auto page, co_await services.reader.registrations(request, filter));
    Answer answer;
    answer.body = page_of(page);
    co_return answer;
}

Error no_registration(const std::string& id) {
    return {ErrorKind::not_found, "nobody registered as '" + id + "'", "registration-not-found"};
}

Task<Result<Answer>> get_registration(const NativeServices& services, const Call& call) {
    const std::string& text = call.in_path("registrationId");
    const auto id = parse_registration_id(text);
    if (!id) {
        co_return no_registration(text);
    }
    CO_TRY(const auto registration, co_await services.reader.registration(*id));
    if (!registration) {
        co_return no_registration(text);
    }
    CO_TRY(const auto history, co_await services.reader.adoptions(*id));
    CO_TRY(const auto refusal, co_await services.refusals.last(*id));
    json::object body = to_json(*registration);
    body["history"] = history_json(history);
    body["lastRefusal"] = refusal_json(refusal);
    Answer answer;
    answer.body = std::move(body);
    answer.etag = registration->etag;
    co_return answer;
}

std::string summary_of(const std::optional<domain::Registration>& registration,
                       const std::optional<store::RefusalRecord>& refusal) {
    if (!refusal) {
        return "It was never refused; it last registered at " +
               to_iso8601_seconds(registration->last.at) + " and is " +
               std::string{domain::to_string(registration->status)} + ".";
    }
    std::string text =
        "Refused at " + to_iso8601_seconds(refusal->at) + ": " + refusal->explanation + ".";
    if (!refusal->fix.empty()) {
        text += " To mend it: " + refusal->fix + ".";
    }
    if (registration && registration->last.at > refusal->at) {
        text += " It registered since, at " + to_iso8601_seconds(registration->last.at) + ".";
    }
    return text;
}

Task<Result<Answer>> explain_registration(const NativeServices& services, const Call& call) {
    const std::string& text = call.in_path("registrationId");
    const auto id = parse_registration_id(text);
    if (!id) {
        co_return no_registration(text);
    }
    CO_TRY(const auto registration, co_await services.reader.registration(*id));
    CO_TRY(const auto refusal, co_await services.refusals.last(*id));
    if (!registration && !refusal) {
        co_return Error{ErrorKind::not_found,
                        "nothing is known of '" + text +
                            "': it neither registered nor was it refused lately. If it tries, it "
                            "may name another registration id, another scope or another address.",
                        "nothing-known"};
    }
    Answer answer;
    answer.body = json::object{{"registrationId", text},
                               {"registration", registration_json(registration)},
                               {"refusal", refusal_json(refusal)},
                               {"summary", summary_of(registration, refusal)}};
    co_return answer;
}

Task<Result<Answer>> list_refusals(const NativeServices& services, const Call& call) {
    CO_TRY(const auto request, call.page());
    const auto cause = call.in_query("cause");
    const std::size_t looked_at = cause ? limits::page_max : request.count;
    CO_TRY(const auto newest, co_await services.refusals.newest(looked_at));
    json::array items;
    for (const auto& refusal : newest) {
        const bool meant = !cause || domain::to_string(refusal.cause) == *cause;
        if (meant && items.size() < request.count) {
            items.push_back(to_json(refusal));
        }
    }
    Answer answer;
    answer.body = page_json(std::move(items), {});
    co_return answer;
}

}  // namespace

void add_device_routes(std::vector<Route>& routes) {
    const auto read = Permission::device_read;
    const auto write = Permission::device_write;
    routes.push_back(
        {"GET",
         "/devices",
         "listDevices",
         read,
         {"limit", "after", "state", "prefix", "search", "group", "individual", "total"},
         Body::none,
         list_devices});
    routes.push_back({"GET", "/devices/{device}", "getDevice", read, {}, Body::none, get_device});
    routes.push_back({"POST",
                      "/devices/{device}/approve",
                      "approveDevice",
                      write,
                      {},
                      Body::optional,
                      approve_device});
    routes.push_back({"POST",
                      "/devices/{device}/block",
                      "blockDevice",
                      write,
                      {"dryRun"},
                      Body::optional,
                      block_device});
    routes.push_back({"POST",
                      "/devices/{device}/unblock",
                      "unblockDevice",
                      write,
                      {},
                      Body::optional,
                      unblock_device});
    routes.push_back({"DELETE",
                      "/devices/{device}",
                      "deleteDevice",
                      write,
                      {"reason", "dryRun"},
                      Body::none,
                      delete_device});
}

void add_registration_routes(std::vector<Route>& routes) {
    const auto read = Permission::registration_read;
    routes.push_back({"GET",
                      "/registrations",
                      "listRegistrations",
                      read,
                      {"limit", "after", "group", "status", "ca"},
                      Body::none,
                      list_registrations});
    routes.push_back({"GET",
                      "/registrations/{registrationId}",
                      "getRegistration",
                      read,
                      {},
                      Body::none,
                      get_registration});
    routes.push_back({"GET",
                      "/registrations/{registrationId}/explanation",
                      "explainRegistration",
                      read,
                      {},
                      Body::none,
                      explain_registration});
    routes.push_back(
        {"GET", "/refusals", "listRefusals", read, {"limit", "cause"}, Body::none, list_refusals});
}

}  // namespace rollcall::front
