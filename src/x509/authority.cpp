// SPDX-License-Identifier: Apache-2.0
#include "x509/authority.hpp"

#include "x509/openssl.hpp"

#include <algorithm>
#include <array>

namespace rollcall::x509 {
namespace {

using Kind = IssuanceProfile::Kind;
using KeyUsageHandle = std::unique_ptr<ASN1_BIT_STRING, FreeWith<ASN1_BIT_STRING_free>>;
using ConstraintsHandle = std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>>;
using KeyPurposesHandle = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using GeneralNameHandle = std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>>;
using AuthorityKeyHandle = std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>>;
using NameConstraintsHandle = std::unique_ptr<NAME_CONSTRAINTS, FreeWith<NAME_CONSTRAINTS_free>>;

/// Bits of keyUsage (RFC 5280 section 4.2.1.3).
enum KeyUsageBit : int { digital_signature = 0, key_encipherment = 2, cert_sign = 5, crl_sign = 6 };

/// Years an ASN.1 GeneralizedTime can say.
constexpr TimePoint earliest = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
constexpr TimePoint beyond = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
/// Octets of a serial number; RFC 5280 section 4.1.2.2 allows 20.
constexpr std::size_t serial_octets = 16;

Error refused(std::string detail) {
    return Error{ErrorKind::malformed, std::move(detail)};
}

bool is_ca(Kind kind) {
    return kind == Kind::root || kind == Kind::intermediate;
}

/// OpenSSL's functions here fail for want of memory only.
void must(int done) {
    INVARIANT(done == 1);
}

void set_serial(X509* certificate, Entropy& entropy) {
    std::array<std::uint8_t, serial_octets> octets{};
    entropy.fill(octets);
    // Positive, and of one length: the top bit clear, the next one set.
    octets[0] = static_cast<std::uint8_t>((octets[0] & 0x7f) | 0x40);
    const BignumHandle number{BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr)};
    INVARIANT(number != nullptr);
    INVARIANT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

Asn1TimeHandle asn1_time(TimePoint at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    // UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5).
    Asn1TimeHandle time{ASN1_TIME_set(nullptr, static_cast<std::time_t>(seconds))};
    INVARIANT(time != nullptr);
    return time;
}

Result<Done> set_validity(X509* certificate, TimePoint not_before, TimePoint not_after) {
    if (not_before < earliest || not_after >= beyond) {
        return refused("a certificate cannot say a year outside 0000 to 9999");
    }
    if (not_after < not_before) {
        return refused("not_after (" + to_iso8601_seconds(not_after) + ") is before not_before (" +
                       to_iso8601_seconds(not_before) + ")");
    }
    must(X509_set1_notBefore(certificate, asn1_time(not_before).get()));
    must(X509_set1_notAfter(certificate, asn1_time(not_after).get()));
    return Done{};
}

Result<Done> add_to_name(X509_NAME* name, int nid, const std::string& value, const char* what) {
    if (value.empty()) {
        return Done{};
    }
    const int done = X509_NAME_add_entry_by_NID(
        name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
        static_cast<int>(value.size()), -1, 0);
    if (done != 1) {
        return openssl_error(ErrorKind::malformed, std::string{what} +
                                                       " must be UTF-8 of at most 64 characters "
                                                       "(RFC 5280 appendix A.1)");
    }
    return Done{};
}

Result<Done> set_subject(X509* certificate, const IssuanceProfile& profile) {
    if (is_ca(profile.kind) && profile.common_name.empty()) {
        return refused("a CA needs a common name");
    }
    const NameHandle name{X509_NAME_new()};
    INVARIANT(name != nullptr);
    TRY([[maybe_unused]] const auto organization,
        add_to_name(name.get(), NID_organizationName, profile.organization, "the organization"));
    TRY([[maybe_unused]] const auto common_name,
        add_to_name(name.get(), NID_commonName, profile.common_name, "the common name"));
    must(X509_set_subject_name(certificate, name.get()));
    return Done{};
}

void add_extension(X509* certificate, int nid, void* value, bool critical) {
    must(X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_REPLACE));
}

Result<Done> add_basic_constraints(X509* certificate, const IssuanceProfile& profile) {
    const ConstraintsHandle constraints{BASIC_CONSTRAINTS_new()};
    INVARIANT(constraints != nullptr);
    constraints->ca = is_ca(profile.kind) ? 0xff : 0;
    if (profile.path_length) {
        if (!is_ca(profile.kind) || *profile.path_length < 0) {
            return refused("a path length is a number from 0 on, and for a CA only");
        }
        constraints->pathlen = ASN1_INTEGER_new();
        INVARIANT(constraints->pathlen != nullptr);
        must(ASN1_INTEGER_set(constraints->pathlen, *profile.path_length));
    }
    add_extension(certificate, NID_basic_constraints, constraints.get(), true);
    return Done{};
}

void add_key_usage(X509* certificate, const IssuanceProfile& profile) {
    const KeyUsageHandle usage{ASN1_BIT_STRING_new()};
    INVARIANT(usage != nullptr);
    if (is_ca(profile.kind)) {
        must(ASN1_BIT_STRING_set_bit(usage.get(), cert_sign, 1));
        must(ASN1_BIT_STRING_set_bit(usage.get(), crl_sign, 1));
    } else {
        must(ASN1_BIT_STRING_set_bit(usage.get(), digital_signature, 1));
        // TLS 1.2 clients of RSA key exchange ask a server for it (RFC 5246 section 7.4.2).
        const bool rsa = EVP_PKEY_is_a(X509_get0_pubkey(certificate), "RSA") == 1;
        if (profile.kind == Kind::server && rsa) {
            must(ASN1_BIT_STRING_set_bit(usage.get(), key_encipherment, 1));
        }
    }
    add_extension(certificate, NID_key_usage, usage.get(), true);
}

/// Names the RFC gives; OBJ_txt2obj alone would also take "CN" or "sha256" for a purpose.
constexpr std::array<const char*, 7> purpose_names{
    "clientAuth",   "serverAuth",  "codeSigning",        "emailProtection",
    "timeStamping", "OCSPSigning", "anyExtendedKeyUsage"};

Asn1ObjectHandle purpose_object(const std::string& purpose) {
    const bool known =
        std::find(purpose_names.begin(), purpose_names.end(), purpose) != purpose_names.end();
    Asn1ObjectHandle object{OBJ_txt2obj(purpose.c_str(), known ? 0 : 1)};
    forget_openssl_errors();
    return object;
}

Result<Done> add_extended_key_usage(X509* certificate, const IssuanceProfile& profile) {
    std::vector<std::string> purposes = profile.extended_key_usage;
    if (purposes == std::vector<std::string>{"none"} || is_ca(profile.kind)) {
        return Done{};
    }
    if (purposes.empty()) {
        purposes = {profile.kind == Kind::server ? "serverAuth" : "clientAuth"};
    }
    const KeyPurposesHandle usage{EXTENDED_KEY_USAGE_new()};
    INVARIANT(usage != nullptr);
    for (const auto& purpose : purposes) {
        Asn1ObjectHandle object = purpose_object(purpose);
        if (!object) {
            return refused("unknown extended key usage \"" + purpose +
                           "\": write clientAuth, serverAuth, codeSigning, emailProtection, "
                           "timeStamping, OCSPSigning, anyExtendedKeyUsage, a dotted OID, or none");
        }
        INVARIANT(sk_ASN1_OBJECT_push(usage.get(), object.get()) > 0);
        (void)object.release();
    }
    add_extension(certificate, NID_ext_key_usage, usage.get(), false);
    return Done{};
}

bool is_dns_name(std::string_view name) {
    return !name.empty() && name.size() <= 253 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
           });
}

