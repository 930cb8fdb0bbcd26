// SPDX-License-Identifier: Apache-2.0
#include "x509/openssl.hpp"

#include <openssl/err.h>

namespace rollcall::x509 {

BioHandle reading(std::string_view text) {
    BioHandle bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
    INVARIANT(bio != nullptr);
    return bio;
}

std::string written(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

Error openssl_error(ErrorKind kind, std::string detail, std::string reason) {
    std::string note;
    while (const unsigned long code = ERR_get_error()) {
        char words[256];
        ERR_error_string_n(code, words, sizeof words);
        note += note.empty() ? "" : "; ";
        note += words;
    }
    return Error{kind, std::move(detail), std::move(reason), std::move(note)};
}

void forget_openssl_errors() {
    ERR_clear_error();
}

}  // namespace rollcall::x509
