// SPDX-License-Identifier: Apache-2.0
#include "net/http_codec.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>

namespace rollcall::net {
namespace {

namespace http = boost::beast::http;

/// Empty lines before a request line that are overlooked (RFC 9112 section 2.2 asks for one).
constexpr std::size_t empty_lines_max = 4;

/// Bytes of framing for each byte of a chunked body, beyond what a header may have: a chunk of one
/// byte needs five. Extensions and leading zeros are the rest, and count in no body.
constexpr std::size_t framing_per_byte_max = 8;

HttpRefusal malformed(std::string detail) {
    return {400, Error{ErrorKind::malformed, std::move(detail), "malformed-request"}};
}

HttpRefusal refusal_of(const boost::system::error_code& failure, std::size_t body_bytes_max) {
    if (failure == http::error::body_limit) {
        return {413, Error{ErrorKind::too_large,
                           "the body may have " + std::to_string(body_bytes_max) + " bytes",
                           "body-too-large"}};
    }
    return malformed("the request is not valid HTTP: " + failure.message());
}

/// Line endings and folds, about which Beast is lenient (RFC 9112 sections 2.2 and 5.2).
std::optional<HttpRefusal> check_lines(std::string_view head) {
    for (std::size_t i = 0; i < head.size(); ++i) {
        if (head[i] == '\r') {
            if (i + 1 >= head.size() || head[i + 1] != '\n') {
                return malformed("a carriage return stands alone");
            }
            ++i;
            const bool next_is_field = i + 1 < head.size();
            if (next_is_field && (head[i + 1] == ' ' || head[i + 1] == '\t')) {
                return malformed("a header field is folded");
            }
        } else if (head[i] == '\n') {
            return malformed("a line feed stands alone");
        } else if (head[i] == '\0') {
            return malformed("the header holds a NUL");
        }
    }
    return std::nullopt;
}

std::string host_of(std::string_view authority) {
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) {
        authority.remove_prefix(user + 1);
    }
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    return to_lower_ascii(has_port ? authority.substr(0, colon) : authority);
}

/// A host and perhaps a port (RFC 9112 section 3.2): nothing that others could take for its end.
bool is_authority(std::string_view value) {
    return value.find_first_of(" \t/\\?#@,<>\"") == std::string_view::npos;
}

/// Fills path, query and host from the target (RFC 9112 section 3.2).
bool split_target(HttpRequest& request) {
    std::string_view target = request.target;
    if (target.empty()) {
        return false;
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
            target.remove_prefix(scheme.size());
            const auto slash = std::min(target.find_first_of("/?"), target.size());
            request.host = host_of(target.substr(0, slash));
            target.remove_prefix(slash);
            if (request.host.empty()) {
                return false;  // RFC 9110 section 4.2.1
            }
            if (target.empty() || target.front() == '?') {
                request.path = "/";
                request.query = target.substr(std::min<std::size_t>(1, target.size()));
                return true;
            }
        }
    }
    const auto question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    return target.front() == '/' || request.method == "CONNECT" ||
           (target == "*" && request.method == "OPTIONS");
}

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<WebSocketWelcome> HttpHandler::welcome_websocket(const HttpRequest& /*request*/) {
    return std::nullopt;
}

std::size_t HttpHandler::body_bytes_max_of(std::string_view /*target*/) const {
    return body_bytes_max();
}

/// Beast calls back while it reads; what it says goes straight into an HttpRequest.
struct HttpRequestReader::Parser {
    /// One request's parser: Beast's cannot be used twice.
    class Message final : public http::basic_parser<true> {
    public:
        Message(HttpRequest& request, const HttpBounds& bounds)
            : request_(request), bounds_(bounds), body_bytes_max_(bounds.body_bytes_max) {
            header_limit(std::numeric_limits<std::uint32_t>::max());  // we counted already
            body_limit(body_bytes_max_);
        }

        std::size_t body_bytes_max() const { return body_bytes_max_; }

        bool http_1_0() const { return version_ == 10; }

    private:
        using Text = boost::beast::string_view;
        using Code = boost::beast::error_code;

        static std::string_view view(Text text) { return {text.data(), text.size()}; }