Result<GeneralNameHandle> dns_general_name(const std::string& name) {
    if (!is_dns_name(name)) {
        return refused("not a DNS name: \"" + name + "\"");
    }
    GeneralNameHandle general{GENERAL_NAME_new()};
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    INVARIANT(general != nullptr && text != nullptr);
    must(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())));
    GENERAL_NAME_set0_value(general.get(), GEN_DNS, text);
    return general;
}

Result<GeneralNameHandle> address_general_name(const std::string& address) {
    ASN1_OCTET_STRING* octets = a2i_IPADDRESS(address.c_str());
    if (octets == nullptr) {
        return openssl_error(ErrorKind::malformed, "not an IP address: \"" + address + "\"");
    }
    GeneralNameHandle general{GENERAL_NAME_new()};
    INVARIANT(general != nullptr);
    GENERAL_NAME_set0_value(general.get(), GEN_IPADD, octets);
    return general;
}

Result<Done> add_alternative_names(X509* certificate, const IssuanceProfile& profile) {
    if (profile.dns_names.empty() && profile.ip_addresses.empty()) {
        return Done{};
    }
    const GeneralNamesHandle names{GENERAL_NAMES_new()};
    INVARIANT(names != nullptr);
    for (const auto& name : profile.dns_names) {
        TRY(auto general, dns_general_name(name));
        INVARIANT(sk_GENERAL_NAME_push(names.get(), general.release()) > 0);
    }
    for (const auto& address : profile.ip_addresses) {
        TRY(auto general, address_general_name(address));
        INVARIANT(sk_GENERAL_NAME_push(names.get(), general.release()) > 0);
    }
    // Critical where the subject is empty (RFC 5280 section 4.2.1.6).
    const bool critical = X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;
    add_extension(certificate, NID_subject_alt_name, names.get(), critical);
    return Done{};
}

