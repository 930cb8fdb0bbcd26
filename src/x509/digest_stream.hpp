// SPDX-License-Identifier: Apache-2.0
// SHA-256 of what comes in pieces: files that are too large to hold.
#pragma once

#include "base/bytes.hpp"

struct evp_md_ctx_st;

namespace rollcall::x509 {

class DigestStream {
public:
    DigestStream();
    ~DigestStream();
    DigestStream(const DigestStream&) = delete;
    DigestStream& operator=(const DigestStream&) = delete;

    void add(ByteView bytes);
    /// Of all that was added; nothing may be added afterwards.
    Digest finish();

private:
    evp_md_ctx_st* context_;
};

}  // namespace rollcall::x509
