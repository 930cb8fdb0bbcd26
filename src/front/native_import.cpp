// SPDX-License-Identifier: Apache-2.0
// Native API: entries as another provisioning service had them, many in one request. They are
// written as the DPS service API writes them, which is what tools export.
#include "base/limits.hpp"
#include "front/dps_service_reader.hpp"
#include "front/native_routes.hpp"
#include "front/problem.hpp"

namespace rollcall::front {
namespace {

using service::ImportDevice;
using service::Imported;
using service::ImportEntry;
using service::Permission;

/// One entry of the request: read, or refused.
template <class Entry>
struct Read {
    std::string id{};
    Result<Entry> entry;
};

Result<ImportEntry> read_wish(DpsCollection collection, const json::object& object,
                              const std::string& id) {
    TRY(auto wish, read_entry(collection, object, id));
    return ImportEntry{id, std::move(wish)};
}

Result<ImportDevice> read_device(const json::object& object, const std::string& id) {
    Fields fields{object};
    ImportDevice device{id, {}};
    (void)fields.text("id");
    device.write.enabled = fields.flag("enabled", true);
    device.write.display_name = fields.optional_text("displayName");
    device.write.template_id = fields.optional_text("template");
    device.write.simulated = fields.optional_flag("simulated");
    device.write.organizations = fields.optional_texts("organizations");
    TRY([[maybe_unused]] const Done checked, fields.check());
    return device;
}

/// `read` makes a `Result<Entry>` of an object and its id.
template <class Entry, class ReadEntry>
Read<Entry> read_one(std::string_view id_name, const json::value& value, const ReadEntry& read) {
    const auto* const object = value.if_object();
    if (object == nullptr) {
        return {{}, Error{ErrorKind::malformed, "an entry is an object", "malformed-member"}};
    }
    Fields fields{*object, {}, Unknown::ignored};
    std::string id = fields.text(id_name);
    if (const auto checked = fields.check(); !checked) {
        return {{}, checked.error()};
    }
    auto entry = read(*object, id);
    return {std::move(id), std::move(entry)};
}

template <class Entry, class ReadEntry>
Result<std::vector<Read<Entry>>> read_all(std::string_view id_name, const Call& call,
                                          Fields& fields, service::Order& order,
                                          const ReadEntry& read) {
    const auto& list = fields.array("entries");
    TRY(order, call.order(fields));
    TRY([[maybe_unused]] const Done checked, fields.check());
    if (list.empty() || list.size() > limits::batch_enrollments_max) {
        return Error{ErrorKind::malformed,
                     "an import has 1 to " + std::to_string(limits::batch_enrollments_max) +
                         " entries a request",
                     "too-many-entries"};
    }
    std::vector<Read<Entry>> entries;
    entries.reserve(list.size());
    for (const auto& value : list) {
        entries.push_back(read_one<Entry>(id_name, value, read));
    }
    return entries;
}

Result<std::vector<Read<ImportEntry>>> read_wishes(DpsCollection collection, const Call& call,
                                                   Fields& fields, service::Order& order) {
    return read_all<ImportEntry>(id_name_of(collection), call, fields, order,
                                 [collection](const json::object& object, const std::string& id) {
                                     return read_wish(collection, object, id);
                                 });
}

std::string_view word_of(Imported::What what) {
    switch (what) {
        case Imported::What::made: return "made";
        case Imported::What::completed: return "completed";
        case Imported::What::there: return "there";
        case Imported::What::differs: return "differs";
        case Imported::What::refused: break;
    }
    return "refused";
}

json::object to_json(const std::string& id, const Imported& imported) {
    json::object entry{{"id", id}, {"outcome", word_of(imported.what)}};
    if (imported.refusal) {
        // As everywhere: what went wrong inside is not told.
        const Error& error = *imported.refusal;
        const bool inside = error.kind == ErrorKind::internal;
        entry["outcome"] = "refused";
        entry["code"] = inside || error.reason.empty() ? "refused" : error.reason;
        entry["detail"] = inside ? "this entry cannot be taken" : error.detail;
    }
    if (!imported.differences.empty()) {
        entry["differences"] = front::to_json(imported.differences);
    }
    if (!imported.findings.empty()) {
        entry["findings"] = front::to_json(imported.findings);
    }
    if (!imported.warnings.empty()) {
        entry["warnings"] = front::to_json(imported.warnings);
    }
    return entry;
}

Imported refused(const Error& error) {
    Imported imported;
    imported.refusal = error;
    return imported;
}

/// Those that could be read.
template <class Entry>
std::vector<Entry> good_ones(const std::vector<Read<Entry>>& read) {
    std::vector<Entry> entries;
    for (const auto& each : read) {
        if (each.entry) {
            entries.push_back(*each.entry);
        }
    }
    return entries;
}

/// `outcomes`: of the good ones.
template <class Entry>
Answer answer_of(const std::vector<Read<Entry>>& read, const std::vector<Imported>& outcomes) {
    json::array told;
    std::size_t next = 0;
    for (const auto& each : read) {
        told.push_back(
            to_json(each.id, each.entry ? outcomes.at(next++) : refused(each.entry.error())));
    }
    Answer answer;
    answer.body = json::object{{"entries", std::move(told)}};
    return answer;
}

Task<Result<Answer>> import_enrollments(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::Order order;
    CO_TRY(const auto read, read_wishes(DpsCollection::enrollments, call, fields, order));
    const auto entries = good_ones(read);
    CO_TRY(const auto outcomes, co_await services.enroller.import_individuals(order, entries));
    co_return answer_of(read, outcomes);
}

Task<Result<Answer>> import_devices(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::Order order;
    CO_TRY(const auto read, read_all<ImportDevice>("id", call, fields, order, read_device));
    const auto devices = good_ones(read);
    CO_TRY(const auto outcomes, co_await services.enroller.import_devices(order, devices));
    co_return answer_of(read, outcomes);
}

/// One after the other: each changes which CAs the next may have.
Task<Result<Answer>> import_groups(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    service::Order order;
    CO_TRY(const auto read, read_wishes(DpsCollection::groups, call, fields, order));
    json::array told;
    for (const auto& each : read) {
        if (!each.entry) {
            told.push_back(to_json(each.id, refused(each.entry.error())));
            continue;
        }
        const auto imported = co_await services.enroller.import_group(order, *each.entry);
        if (!imported && (imported.error().kind == ErrorKind::unavailable ||
                          imported.error().kind == ErrorKind::internal)) {
            co_return imported.error();  // the store is away; what was made is there the next time
        }
        told.push_back(to_json(each.id, imported ? *imported : refused(imported.error())));
    }
    Answer answer;
    answer.body = json::object{{"entries", std::move(told)}};
    co_return answer;
}

}  // namespace

void add_import_routes(std::vector<Route>& routes) {
    routes.push_back({"POST",
                      "/import/enrollments",
                      "importEnrollments",
                      Permission::enrollment_write,
                      {"dryRun"},
                      Body::required,
                      import_enrollments});
    routes.push_back({"POST",
                      "/import/groups",
                      "importGroups",
                      Permission::group_write,
                      {"dryRun"},
                      Body::required,
                      import_groups});
    routes.push_back({"POST",
                      "/import/devices",
                      "importDevices",
                      Permission::device_write,
                      {"dryRun"},
                      Body::required,
                      import_devices});
}

}  // namespace rollcall::front
