// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"

#include "app/socket_path.hpp"
#include "app/version.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "base/percent.hpp"

#include <cstdlib>
#include <curl/curl.h>
#include <filesystem>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {

namespace {

std::optional<std::string> given(const std::optional<std::string>& option, const char* variable) {
    if (option) {
        return option;
    }
    const char* text = std::getenv(variable);
    return text != nullptr && *text != '\0' ? std::optional<std::string>{text} : std::nullopt;
}

std::string without_end(std::string text, char end) {
    while (!text.empty() && text.back() == end) {
        text.pop_back();
    }
    return text;
}

bool is_loopback_http(const std::string& url) {
    return url.starts_with("http://127.") || url.starts_with("http://localhost") ||
           url.starts_with("http://[::1]");
}

/// "@FILE" or the token itself.
Result<std::string> read_token(const std::string& spelled) {
    if (!spelled.starts_with('@')) {
        return spelled;
    }
    auto text = read_file(spelled.substr(1), limits::http_header_bytes_max);
    if (!text) {
        return usage_error(text.error().detail);
    }
    return without_end(without_end(*std::move(text), '\n'), '\r');
}

bool is_there(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

ErrorKind kind_of(unsigned status) {
    switch (status) {
        case 400: return ErrorKind::malformed;
        case 401: return ErrorKind::unauthenticated;
        case 403: return ErrorKind::forbidden;
        case 404: return ErrorKind::not_found;
        case 409: return ErrorKind::conflict;
        case 412: return ErrorKind::stale;
        case 413: return ErrorKind::too_large;
        case 429: return ErrorKind::throttled;
        case 503: return ErrorKind::unavailable;
        default: return ErrorKind::internal;
    }
}

std::string text_member(const json::object& object, std::string_view name) {
    const json::value* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string{found->as_string()} : std::string{};
}

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& text = *static_cast<std::string*>(into);
    if (text.size() + size * count > limits::admin_answer_bytes_max) {
        return 0;  // ends the transfer with CURLE_WRITE_ERROR
    }
    text.append(bytes, size * count);
    return size * count;
}

long seconds(std::chrono::seconds time) {
    return static_cast<long>(time.count());
}

std::string hint_for_socket(const Target& target, CURLcode code) {
    const std::filesystem::path place{target.socket};
    const std::string directory = place.parent_path().string();
    if (!is_there(place.parent_path())) {
        return "there is no data directory " + directory +
               "; name the server's with --data DIR, or a server elsewhere with --url";
    }
    if (code == CURLE_COULDNT_CONNECT && ::access(target.socket.c_str(), W_OK) != 0 &&
        errno == EACCES) {
        return "only the user the server runs as may open " + target.socket +
               "; become that user, or use --url with --token";
    }
    return "no server runs on " + directory + "; start it: rollcall serve --data " + directory;
}

std::string hint_for_url(const Target& target, CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return "the server's certificate is not trusted; give its CA with --ca FILE (a "
                   "server's own is DIR/tls/ca.pem)" +
                   (target.ca_file.empty() ? std::string{} : ", used was " + target.ca_file);
        case CURLE_COULDNT_RESOLVE_HOST: return "the host's name in --url is not known";
        default: return "check --url: it names the operator door, https://HOST:9443 by default";
    }
}

}  // namespace

std::string data_directory_of(const Globals& globals) {
    const std::string named = given(globals.data, "ROLLCALL_DATA").value_or("./rollcall-data");
    return named.size() > 1 ? without_end(named, '/') : named;
}

Result<Target> target_of(const Globals& globals) {
    Target target;
    // An explicit --data outranks a URL that only the environment names.
    const bool by_data = globals.data && !globals.url;
    const auto url = by_data ? std::nullopt : given(globals.url, "ROLLCALL_URL");
    const std::filesystem::path directory{data_directory_of(globals)};
    if (!url) {
        target.socket = (directory / "operator.sock").string();
        return target;
    }
    target.url = without_end(*url, '/');
    if (!target.url.starts_with("https://") && !is_loopback_http(target.url)) {
        return usage_error("--url is https://HOST:PORT, not \"" + target.url + "\"");
    }
    const bool data_named = given(globals.data, "ROLLCALL_DATA").has_value();
    if (const auto token = given(globals.token, "ROLLCALL_TOKEN")) {
        TRY(target.token, read_token(*token));
    } else if (data_named && is_there(directory / "admin-token")) {
        TRY(target.token, read_token("@" + (directory / "admin-token").string()));
    }
    if (const auto ca = given(globals.ca, "ROLLCALL_CA")) {
        target.ca_file = *ca;
    } else if (data_named && is_there(directory / "tls" / "ca.pem")) {
        target.ca_file = (directory / "tls" / "ca.pem").string();
    }
    return target;
}

std::string path_of(const std::vector<std::string>& parts) {
    std::string path;
    for (const std::string& part : parts) {
        path += "/" + percent_encoded(part);
    }
    return path;
}

