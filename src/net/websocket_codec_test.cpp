// SPDX-License-Identifier: Apache-2.0
#include "net/websocket_codec.hpp"

#include "support/websocket_client.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace rollcall::net {
namespace {

using test::big_endian;
using test::binary;
using test::client_frame;
using test::closing;
using test::ping;

constexpr std::size_t message_bytes_max = 1'000;

/// What a reader tells of these bytes, fed in pieces: "Hello", "ping(x)", "close(1000 bye)",
/// "refused 1002". Payload that follows payload is joined.
std::string told(std::string_view wire, std::size_t piece = 100'000) {
    WebSocketReader reader{message_bytes_max};
    std::string text;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
        // A copy: the reader unmasks in place.
        std::string part{wire.substr(at, piece)};
        std::span<std::uint8_t> rest{reinterpret_cast<std::uint8_t*>(part.data()), part.size()};
        while (!rest.empty()) {
            const auto progress = reader.feed(rest);
            const std::string control{as_text(reader.control())};
            switch (progress.step) {
                case WebSocketReader::Step::nothing: break;
                case WebSocketReader::Step::payload: text += as_text(progress.payload); break;
                case WebSocketReader::Step::ping: text += "ping(" + control + ")"; break;
                case WebSocketReader::Step::close:
                    return text + "close(" + test::ServerFrame{0x88, control}.str() + ")";
                case WebSocketReader::Step::refused:
                    return text + "refused " +
                           std::to_string(static_cast<int>(reader.refusal_code()));
            }
            EXPECT_GT(progress.consumed, 0U);
            rest = rest.subspan(progress.consumed);
        }
    }
    return text;
}

struct Row {
    const char* what;
    std::string wire;
    std::string told;
};

TEST(WebSocketReader, ReadsFrames) {
    const std::string hello = "\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    const Row rows[] = {
        // RFC 6455 section 5.7, as far as a client may send it.
        {"masked Hello, binary", "\x82\x85" + hello, "Hello"},
        {"masked Hello, text", "\x81\x85" + hello, "refused 1003"},
        {"masked ping", "\x89\x85" + hello, "ping(Hello)"},
        {"masked pong", "\x8a\x85" + hello + binary("x"), "x"},
        {"256 bytes", binary(std::string(256, 'y')), std::string(256, 'y')},

        {"two messages", binary("Hel") + binary("lo"), "Hello"},
        {"empty messages", binary("") + binary("") + binary("x"), "x"},
        {"125 bytes", binary(std::string(125, 'y')), std::string(125, 'y')},
        {"126 bytes", binary(std::string(126, 'y')), std::string(126, 'y')},
        {"no mask to speak of", client_frame(0x82, "abc", std::string(4, '\0')), "abc"},
        {"fragments", client_frame(0x02, "Hel") + client_frame(0x80, "lo") + binary("!"), "Hello!"},
        {"empty fragments",
         client_frame(0x02, "") + client_frame(0x00, "") + client_frame(0x80, "x"), "x"},
        {"ping between fragments", client_frame(0x02, "Hel") + ping("p") + client_frame(0x80, "lo"),
         "Helping(p)lo"},
        {"pong between fragments",
         client_frame(0x02, "Hel") + client_frame(0x8a, "p") + client_frame(0x80, "lo"), "Hello"},
        {"empty ping", ping("") + binary("x"), "ping()x"},
        {"longest ping", ping(std::string(125, 'p')), "ping(" + std::string(125, 'p') + ")"},
        {"two pings", ping("first") + ping("2"), "ping(first)ping(2)"},
        {"close", binary("x") + closing(1000, "bye") + binary("no more"),
         "xclose(88 " + big_endian(1000, 2) + "bye)"},
        {"close without a code", client_frame(0x88, ""), "close(88 )"},
        {"close of a private code", closing(4999), "close(88 4999)"},
        {"close in a message", client_frame(0x02, "Hel") + closing(1001), "Helclose(88 1001)"},
    };
    for (const auto& [what, wire, expected] : rows) {
        EXPECT_EQ(told(wire), expected) << what;
        for (const std::size_t piece : {1, 2, 3, 5, 7, 64}) {
            EXPECT_EQ(told(wire, piece), expected) << what << " in pieces of " << piece;
        }
    }
}