Result<Done> add_name_constraints(X509* certificate, const IssuanceProfile& profile) {
    if (profile.permitted_dns_subtrees.empty()) {
        return Done{};
    }
    const NameConstraintsHandle constraints{NAME_CONSTRAINTS_new()};
    INVARIANT(constraints != nullptr);
    constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    INVARIANT(constraints->permittedSubtrees != nullptr);
    for (const auto& subtree : profile.permitted_dns_subtrees) {
        TRY(auto general, dns_general_name(subtree));
        GENERAL_SUBTREE* entry = GENERAL_SUBTREE_new();
        INVARIANT(entry != nullptr);
        GENERAL_NAME_free(entry->base);
        entry->base = general.release();
        INVARIANT(sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, entry) > 0);
    }
    add_extension(certificate, NID_name_constraints, constraints.get(), true);
    return Done{};
}

/// SHA-1 of the key's bits (RFC 5280 section 4.2.1.2, method 1), as every other tool does it: an
/// identifier, not a signature. Another method would give a CA renewed here another identifier,
/// and verifiers that compare identifiers would then refuse the old leaves.
void add_subject_key_identifier(X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    must(X509_pubkey_digest(certificate, EVP_sha1(), digest.data(), &size));
    const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> identifier{
        ASN1_OCTET_STRING_new()};
    INVARIANT(identifier != nullptr);
    must(ASN1_OCTET_STRING_set(identifier.get(), digest.data(), static_cast<int>(size)));
    add_extension(certificate, NID_subject_key_identifier, identifier.get(), false);
}

/// The issuer's own key identifier; nothing where the issuer carries none.
void add_authority_key_identifier(X509* certificate, X509* issuer) {
    const ASN1_OCTET_STRING* identifier = X509_get0_subject_key_id(issuer);
    if (identifier == nullptr) {
        return;
    }
    const AuthorityKeyHandle authority{AUTHORITY_KEYID_new()};
    INVARIANT(authority != nullptr);
    authority->keyid = ASN1_OCTET_STRING_dup(identifier);
    INVARIANT(authority->keyid != nullptr);
    add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
}

/// The digest that fits the signing key's strength; none for keys that bring their own.
const EVP_MD* digest_for(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1) {
        return nullptr;
    }
    if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) > 256) {
        return EVP_PKEY_get_bits(key) > 384 ? EVP_sha512() : EVP_sha384();
    }
    return EVP_sha256();
}

