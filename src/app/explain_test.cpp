// SPDX-License-Identifier: Apache-2.0
#include "app/explain.hpp"

#include <sstream>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

std::string page_of(const char* explanation) {
    std::ostringstream out;
    print_explanation(out, boost::json::parse(explanation));
    return out.str();
}

TEST(Explain, ShowsTheWholeVerdict) {
    const std::string page = page_of(R"({
        "registrationId": "dev-1",
        "summary": "refused: the chain has a gap",
        "registration": null,
        "refusal": {
            "registrationId": "dev-1", "at": "2030-01-01T00:00:00Z", "cause": "certificate-fault",
            "explanation": "nothing issued CN=Sub", "fix": "send the intermediate",
            "errorCode": 401002, "errorMessage": "Unauthorized", "entry": null,
            "verdict": {
            "reason": "no-issuer-found: CN=Sub",
            "sent": [
                {"subject": "CN=dev-1", "issuer": "CN=Sub", "notBefore": "a", "notAfter": "b",
                 "key": "P-256", "signatureAlgorithm": "ecdsa-with-SHA256",
                 "sha256Thumbprint": "FF"}],
            "path": [
                {"role": "end-entity", "sent": true, "certificate": {"subject": "CN=dev-1\u001b[2J"},
                 "findings": [{"fault": "expired", "gravity": "fatal", "detail": "expired on b",
                               "fix": "renew it"}]},
                {"role": "intermediate", "sent": false, "certificate": {"subject": "CN=Sub"},
                 "findings": []}],
            "findings": [{"fault": "no-issuer-found", "gravity": "fatal", "detail": "a gap",
                          "fix": "send it"}]},
            "protocol": "https", "apiVersion": "2021-06-01", "userAgent": "sdk",
            "tlsVersion": "TLSv1.3", "tlsCipher": "X", "peerAddress": "127.0.0.1"}})");
    EXPECT_EQ(page, R"(dev-1: refused: the chain has a gap

refused:           2030-01-01T00:00:00Z
cause:             certificate-fault
what happened:     nothing issued CN=Sub
what mends it:     send the intermediate
decided by:        no entry
decisive finding:  no-issuer-found: CN=Sub
device was told:   401002 Unauthorized
came from:         127.0.0.1 by https 2021-06-01, TLSv1.3 X
user agent:        sdk

The chain as the device sent it (1 certificate):
  1. CN=dev-1
     issued by CN=Sub
     valid a to b, P-256, ecdsa-with-SHA256
     SHA-256 FF

The path that came furthest, from the device up:
  [x] end-entity  CN=dev-1\x1b[2J
      FAULT expired: expired on b
        fix: renew it
   |
  [ok] intermediate  CN=Sub  (not sent; known here)
   x   the chain breaks here
      FAULT no-issuer-found: a gap
        fix: send it
)");
}

TEST(Explain, ShowsAGoodRegistrationWithoutARefusal) {
    const std::string page = page_of(R"({
        "registrationId": "dev-1", "summary": "assigned; never refused", "refusal": null,
        "registration": {"status": "assigned", "last": {"at": "t", "slot": "primary",
            "entry": {"kind": "group", "id": "plant-a"}, "leafSha256Thumbprint": "FF"}}})");
    EXPECT_THAT(page, testing::HasSubstr("group plant-a, primary"));
    EXPECT_THAT(page, testing::Not(testing::HasSubstr("chain as the device sent")));
}

}  // namespace
}  // namespace rollcall::app
