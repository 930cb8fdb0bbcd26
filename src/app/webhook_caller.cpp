// SPDX-License-Identifier: Apache-2.0
#include "app/webhook_caller.hpp"

#include "app/version.hpp"
#include "base/invariant.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace rollcall::app {

using service::WebhookAnswer;
using Outcome = WebhookAnswer::Outcome;
using std::chrono::milliseconds;

namespace {

/// Before the second attempt; before each later one as much again.
constexpr milliseconds pause_between{250};

/// Where another attempt may find things better.
bool may_pass(const WebhookAnswer& answer) {
    if (answer.outcome == Outcome::unreachable) {
        return true;
    }
    const unsigned status = answer.status;
    return answer.outcome == Outcome::answered &&
           (status == 408 || status == 429 || status == 500 || (status > 501 && status < 505));
}

}  // namespace

/// One attempt. Its coroutine owns it and waits; the loop's thread fills it meanwhile.
struct WebhookCaller::Job {
    const service::WebhookCall& call;
    milliseconds time_max;
    WebhookAnswer answer{};
    milliseconds spent{0};
    std::function<void()> wake{};
    std::size_t header_bytes = 0;
    bool too_large = false;
    char message[CURL_ERROR_SIZE] = "";

    void end(CURL* easy, CURLcode code);

    static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* into) {
        auto& job = *static_cast<Job*>(into);
        if (job.answer.body.size() + size * count > limits::webhook_answer_bytes_max) {
            job.too_large = true;
            return 0;  // ends the transfer
        }
        job.answer.body.append(bytes, size * count);
        return size * count;
    }
    static std::size_t take_header(char*, std::size_t size, std::size_t count, void* into) {
        auto& job = *static_cast<Job*>(into);
        job.header_bytes += size * count;
        job.too_large = job.header_bytes > limits::webhook_header_bytes_max;
        return job.too_large ? 0 : size * count;
    }
};

/// What became of the attempt.
void WebhookCaller::Job::end(CURL* easy, CURLcode code) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    spent = milliseconds{microseconds / 1000};
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<unsigned>(std::max(status, 0L));
    if (code == CURLE_OK) {
        return;
    }
    answer.note = message[0] != '\0' ? message : curl_easy_strerror(code);
    answer.body.clear();
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT: answer.outcome = Outcome::silent; break;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS: answer.outcome = Outcome::untrusted; break;
        default: answer.outcome = too_large ? Outcome::too_large : Outcome::unreachable;
    }
}

/// The thread and what it works on. Everything of libcurl is the thread's own, save the wake-up.
class WebhookCaller::Loop {
public:
    explicit Loop(const WebhookSettings& settings) : settings_(settings) {
        INVARIANT(multi_ != nullptr);
        curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                          static_cast<long>(limits::webhook_connections_per_host_max));
        curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                          static_cast<long>(limits::webhook_connections_max));
        thread_ = std::thread{[this] { run(); }};
    }
    ~Loop() {
        close();
        curl_multi_cleanup(multi_);
        curl_slist_free_all(headers_);
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Takes a place for a call with all its attempts. false: there is none.
    bool enter() {
        const std::scoped_lock lock{mutex_};
        if (closing_ || calls_ >= settings_.calls_max) {
            return false;
        }
        ++calls_;
        return true;
    }
    void leave() {
        const std::scoped_lock lock{mutex_};
        --calls_;
    }
    void add(Job& job) {
        {
            const std::scoped_lock lock{mutex_};
            inbox_.push_back(&job);
        }
        curl_multi_wakeup(multi_);
    }
    void close() {
        {
            const std::scoped_lock lock{mutex_};
            closing_ = true;
        }
        if (thread_.joinable()) {
            curl_multi_wakeup(multi_);
            thread_.join();
        }
    }

private:
    void run();
    void start(Job& job);
    void finish_ended();

    const WebhookSettings& settings_;
    static CURLM* new_multi() {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        return curl_multi_init();
    }

    CURLM* multi_ = new_multi();
    curl_slist* headers_ = nullptr;
    std::mutex mutex_;
    std::vector<Job*> inbox_;
    std::size_t calls_ = 0;
    bool closing_ = false;
    std::size_t running_ = 0;  ///< the thread's
    std::thread thread_;
};

