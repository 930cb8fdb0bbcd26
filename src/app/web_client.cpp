// SPDX-License-Identifier: Apache-2.0
#include "app/web_client.hpp"

#include "app/version.hpp"
#include "domain/allocation.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <memory>
#include <utility>

namespace rollcall::app {

using service::WebQuestion;
using service::WebReply;

namespace {

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, FreeEasy>;
using ListHandle = std::unique_ptr<curl_slist, FreeList>;

Error away(std::string note) {
    return {ErrorKind::unavailable,
            "the OpenID provider cannot be reached; try again, or sign in as a local user",
            "provider-away", std::move(note), 5};
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size * count > limits::openid_answer_bytes_max) {
        return 0;  // ends the transfer
    }
    body.append(bytes, size * count);
    return size * count;
}

std::string form_of(CURL* easy, const WebQuestion& question) {
    std::string form;
    for (const auto& [name, value] : question.form) {
        char* const escaped = curl_easy_escape(easy, value.data(), static_cast<int>(value.size()));
        form.append(form.empty() ? "" : "&").append(name).append("=");
        form.append(escaped != nullptr ? escaped : "");
        curl_free(escaped);
    }
    return form;
}

}  // namespace

CurlClient::CurlClient(WebClientSettings settings) : settings_(std::move(settings)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

Task<Result<WebReply>> CurlClient::ask(const WebQuestion& question) {
    struct Place {
        std::atomic<std::size_t>& under_way;
        const bool mine = ++under_way <= limits::openid_calls_max;
        ~Place() { --under_way; }
    };
    const Place place{under_way_};
    if (!place.mine) {
        co_return Error{ErrorKind::unavailable, "too many people sign in at once; try again",
                        "provider-busy", "", 2};
    }
    const auto work = [this, &question] { return ask_now(question); };
    co_return co_await on_lane(lane_, work);
}

Result<WebReply> CurlClient::ask_now(const WebQuestion& question) const {
    const EasyHandle easy{curl_easy_init()};
    if (!easy) {
        return away("no memory");
    }
    const auto set = [&easy](auto option, auto value) {
        curl_easy_setopt(easy.get(), option, value);
    };
    WebReply reply;
    char message[CURL_ERROR_SIZE] = "";
    const std::string form = form_of(easy.get(), question);
    ListHandle headers{curl_slist_append(nullptr, "Accept: application/json")};
    const bool local = settings_.loopback_http && domain::is_loopback_http(question.url);
    set(CURLOPT_URL, question.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, local ? "http" : "https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    if (local) {
        set(CURLOPT_NOPROXY, "*");
    }
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings_.ca_file.empty()) {
        set(CURLOPT_CAINFO, settings_.ca_file.c_str());
        set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.call_time_max.count()));
    if (!form.empty()) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form.size()));
        set(CURLOPT_POSTFIELDS, form.c_str());
    }
    if (!question.basic_user.empty()) {
        set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
        set(CURLOPT_USERNAME, question.basic_user.c_str());
        set(CURLOPT_PASSWORD, question.basic_password.c_str());
    }
    if (!question.bearer.empty()) {
        set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
        set(CURLOPT_XOAUTH2_BEARER, question.bearer.c_str());
    }
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_USERAGENT, ("rollcall/" + std::string{version}).c_str());
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&reply.body));
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(message));
    const CURLcode code = curl_easy_perform(easy.get());
    if (code != CURLE_OK) {
        return away(question.url + ": " +
                    (message[0] != '\0' ? message : curl_easy_strerror(code)));
    }
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<unsigned>(std::max(status, 0L));
    return reply;
}

}  // namespace rollcall::app
