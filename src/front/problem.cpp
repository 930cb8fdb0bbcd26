// SPDX-License-Identifier: Apache-2.0
#include "front/problem.hpp"

#include "front/operator_refusal.hpp"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

std::string_view title_of(unsigned status) {
    switch (status) {
        case 400: return "The request cannot be understood";
        case 401: return "Who asks is not known";
        case 403: return "Not allowed";
        case 404: return "There is no such thing";
        case 405: return "Not done here";
        case 408: return "Too slow";
        case 409: return "The state of things does not allow it";
        case 412: return "The record has changed";
        case 413: return "Too large";
        case 415: return "Not this kind of body";
        case 429: return "Too many requests";
        case 503: return "Not available now";
        case 504: return "Not done in time";
        default: return status >= 500 ? "Something went wrong here" : "Refused";
    }
}

std::string code_of(const Error& error) {
    if (error.kind == ErrorKind::internal || error.reason.empty()) {
        std::string code{to_string(error.kind)};
        std::replace(code.begin(), code.end(), '_', '-');
        return code;
    }
    return error.reason;
}

std::string detail_of(const Error& error) {
    if (error.kind == ErrorKind::internal) {
        return "This is a fault of the server. Its log tells more under the tracking id.";
    }
    return error.detail.empty() ? "No more is known." : error.detail;
}

}  // namespace

unsigned status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed: return 400;
        case ErrorKind::unauthenticated: return 401;
        case ErrorKind::forbidden: return 403;
        case ErrorKind::attestation_failed: return 403;
        case ErrorKind::not_found: return 404;
        case ErrorKind::conflict: return 409;
        case ErrorKind::stale: return 412;
        case ErrorKind::too_large: return 413;
        case ErrorKind::throttled: return 429;
        case ErrorKind::unsupported: return 501;
        case ErrorKind::unavailable: return 503;
        case ErrorKind::deadline: return 504;
        case ErrorKind::internal: return 500;
    }
    return 500;
}

net::HttpResponse problem_response(const Error& error, std::string_view tracking_id,
                                   unsigned status) {
    const unsigned told = status != 0 ? status : status_of(error.kind);
    const std::string code = code_of(error);
    const boost::json::object body{{"type", "urn:rollcall:problem:" + code},
                                   {"title", title_of(told)},
                                   {"status", told},
                                   {"code", code},
                                   {"detail", detail_of(error)},
                                   {"trackingId", tracking_id}};
    net::HttpResponse response;
    response.status = told;
    response.headers.emplace_back("Content-Type", "application/problem+json");
    if (told == 401) {
        response.headers.emplace_back("WWW-Authenticate",
                                      code == "token-missing"
                                          ? R"(Bearer realm="rollcall")"
                                          : R"(Bearer realm="rollcall", error="invalid_token")");
    }
    if (told == 503 || told == 429) {
        response.headers.emplace_back("Retry-After", retry_after_of(error));
    }
    response.body = boost::json::serialize(body);
    return response;
}

}  // namespace rollcall::front
