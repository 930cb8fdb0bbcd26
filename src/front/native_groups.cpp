// SPDX-License-Identifier: Apache-2.0
// Native API: enrollment groups as wholes; their slots: native_slots.cpp.
#include "front/native_routes.hpp"

#include <algorithm>

namespace rollcall::front {
namespace {

using service::Permission;

service::GroupSettings read_settings(Fields& fields) {
    service::GroupSettings settings;
    read_entry_settings(fields, settings);
    settings.auto_approve = fields.optional_flag("autoApprove");
    settings.refuse_older_leaf = fields.optional_flag("refuseOlderLeaf");
    return settings;
}

Task<Result<Answer>> list_groups(const NativeServices& services, const Call& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    Answer answer;
    answer.body = page_of(service::groups_page(*trust, page, services.clock.now(),
                                               call.in_query("search").value_or("")),
                          pem);
    co_return answer;
}

Task<Result<Answer>> create_group(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    const std::string id = fields.text("id");
    auto settings = read_settings(fields);
    read_new_keys(fields, settings);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.create_group(order, id, settings));
    Answer answer = group_answer(outcome, Pem::without);
    answer.status = 201;
    answer.location = location_of("/groups", id);
    co_return answer;
}

Task<Result<Answer>> get_group(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, call.in_path("group")));
    Answer answer;
    answer.body = to_json(service::view_of(*trust, *group, services.clock.now()), pem);
    answer.etag = group->etag;
    co_return answer;
}

Task<Result<Answer>> update_group(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    const auto settings = read_settings(fields);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.update_group(order, call.in_path("group"), settings));
    co_return group_answer(outcome, pem);
}

Task<Result<Answer>> delete_group(const NativeServices& services, const Call& call) {
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome,
           co_await services.enroller.delete_group(order, call.in_path("group")));
    co_return deleted(outcome);
}

Task<Result<Answer>> get_adoption(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const group, service::find_group(*trust, call.in_path("group")));
    const auto entry = domain::entry_of(*group);
    CO_TRY(const auto counts, co_await services.reader.adoption_counts(entry));
    std::uint64_t devices = 0;
    json::array certificates;
    for (const auto& adoption : service::adoption_of(*trust, *group, counts)) {
        devices += adoption.devices;
        certificates.push_back(
            json::object{{"slot", domain::to_string(adoption.slot)},
                         {"sha256Thumbprint", to_upper_hex(adoption.sha256.bytes)},
                         {"certificate", to_json(adoption.certificate, pem)},
                         {"standing", word_of(adoption.standing)},
                         {"devices", adoption.devices}});
    }
    Answer answer;
    answer.body = json::object{{"group", group->id.str()},
                               {"devices", devices},
                               {"certificates", std::move(certificates)}};
    co_return answer;
}

}  // namespace

void add_group_routes(std::vector<Route>& routes) {
    const auto read = Permission::group_read;
    const auto write = Permission::group_write;
    routes.push_back({"GET",
                      "/groups",
                      "listGroups",
                      read,
                      {"limit", "after", "pem", "search"},
                      Body::none,
                      list_groups});
    routes.push_back({"POST", "/groups", "createGroup", write, {}, Body::required, create_group});
    routes.push_back({"GET", "/groups/{group}", "getGroup", read, {"pem"}, Body::none, get_group});
    routes.push_back({"PATCH",
                      "/groups/{group}",
                      "updateGroup",
                      write,
                      {"pem", "dryRun"},
                      Body::required,
                      update_group});
    routes.push_back({"DELETE",
                      "/groups/{group}",
                      "deleteGroup",
                      write,
                      {"reason", "dryRun"},
                      Body::none,
                      delete_group});
    routes.push_back({"GET",
                      "/groups/{group}/adoption",
                      "getGroupAdoption",
                      read,
                      {"pem"},
                      Body::none,
                      get_adoption});
}

}  // namespace rollcall::front
