// SPDX-License-Identifier: Apache-2.0
#include "service/dps_json.hpp"

#include <boost/json/parse.hpp>

namespace rollcall::service {

namespace json = boost::json;

json::object certificate_info(const x509::Certificate& certificate) {
    return {{"subjectName", certificate.subject()},
            {"sha1Thumbprint", certificate.sha1_thumbprint()},
            {"sha256Thumbprint", certificate.sha256_thumbprint()},
            {"issuerName", certificate.issuer()},
            {"notBeforeUtc", to_iso8601_seconds(certificate.not_before())},
            {"notAfterUtc", to_iso8601_seconds(certificate.not_after())},
            {"serialNumber", certificate.serial()},
            {"version", certificate.version()}};
}

json::value stored_json(const std::string& text) {
    boost::system::error_code failed;
    json::value value = json::parse(text, failed);
    return failed ? json::value(nullptr) : value;
}

}  // namespace rollcall::service
