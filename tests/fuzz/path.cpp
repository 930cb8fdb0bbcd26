// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a search for paths among certificates that a peer chose. The first byte says how
// many of the certificates that follow are anchors; the verdict must not depend on their order.
#include "x509/path.hpp"

#include "base/invariant.hpp"
#include "x509/certificate.hpp"

#include <algorithm>
#include <cstdint>

namespace rollcall {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view file{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto all = x509::read_certificates(file, 64);
    if (!all || all->empty() || all->size() > 40) {
        return 0;
    }
    const std::size_t anchor_count = data[0] % all->size();
    x509::AnchorSet anchors;
    for (std::size_t i = 0; i < anchor_count; ++i) {
        anchors.add((*all)[all->size() - 1 - i]);
    }
    std::vector<x509::Certificate> sent(all->begin() + 1,
                                        all->end() - static_cast<std::ptrdiff_t>(anchor_count));
    x509::PathRules rules;
    rules.at = std::chrono::sys_days{std::chrono::year{2030} / 6 / 15};
    rules.purpose = (data[0] & 0x80) != 0 ? x509::Purpose::client : x509::Purpose::any;
    const auto judge = [&] {
        const x509::PathMaterial material{
            .end_entity = all->front(), .sent = sent, .stored = nullptr, .anchors = anchors};
        return x509::verify_path(material, rules);
    };
    const auto verdict = judge();
    std::reverse(sent.begin(), sent.end());
    const auto turned = judge();
    INVARIANT(verdict.valid == turned.valid && verdict.reason == turned.reason);
    return 0;
}

}  // namespace rollcall
