// SPDX-License-Identifier: Apache-2.0
#include "x509/time.hpp"

#include <array>
#include <chrono>
#include <string_view>

namespace rollcall::x509 {
namespace {

int two_digits(std::string_view text, std::size_t at) {
    const char tens = text[at];
    const char ones = text[at + 1];
    const bool digits = tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
    return digits ? (tens - '0') * 10 + (ones - '0') : -1;
}

}  // namespace

std::optional<TimePoint> read_time(const ASN1_TIME* time) {
    std::string_view text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                          static_cast<std::size_t>(ASN1_STRING_length(time))};
    const bool generalized = ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME;
    if (text.size() != (generalized ? 15U : 13U) || text.back() != 'Z') {
        return std::nullopt;
    }
    int year = 0;
    if (generalized) {
        year = two_digits(text, 0) * 100;
        text.remove_prefix(2);
    }
    std::array<int, 6> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i] = two_digits(text, i * 2);
        if (parts[i] < 0 || year < 0) {
            return std::nullopt;
        }
    }
    year += parts[0];
    if (!generalized) {
        year += parts[0] >= 50 ? 1900 : 2000;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(parts[1])},
                                           std::chrono::day{static_cast<unsigned>(parts[2])}};
    if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) {
        return std::nullopt;
    }
    return std::chrono::sys_days{date} + std::chrono::hours{parts[3]} +
           std::chrono::minutes{parts[4]} + std::chrono::seconds{parts[5]};
}

}  // namespace rollcall::x509
