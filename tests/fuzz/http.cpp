// SPDX-License-Identifier: Apache-2.0
// Fuzz target: HTTP/1.1 requests as bytes. However they are cut into pieces (the first byte says
// how), the same requests must come out and the same refusal.
#include "base/invariant.hpp"
#include "net/http_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace rollcall {
namespace {

using Step = net::HttpRequestReader::Step;

std::vector<std::string> read_all(ByteView bytes, std::size_t piece) {
    net::HttpRequestReader reader{{.header_bytes_max = 2'048, .body_bytes_max = 4'096}};
    std::vector<std::string> seen;
    while (!bytes.empty()) {
        const auto progress = reader.feed(bytes.first(std::min(piece, bytes.size())));
        bytes = bytes.subspan(progress.consumed);
        if (progress.step == Step::refused) {
            seen.push_back("refused " + std::to_string(reader.refusal().status));
            break;
        }
        if (progress.step == Step::complete) {
            const bool keeps = reader.keep_alive();
            const auto request = reader.take();
            seen.push_back(request.method + " " + request.target + " " + request.host + " " +
                           request.body);
            if (!keeps) {
                break;
            }
        } else {
            INVARIANT(progress.consumed > 0);
        }
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const ByteView bytes{data + 1, size - 1};
    const auto whole = read_all(bytes, bytes.size());
    const auto pieces = read_all(bytes, std::size_t{1} + data[0] % 64);
    INVARIANT(whole == pieces);
    return 0;
}

}  // namespace rollcall
