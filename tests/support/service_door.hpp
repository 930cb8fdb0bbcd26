// SPDX-License-Identifier: Apache-2.0
// The DPS service API in memory: requests as values, answers as JSON.
#pragma once

#include "front/dps_service_api.hpp"
#include "support/http_reply.hpp"
#include "support/operator_desk.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::test {

namespace json = boost::json;

struct ServiceDoor : OperatorDesk {
    front::DpsServiceApi api{{enroller, access, trust_book, store, clock, entropy}};
    net::ConnectionFacts local{};
    net::ConnectionFacts remote{};

    ServiceDoor() {
        local.local = true;
        remote.peer_address = "192.0.2.7";
        remote.tls_version = "TLSv1.3";
    }

    struct Reply : HttpReply {
        std::string text{};

        /// 0 where there is none.
        std::int64_t code() const {
            const auto* const object = body.if_object();
            const auto* const code = object != nullptr ? object->if_contains("errorCode") : nullptr;
            return code != nullptr ? code->as_int64() : 0;
        }
        std::string at(std::string_view pointer) const {
            return json::serialize(
                body.at_pointer(json::string_view{pointer.data(), pointer.size()}));
        }
    };

    /// Without its own, every request says api-version 2021-10-01.
    net::HttpRequest request(const std::string& method, const std::string& target,
                             const std::string& body = {}, net::HttpHeaders headers = {}) const {
        net::HttpRequest request;
        request.method = method;
        request.target =
            target.find('?') == std::string::npos ? target + "?api-version=2021-10-01" : target;
        const auto query = request.target.find('?');
        request.path = request.target.substr(0, query);
        request.query = request.target.substr(query + 1);
        request.headers = std::move(headers);
        if (!body.empty() && !request.header("content-type")) {
            request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
        }
        request.host = "svc.example";
        request.body = body;
        request.connection = &local;
        return request;
    }
    Reply send(const net::HttpRequest& request) {
        const auto response = run(api.handle(request));
        Reply reply{{response.status, {}, response.headers}, response.body};
        if (!response.body.empty()) {
            reply.body = json::parse(response.body);
        }
        return reply;
    }
    Reply send(const std::string& method, const std::string& target, const std::string& body = {},
               net::HttpHeaders headers = {}) {
        return send(request(method, target, body, std::move(headers)));
    }
};

}  // namespace rollcall::test
