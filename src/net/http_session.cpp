// SPDX-License-Identifier: Apache-2.0
#include "net/http_session.hpp"

#include "net/http_codec.hpp"
#include "net/websocket.hpp"

#include <array>
#include <exception>

namespace rollcall::net {
namespace {

/// After a refusal the client may still be sending. Closing on unread bytes would reset the
/// connection and take our answer with it, so they are read and dropped, within these bounds.
constexpr auto linger_time = std::chrono::seconds{2};
constexpr std::size_t linger_bytes_max = 512 * 1024;

/// Where all sessions of a thread read into; used up before the next co_await.
std::span<std::uint8_t> scratch() {
    thread_local std::array<std::uint8_t, 16 * 1024> bytes;
    return bytes;
}

}  // namespace

struct HttpDoor::Held {
    Held(TlsServer* tls_, AskForCertificate ask_, HandlerChoice choose_, const Clock& clock_,
         Metrics& metrics, const HttpSettings& settings_)
        : tls(tls_),
          ask(std::move(ask_)),
          choose(std::move(choose_)),
          clock(clock_),
          settings(settings_),
          refusals(metrics.counter("rollcall_http_protocol_refusals_total",
                                   "Requests refused by the HTTP session itself.")) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            answers[i] = &metrics.counter("rollcall_http_answers_total", "HTTP answers, by class.",
                                          {{"class", std::to_string(i + 1) + "xx"}});
        }
    }

    void count(const HttpResponse& response) {
        const std::size_t kind = response.status / 100;
        INVARIANT(kind >= 1 && kind <= answers.size());
        answers[kind - 1]->add();
    }

    TlsServer* tls;
    const AskForCertificate ask;
    const HandlerChoice choose;
    const Clock& clock;
    const HttpSettings settings;
    Counter& refusals;
    std::array<Counter*, 5> answers{};
};

namespace {

class HttpSession final : public Resident {
public:
    HttpSession(Core& core, Stream& stream, HttpDoor::Held& door)
        : Resident(core), core_(core), stream_(stream), door_(door), deadline_(core, stream) {}

    Task<void> run();

    void drain() override {
        if (idle_) {
            stream_.interrupt_read();
        }
    }
    void close() override { stream_.close(); }

private:
    enum class Next { request, refusal, end };

    Task<Next> read_request(HttpRequestReader& reader);
    HttpRequestReader::Step feed(HttpRequestReader& reader, ByteView bytes);
    Task<Next> nothing_more(const HttpRequestReader& reader, const Error& why);
    Task<void> answer_requests();
    Task<HttpResponse> ask_handler(const HttpRequest& request, bool may_upgrade);
    std::optional<HttpResponse> answer_upgrade(const HttpRequest& request);
    Task<void> speak_websocket();
    Task<Result<Done>> write(ByteView bytes);
    Task<void> tell_refusal(const HttpRequestReader& reader);
    Task<void> say_goodbye();
    static Task<void> drop_rest(Stream& stream);

