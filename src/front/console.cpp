// SPDX-License-Identifier: Apache-2.0
#include "front/console.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace rollcall::front {
namespace {

constexpr std::string_view page = "index.html";
constexpr std::string_view assets = "assets/";

/// Only what comes from here is loaded, run, or asked. The hash is that of no text at all: the kit
/// fills its style elements rule by rule, and a browser gives an empty one no sheet without it.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'";

void add_safety_headers(net::HttpResponse& response, const net::HttpRequest& request);
net::HttpResponse text_answer(unsigned status, std::string body);
net::HttpResponse file_answer(const ConsoleFile& file, const net::HttpRequest& request);
bool takes_gzip(const net::HttpRequest& request);
bool has_already(const net::HttpRequest& request, std::string_view etag);

}  // namespace

DeclaredRoutes Console::declared_routes() {
    return {{"GET", "/", service::Permission::none},
            {"GET", "/ui", service::Permission::none},
            {"GET", "/ui/x", service::Permission::none},
            {"GET", "/assets/x", service::Permission::none}};
}

Task<net::HttpResponse> Console::handle(const net::HttpRequest& request) {
    net::HttpResponse response = answer(request);
    add_safety_headers(response, request);
    co_return response;
}

net::HttpResponse Console::refuse(unsigned status, const Error& error,
                                  const net::HttpRequest& so_far) {
    net::HttpResponse response = text_answer(
        status, (error.kind == ErrorKind::internal ? "internal error" : error.detail) + "\n");
    add_safety_headers(response, so_far);
    response.close = true;
    return response;
}

net::HttpResponse Console::answer(const net::HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") {
        net::HttpResponse response = text_answer(405, "only GET and HEAD here\n");
        response.headers.emplace_back("Allow", "GET, HEAD");
        return response;
    }
    if (const auto* const file = file_at(request.path)) {
        return file_answer(*file, request);
    }
    return text_answer(404, files_.empty() ? "this program was built without its console "
                                             "(-D ROLLCALL_CONSOLE=ON); the API is at /api/v1\n"
                                           : "there is no such file\n");
}

const ConsoleFile* Console::file_at(std::string_view path) const {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    if (path.empty() || path == "ui" || path.starts_with("ui/")) {
        path = page;
    } else if (!path.starts_with(assets)) {
        return nullptr;
    }
    const auto found = std::find_if(files_.begin(), files_.end(),
                                    [path](const ConsoleFile& file) { return file.path == path; });
    return found == files_.end() ? nullptr : &*found;
}

namespace {

net::HttpResponse text_answer(unsigned status, std::string body) {
    net::HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                        {"Cache-Control", "no-store"}};
    response.body = std::move(body);
    return response;
}

/// Strict transport security as the native API has it: not for "localhost".
void add_safety_headers(net::HttpResponse& response, const net::HttpRequest& request) {
    response.headers.emplace_back("Content-Security-Policy", content_security_policy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    if (!request.connection->tls_version.empty() && request.host != "localhost") {
        response.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
    }
}

/// Compressed bytes are another representation, with a tag of their own (RFC 9110 section 8.8.3.3).
net::HttpResponse file_answer(const ConsoleFile& file, const net::HttpRequest& request) {
    const bool compressed = !file.gzip.empty() && takes_gzip(request);
    const std::string etag = '"' + std::string{file.etag} + (compressed ? "-gzip\"" : "\"");
    net::HttpResponse response;
    response.headers = {
        {"ETag", etag},
        {"Cache-Control",
         file.path.starts_with(assets) ? "public, max-age=31536000, immutable" : "no-cache"}};
    if (!file.gzip.empty()) {
        response.headers.emplace_back("Vary", "Accept-Encoding");
    }
    if (has_already(request, etag)) {
        response.status = 304;
        return response;
    }
    response.headers.emplace_back("Content-Type", file.type);
    if (compressed) {
        response.headers.emplace_back("Content-Encoding", "gzip");
    }
    response.body = compressed ? file.gzip : file.bytes;
    return response;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The next member of a list that commas part, which is taken off it.
std::string_view next_member(std::string_view& list) {
    const auto comma = list.find(',');
    const std::string_view member = trimmed(list.substr(0, comma));
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    return member;
}

/// RFC 9110 section 12.4.2: a weight of 0 says "not that one". What is no weight counts as 1.
bool is_refused(std::string_view parameters) {
    const std::string_view weight = trimmed(parameters);
    if (weight.size() < 3 || !equal_ignoring_case(weight.substr(0, 2), "q=")) {
        return false;
    }
    return weight.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

/// RFC 9110 section 12.5.3. No field at all allows any coding; we then send the plain bytes.
bool takes_gzip(const net::HttpRequest& request) {
    std::string_view list = request.header("accept-encoding").value_or(std::string_view{});
    bool any = false;
    while (!list.empty()) {
        const std::string_view member = next_member(list);
        const auto semicolon = member.find(';');
        const std::string_view coding = trimmed(member.substr(0, semicolon));
        const bool refused = semicolon != member.npos && is_refused(member.substr(semicolon + 1));
        if (equal_ignoring_case(coding, "gzip")) {
            return !refused;
        }
        any = any || (coding == "*" && !refused);
    }
    return any;
}

/// If-None-Match, compared weakly (RFC 9110 section 13.1.2).
bool has_already(const net::HttpRequest& request, std::string_view etag) {
    std::string_view list = request.header("if-none-match").value_or(std::string_view{});
    while (!list.empty()) {
        std::string_view member = next_member(list);
        if (member == "*") {
            return true;
        }
        member.remove_prefix(member.starts_with("W/") ? 2 : 0);
        if (member == etag) {
            return true;
        }
    }
    return false;
}

}  // namespace
}  // namespace rollcall::front
