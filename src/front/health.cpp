// SPDX-License-Identifier: Apache-2.0
#include "front/health.hpp"

#include <utility>

namespace rollcall::front {

namespace {

net::HttpResponse text_answer(unsigned status, std::string body, const char* type) {
    net::HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", type}, {"Cache-Control", "no-store"}};
    response.body = std::move(body);
    return response;
}

constexpr const char* plain_text = "text/plain; charset=utf-8";
/// Prometheus text exposition format.
constexpr const char* exposition = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

Health::Health(const Metrics& metrics, std::function<bool()> ready)
    : metrics_(metrics), ready_(std::move(ready)) {}

net::HttpResponse Health::answer(const net::HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
        auto response = text_answer(405, "only GET and HEAD here\n", plain_text);
        response.headers.emplace_back("Allow", "GET, HEAD");
        return response;
    }
    if (request.path == "/metrics") {
        return text_answer(200, metrics_.text(), exposition);
    }
    if (request.path == "/healthz") {
        return text_answer(200, "alive\n", plain_text);
    }
    if (request.path == "/readyz") {
        return ready_() ? text_answer(200, "ready\n", plain_text)
                        : text_answer(503, "not ready\n", plain_text);
    }
    return text_answer(404, "here are /metrics, /healthz and /readyz\n", plain_text);
}

Task<net::HttpResponse> Health::handle(const net::HttpRequest& request) {
    co_return answer(request);
}

net::HttpResponse Health::refuse(unsigned status, const Error& error,
                                 const net::HttpRequest& /*so_far*/) {
    return text_answer(status,
                       (error.kind == ErrorKind::internal ? "internal error" : error.detail) + "\n",
                       plain_text);
}

}  // namespace rollcall::front