    Core& core_;
    Stream& stream_;
    HttpDoor::Held& door_;
    Deadline deadline_;
    HttpHandler* handler_ = nullptr;
    StreamHandler* speaker_ = nullptr;  ///< of the WebSocket that the connection became
    HttpRefusal refusal_;
    std::string leftover_;  ///< received, belongs to the next request
    bool idle_ = false;     ///< waits for a request of which nothing has come yet
};

Task<void> HttpSession::run() {
    deadline_.arm(door_.settings.handshake_time, Deadline::Then::close);
    const auto opened = co_await stream_.open();
    if (!opened) {
        co_return;  // the stream counted and logged it
    }
    handler_ = &door_.choose(stream_.facts());
    co_await answer_requests();  // with all it holds gone before a WebSocket stays for days
    if (speaker_ != nullptr) {
        co_await speak_websocket();
    }
}

Task<void> HttpSession::answer_requests() {
    const HttpBounds bounds{.header_bytes_max = door_.settings.header_bytes_max,
                            .body_bytes_max = handler_->body_bytes_max(),
                            .body_bytes_max_of = [this](std::string_view target) {
                                return handler_->body_bytes_max_of(target);
                            }};
    HttpRequestReader reader(bounds);
    deadline_.arm(door_.settings.request_time, Deadline::Then::interrupt_read);
    for (bool goes_on = true; goes_on;) {
        const Next next = co_await read_request(reader);
        if (next == Next::end) {
            co_return;
        }
        if (next == Next::refusal) {
            co_await tell_refusal(reader);
            co_return;
        }
        HttpRequest request = reader.take();
        request.connection = &stream_.facts();
        // An HTTP/1.0 client cannot know what it asks for (RFC 9110 section 7.8).
        const HttpResponse response = co_await ask_handler(request, !reader.http_1_0());
        door_.count(response);
        goes_on =
            speaker_ != nullptr || (reader.keep_alive() && !response.close && !core_.draining());
        const HttpFraming framing{.to_head = request.method == "HEAD",
                                  .http_1_0 = reader.http_1_0(),
                                  .keep_alive = goes_on};
        const std::string wire = encode_response(response, framing, door_.clock.now());
        const auto written = co_await write(as_bytes(wire));
        if (!written) {
            speaker_ = nullptr;
        }
        if (!written || speaker_ != nullptr) {
            co_return;
        }
        deadline_.arm(door_.settings.idle_time, Deadline::Then::interrupt_read);
    }
    co_await say_goodbye();
}

/// Reads until a request is complete or cannot become so.
Task<HttpSession::Next> HttpSession::read_request(HttpRequestReader& reader) {
    const std::string early = std::exchange(leftover_, {});
    auto step = HttpRequestReader::Step::need_more;
    if (!early.empty()) {
        step = feed(reader, as_bytes(early));
    }
    bool timed = false;
    for (;;) {
        if (step == HttpRequestReader::Step::complete) {
            deadline_.disarm();
            co_return Next::request;
        }
        if (step == HttpRequestReader::Step::refused) {
            refusal_ = reader.refusal();
            co_return Next::refusal;
        }
        if (step == HttpRequestReader::Step::send_continue) {
            const auto written = co_await write(as_bytes(http_continue));
            if (!written) {
                co_return Next::end;
            }
            timed = false;
        }
        if (reader.started() && !std::exchange(timed, true)) {
            deadline_.arm(door_.settings.request_time, Deadline::Then::interrupt_read);
        }
        idle_ = !reader.started();
        const auto got = co_await stream_.read_some(scratch());
        idle_ = false;
        if (!got) {
            co_return co_await nothing_more(reader, got.error());
        }
        if (*got == 0) {
            co_return Next::end;
        }
        step = feed(reader, scratch().first(*got));
    }
}

HttpRequestReader::Step HttpSession::feed(HttpRequestReader& reader, ByteView bytes) {
    const auto progress = reader.feed(bytes);
    if (progress.step == HttpRequestReader::Step::complete) {
        leftover_.assign(as_text(bytes.subspan(progress.consumed)));
    }
    return progress.step;
}

/// The read failed: late in a request, late between requests (or draining), or lost.
Task<HttpSession::Next> HttpSession::nothing_more(const HttpRequestReader& reader,
                                                  const Error& why) {
    if (why.kind != ErrorKind::deadline) {
        co_return Next::end;
    }
    if (reader.started()) {
        refusal_ = {408, Error{ErrorKind::deadline, "the request was not complete in time",
                               "request-timeout"}};
        co_return Next::refusal;
    }
    co_await say_goodbye();
    co_return Next::end;
}

Task<HttpResponse> HttpSession::ask_handler(const HttpRequest& request, bool may_upgrade) {
    Error failure{ErrorKind::internal, "the server failed"};
    try {
        if (may_upgrade && asks_for_websocket(request)) {
            if (auto response = answer_upgrade(request)) {
                co_return *std::move(response);
            }
        }
        co_return co_await handler_->handle(request);
    } catch (const std::exception& exception) {
        failure.note = exception.what();
    } catch (...) {
        failure.note = "not a std::exception";
    }
    log_event(Severity::error, "handler-failed",
              {{"door", stream_.facts().door}, {"path", request.path}, {"note", failure.note}});
    HttpResponse refused = handler_->refuse(500, failure, request);
    refused.close = true;
    co_return refused;
}

/// None when the handler welcomes no WebSocket here. Sets speaker_ when it becomes one.
std::optional<HttpResponse> HttpSession::answer_upgrade(const HttpRequest& request) {
    const auto welcome = handler_->welcome_websocket(request);
    if (!welcome) {
        return std::nullopt;
    }
    std::optional<HttpRefusal> refusal = check_websocket_handshake(request);
    if (!refusal && core_.draining()) {
        refusal = {503, Error{ErrorKind::unavailable, "the server is shutting down"}};
    }
    if (!refusal) {
        speaker_ = welcome->speaker;
        return accept_websocket(request, welcome->subprotocol);
    }
    door_.refusals.add();
    HttpResponse response = handler_->refuse(refusal->status, refusal->error, request);
    response.close = true;
    if (refusal->status == 426) {
        response.headers.emplace_back("Sec-WebSocket-Version", "13");
        response.headers.emplace_back("Upgrade", "websocket");
        response.headers.emplace_back("Connection", "Upgrade");
    }
    return response;
}

/// From here on time and draining are the speaker's business.
Task<void> HttpSession::speak_websocket() {
    deadline_.disarm();
    const auto websocket = websocket_stream(core_, stream_, std::exchange(leftover_, {}),
                                            door_.settings.websocket_message_bytes_max);
    if (!core_.draining()) {  // it may have begun while the answer was on its way
        co_await speaker_->serve(core_, *websocket);
    }
    deadline_.arm(linger_time, Deadline::Then::close);
    const auto told = co_await websocket->shutdown();
    static_cast<void>(told);  // reading shows what has become of it
    co_await drop_rest(*websocket);
    co_await say_goodbye();
    co_await drop_rest(stream_);
}

Task<Result<Done>> HttpSession::write(ByteView bytes) {
    deadline_.arm(door_.settings.answer_time, Deadline::Then::close);
    co_return co_await stream_.write(bytes);
}

Task<void> HttpSession::tell_refusal(const HttpRequestReader& reader) {
    door_.refusals.add();
    HttpRequest so_far = reader.so_far();
    so_far.connection = &stream_.facts();
    const HttpResponse response = handler_->refuse(refusal_.status, refusal_.error, so_far);
    door_.count(response);
    const HttpFraming framing{.to_head = so_far.method == "HEAD", .keep_alive = false};
    const std::string wire = encode_response(response, framing, door_.clock.now());
    const auto written = co_await write(as_bytes(wire));
    if (!written) {
        co_return;
    }
    co_await say_goodbye();
    co_await drop_rest(stream_);
}

/// Until the peer ends too, or the deadline closes the stream.
Task<void> HttpSession::drop_rest(Stream& stream) {
    for (std::size_t dropped = 0; dropped < linger_bytes_max;) {
        const auto got = co_await stream.read_some(scratch());
        if (!got || *got == 0) {
            break;
        }
        dropped += *got;
    }
}

Task<void> HttpSession::say_goodbye() {
    deadline_.arm(linger_time, Deadline::Then::close);
    const auto told = co_await stream_.shutdown();
    static_cast<void>(told);  // nothing follows that could depend on it
}

/// Owns the stream of one session.
Task<void> serve_stream(Core& core, std::unique_ptr<Stream> stream, HttpDoor::Held& door) {
    HttpSession session(core, *stream, door);
    co_await session.run();
}

}  // namespace

HttpDoor::HttpDoor(TlsServer& tls, AskForCertificate ask, HandlerChoice choose, const Clock& clock,
                   Metrics& metrics, const HttpSettings& settings)
    : held_(std::make_unique<Held>(&tls, std::move(ask), std::move(choose), clock, metrics,
                                   settings)) {}

HttpDoor::HttpDoor(HandlerChoice choose, const Clock& clock, Metrics& metrics,
                   const HttpSettings& settings)
    : held_(std::make_unique<Held>(nullptr, AskForCertificate{}, std::move(choose), clock, metrics,
                                   settings)) {}

HttpDoor::~HttpDoor() = default;

Task<void> HttpDoor::serve(Core& core, AcceptedSocket socket) {
    auto stream = held_->tls != nullptr ? held_->tls->stream(core, std::move(socket), held_->ask)
                                        : plain_stream(core, std::move(socket));
    return serve_stream(core, std::move(stream), *held_);
}

}  // namespace rollcall::net