        void on_request_impl(http::verb, Text method, Text target, int version, Code&) override {
            version_ = version;
            request_.method = view(method);
            request_.target = view(target);
            if (bounds_.body_bytes_max_of) {
                body_bytes_max_ = bounds_.body_bytes_max_of(request_.target);
                body_limit(body_bytes_max_);
            }
        }
        void on_response_impl(int, Text, int, Code&) override {}
        void on_field_impl(http::field, Text name, Text value, Code&) override {
            // Trailers come after the header was looked at and must not add to it.
            if (!is_header_done()) {
                request_.headers.emplace_back(view(name), view(value));
            }
        }
        void on_header_impl(Code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
        std::size_t on_body_impl(Text body, Code&) override {
            request_.body.append(body.data(), body.size());
            return body.size();
        }
        void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
        std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override {
            request_.body.append(body.data(), body.size());
            return body.size();
        }
        void on_finish_impl(Code&) override {}

        HttpRequest& request_;
        const HttpBounds& bounds_;
        std::size_t body_bytes_max_;
        int version_ = 11;
    };

    explicit Parser(const HttpBounds& given) : bounds(given) {}

    Progress feed_head(ByteView bytes);
    Progress read_head(std::size_t surplus, std::size_t given);
    std::optional<HttpRefusal> check_head();
    Progress feed_body(ByteView bytes);
    std::size_t parse(std::string_view bytes, boost::system::error_code& failure);
    Progress refuse(HttpRefusal why);
    void begin_anew();

