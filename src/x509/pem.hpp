// SPDX-License-Identifier: Apache-2.0
// Finds PEM blocks in a text (RFC 7468), whatever stands around them. Inside x509 only.
#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::x509 {

struct PemBlock {
    std::string label;
    /// None when the block has no end or is not base64 inside.
    std::optional<Bytes> der;
};

std::vector<PemBlock> pem_blocks(std::string_view text);

}  // namespace rollcall::x509