void WebhookCaller::Loop::run() {
    constexpr int rest = 1'000;  // what comes sooner wakes it
    headers_ = curl_slist_append(headers_, "Content-Type: application/json; charset=utf-8");
    headers_ = curl_slist_append(headers_, "Accept: application/json");
    headers_ = curl_slist_append(headers_, "Expect:");
    for (;;) {
        std::vector<Job*> fresh;
        bool closing = false;
        {
            const std::scoped_lock lock{mutex_};
            fresh = std::exchange(inbox_, {});
            closing = closing_;
        }
        for (Job* const job : fresh) {
            start(*job);
        }
        if (closing && running_ == 0) {
            return;
        }
        int unfinished = 0;
        curl_multi_perform(multi_, &unfinished);
        finish_ended();
        curl_multi_poll(multi_, nullptr, 0, rest, nullptr);
    }
}

void WebhookCaller::Loop::start(Job& job) {
    CURL* const easy = curl_easy_init();
    INVARIANT(easy != nullptr);
    const auto set = [easy](auto option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_PRIVATE, static_cast<void*>(&job));
    set(CURLOPT_URL, job.call.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, settings_.loopback_http ? "http,https" : "https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    if (domain::is_loopback_http(job.call.url)) {
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
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(job.time_max.count()));
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(job.call.body.size()));
    set(CURLOPT_POSTFIELDS, job.call.body.c_str());
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_USERAGENT, ("rollcall/" + std::string{version}).c_str());
    set(CURLOPT_WRITEFUNCTION, Job::take_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&job));
    set(CURLOPT_HEADERFUNCTION, Job::take_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&job));
    set(CURLOPT_ERRORBUFFER, static_cast<char*>(job.message));
    if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
        job.end(easy, CURLE_FAILED_INIT);
        curl_easy_cleanup(easy);
        const auto wake = std::move(job.wake);  // the job dies with its coroutine
        wake();
        return;
    }
    ++running_;
}

void WebhookCaller::Loop::finish_ended() {
    int left = 0;
    while (const CURLMsg* const news = curl_multi_info_read(multi_, &left)) {
        if (news->msg != CURLMSG_DONE) {
            continue;
        }
        CURL* const easy = news->easy_handle;
        const CURLcode code = news->data.result;
        char* job = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
        auto& ended = *reinterpret_cast<Job*>(job);
        ended.end(easy, code);
        curl_multi_remove_handle(multi_, easy);
        curl_easy_cleanup(easy);
        --running_;
        const auto wake = std::move(ended.wake);
        wake();
    }
}

WebhookCaller::WebhookCaller(const WebhookSettings& settings)
    : settings_(settings), loop_(std::make_unique<Loop>(settings_)) {}
WebhookCaller::~WebhookCaller() = default;

void WebhookCaller::close() {
    loop_->close();
}

Task<Result<WebhookAnswer>> WebhookCaller::call_webhook(const service::WebhookCall& call) {
    WebhookAnswer answer;
    if (!call.url.starts_with("https://") &&
        !(settings_.loopback_http && domain::is_loopback_http(call.url))) {
        answer.outcome = Outcome::not_allowed;
        co_return answer;
    }
    if (!loop_->enter()) {
        co_return Error{ErrorKind::unavailable, "too many allocation webhooks are being asked",
                        "webhook-busy"};
    }
    struct Leaving {
        Loop& loop;
        ~Leaving() { loop.leave(); }
    };
    const Leaving leaving{*loop_};
    milliseconds left = limits::webhook_time_max;
    for (int attempt = 1;; ++attempt) {
        Job job{call, std::min(left, settings_.call_time_max)};
        const auto start = [this, &job](auto handler) {
            auto held = std::make_shared<decltype(handler)>(std::move(handler));
            auto home = asio::prefer(asio::get_associated_executor(*held),
                                     asio::execution::outstanding_work.tracked);
            job.wake = [home, held] { asio::post(home, [held] { (*held)(); }); };
            loop_->add(job);
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                             asio::use_awaitable);
        answer = std::move(job.answer);
        const milliseconds pause = attempt * pause_between;
        left -= job.spent + pause;
        if (!may_pass(answer) || attempt == limits::webhook_attempts_max ||
            left <= milliseconds{0}) {
            co_return answer;
        }
        asio::steady_timer timer{co_await asio::this_coro::executor};
        timer.expires_after(pause);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace rollcall::app
