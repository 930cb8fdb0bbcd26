// SPDX-License-Identifier: Apache-2.0
#include "x509/pem.hpp"

namespace rollcall::x509 {

std::vector<PemBlock> pem_blocks(std::string_view text) {
    constexpr std::string_view begin = "-----BEGIN ";
    constexpr std::string_view dashes = "-----";
    std::vector<PemBlock> blocks;
    std::size_t at = 0;
    while ((at = text.find(begin, at)) != text.npos) {
        at += begin.size();
        const std::size_t label_end = text.find(dashes, at);
        if (label_end == text.npos) {
            break;
        }
        PemBlock block{std::string{text.substr(at, label_end - at)}, std::nullopt};
        at = label_end + dashes.size();
        // A block ends at the next line of dashes; that must be its own END.
        const std::size_t next = text.find(dashes, at);
        if (next != text.npos &&
            text.substr(next).starts_with("-----END " + block.label + "-----")) {
            if (auto der = parse_base64(text.substr(at, next - at))) {
                block.der = *std::move(der);
            }
        }
        blocks.push_back(std::move(block));
    }
    return blocks;
}

}  // namespace rollcall::x509