Error error_of(unsigned status, const std::string& body) {
    boost::system::error_code failed;
    const json::value parsed = json::parse(body, failed);
    Error error{.kind = kind_of(status)};
    if (!failed && parsed.is_object()) {
        const json::object& problem = parsed.get_object();
        error.reason = text_member(problem, "code");
        error.detail = text_member(problem, "detail");
        if (error.detail.empty()) {
            error.detail = text_member(problem, "title");
        }
        const std::string field = text_member(problem, "field");
        const std::string tracking = text_member(problem, "trackingId");
        std::string marks = error.reason;
        marks += field.empty() ? "" : ", field " + field;
        marks += tracking.empty() ? "" : ", tracking id " + tracking;
        error.detail += marks.empty() ? "" : "\n  (" + marks + ")";
    }
    if (error.detail.empty()) {
        error.detail = "the server answered " + std::to_string(status) + " without saying why";
    }
    if (status == 401) {
        error.detail +=
            "\nGive a bearer token with --token @FILE; a server's first one is in "
            "DIR/admin-token.";
    }
    // These words belong to the command line itself; a server cannot set our exit code with them.
    if (error.reason == "usage" || error.reason == "unreachable") {
        error.reason.clear();
    }
    return error;
}

struct AdminClient::Handle {
    CURL* curl = curl_easy_init();
    curl_slist* headers = nullptr;
    SocketPath socket;
    char message[CURL_ERROR_SIZE] = "";

    explicit Handle(const std::string& path) : socket(path) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
    }
    void header(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }
};

AdminClient::AdminClient(Target target)
    : target_(std::move(target)), handle_(std::make_unique<Handle>(target_.socket)) {
    INVARIANT(handle_->curl != nullptr);
    CURL* curl = handle_->curl;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->message);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, seconds(limits::admin_connect_time_max));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds(limits::admin_answer_time_max));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, ("rollcall/" + std::string{version}).c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (!target_.socket.empty()) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, handle_->socket.usable().c_str());
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }
    if (!target_.ca_file.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, target_.ca_file.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
}

AdminClient::~AdminClient() = default;
AdminClient::AdminClient(AdminClient&&) noexcept = default;

Result<AdminClient> AdminClient::of(const Globals& globals) {
    TRY(Target target, target_of(globals));
    return AdminClient{std::move(target)};
}

Result<json::value> AdminClient::get(const std::string& path) {
    Request request;
    request.path = path;
    return send(request);
}

Result<json::value> AdminClient::send(const Request& request) {
    CURL* curl = handle_->curl;
    std::string url =
        (target_.url.empty() ? "http://localhost" : target_.url) + "/api/v1" + request.path;
    for (const auto& [name, value] : request.query) {
        url += url.find('?') == std::string::npos ? '?' : '&';
        url += name + "=" + percent_encoded(value);
    }
    curl_slist_free_all(std::exchange(handle_->headers, nullptr));
    handle_->header("Accept: application/json");
    handle_->header("Expect:");  // bodies are small; a round trip to ask first is not worth it
    if (!target_.token.empty()) {
        handle_->header("Authorization: Bearer " + target_.token);
    }
    if (!request.if_match.empty()) {
        handle_->header("If-Match: \"" + request.if_match + "\"");
    }
    const std::string body = request.body ? json::serialize(*request.body) : std::string{};
    std::string answer;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (request.body) {
        handle_->header("Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle_->headers);
    handle_->message[0] = '\0';
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        const std::string why =
            handle_->message[0] != '\0' ? handle_->message : curl_easy_strerror(code);
        const std::string hint =
            target_.url.empty() ? hint_for_socket(target_, code) : hint_for_url(target_, code);
        return Error{.kind = ErrorKind::unavailable,
                     .detail = "the server cannot be reached: " + why + "\n" + hint,
                     .reason = "unreachable"};
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) {
        return error_of(static_cast<unsigned>(status), answer);
    }
    if (answer.empty()) {
        return json::value();
    }
    boost::system::error_code failed;
    json::value parsed = json::parse(answer, failed);
    if (failed) {
        return Error{.kind = ErrorKind::internal,
                     .detail = "the server answered something that is not JSON; is " +
                               (target_.url.empty() ? target_.socket : target_.url) +
                               " a rollcall server?"};
    }
    return parsed;
}

Result<Done> AdminClient::each(Request request,
                               const std::function<void(const json::object&)>& item,
                               const std::function<void()>& page_end) {
    const std::vector<std::pair<std::string, std::string>> query = request.query;
    std::string after;
    do {
        request.query = query;
        request.query.emplace_back("limit", std::to_string(limits::page_max));
        if (!after.empty()) {
            request.query.emplace_back("after", after);
        }
        TRY(const json::value page, send(request));
        const json::object* record = page.if_object();
        const json::value* items = record != nullptr ? record->if_contains("items") : nullptr;
        if (items == nullptr || !items->is_array()) {
            return Error{.kind = ErrorKind::internal,
                         .detail = "the server answered " + request.path + " without items"};
        }
        for (const json::value& one : items->get_array()) {
            if (one.is_object()) {
                item(one.get_object());
            }
        }
        if (page_end) {
            page_end();
        }
        after = text_member(*record, "next");
    } while (!after.empty());
    return Done{};
}

}  // namespace rollcall::app
