// SPDX-License-Identifier: Apache-2.0
// IoT Central's device groups and jobs (spec/iot-central-api.md 3.5). Words as in the public API
// description of 2022-07-31; types of a job's data also as the documents spell them.
#include "base/limits.hpp"
#include "front/central_device_wire.hpp"
#include "front/central_routes.hpp"
#include "service/device_groups.hpp"
#include "service/dps_json.hpp"
#include "service/jobs.hpp"

#include <array>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

namespace json = boost::json;
using service::Permission;

json::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

void refuse_organizations(Fields& fields) {
    const auto organizations = fields.optional_texts("organizations");
    if (organizations && !organizations->empty()) {
        fields.refuse({ErrorKind::unsupported, "there are no organizations here: leave them out",
                       "not-offered"});
    }
}

// --- Device groups --------------------------------------------------------------------------

json::object device_group_json(const domain::DeviceGroup& group) {
    json::object object{{"id", group.id},
                        {"displayName", group.display_name},
                        {"filter", group.filter},
                        {"etag", central_etag(group.etag)}};
    if (!group.description.empty()) {
        object["description"] = group.description;
    }
    return object;
}

service::DeviceGroupWish read_device_group(Fields& fields) {
    service::DeviceGroupWish wish;
    wish.display_name = fields.optional_text("displayName");
    wish.filter = fields.optional_text("filter");
    wish.description = fields.optional_text("description");
    refuse_organizations(fields);
    return wish;
}