TEST(WebSocketReader, RefusesWhatBreaksTheProtocol) {
    const std::string open = client_frame(0x02, "a");
    const std::string head = "\x82";
    const Row rows[] = {
        {"RSV1, as compressed messages have it", client_frame(0xc2, "x"), "refused 1002"},
        {"RSV2", client_frame(0xa2, "x"), "refused 1002"},
        {"RSV3", client_frame(0x92, "x"), "refused 1002"},
        {"RSV1 on a ping", client_frame(0xc9, "x"), "refused 1002"},
        {"not masked", big_endian(0x8201, 2) + "x", "refused 1002"},
        {"not masked, empty", big_endian(0x8200, 2), "refused 1002"},
        {"ping not masked", big_endian(0x8900, 2), "refused 1002"},
        {"TLS instead", "\x16\x03\x01\x02\x00", "refused 1002"},
        {"fragmented ping", client_frame(0x09, "x"), "refused 1002"},
        {"fragmented close", client_frame(0x08, ""), "refused 1002"},
        {"ping of 126 bytes", client_frame(0x89, std::string(126, 'p')), "refused 1002"},
        {"ping of 64 KiB", client_frame(0x89, std::string(65'536, 'p')), "refused 1002"},
        {"continuation of nothing", client_frame(0x80, "x"), "refused 1002"},
        {"continuation after the end", binary("a") + client_frame(0x80, "x"), "arefused 1002"},
        {"message within a message", open + binary("x"), "arefused 1002"},
        {"text within a message", open + client_frame(0x81, "x"), "arefused 1002"},
        {"text", client_frame(0x81, "x"), "refused 1003"},
        {"fragment of text", client_frame(0x01, "x"), "refused 1003"},
        {"125 in two bytes", head + "\xfe" + big_endian(125, 2) + "mask", "refused 1002"},
        {"65535 in eight bytes", head + "\xff" + big_endian(65'535, 8) + "mask", "refused 1002"},
        {"highest bit of a length", head + "\xff" + big_endian(1ULL << 63, 8) + "mask",
         "refused 1002"},
        {"largest length", head + "\xff" + big_endian((1ULL << 63) - 1, 8) + "mask",
         "refused 1009"},
        {"half a close code", client_frame(0x88, "\x03"), "refused 1002"},
        {"reason that is no text", closing(1000, "\xff\xfe"), "refused 1007"},
    };
    for (const auto& [what, wire, expected] : rows) {
        EXPECT_EQ(told(wire), expected) << what;
        EXPECT_EQ(told(wire, 1), expected) << what << " byte by byte";
    }
}

TEST(WebSocketReader, KnowsSixOpcodes) {
    for (unsigned opcode = 0; opcode < 16; ++opcode) {
        const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        const std::string text = told(client_frame(0x80 | opcode, ""));
        if (!known) {
            EXPECT_EQ(text, "refused 1002") << opcode;
        } else if (opcode != 0 && opcode != 1) {
            EXPECT_EQ(text.find("refused"), std::string::npos) << opcode;
        }
    }
}

TEST(WebSocketReader, TakesTheCloseCodesThatMayBeSent) {
    for (unsigned code = 0; code < 6'000; ++code) {
        const bool may = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                         (code >= 3000 && code <= 4999);
        EXPECT_EQ(told(closing(code)) == "refused 1002", !may) << code;
    }
}

TEST(WebSocketReader, BoundsAMessageInOneFrameOrInMany) {
    const std::string most(message_bytes_max, 'x');
    EXPECT_EQ(told(binary(most) + binary(most)), most + most);
    EXPECT_EQ(told(binary(most + "x")), "refused 1009");
    const std::string begun = client_frame(0x02, most.substr(1));
    EXPECT_EQ(told(begun + client_frame(0x00, "x") + client_frame(0x80, "") + binary("y")),
              most + "y");
    EXPECT_EQ(told(begun + client_frame(0x00, "x") + client_frame(0x80, "x")),
              most + "refused 1009");
}

TEST(WebSocketReader, RefusesBeforeThePayloadComes) {
    EXPECT_EQ(told(client_frame(0x82, std::string(2'000, 'x')).substr(0, 8)), "refused 1009");
    EXPECT_EQ(told(client_frame(0x81, "text").substr(0, 2)), "refused 1003");
}

TEST(WebSocketReader, TellsWhyInOurWords) {
    const std::pair<std::string, ErrorKind> rows[] = {
        {client_frame(0x81, "x"), ErrorKind::unsupported},
        {binary(std::string(message_bytes_max + 1, 'x')), ErrorKind::too_large},
        {big_endian(0x8200, 2), ErrorKind::malformed},
        {closing(1000, "\xff"), ErrorKind::malformed},
    };
    for (const auto& [wire, kind] : rows) {
        WebSocketReader reader{message_bytes_max};
        Bytes bytes(wire.begin(), wire.end());
        EXPECT_EQ(reader.feed(bytes).step, WebSocketReader::Step::refused);
        EXPECT_EQ(reader.refusal().kind, kind);
        EXPECT_FALSE(reader.refusal().detail.empty());
        EXPECT_FALSE(reader.refusal().reason.empty());
    }
}

TEST(WebSocketFrames, AreWrittenAsTheStandardShowsThem) {
    const auto head = [](std::size_t size) {
        Bytes wire;
        append_frame_head(wire, WebSocketOpcode::binary, size);
        return to_hex(wire);
    };
    EXPECT_EQ(head(0), "8200");
    EXPECT_EQ(head(125), "827d");
    EXPECT_EQ(head(126), "827e007e");
    EXPECT_EQ(head(256), "827e0100");
    EXPECT_EQ(head(65'535), "827effff");
    EXPECT_EQ(head(65'536), "827f0000000000010000");
    Bytes pong;
    append_control_frame(pong, WebSocketOpcode::pong, as_bytes("Hello"));
    EXPECT_EQ(to_hex(pong), "8a0548656c6c6f");
    Bytes close;
    append_close_frame(close, WebSocketClose::normal);
    EXPECT_EQ(to_hex(close), "880203e8");
}

}  // namespace
}  // namespace rollcall::net
