// SPDX-License-Identifier: Apache-2.0
// The certificate extensions of RFC 5280 section 4.2 that the path rules process, decoded once.
// Inside x509 only. What cannot be decoded is a flaw, kept for the verdict, not an error.
#pragma once

#include "base/bytes.hpp"
#include "x509/openssl.hpp"
#include "x509/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::x509 {

struct BasicConstraints {
    bool ca = false;
    std::optional<std::size_t> path_length;
};

/// Bits as OpenSSL's KU_* has them.
struct KeyUsage {
    std::uint32_t bits = 0;
    bool allows(std::uint32_t bit) const { return (bits & bit) != 0; }
};

struct ExtendedKeyUsage {
    bool client = false;
    bool server = false;
    /// All of them as an operator reads them: "clientAuth", "1.2.3.4".
    std::vector<std::string> names;
};

/// The forms of RFC 5280 section 4.2.1.6 that have rules of their own; the rest are `other`.
enum class NameForm { dns, email, uri, ip, directory, other };

struct GeneralName {
    NameForm form = NameForm::other;
    /// Text, address octets, or a directory name's normal form (x509/distinguished_name.hpp).
    std::string value;
    /// What kind of `other` it is, for comparison and people: "otherName 1.2.3", "registeredID".
    std::string kind;
};

struct NameConstraints {
    std::vector<GeneralName> permitted;
    std::vector<GeneralName> excluded;
};

struct PolicyMapping {
    std::string issuer_domain;
    std::string subject_domain;
};

/// policyConstraints and inhibitAnyPolicy (RFC 5280 sections 4.2.1.11 and 4.2.1.14).
struct PolicySkips {
    std::optional<std::size_t> require_explicit;
    std::optional<std::size_t> inhibit_mapping;
    std::optional<std::size_t> inhibit_any;
};

inline constexpr std::string_view any_policy = "2.5.29.32.0";

struct Flaw {
    Fault fault;
    std::string detail;
};

struct Extensions {
    std::optional<BasicConstraints> basic_constraints;
    std::optional<KeyUsage> key_usage;
    std::optional<ExtendedKeyUsage> extended_key_usage;
    std::optional<Bytes> subject_key_id;
    std::optional<Bytes> authority_key_id;
    std::vector<GeneralName> subject_alt_names;
    std::optional<NameConstraints> name_constraints;
    /// Policy OIDs; none when the extension is absent.
    std::optional<std::vector<std::string>> policies;
    /// A qualifier of a policy that is neither of the two RFC 5280 knows; empty: there is none.
    std::string unknown_qualifier{};
    std::vector<PolicyMapping> policy_mappings;
    PolicySkips policy_skips;
    /// Unknown critical, malformed and duplicate extensions.
    std::vector<Flaw> flaws;
};

Extensions decode_extensions(const X509* certificate);

/// "clientAuth" for what OpenSSL has a short name for, dotted digits otherwise.
std::string object_name(const ASN1_OBJECT* object);
std::string dotted(const ASN1_OBJECT* object);

/// Decodes one value of type T from an extension's octets; null when it does not decode or bytes
/// are left over.
template <class T, auto release, class Decode>
Handle<T, release> decode_whole(const ASN1_OCTET_STRING* octets, Decode decode) {
    const unsigned char* at = ASN1_STRING_get0_data(octets);
    const unsigned char* const end = at + ASN1_STRING_length(octets);
    Handle<T, release> value{decode(nullptr, &at, ASN1_STRING_length(octets))};
    if (value == nullptr || at != end) {
        forget_openssl_errors();
        return nullptr;
    }
    return value;
}

GeneralName general_name(const GENERAL_NAME* name);

}  // namespace rollcall::x509