Task<Result<CentralAnswer>> list_device_groups(const CentralServices& services,
                                               const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto found, co_await services.device_groups.list(page));
    json::array items;
    for (const auto& group : found.items) {
        items.push_back(device_group_json(group));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

Task<Result<CentralAnswer>> get_device_group(const CentralServices& services,
                                             const CentralCall& call) {
    CO_TRY(const auto group, co_await services.device_groups.get(call.in_path("group")));
    co_return CentralAnswer{200, device_group_json(group)};
}

Task<Result<CentralAnswer>> put_device_group(const CentralServices& services,
                                             const CentralCall& call) {
    Fields fields = call.fields();
    check_body_id(fields, call.in_path("group"));
    const auto order = call.order_with(read_body_tag(fields));
    const auto wish = read_device_group(fields);
    for (const auto& [name, given] : {std::pair{"displayName", wish.display_name.has_value()},
                                      {"filter", wish.filter.has_value()}}) {
        if (!given) {
            fields.refuse({ErrorKind::malformed, "a device group has a '" + std::string{name} + "'",
                           "missing-member"});
        }
    }
    CO_TRY([[maybe_unused]] const Done read, fields.check());
    CO_TRY(const auto group,
           co_await services.device_groups.put(order, call.in_path("group"), wish));
    co_return CentralAnswer{200, device_group_json(group)};
}

Task<Result<CentralAnswer>> change_device_group(const CentralServices& services,
                                                const CentralCall& call) {
    Fields fields = call.fields();
    check_body_id(fields, call.in_path("group"));
    const auto order = call.order_with(read_body_tag(fields));
    const auto wish = read_device_group(fields);
    CO_TRY([[maybe_unused]] const Done read, fields.check());
    CO_TRY(const auto group,
           co_await services.device_groups.change(order, call.in_path("group"), wish));
    co_return CentralAnswer{200, device_group_json(group)};
}

Task<Result<CentralAnswer>> remove_device_group(const CentralServices& services,
                                                const CentralCall& call) {
    CO_TRY([[maybe_unused]] const Done gone,
           co_await services.device_groups.remove(call.order, call.in_path("group")));
    co_return CentralAnswer{204};
}

Task<Result<CentralAnswer>> list_members(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto found, co_await services.device_groups.devices(call.in_path("group"), page));
    json::array items;
    for (const auto& device : found.items) {
        items.push_back(device_json(device));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

// --- A job's words --------------------------------------------------------------------------

constexpr std::string_view number_word = "number";
constexpr std::string_view percentage_word = "percentage";

json::object share_json(const domain::JobShare& share) {
    json::object object{{"type", view(share.percentage ? percentage_word : number_word)}};
    // As it was given: 25, not 2.5E1.
    const auto whole = static_cast<std::int64_t>(share.value);
    if (static_cast<double>(whole) == share.value) {
        object["value"] = whole;
    } else {
        object["value"] = share.value;
    }
    return object;
}

json::object step_json(const domain::JobStep& step) {
    const bool command = step.kind == domain::JobStep::Kind::command;
    json::object object{
        {"type", command ? "command" : "property"}, {"target", step.target}, {"path", step.path}};
    if (!step.value.empty()) {
        object["value"] = service::stored_json(step.value);
    }
    return object;
}

json::object job_json(const domain::Job& job) {
    json::object object{{"id", job.id},
                        {"displayName", job.display_name.empty() ? job.id : job.display_name},
                        {"group", job.group}};
    if (!job.description.empty()) {
        object["description"] = job.description;
    }
    if (job.batch) {
        object["batch"] = share_json(*job.batch);
    }
    if (job.threshold) {
        object["cancellationThreshold"] = share_json(job.threshold->share);
        object["cancellationThreshold"].as_object()["batch"] = job.threshold->per_batch;
    }
    json::array data;
    for (const auto& step : job.steps) {
        data.push_back(step_json(step));
    }
    object["data"] = std::move(data);
    if (job.started) {
        object["start"] = to_iso8601_ticks(*job.started);
    }
    if (job.ended) {
        object["end"] = to_iso8601_ticks(*job.ended);
    }
    object["progress"] = json::object{{"total", job.progress.total},
                                      {"pending", job.progress.pending()},
                                      {"completed", job.progress.completed},
                                      {"failed", job.progress.failed}};
    object["status"] = view(domain::to_string(job.status));
    if (!job.fault.empty()) {
        object["statusMessage"] = job.fault;
    }
    return object;
}

json::object job_device_json(const domain::JobDevice& device) {
    json::object object{{"id", device.device.str()},
                        {"status", view(domain::to_string(device.status))}};
    if (!device.fault.empty()) {
        object["statusMessage"] = device.fault;
    }
    return object;
}

// --- A job's words, read --------------------------------------------------------------------

void read_share(Fields& fields, const json::object& object, std::string_view name,
                domain::JobShare& share) {
    const auto percentage =
        fields.word<bool>("type", {{number_word, false}, {percentage_word, true}});
    const auto* const value = object.if_contains("value");
    if (!percentage || value == nullptr || !value->is_number()) {
        fields.refuse({ErrorKind::malformed,
                       "'" + std::string{name} +
                           "' has a 'type', number or percentage, and a "
                           "'value', which is a number",
                       "malformed-share"});
        return;
    }
    share = {*percentage, value->to_number<double>()};
}

std::optional<domain::JobStep::Kind> kind_of(Fields& fields) {
    using Kind = domain::JobStep::Kind;
    struct Word {
        std::string_view word;
        std::optional<Kind> kind;
    };
    static constexpr std::array words{
        Word{"property", Kind::property},    Word{"PropertyJobData", Kind::property},
        Word{"command", Kind::command},      Word{"CommandJobData", Kind::command},
        Word{"cloudProperty", {}},           Word{"CloudPropertyJobData", {}},
        Word{"deviceTemplateMigration", {}}, Word{"DeviceTemplateMigrationJobData", {}},
        Word{"deviceManifestMigration", {}}, Word{"DeviceManifestMigrationJobData", {}},
    };
    const std::string type = fields.text("type");
    for (const auto& [word, kind] : words) {
        if (word == type) {
            if (!kind) {
                fields.refuse(
                    {ErrorKind::unsupported,
                     "jobs set properties and call commands; '" + type + "' is not offered here",
                     "not-offered"});
            }
            return kind;
        }
    }
    fields.refuse({ErrorKind::malformed, "the 'type' of a job's data is 'property' or 'command'",
                   "malformed-member"});
    return std::nullopt;
}

Result<std::vector<domain::JobStep>> read_steps(const json::object& body) {
    const auto* const data = body.if_contains("data");
    if (data == nullptr || !data->is_array()) {
        return Error{ErrorKind::malformed, "a job has 'data', a list of what it does",
                     "malformed-data"};
    }
    std::vector<domain::JobStep> steps;
    for (const auto& each : data->get_array()) {
        if (!each.is_object()) {
            return Error{ErrorKind::malformed, "the members of 'data' are objects",
                         "malformed-data"};
        }
        const auto& object = each.get_object();
        Fields fields{object, "data.", Unknown::ignored};
        domain::JobStep step;
        const auto kind = kind_of(fields);
        step.target = fields.optional_text("target").value_or("");
        step.path = fields.text("path");
        TRY([[maybe_unused]] const Done read, fields.check());
        step.kind = kind.value_or(domain::JobStep::Kind::property);
        // null is a value too: it takes a property away.
        if (const auto* const value = object.if_contains("value")) {
            step.value = json::serialize(*value);
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

Result<domain::Job> read_job(const CentralCall& call) {
    domain::Job job;
    job.id = call.in_path("job");
    Fields fields = call.fields();
    check_body_id(fields, job.id);
    job.display_name = fields.optional_text("displayName").value_or("");
    job.description = fields.optional_text("description").value_or("");
    job.group = fields.text("group");
    fields.object("batch", [&](Fields& inner) {
        read_share(inner, call.body.at("batch").as_object(), "batch", job.batch.emplace());
    });
    fields.object("cancellationThreshold", [&](Fields& inner) {
        auto& threshold = job.threshold.emplace();
        read_share(inner, call.body.at("cancellationThreshold").as_object(),
                   "cancellationThreshold", threshold.share);
        threshold.per_batch = inner.flag("batch", false);
    });
    refuse_organizations(fields);
    TRY([[maybe_unused]] const Done read, fields.check());
    TRY(job.steps, read_steps(call.body));
    return job;
}

// --- Jobs -----------------------------------------------------------------------------------

Task<Result<CentralAnswer>> list_jobs(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto found, co_await services.jobs.list(page));
    json::array items;
    for (const auto& job : found.items) {
        items.push_back(job_json(job));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

Task<Result<CentralAnswer>> get_job(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto job, co_await services.jobs.get(call.in_path("job")));
    co_return CentralAnswer{200, job_json(job)};
}

Task<Result<CentralAnswer>> put_job(const CentralServices& services, const CentralCall& call) {
    CO_TRY(auto wish, read_job(call));
    CO_TRY(const auto job, co_await services.jobs.create(call.order, std::move(wish)));
    co_return CentralAnswer{200, job_json(job)};
}

Task<Result<CentralAnswer>> stop_job(const CentralServices& services, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto job,
           co_await services.jobs.stop(call.order, call.in_path("job")));
    co_return CentralAnswer{204};
}

Task<Result<CentralAnswer>> resume_job(const CentralServices& services, const CentralCall& call) {
    CO_TRY([[maybe_unused]] const auto job,
           co_await services.jobs.resume(call.order, call.in_path("job")));
    co_return CentralAnswer{204};
}

Task<Result<CentralAnswer>> rerun_job(const CentralServices& services, const CentralCall& call) {
    CO_TRY(const auto job,
           co_await services.jobs.rerun(call.order, call.in_path("job"), call.in_path("rerun")));
    co_return CentralAnswer{200, job_json(job)};
}

Task<Result<CentralAnswer>> list_job_devices(const CentralServices& services,
                                             const CentralCall& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const auto found, co_await services.jobs.devices(call.in_path("job"), page));
    json::array items;
    for (const auto& device : found.items) {
        items.push_back(job_device_json(device));
    }
    co_return CentralAnswer{200, central_page(call, std::move(items), found.next)};
}

}  // namespace

void add_central_job_routes(std::vector<CentralRoute>& routes) {
    constexpr auto none = CentralBody::none;
    constexpr auto required = CentralBody::required;
    constexpr auto see_groups = Permission::device_group_read;
    constexpr auto edit_groups = Permission::device_group_write;
    constexpr auto see_jobs = Permission::job_read;
    constexpr auto run_jobs = Permission::job_write;
    const std::vector<CentralRoute> own{
        {"GET", "/deviceGroups", see_groups, none, list_device_groups},
        {"GET", "/deviceGroups/{group}", see_groups, none, get_device_group},
        {"PUT", "/deviceGroups/{group}", edit_groups, required, put_device_group},
        {"PATCH", "/deviceGroups/{group}", edit_groups, required, change_device_group},
        {"DELETE", "/deviceGroups/{group}", edit_groups, none, remove_device_group},
        {"GET", "/deviceGroups/{group}/devices", see_groups, none, list_members},
        {"GET", "/jobs", see_jobs, none, list_jobs},
        {"GET", "/jobs/{job}", see_jobs, none, get_job},
        {"PUT", "/jobs/{job}", run_jobs, required, put_job},
        {"POST", "/jobs/{job}/stop", run_jobs, none, stop_job},
        {"POST", "/jobs/{job}/resume", run_jobs, none, resume_job},
        {"PUT", "/jobs/{job}/rerun/{rerun}", run_jobs, none, rerun_job},
        {"GET", "/jobs/{job}/devices", see_jobs, none, list_job_devices},
    };
    routes.insert(routes.end(), own.begin(), own.end());
}

}  // namespace rollcall::front