Result<Certificate> signed_with(X509* certificate, const PrivateKey& key) {
    if (X509_sign(certificate, key.native(), digest_for(key.native())) <= 0) {
        return openssl_error(ErrorKind::unsupported, "this kind of key cannot sign certificates");
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(certificate, &encoded);
    INVARIANT(size > 0);
    const Bytes der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return Certificate::parse_der(der);
}

/// All but the issuer and the signature.
Result<X509Handle> unsigned_certificate(const IssuanceProfile& profile, const PrivateKey& key,
                                        Entropy& entropy) {
    X509Handle certificate{X509_new()};
    INVARIANT(certificate != nullptr);
    must(X509_set_version(certificate.get(), X509_VERSION_3));
    set_serial(certificate.get(), entropy);
    TRY([[maybe_unused]] const auto named, set_subject(certificate.get(), profile));
    TRY([[maybe_unused]] const auto dated,
        set_validity(certificate.get(), profile.not_before, profile.not_after));
    must(X509_set_pubkey(certificate.get(), key.native()));
    TRY([[maybe_unused]] const auto constrained, add_basic_constraints(certificate.get(), profile));
    add_key_usage(certificate.get(), profile);
    TRY([[maybe_unused]] const auto purposed, add_extended_key_usage(certificate.get(), profile));
    TRY([[maybe_unused]] const auto also_named, add_alternative_names(certificate.get(), profile));
    TRY([[maybe_unused]] const auto fenced, add_name_constraints(certificate.get(), profile));
    add_subject_key_identifier(certificate.get());
    return certificate;
}

Result<Done> check_issuer_key(const Certificate& issuer, const PrivateKey& issuer_key) {
    if (!issuer_key.belongs_to(issuer)) {
        return Error{ErrorKind::conflict,
                     "the signing key does not belong to the issuer's certificate (" +
                         issuer.subject() + ")",
                     "wrong-key"};
    }
    return Done{};
}

}  // namespace

Result<Issued> issue_self_signed(const IssuanceProfile& profile, const PrivateKey& key,
                                 Entropy& entropy) {
    TRY(const auto draft, unsigned_certificate(profile, key, entropy));
    must(X509_set_issuer_name(draft.get(), X509_get_subject_name(draft.get())));
    TRY(auto certificate, signed_with(draft.get(), key));
    return Issued{std::move(certificate), key};
}

Result<Certificate> issue(const IssuanceProfile& profile, const PrivateKey& subject_key,
                          const Certificate& issuer, const PrivateKey& issuer_key,
                          Entropy& entropy) {
    TRY([[maybe_unused]] const auto matching, check_issuer_key(issuer, issuer_key));
    TRY(const auto draft, unsigned_certificate(profile, subject_key, entropy));
    must(X509_set_issuer_name(draft.get(), X509_get_subject_name(issuer.native())));
    add_authority_key_identifier(draft.get(), issuer.native());
    return signed_with(draft.get(), issuer_key);
}

Result<Certificate> reissue(const Certificate& subject, TimePoint not_before, TimePoint not_after,
                            const Certificate& issuer, const PrivateKey& issuer_key,
                            Entropy& entropy) {
    TRY([[maybe_unused]] const auto matching, check_issuer_key(issuer, issuer_key));
    const X509Handle draft{X509_dup(subject.native())};
    INVARIANT(draft != nullptr);
    set_serial(draft.get(), entropy);
    TRY([[maybe_unused]] const auto dated, set_validity(draft.get(), not_before, not_after));
    must(X509_set_issuer_name(draft.get(), X509_get_subject_name(issuer.native())));
    const bool has_extensions = X509_get_version(draft.get()) == X509_VERSION_3;
    const int stale = X509_get_ext_by_NID(draft.get(), NID_authority_key_identifier, -1);
    if (stale >= 0) {
        const ExtensionHandle removed{X509_delete_ext(draft.get(), stale)};
    }
    if (has_extensions && !(subject == issuer)) {
        add_authority_key_identifier(draft.get(), issuer.native());
    }
    return signed_with(draft.get(), issuer_key);
}

}  // namespace rollcall::x509
