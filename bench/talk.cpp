// SPDX-License-Identifier: Apache-2.0
#include "talk.hpp"

#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace rollcall::bench {
namespace {

// --- HTTP ---

class HttpTalk final : public Talk {
public:
    HttpTalk(const HttpWords& words, std::string id) : words_(words), id_(std::move(id)) {}

    Step begin() override { return {.say = request(words_.method, words_.path, words_.body)}; }

    Step heard(std::string& received) override {
        const auto head = received.find("\r\n\r\n");
        if (head == std::string::npos) {
            return {};
        }
        const auto body = head + 4;
        const auto size = number_after(received, "Content-Length: ", head).value_or(0);
        if (received.size() < body + size) {
            return {};
        }
        const auto status = unsigned(std::strtoul(&received[9], nullptr, 10));
        if (status != 202 || words_.poll_path.empty()) {
            status_ = status;
            return {.done = true};
        }
        Step step;
        if (words_.waits) {
            step.pause =
                std::chrono::seconds{number_after(received, "Retry-After: ", head).value_or(2)};
        }
        step.say =
            request("GET", filled(words_.poll_path, "operation", operation_in(received)), "");
        received.erase(0, body + size);
        return step;
    }

private:
    static std::optional<std::size_t> number_after(const std::string& text, std::string_view name,
                                                   std::size_t end) {
        const auto at = text.find(name);
        return at < end ? std::optional{std::strtoul(&text[at + name.size()], nullptr, 10)}
                        : std::nullopt;
    }
    static std::string operation_in(const std::string& answer) {
        constexpr std::string_view name = "\"operationId\":\"";
        const auto at = answer.find(name);
        const auto begin = at == std::string::npos ? answer.size() : at + name.size();
        return answer.substr(begin, answer.find('"', begin) - begin);
    }
    std::string request(const std::string& method, const std::string& path,
                        const std::string& body) const {
        const std::string said = filled(body, "id", id_);
        std::string wire = method + " " + filled(path, "id", id_) + " HTTP/1.1\r\n";
        wire += "Host: " + words_.host + "\r\nAccept: application/json\r\n";
        wire += "User-Agent: rollcall-bench\r\n";
        if (!said.empty()) {
            wire += "Content-Type: application/json; charset=utf-8\r\n";
            wire += "Content-Length: " + std::to_string(said.size()) + "\r\n";
        }
        return wire + "\r\n" + said;
    }

