// SPDX-License-Identifier: Apache-2.0
#include "app/cmd_device_hub.hpp"

#include "app/operation.hpp"
#include "app/print.hpp"
#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {
namespace {

/// How long the server may hold an answer of `device watch`; the next question follows at once.
constexpr const char* watch_seconds = "25";

Error usage(std::string detail) {
    return {ErrorKind::malformed, std::move(detail), "usage"};
}

/// JSON from the command line, or from a file after "@".
Result<json::value> json_of(const std::string& text, std::size_t bytes_max) {
    std::string content = text;
    if (!text.empty() && text.front() == '@') {
        TRY(content, read_file(text.substr(1), bytes_max));
    }
    boost::system::error_code failed;
    json::value value = json::parse(content, failed);
    if (failed) {
        return usage("'" + text + "' is not JSON; text needs its quotes: '\"text\"'");
    }
    return value;
}

Result<json::object> body_of(const Invocation& call) {
    json::object body;
    std::string content = call.text_or("TEXT", "");
    if (call.has("--file")) {
        if (call.has("TEXT")) {
            return usage("give the message as TEXT or with --file, not both");
        }
        TRY(content, read_file(call.text("--file"), limits::device_message_bytes_max));
    }
    if (is_utf8(content)) {
        body["body"] = content;
    } else {
        body["bodyBase64"] = to_base64(as_bytes(content));
    }
    json::object properties;
    for (const std::string& property : call.all("--property")) {
        const auto equals = property.find('=');
        if (equals == std::string::npos || equals == 0) {
            return usage("--property is NAME=VALUE, not '" + property + "'");
        }
        properties[property.substr(0, equals)] = property.substr(equals + 1);
    }
    body["properties"] = std::move(properties);
    for (const auto& [name, member] :
         {std::pair{"--id", "messageId"}, {"--content-type", "contentType"}}) {
        if (call.has(name)) {
            body[member] = call.text(name);
        }
    }
    if (call.has("--ttl")) {
        body["timeToLiveSeconds"] = call.number_or("--ttl", 0);
    }
    return body;
}

Result<Exit> send(const Invocation& call) {
    TRY(const json::object body, body_of(call));
    TRY(AdminClient client, AdminClient::of(call.globals()));
    Request request = changing(call, "POST", path_of({"devices", call.text("DEVICE"), "messages"}));
    for (const auto& [name, value] : body) {
        request.body->insert_or_assign(name, value);
    }
    TRY(const json::value answer, client.send(request));
    return report_change(call, answer,
                         "Message " + shown(answer, "messageId") + " waits for " +
                             call.text("DEVICE") + " until " + shown(answer, "expires") + ".");
}

Result<Exit> twin(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string path = path_of({"devices", call.text("DEVICE"), "twin"});
    if (!call.has("--desired") && !call.has("--tags")) {
        TRY(const json::value shown_twin, client.get(path));
        print_json(call.io().out, shown_twin);
        return Exit::done;
    }
    Request request = changing(call, "PATCH", path);
    if (call.has("--desired")) {
        TRY(json::value desired,
            json_of(call.text("--desired"), 2 * limits::twin_properties_bytes_max));
        json::object properties;
        properties["desired"] = std::move(desired);
        request.body->insert_or_assign("properties", std::move(properties));
    }
    if (call.has("--tags")) {
        TRY(json::value tags, json_of(call.text("--tags"), 2 * limits::twin_tags_bytes_max));
        request.body->insert_or_assign("tags", std::move(tags));
    }
    TRY(const json::value changed, client.send(request));
    print_json(call.io().out, changed);
    return Exit::done;
}

Result<Exit> call_method(const Invocation& call) {
    Request request = changing(
        call, "POST", path_of({"devices", call.text("DEVICE"), "methods", call.text("METHOD")}));
    if (call.has("PAYLOAD")) {
        TRY(json::value payload, json_of(call.text("PAYLOAD"), limits::method_payload_bytes_max));
        request.body->insert_or_assign("payload", std::move(payload));
    }
    if (call.has("--timeout")) {
        request.body->insert_or_assign("timeoutSeconds", call.number_or("--timeout", 0));
    }
    TRY(AdminClient client, AdminClient::of(call.globals()));
    TRY(const json::value answer, client.send(request));
    if (call.globals().json) {
        print_json(call.io().out, answer);
    } else {
        call.io().out << shown(answer, "status") << ' '
                      << json::serialize(answer.as_object().at("payload")) << '\n';
    }
    const auto* const status = answer.as_object().at("status").if_int64();
    return status != nullptr && *status < 400 ? Exit::done : Exit::refused;
}

/// A device may send anything; nothing of it steers a terminal.
void print_record(const Invocation& call, const json::object& record) {
    if (call.globals().json) {
        call.io().out << json::serialize(record) << std::endl;
        return;
    }
    std::string properties;
    for (const auto* const part : {"systemProperties", "properties"}) {
        for (const auto& [name, said] : record.at(part).as_object()) {
            properties += (properties.empty() ? "" : "&") + std::string{name} + "=" +
                          (said.is_string() ? std::string{said.as_string()} : "");
        }
    }
    const bool text = record.contains("body");
    call.io().out << std::string{record.at("at").as_string()} << ' '
                  << std::string{record.at("deviceId").as_string()} << ' '
                  << (properties.empty() ? "-" : printable(properties)) << ' '
                  << printable(record.at(text ? "body" : "bodyBase64").as_string()) << std::endl;
}

/// Until interrupted, or the count is met.
Result<Exit> watch(const Invocation& call) {
    TRY(AdminClient client, AdminClient::of(call.globals()));
    const std::string path = call.has("DEVICE")
                                 ? path_of({"devices", call.text("DEVICE"), "telemetry"})
                                 : path_of({"telemetry"});
    std::int64_t left = call.number_or("--count", -1);
    std::string after = "0";
    if (!call.has("--from-start")) {
        Request newest;
        newest.path = path;
        newest.query.emplace_back("limit", "1");
        TRY(const json::value page, client.send(newest));
        after = shown(page, "next");
    }
    while (left != 0) {
        Request request;
        request.path = path;
        request.query = {{"after", after}, {"wait", watch_seconds}};
        TRY(const json::value page, client.send(request));
        after = shown(page, "next");
        for (const json::value& record : page.as_object().at("items").as_array()) {
            if (left == 0) {
                break;
            }
            print_record(call, record.as_object());
            left -= left > 0 ? 1 : 0;
        }
    }
    return Exit::done;
}

}  // namespace

