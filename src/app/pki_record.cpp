// SPDX-License-Identifier: Apache-2.0
#include "app/pki_record.hpp"

#include "app/validity.hpp"

namespace rollcall::app {
namespace {

std::string validity_words(const x509::Certificate& certificate, TimePoint now) {
    const TimePoint begin = certificate.not_before();
    const TimePoint end = certificate.not_after();
    const std::string dates = to_iso8601_seconds(begin) + " to " + to_iso8601_seconds(end);
    // not_after is inclusive (RFC 5280 section 4.1.2.5).
    if (std::chrono::floor<std::chrono::seconds>(now) > end) {
        return dates + ", expired " + distance_words(end, now);
    }
    if (now < begin) {
        return dates + ", valid " + distance_words(begin, now);
    }
    return dates + ", expires " + distance_words(end, now);
}

}  // namespace

boost::json::object certificate_record(const x509::Certificate& certificate) {
    boost::json::object record;
    record["subject"] = certificate.subject();
    record["issuer"] = certificate.issuer();
    record["commonName"] = nullptr;
    if (certificate.common_name()) {
        record["commonName"] = *certificate.common_name();
    }
    record["serialNumber"] = certificate.serial();
    record["sha1Thumbprint"] = certificate.sha1_thumbprint();
    record["sha256Thumbprint"] = certificate.sha256_thumbprint();
    record["spkiSha256"] = to_upper_hex(certificate.spki_sha256().bytes);
    record["version"] = certificate.version();
    record["notBefore"] = to_iso8601_seconds(certificate.not_before());
    record["notAfter"] = to_iso8601_seconds(certificate.not_after());
    record["key"] = certificate.key().name;
    record["signatureAlgorithm"] = certificate.signature_algorithm();
    record["isCa"] = nullptr;
    if (certificate.ca_flag()) {
        record["isCa"] = *certificate.ca_flag();
    }
    return record;
}

std::vector<std::pair<std::string, std::string>> certificate_fields(
    const x509::Certificate& certificate, TimePoint now) {
    return {{"Subject", certificate.subject()},
            {"Issuer", certificate.issuer()},
            {"Serial", certificate.serial()},
            {"Valid", validity_words(certificate, now)},
            {"Key", certificate.key().name},
            {"Signature", certificate.signature_algorithm()},
            {"SHA-1", certificate.sha1_thumbprint()},
            {"SHA-256", certificate.sha256_thumbprint()},
            {"SPKI SHA-256", to_upper_hex(certificate.spki_sha256().bytes)}};
}

}  // namespace rollcall::app