    const HttpWords& words_;
    const std::string id_;
};

// --- MQTT 3.1.1 ---

std::string packet(unsigned char kind, const std::string& rest) {
    std::string wire(1, char(kind));
    std::size_t size = rest.size();
    do {
        wire += char((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
        size >>= 7;
    } while (size > 0);
    return wire + rest;
}

std::string text(const std::string& value) {
    return std::string{char(value.size() >> 8), char(value.size() & 0xff)} + value;
}

/// The first whole packet of `received`, taken off it: its first byte and what follows the length.
std::optional<std::pair<unsigned char, std::string>> take_packet(std::string& received) {
    std::size_t size = 0;
    for (std::size_t at = 1; at < received.size() && at < 5; ++at) {
        const auto byte = static_cast<unsigned char>(received[at]);
        size |= std::size_t(byte & 0x7f) << (7 * (at - 1));
        if (byte < 0x80) {
            if (received.size() < at + 1 + size) {
                break;
            }
            auto taken =
                std::pair{static_cast<unsigned char>(received[0]), received.substr(at + 1, size)};
            received.erase(0, at + 1 + size);
            return taken;
        }
    }
    return std::nullopt;
}

class MqttTalk final : public Talk {
public:
    MqttTalk(const MqttWords& words, std::string id) : words_(words), id_(std::move(id)) {}

    /// Clean, without a keep-alive: nothing is said unless it is measured.
    Step begin() override {
        const std::string username = filled(words_.username, "id", id_);
        const char flags = username.empty() ? '\x02' : '\x82';
        return {.say =
                    packet(0x10, text("MQTT") + '\x04' + flags + std::string(2, '\0') + text(id_) +
                                     (username.empty() ? std::string{} : text(username)))};
    }

    Step heard(std::string& received) override {
        Step step;
        while (!step.done) {
            const auto got = take_packet(received);
            if (!got) {
                break;
            }
            take(got->first, got->second, step);
        }
        return step;
    }

private:
    void take(unsigned char first, const std::string& rest, Step& step) {
        switch (first & 0xf0) {
            case 0x20: return connected(rest, step);
            case 0x90:
                step.say += packet(0x32, text("$dps/registrations/PUT/iotdps-register/?$rid=1") +
                                             std::string{'\0', '\x02'} + "{\"registrationId\":\"" +
                                             id_ + "\"}");
                return;
            case 0x30: return answered(first, rest, step);
            default: return;  // PUBACK
        }
    }
    void connected(const std::string& rest, Step& step) {
        if (rest.size() != 2 || rest[1] != 0) {
            finish(401, step);
        } else if (words_.then == MqttWords::Then::register_first) {
            step.say +=
                packet(0x82, std::string{'\0', '\x01'} + text("$dps/registrations/res/#") + '\x01');
        } else {
            finish(200, step);
        }
    }
    void answered(unsigned char first, const std::string& rest, Step& step) {
        constexpr std::string_view topic = "$dps/registrations/res/";
        const std::size_t length =
            static_cast<unsigned char>(rest[0]) * 256U + static_cast<unsigned char>(rest[1]);
        if (rest.compare(2, topic.size(), topic) != 0) {
            return finish(500, step);
        }
        if ((first & 0x06) != 0) {
            step.say += packet(0x40, rest.substr(2 + length, 2));
        }
        finish(unsigned(std::strtoul(&rest[2 + topic.size()], nullptr, 10)), step);
    }
    void finish(unsigned status, Step& step) {
        status_ = status;
        step.done = true;
        if (words_.then != MqttWords::Then::stay) {
            step.say += packet(0xe0, "");
        }
    }

    const MqttWords& words_;
    const std::string id_;
};

// --- WebSocket ---

class WebSocketTalk final : public Talk {
public:
    WebSocketTalk(std::string host, std::unique_ptr<Talk> inner)
        : host_(std::move(host)), inner_(std::move(inner)) {}

    Step begin() override {
        return {.say = "GET /$iothub/websocket HTTP/1.1\r\nHost: " + host_ +
                       "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"};
    }

    Step heard(std::string& received) override {
        if (!upgraded_) {
            const auto head = received.find("\r\n\r\n");
            if (head == std::string::npos) {
                return {};
            }
            if (received.compare(0, 12, "HTTP/1.1 101") != 0) {
                status_ = unsigned(std::strtoul(&received[9], nullptr, 10));
                return {.done = true};
            }
            received.erase(0, head + 4);
            upgraded_ = true;
            return framed(inner_->begin());
        }
        while (unframe(received)) {
        }
        Step step = framed(inner_->heard(message_));
        status_ = inner_->status();
        return step;
    }

private:
    static constexpr std::size_t small = 126;

    /// One binary message; this device's mask is always the same.
    static Step framed(Step step) {
        if (step.say.empty()) {
            return step;
        }
        constexpr std::string_view mask = "\x5a\xa5\x3c\xc3";
        const std::size_t size = step.say.size();
        std::string wire = "\x82";
        if (size < small) {
            wire += char(0x80 | size);
        } else {
            wire += std::string{char(0x80 | small), char(size >> 8), char(size & 0xff)};
        }
        wire += mask;
        for (std::size_t i = 0; i < size; ++i) {
            wire += char(step.say[i] ^ mask[i % mask.size()]);
        }
        step.say = std::move(wire);
        return step;
    }
    /// Moves the payload of one whole frame to message_.
    bool unframe(std::string& received) {
        if (received.size() < 2) {
            return false;
        }
        std::size_t at = 2;
        std::size_t size = static_cast<unsigned char>(received[1]) & 0x7f;
        if (size == small && received.size() >= 4) {
            size = static_cast<unsigned char>(received[2]) * 256U +
                   static_cast<unsigned char>(received[3]);
            at = 4;
        }
        if (received.size() < at + size) {
            return false;
        }
        message_.append(received, at, size);
        received.erase(0, at + size);
        return true;
    }

    const std::string host_;
    std::unique_ptr<Talk> inner_;
    bool upgraded_ = false;
    std::string message_;
};

}  // namespace

std::string filled(std::string text, const std::string& name, const std::string& value) {
    const std::string place = "{" + name + "}";
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
        text.replace(at, place.size(), value);
        at += value.size();
    }
    return text;
}

std::unique_ptr<Talk> talk_http(const HttpWords& words, const std::string& id) {
    return std::make_unique<HttpTalk>(words, id);
}
std::unique_ptr<Talk> talk_mqtt(const MqttWords& words, const std::string& id) {
    return std::make_unique<MqttTalk>(words, id);
}
std::unique_ptr<Talk> in_websocket(const std::string& host, std::unique_ptr<Talk> talk) {
    return std::make_unique<WebSocketTalk>(host, std::move(talk));
}

}  // namespace rollcall::bench
