// SPDX-License-Identifier: Apache-2.0
#include "x509/peer_name.hpp"

#include "support/handmade.hpp"

#include <gtest/gtest.h>

namespace rollcall::x509 {
namespace {

using namespace rollcall::test;  // NOLINT: the builders' words are the test's language

TEST(PeerName, IsLookedForInTheAlternativeNames) {
    const Certificate certificate = handmade(
        {.name = "cn.example",
         .extensions = {{NID_subject_alt_name,
                         "DNS:a.example.com,DNS:*.w.example.com,DNS:*.com,DNS:x*.example.com,"
                         "IP:192.0.2.1,IP:2001:db8::1,email:Ops@example.com"}}});
    const std::vector<std::pair<const char*, bool>> table{
        {"a.example.com", true},
        {"A.EXAMPLE.com", true},
        {"a.example.com.", true},
        {"b.example.com", false},
        {"one.w.example.com", true},
        {"w.example.com", false},
        {"a.one.w.example.com", false},
        {"*.w.example.com", false},
        {"example.com", false},
        {"xy.example.com", false},
        {"cn.example", false},
        {"192.0.2.1", true},
        {"192.0.2.2", false},
        {"2001:DB8:0::1", true},
        {"Ops@EXAMPLE.com", true},
        {"ops@example.com", false},
        {"", false},
    };
    for (const auto& [name, spoken_for] : table) {
        EXPECT_EQ(speaks_for(certificate, name), spoken_for) << name;
    }
}

}  // namespace
}  // namespace rollcall::x509
