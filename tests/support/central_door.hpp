// SPDX-License-Identifier: Apache-2.0
// IoT Central's API in memory: requests as values, answers as JSON.
#pragma once

#include "front/central_api.hpp"
#include "support/job_host.hpp"
#include "support/native_door.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::test {

struct CentralDoor : NativeDoor {
    DeskHost job_host{clock};
    service::DeviceGroups device_groups{store, store, clock, entropy};
    service::Jobs jobs{{store, store, hub, job_host, clock, entropy}};
    front::CentralApi central{{enroller, access, hub, trust_book, store, telemetry, clock, entropy,
                               facts.scope, device_groups, jobs, users}};

    struct Reply : HttpReply {
        std::string text{};

        /// "/error/code"; "" where there is none.
        std::string code() const {
            const auto* const object = body.if_object();
            const auto* const error = object != nullptr ? object->if_contains("error") : nullptr;
            return error != nullptr ? std::string{error->at("code").as_string()} : std::string{};
        }
        std::string at(std::string_view pointer) const {
            return json::serialize(
                body.at_pointer(json::string_view{pointer.data(), pointer.size()}));
        }
        std::string word(std::string_view pointer) const {
            return std::string{
                body.at_pointer(json::string_view{pointer.data(), pointer.size()}).as_string()};
        }
        bool has_member(std::string_view name) const {
            return body.as_object().contains(json::string_view{name.data(), name.size()});
        }
    };

    /// Under /api; without its own, every request says api-version 2022-07-31.
    net::HttpRequest request(const std::string& method, const std::string& target,
                             const std::string& body = {}, net::HttpHeaders headers = {}) const {
        net::HttpRequest request;
        request.method = method;
        request.target = "/api" + target;
        if (target.find("api-version=") == std::string::npos) {
            request.target += target.find('?') == std::string::npos ? "?" : "&";
            request.target += "api-version=2022-07-31";
        }
        const auto query = request.target.find('?');
        request.path = request.target.substr(0, query);
        request.query = request.target.substr(query + 1);
        request.headers = std::move(headers);
        if (!body.empty() && !request.header("content-type")) {
            request.headers.emplace_back("Content-Type", "application/json");
        }
        request.headers.emplace_back("Host", "plant.example:8443");
        request.host = "plant.example";
        request.body = body;
        request.connection = &local;
        return request;
    }
    Reply send(const net::HttpRequest& request) {
        const auto response = run(central.handle(request));
        Reply reply{{response.status, {}, response.headers}, response.body};
        if (!response.body.empty()) {
            reply.body = json::parse(response.body);
        }
        EXPECT_EQ(response.status == 204, response.body.empty()) << request.target;
        return reply;
    }
    Reply send(const std::string& method, const std::string& target, const std::string& body = {},
               net::HttpHeaders headers = {}) {
        return send(request(method, target, body, std::move(headers)));
    }
};

}  // namespace rollcall::test
