// SPDX-License-Identifier: Apache-2.0
// Makes shared access signatures as devices do, and keys to make them with.
#pragma once

#include "domain/symmetric_key.hpp"
#include "support/pki.hpp"
#include "x509/digest.hpp"

#include <string>
#include <string_view>

namespace rollcall::test {

/// 64 bytes that tell themselves from those of another number.
inline domain::SymmetricKey a_key(std::uint8_t number) {
    return *domain::symmetric_key_of(Bytes(64, number));
}

inline domain::SymmetricKeys two_keys(std::uint8_t primary, std::uint8_t secondary) {
    return {a_key(primary), a_key(secondary)};
}

inline std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
        encoded += plain ? std::string(1, c) : "%" + to_upper_hex(as_bytes({&c, 1}));
    }
    return encoded;
}

/// `sr` is signed and sent as it is given.
inline std::string sas_of(const domain::SymmetricKey& key, const std::string& sr, TimePoint end,
                          const std::string& tail = "&skn=registration") {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(end).time_since_epoch().count();
    const std::string se = std::to_string(seconds);
    const Digest signature = x509::hmac_sha256(key.bytes(), as_bytes(sr + "\n" + se));
    return "SharedAccessSignature sr=" + sr +
           "&sig=" + percent_encoded(to_base64(signature.bytes)) + "&se=" + se + tail;
}

/// Of a_request()'s scope, good for an hour.
inline std::string registration_sas(const domain::SymmetricKey& key, const std::string& id,
                                    TimePoint end = today + std::chrono::hours{1}) {
    return sas_of(key, percent_encoded("0neTEST/registrations/" + id), end);
}

inline std::string device_sas(const domain::SymmetricKey& key, const std::string& device,
                              TimePoint end = today + std::chrono::hours{1}) {
    return sas_of(key, percent_encoded("hub.example/devices/" + device), end, "");
}

}  // namespace rollcall::test