    const HttpBounds bounds;
    HttpRequest request;
    HttpRefusal refusal;
    std::optional<Message> message;  ///< from the complete head on
    std::string pending;             ///< of the head, or of a chunk's framing, not yet parsed
    std::size_t empty_lines = 0;
    std::size_t body_taken = 0;  ///< of the body with its framing
    bool keep_alive = true;
    bool http_1_0 = false;
};

HttpRequestReader::HttpRequestReader(const HttpBounds& bounds)
    : parser_(std::make_unique<Parser>(bounds)) {}
HttpRequestReader::~HttpRequestReader() = default;

HttpRequestReader::Progress HttpRequestReader::feed(ByteView bytes) {
    if (parser_->message) {
        return parser_->feed_body(bytes);
    }
    const Progress head = parser_->feed_head(bytes);
    if (head.step != Step::need_more || head.consumed == bytes.size()) {
        return head;
    }
    const Progress body = parser_->feed_body(bytes.subspan(head.consumed));
    return {body.step, head.consumed + body.consumed};
}

bool HttpRequestReader::started() const {
    return parser_->message.has_value() || !parser_->pending.empty();
}

HttpRequest HttpRequestReader::take() {
    HttpRequest taken = std::move(parser_->request);
    parser_->begin_anew();
    return taken;
}

const HttpRequest& HttpRequestReader::so_far() const {
    return parser_->request;
}
bool HttpRequestReader::keep_alive() const {
    return parser_->keep_alive;
}
bool HttpRequestReader::http_1_0() const {
    return parser_->http_1_0;
}
const HttpRefusal& HttpRequestReader::refusal() const {
    return parser_->refusal;
}

void HttpRequestReader::Parser::begin_anew() {
    request = HttpRequest{};
    message.reset();
    pending.clear();
    empty_lines = 0;
    body_taken = 0;
}

HttpRequestReader::Progress HttpRequestReader::Parser::refuse(HttpRefusal why) {
    refusal = std::move(why);
    return {Step::refused, 0};
}

HttpRequestReader::Progress HttpRequestReader::Parser::feed_head(ByteView bytes) {
    std::size_t searched = pending.size();
    pending.append(as_text(bytes));
    while (pending.starts_with("\r\n")) {
        if (++empty_lines > empty_lines_max) {
            return refuse(malformed("there are empty lines instead of a request"));
        }
        pending.erase(0, 2);
        searched = 0;
    }
    const auto end = pending.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
    const bool ended = end != std::string::npos;
    const std::size_t head_size = ended ? end + 4 : pending.size() + 1;
    if (head_size > bounds.header_bytes_max) {
        return refuse({431, Error{ErrorKind::too_large,
                                  "request line and header may have " +
                                      std::to_string(bounds.header_bytes_max) + " bytes",
                                  "header-too-large"}});
    }
    if (!ended) {
        return {Step::need_more, bytes.size()};
    }
    return read_head(pending.size() - head_size, bytes.size());
}

HttpRequestReader::Progress HttpRequestReader::Parser::read_head(std::size_t surplus,
                                                                 std::size_t given) {
    pending.resize(pending.size() - surplus);
    if (auto refused = check_lines(pending)) {
        return refuse(*std::move(refused));
    }
    message.emplace(request, bounds);
    boost::system::error_code failure;
    parse(pending, failure);
    pending.clear();
    const bool addressed = split_target(request);
    if (failure && failure != http::error::body_limit) {
        return refuse(refusal_of(failure, message->body_bytes_max()));
    }
    http_1_0 = message->http_1_0();
    if (auto refused = check_head()) {
        return refuse(*std::move(refused));
    }
    if (!addressed) {
        return refuse(malformed("the request target is neither a path nor an absolute URL"));
    }
    if (failure) {
        return refuse(refusal_of(failure, message->body_bytes_max()));
    }
    keep_alive = message->keep_alive();
    const std::size_t consumed = given - surplus;
    if (message->is_done()) {
        return {Step::complete, consumed};
    }
    const auto expect = request.header("expect");
    const bool waits = expect && equal_ignoring_case(*expect, "100-continue") && !http_1_0;
    return {waits && surplus == 0 ? Step::send_continue : Step::need_more, consumed};
}

/// What a complete head must satisfy beyond Beast's reading of it.
std::optional<HttpRefusal> HttpRequestReader::Parser::check_head() {
    std::size_t hosts = 0;
    std::size_t codings = 0;
    bool chunked = false;
    bool named = true;
    for (const auto& [name, value] : request.headers) {
        if (equal_ignoring_case(name, "host")) {
            ++hosts;
            named = named && is_authority(value);
            request.host = request.host.empty() ? host_of(value) : request.host;
        } else if (equal_ignoring_case(name, "transfer-encoding")) {
            ++codings;
            chunked = equal_ignoring_case(value, "chunked");
        }
    }
    // Beast takes a body of unknown coding for no body, and its bytes for the next request.
    if (codings > 0 && (http_1_0 || codings > 1)) {
        return malformed("Transfer-Encoding is not allowed here");
    }
    if (codings == 1 && !chunked) {
        return HttpRefusal{
            501, Error{ErrorKind::unsupported, "of transfer codings only 'chunked' is understood",
                       "unsupported-transfer-coding"}};
    }
    if (hosts > 1 || (hosts == 0 && !http_1_0)) {
        return malformed("the request needs exactly one Host field");  // RFC 9112 section 3.2
    }
    if (!named) {
        return malformed("the Host field is no host");
    }
    return std::nullopt;
}

std::size_t HttpRequestReader::Parser::parse(std::string_view bytes,
                                             boost::system::error_code& failure) {
    std::size_t eaten = 0;
    failure = {};
    while (eaten < bytes.size() && !message->is_done() && !failure) {
        const boost::asio::const_buffer rest(bytes.data() + eaten, bytes.size() - eaten);
        eaten += message->put(rest, failure);
    }
    return eaten;
}

HttpRequestReader::Progress HttpRequestReader::Parser::feed_body(ByteView bytes) {
    // Usually there is nothing pending and the caller's bytes are parsed where they lie.
    const bool joined = !pending.empty();
    if (joined) {
        pending.append(as_text(bytes));
    }
    const std::string_view input = joined ? std::string_view(pending) : as_text(bytes);
    boost::system::error_code failure;
    const std::size_t eaten = parse(input, failure);
    const std::size_t surplus = input.size() - eaten;
    if (failure && failure != http::error::need_more) {
        return refuse(refusal_of(failure, message->body_bytes_max()));
    }
    body_taken += eaten;
    const std::size_t framing = body_taken - request.body.size();
    if (framing > bounds.header_bytes_max + framing_per_byte_max * request.body.size()) {
        return refuse(malformed("the framing of the chunks is out of proportion to the body"));
    }
    if (message->is_done()) {
        return {Step::complete, bytes.size() - surplus};
    }
    pending = std::string(input.substr(eaten));
    if (pending.size() > bounds.header_bytes_max) {
        return refuse(malformed("a chunk's framing or the trailer is too long"));
    }
    return {Step::need_more, bytes.size()};
}

}  // namespace rollcall::net
