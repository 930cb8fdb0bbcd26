// SPDX-License-Identifier: Apache-2.0
// A registration over AMQP 1.0 as the Node SDK has it: no SASL, every step after the answer to the
// one before. Written out by hand (OASIS AMQP 1.0, parts 1 and 2).
#include "talk.hpp"

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

namespace rollcall::bench {
namespace {

constexpr std::string_view protocol{"AMQP\0\1\0\0", 8};
constexpr unsigned receiver_handle = 0, sender_handle = 1;

enum Code : unsigned char {
    open = 0x10,
    begin = 0x11,
    attach = 0x12,
    flow = 0x13,
    transfer = 0x14,
    disposition = 0x15,
    close = 0x18,
    source = 0x28,
    target = 0x29,
    properties = 0x73,
    application_properties = 0x74,
    data = 0x75,
};

std::string four_bytes(std::size_t value) {
    return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

// Values, whole with their constructors (part 1, section 1.6).
const std::string null = "\x40";
std::string boolean(bool value) {
    return value ? "\x41" : "\x42";
}
std::string number(std::size_t value) {
    return "\x70" + four_bytes(value);
}
std::string string(const std::string& value) {
    return "\xb1" + four_bytes(value.size()) + value;
}
std::string symbol(const std::string& value) {
    return "\xb3" + four_bytes(value.size()) + value;
}
std::string binary(const std::string& value) {
    return "\xb0" + four_bytes(value.size()) + value;
}
std::string described(Code code, const std::string& value) {
    return std::string{'\0', '\x53', char(code)} + value;
}
std::string compound(char constructor, std::initializer_list<std::string> members) {
    std::string all;
    for (const auto& member : members) {
        all += member;
    }
    return constructor + four_bytes(all.size() + 4) + four_bytes(members.size()) + all;
}
std::string list(std::initializer_list<std::string> members) {
    return compound('\xd0', members);
}
std::string map(std::initializer_list<std::string> members) {
    return compound('\xd1', members);
}

std::string frame(Code code, std::initializer_list<std::string> fields,
                  const std::string& payload = {}) {
    const std::string body = described(code, list(fields)) + payload;
    return four_bytes(body.size() + 8) + std::string("\x02\0\0\0", 4) + body;
}

std::size_t number_at(const std::string& text, std::size_t at) {
    std::size_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        value = value << 8 | static_cast<unsigned char>(text[i]);
    }
    return value;
}

class AmqpTalk final : public Talk {
public:
    AmqpTalk(const AmqpWords& words, const std::string& id)
        : address_(filled(words.address, "id", id)), id_(id), stays_(words.stays) {}

    Step begin() override { return {.say = std::string{protocol}}; }

    Step heard(std::string& received) override {
        Step step;
        if (!greeted_) {
            if (received.size() < protocol.size()) {
                return step;
            }
            if (received.compare(0, protocol.size(), protocol) != 0) {
                finish(500, step);
                return step;
            }
            received.erase(0, protocol.size());
            greeted_ = true;
            step.say = frame(Code::open, {string("bench-" + id_), string("bench")});
        }
        while (!step.done && received.size() >= 4) {
            const auto size = number_at(received, 0);
            if (size < 8 || received.size() < size) {
                break;
            }
            take(received.substr(0, size), step);
            received.erase(0, size);
        }
        return step;
    }

private:
    void take(const std::string& got, Step& step) {
        const std::size_t body = 4 * static_cast<unsigned char>(got[4]);
        if (got.size() < body + 3) {
            return;  // a sign of life
        }
        switch (static_cast<unsigned char>(got[body + 2])) {
            case Code::open:
                step.say += frame(Code::begin, {null, number(0), number(window), number(window)});
                return;
            case Code::begin: step.say += attach_as(receiver_handle); return;
            case Code::attach:
                if (++attached_ == 1) {
                    step.say +=
                        frame(Code::flow, {number(0), number(window), number(0), number(window),
                                           number(receiver_handle), number(0), number(1'000)});
                    step.say += attach_as(sender_handle);
                }
                return;
            case Code::flow:
                if (attached_ == 2 && !std::exchange(asked_, true)) {
                    step.say += registration();
                }
                return;
            case Code::transfer: return answered(got, step);
            case Code::close: return finish(401, step);
            default: return;  // disposition
        }
    }

    std::string attach_as(unsigned handle) const {
        const bool receives = handle == receiver_handle;
        const std::string node = list({string(address_)});
        return frame(
            Code::attach,
            {string((receives ? "receiver-" : "sender-") + id_), number(handle), boolean(receives),
             null, null, described(Code::source, receives ? node : list({})),
             described(Code::target, receives ? list({}) : node), null, null, number(0), null, null,
             null, map({symbol("com.microsoft:api-version"), string("2019-03-31")})});
    }
    std::string registration() const {
        return frame(Code::transfer,
                     {number(sender_handle), number(0), binary("0"), number(0), boolean(false)},
                     described(Code::properties,
                               list({null, null, null, null, null, string("correlation-" + id_)})) +
                         described(Code::application_properties,
                                   map({string("iotdps-operation-type"), string("iotdps-register"),
                                        string("iotdps-forceRegistration"), boolean(false)})) +
                         described(Code::data, binary("{\"registrationId\":\"" + id_ + "\"}")));
    }
    void answered(const std::string& got, Step& step) {
        step.say += frame(Code::disposition, {boolean(true), number(0), null, boolean(true),
                                              described(accepted, list({}))});
        finish(got.find("\"status\":\"assigned\"") != std::string::npos ? 200 : 500, step);
    }
    void finish(unsigned status, Step& step) {
        status_ = status;
        step.done = true;
        if (!stays_) {
            step.say += frame(Code::close, {});
        }
    }

    static constexpr auto accepted = Code(0x24);
    static constexpr std::size_t window = 2'048;

    const std::string address_;
    const std::string id_;
    const bool stays_;
    bool greeted_ = false;
    unsigned attached_ = 0;
    bool asked_ = false;
};

}  // namespace

std::unique_ptr<Talk> talk_amqp(const AmqpWords& words, const std::string& id) {
    return std::make_unique<AmqpTalk>(words, id);
}

}  // namespace rollcall::bench