std::vector<Command> device_hub_commands() {
    const Parameter device = positional("DEVICE", "the device's id");
    return {
        {"device send",
         "send a message to a device; it waits until the device takes it",
         {device, positional("TEXT", "the message").may_be_left_out(),
          option("--file FILE", "the message from a file"),
          option("--property NAME=VALUE", "an application property").may_repeat(),
          option("--id ID", "message id (default: one is made)"),
          option("--content-type TYPE", "what the message is, application/json"),
          option("--ttl SECONDS", "how long it may wait (default 3600)").is_number(),
          reason_option()},
         {{"rollcall device send meter-17 'open the valve'", ""},
          {"rollcall device send meter-17 --file order.json --content-type application/json", ""}},
         send},
        {"device twin",
         "show a device's twin; change its desired properties or tags",
         {device, option("--desired JSON", "merge into the desired properties; @FILE reads a file"),
          option("--tags JSON", "merge into the tags; @FILE reads a file"), reason_option(),
          etag_option()},
         {{"rollcall device twin meter-17", ""},
          {"rollcall device twin meter-17 --desired '{\"interval\":30}'", "null deletes a name"}},
         twin},
        {"device call",
         "call a direct method and wait for the device's answer",
         {device, positional("METHOD", "the method's name"),
          positional("PAYLOAD", "JSON; @FILE reads a file").may_be_left_out(),
          option("--timeout SECONDS", "how long to wait (default 30)").is_number(),
          reason_option()},
         {{"rollcall device call meter-17 reboot", ""},
          {"rollcall device call meter-17 reboot '{\"in\":5}' --timeout 10", ""}},
         call_method,
         "Exit 0 where the device answers with a status below 400, else 1."},
        {"device watch",
         "what devices send, as it comes",
         {positional("DEVICE", "only this device").may_be_left_out(),
          flag("--from-start", "begin with the oldest that is kept"),
          option("--count N", "end after so many messages").is_number()},
         {{"rollcall device watch", "until interrupted"},
          {"rollcall device watch meter-17 --from-start --count 10 --json", ""}},
         watch},
    };
}

}  // namespace rollcall::app
