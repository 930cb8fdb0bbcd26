// SPDX-License-Identifier: Apache-2.0
// rollcall hub: the hubs that devices may be assigned to, and the rule for entries without one.
#include "app/allocation_options.hpp"
#include "app/operation.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> list(const Invocation& call) {
    Request request;
    request.path = "/hubs";
    return print_listing(call, request,
                         {{"HUB", "name"},
                          {"OURS", "own"},
                          {"WEIGHT", "weight"},
                          {"TAKES DEVICES", "allocate"},
                          {"LINKED", "created"}},
                         "No hub is linked.");
}

Result<Exit> show(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value hub, client.get(path_of({"hubs", call.text("HUB")})));
    if (call.globals().json) {
        print_json(call.io().out, hub);
        return Exit::done;
    }
    print_fields(call.io().out, {{"hub", shown(hub, "name")},
                                 {"ours", shown(hub, "own")},
                                 {"weight", shown(hub, "weight")},
                                 {"takes devices", shown(hub, "allocate")},
                                 {"devices", shown(hub, "devices")},
                                 {"linked", shown(hub, "created")},
                                 {"updated", shown(hub, "updated")},
                                 {"etag", shown(hub, "etag")}});
    return Exit::done;
}

void put_settings(const Invocation& call, json::object& body) {
    if (call.has("--weight")) {
        body["weight"] = call.number_or("--weight", 1);
    }
    if (call.has("--allocate")) {
        body["allocate"] = call.text("--allocate") == "on";
    }
}

Result<Exit> add(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "POST", "/hubs");
    (*request.body)["name"] = call.text("HUB");
    if (call.has("--own")) {
        (*request.body)["own"] = true;
    }
    put_settings(call, *request.body);
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer, "Hub " + shown(answer, "hub.name") + " is linked.");
}

Result<Exit> update(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "PATCH", path_of({"hubs", call.text("HUB")}));
    put_settings(call, *request.body);
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer, "Hub " + shown(answer, "hub.name") + " is changed.");
}

Result<Exit> remove(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string name = call.text("HUB");
    TRY(const auto answer,
        perform(call, client, {changing(call, "DELETE", path_of({"hubs", name})), Care::always}));
    return answer ? report_change(call, *answer, "Hub " + name + " is not linked any more.")
                  : Exit::done;
}

/// Without options: what the rule is.
Result<Exit> rule(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    if (!call.has("--allocation") && !call.has("--hub")) {
        TRY(const json::value found, client.get("/allocation"));
        if (call.globals().json) {
            print_json(call.io().out, found);
        } else {
            print_fields(call.io().out, allocation_fields(found));
        }
        return Exit::done;
    }
    Request request = changing(call, "PATCH", "/allocation");
    TRY([[maybe_unused]] const auto put, put_allocation(call, *request.body));
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer, "Entries without a policy of their own follow it now.");
}

}  // namespace

std::vector<Command> hub_commands() {
    const Parameter hub = positional("HUB", "its host name, which devices get as assignedHub");
    const Parameter weight =
        option("--weight N", "its share of devices, among hubs of other weights (1 to 1000)")
            .is_number();
    const Parameter allocate =
        option("--allocate WORD", "off: it keeps its devices and gets no new ones")
            .one_of({"on", "off"});
    return {
        {"hub list",
         "all linked hubs, ours first",
         {},
         {{"rollcall hub list", ""}, {"rollcall hub list --json", ""}},
         list},
        {"hub show",
         "one linked hub and how many devices it has",
         {hub},
         {{"rollcall hub show eu.example.com", ""}},
         show},
        {"hub add",
         "link a hub, so that devices can be assigned to it",
         {hub, flag("--own", "a further name of this server: twins move with their devices"),
          weight, allocate, reason_option()},
         {{"rollcall hub add eu.example.com", ""},
          {"rollcall hub add us.example.com --weight 3", "three times the devices of the others"}},
         add},
        {"hub update",
         "change a linked hub",
         {hub, weight, allocate, reason_option(), etag_option()},
         {{"rollcall hub update eu.example.com --allocate off", "before it is taken away"}},
         update},
        {"hub remove",
         "unlink a hub; its devices keep what they were told until they register again",
         {hub, reason_option(), etag_option()},
         {{"rollcall hub remove eu.example.com", "shows how many devices it has"},
          {"rollcall hub remove eu.example.com --yes", ""}},
         remove},
        {"hub default",
         "how entries without a policy of their own choose; shows it, or sets it",
         {server_allocation_option(), hub_option(), reason_option()},
         {{"rollcall hub default", ""},
          {"rollcall hub default --allocation latency --hub eu.example.com --hub us.example.com",
           "the first of them that takes devices"}},
         rule},
    };
}

}  // namespace rollcall::app
