// SPDX-License-Identifier: Apache-2.0
// The native API for tests, called as an object: no sockets. Every answer is held against the
// OpenAPI document as it comes.
#pragma once

#include "front/native_routes.hpp"
#include "support/http_reply.hpp"
#include "support/json_schema.hpp"
#include "support/operator_desk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace rollcall::test {

/// Refusals in memory, without bounds.
class RefusalNotes final : public store::RefusalLog {
public:
    void note(store::RefusalRecord record) override {
        records_.insert_or_assign(record.id.str(), std::move(record));
    }
    Task<Result<std::optional<store::RefusalRecord>>> last(const RegistrationId& id) override {
        const auto found = records_.find(id.str());
        co_return found == records_.end() ? std::nullopt : std::optional{found->second};
    }
    Task<Result<std::vector<store::RefusalRecord>>> newest(std::size_t count) override {
        std::vector<store::RefusalRecord> newest;
        for (const auto& [id, record] : records_) {
            newest.push_back(record);
        }
        std::sort(newest.begin(), newest.end(),
                  [](const auto& a, const auto& b) { return a.at > b.at; });
        newest.erase(newest.begin() + std::min(count, newest.size()), newest.end());
        co_return newest;
    }

private:
    std::map<std::string, store::RefusalRecord> records_;
};

/// Telemetry in memory, without bounds.
class TelemetryNotes final : public store::Sink, public store::TelemetryReader {
public:
    Task<Result<Done>> append(std::span<const domain::Telemetry> batch) override {
        for (const auto& telemetry : batch) {
            records_.push_back({records_.size() + 1, telemetry});
        }
        co_return Done{};
    }
    Task<Result<store::TelemetryPage>> read(const store::TelemetryQuery& query) override {
        store::TelemetryPage page{{}, query.after, records_.empty() ? 0U : 1U};
        for (const auto& record : records_) {
            if (record.sequence > query.after && page.records.size() < query.count) {
                page.next = record.sequence;
                if (!query.device || *query.device == record.telemetry.device) {
                    page.records.push_back(record);
                }
            }
        }
        co_return page;
    }
    Task<Result<store::TelemetryPage>> newest(const store::TelemetryQuery& query) override {
        store::TelemetryQuery all = query;
        all.after = 0;
        all.count = records_.size();
        auto page = co_await read(all);
        if (page->records.size() > query.count) {
            page->records.erase(page->records.begin(),
                                page->records.end() - static_cast<std::ptrdiff_t>(query.count));
        }
        co_return page;
    }
    std::uint64_t newest_sequence() const override { return records_.size(); }

private:
    std::vector<store::TelemetryRecord> records_;
};

struct NativeDoor : OperatorDesk {
    RefusalNotes refusals;
    front::ServerFacts facts{
        ScopeId::trusted("0ne12345678"), "hub.example", "0.1.0", "ops.example", today,
        {{"operator", "127.0.0.1:9443"}}};
    service::Sessions sessions;
    service::RegistrationRate rate;
    service::Overview overview{store, refusals, trust_book, sessions, rate, clock};
    TelemetryNotes telemetry;
    Metrics metrics;
    service::Admission admission{clock, metrics, {}};
    service::Hub hub{store,     store, trust_book, sessions, telemetry,
                     admission, clock, entropy,    metrics,  "hub.example"};
    service::Auditor auditor{store, store, clock, audit_key, facts.scope.str()};
    front::NativeApi api{front::NativeServices{enroller, access, trust_book, store, refusals, hub,
                                               telemetry, clock, entropy, facts, auditor, users,
                                               sign_in, store, overview}};
    json::value document = json::parse(
        json::string_view{front::openapi_document().data(), front::openapi_document().size()});
    net::ConnectionFacts local{};
    net::ConnectionFacts remote{};

    NativeDoor() {
        local.local = true;
        remote.peer_address = "192.0.2.7";
        remote.tls_version = "TLSv1.3";
    }

    struct Reply : HttpReply {
        std::string code() const {
            const auto* const object = body.if_object();
            const auto* const code = object != nullptr ? object->if_contains("code") : nullptr;
            return code != nullptr ? std::string{code->as_string()} : std::string{};
        }
        /// "/group/certificates/primary"
        const json::value& at(std::string_view pointer) const {
            return body.at_pointer(json::string_view{pointer.data(), pointer.size()});
        }
        std::string text(std::string_view pointer) const {
            return std::string{at(pointer).as_string()};
        }
    };

    static net::HttpRequest request(const std::string& method, const std::string& target,
                                    const std::string& body = {}) {
        net::HttpRequest request;
        request.method = method;
        request.target = "/api/v1" + target;
        const auto query = request.target.find('?');
        request.path = request.target.substr(0, query);
        request.query = query == std::string::npos ? "" : request.target.substr(query + 1);
        request.body = body;
        if (!body.empty()) {
            request.headers.emplace_back("Content-Type", "application/json");
        }
        return request;
    }

    Reply send(net::HttpRequest request) {
        if (request.connection == nullptr) {
            request.connection = &local;
        }
        const net::HttpResponse response = run(api.handle(request));
        Reply reply{{response.status, nullptr, response.headers}};
        if (!response.body.empty()) {
            reply.body = json::parse(response.body);
        }
        check(request, reply);
        return reply;
    }
    Reply send(const std::string& method, const std::string& target, const json::value& body) {
        return send(request(method, target, json::serialize(body)));
    }
    Reply send(const std::string& method, const std::string& target) {
        return send(request(method, target));
    }

    /// The answer is one that the document tells for this operation.
    void check(const net::HttpRequest& request, const Reply& reply) {
        if (reply.body.is_null()) {
            return;
        }
        const JsonSchema schema{document};
        std::string place = "/components/responses/Problem/content/application~1problem+json";
        if (reply.status < 300) {
            const auto* const route = route_of(request);
            ASSERT_NE(route, nullptr) << request.target;
            std::string method{route->method};
            std::string path{route->path};
            for (std::size_t at = 0; (at = path.find('/', at)) != std::string::npos; at += 2) {
                path.replace(at, 1, "~1");
            }
            place = "/paths/" + path + "/" + to_lower_ascii(method) + "/responses/" +
                    std::to_string(reply.status) + "/content/application~1json";
        }
        boost::json::error_code error;
        const auto* const media = document.find_pointer(place, error);
        ASSERT_NE(media, nullptr) << request.method << " " << request.target << " answered "
                                  << reply.status << ", which the document does not tell";
        const auto faults = schema.faults(reply.body, media->as_object().at("schema").as_object());
        EXPECT_TRUE(faults.empty()) << request.method << " " << request.target << "\n"
                                    << json::serialize(reply.body) << "\n"
                                    << ::testing::PrintToString(faults);
    }

    static const front::Route* route_of(const net::HttpRequest& request) {
        const std::string method = request.method == "HEAD" ? "GET" : request.method;
        for (const auto& route : front::native_routes()) {
            if (route.method == method && fits(route.path, request.path.substr(7))) {
                return &route;
            }
        }
        return nullptr;
    }

private:
    static bool fits(std::string_view pattern, std::string_view path) {
        while (!pattern.empty() && !path.empty()) {
            const auto part = pattern.substr(0, pattern.find('/', 1));
            const auto segment = path.substr(0, path.find('/', 1));
            if (part != segment && !part.starts_with("/{")) {
                return false;
            }
            pattern.remove_prefix(part.size());
            path.remove_prefix(segment.size());
        }
        return pattern.empty() && (path.empty() || path == "/");
    }
};

}  // namespace rollcall::test
