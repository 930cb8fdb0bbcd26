// SPDX-License-Identifier: Apache-2.0
// The words of the certificates API, which is shaped after Azure Resource Manager: addresses, JSON
// bodies and error codes <-> domain values. The one place of that front where an Error becomes a
// status and a text. Source: spec/dps-service-api.md 2.7 and 2.9, spec/recorded-traffic.md 4.
#pragma once

#include "domain/attestation.hpp"
#include "domain/sas_policy.hpp"
#include "net/http.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::front {

/// An address under /subscriptions, decoded. Subscription, resource group and the service's name
/// may be any: there is one server behind all of them.
struct ArmAddress {
    std::string subscription{};
    std::string resource_group{};  ///< empty: the address is of the whole subscription
    std::string service{};         ///< empty: the list of them
    /// What follows the service, as sent: {"certificates", "root", "verify"}.
    std::vector<std::string> rest{};

    /// "/subscriptions/…/provisioningServices/NAME"
    std::string service_id() const;
    /// Does `rest` have these words, without case? "*" stands for any.
    bool is(const std::vector<std::string_view>& words) const;
};
/// not_found "no-such-address", malformed "malformed-path".
Result<ArmAddress> parse_arm_address(std::string_view path);

/// YYYY-MM-DD or YYYY-MM-DD-preview in the query. malformed "api-version-missing", "api-version".
Result<Done> check_arm_version(std::string_view query);

/// {"error":{"code","message"}}; internal errors lose their text. `status` 0: the error's own.
net::HttpResponse arm_refusal(const Error& error, std::string_view tracking_id,
                              unsigned status = 0);

/// CertificateResponse. `code`: with the verification code, as generateVerificationCode answers.
boost::json::object to_arm(const domain::CaCertificate& ca, const ArmAddress& address,
                           const std::optional<std::string>& code = std::nullopt);

/// The service itself, as discovery reads it.
struct ArmService {
    std::string scope{};
    std::string operators_host{};
    std::string devices_host{};
};
boost::json::object to_arm(const ArmService& service, const ArmAddress& address,
                           const domain::TrustRecords& records);
/// SharedAccessSignatureAuthorizationRule, keys in clear.
boost::json::object to_arm(const domain::SasPolicy& policy);

/// What an upload says: {"properties": {"certificate", "isVerified"}}, or both without
/// "properties", as old api-versions have it. Members that are none of these are passed over, as
/// clients send back what they read. malformed.
struct ArmUpload {
    std::string certificate{};  ///< as sent: PEM, or base64 of PEM or DER
    bool verified = false;
};
Result<ArmUpload> read_arm_upload(std::string_view body);
/// {"certificate"} of a proof.
Result<std::string> read_arm_proof(std::string_view body);

}  // namespace rollcall::front
