// SPDX-License-Identifier: Apache-2.0
#include "x509/extensions.hpp"

#include "x509/distinguished_name.hpp"

#include <array>
#include <limits>
#include <set>

namespace rollcall::x509 {
namespace {

/// A non-negative integer; what is too large to count with counts as the largest (a pathLen of
/// 2^64 restricts nothing). nullopt when negative.
std::optional<std::size_t> count_of(const ASN1_INTEGER* integer) {
    std::uint64_t value = 0;
    if (ASN1_STRING_type(integer) == V_ASN1_NEG_INTEGER) {
        return std::nullopt;
    }
    if (ASN1_INTEGER_get_uint64(&value, integer) != 1) {
        forget_openssl_errors();
        return std::numeric_limits<std::size_t>::max();
    }
    return value;
}

std::string text_of(const ASN1_STRING* value) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

Bytes bytes_of(const ASN1_STRING* value) {
    const auto* data = ASN1_STRING_get0_data(value);
    return {data, data + ASN1_STRING_length(value)};
}

bool read_basic_constraints(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>(octets, d2i_BASIC_CONSTRAINTS);
    if (decoded == nullptr) {
        return false;
    }
    BasicConstraints constraints{.ca = decoded->ca != 0, .path_length = std::nullopt};
    if (decoded->pathlen != nullptr) {
        constraints.path_length = count_of(decoded->pathlen);
        if (!constraints.path_length) {
            return false;
        }
    }
    into.basic_constraints = constraints;
    return true;
}

bool read_key_usage(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<ASN1_BIT_STRING, ASN1_BIT_STRING_free>(octets, d2i_ASN1_BIT_STRING);
    if (decoded == nullptr) {
        return false;
    }
    const Bytes bytes = bytes_of(decoded.get());
    KeyUsage usage;
    usage.bits = bytes.empty() ? 0U : bytes[0];
    if (bytes.size() > 1) {
        usage.bits |= static_cast<std::uint32_t>(bytes[1]) << 8;
    }
    into.key_usage = usage;
    return true;
}

bool read_extended_key_usage(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>(octets, d2i_EXTENDED_KEY_USAGE);
    if (decoded == nullptr) {
        return false;
    }
    ExtendedKeyUsage usage;
    for (int i = 0; i < sk_ASN1_OBJECT_num(decoded.get()); ++i) {
        const ASN1_OBJECT* object = sk_ASN1_OBJECT_value(decoded.get(), i);
        const int nid = OBJ_obj2nid(object);
        usage.client = usage.client || nid == NID_client_auth;
        usage.server = usage.server || nid == NID_server_auth;
        usage.names.push_back(object_name(object));
    }
    into.extended_key_usage = std::move(usage);
    return true;
}

bool read_subject_key_id(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>(octets, d2i_ASN1_OCTET_STRING);
    if (decoded == nullptr) {
        return false;
    }
    into.subject_key_id = bytes_of(decoded.get());
    return true;
}

bool read_authority_key_id(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<AUTHORITY_KEYID, AUTHORITY_KEYID_free>(octets, d2i_AUTHORITY_KEYID);
    if (decoded == nullptr) {
        return false;
    }
    if (decoded->keyid != nullptr) {
        into.authority_key_id = bytes_of(decoded->keyid);
    }
    return true;
}

bool read_subject_alt_names(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded = decode_whole<GENERAL_NAMES, GENERAL_NAMES_free>(octets, d2i_GENERAL_NAMES);
    if (decoded == nullptr) {
        return false;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(decoded.get()); ++i) {
        into.subject_alt_names.push_back(general_name(sk_GENERAL_NAME_value(decoded.get(), i)));
    }
    return true;
}

/// RFC 5280 section 4.2.1.10: minimum is 0 and maximum absent; anything else has no meaning there.
bool read_subtrees(const STACK_OF(GENERAL_SUBTREE) * subtrees, std::vector<GeneralName>& into) {
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
        const GENERAL_SUBTREE* subtree = sk_GENERAL_SUBTREE_value(subtrees, i);
        const bool from_zero =
            subtree->minimum == nullptr || count_of(subtree->minimum).value_or(1) == 0;
        if (!from_zero || subtree->maximum != nullptr) {
            return false;
        }
        into.push_back(general_name(subtree->base));
    }
    return true;
}

NAME_CONSTRAINTS* decode_name_constraints(NAME_CONSTRAINTS**, const unsigned char** at, long size) {
    return reinterpret_cast<NAME_CONSTRAINTS*>(
        ASN1_item_d2i(nullptr, at, size, ASN1_ITEM_rptr(NAME_CONSTRAINTS)));
}

bool read_name_constraints(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>(octets, decode_name_constraints);
    NameConstraints constraints;
    if (decoded == nullptr || !read_subtrees(decoded->permittedSubtrees, constraints.permitted) ||
        !read_subtrees(decoded->excludedSubtrees, constraints.excluded)) {
        return false;
    }
    // "CAs MUST NOT issue certificates where name constraints is an empty sequence."
    if (constraints.permitted.empty() && constraints.excluded.empty()) {
        return false;
    }
    into.name_constraints = std::move(constraints);
    return true;
}

/// RFC 5280 section 4.2.1.4 knows two kinds: a pointer to a practice statement and a notice.
void note_unknown_qualifiers(const POLICYINFO* policy, Extensions& into) {
    for (int i = 0; i < sk_POLICYQUALINFO_num(policy->qualifiers); ++i) {
        const ASN1_OBJECT* kind = sk_POLICYQUALINFO_value(policy->qualifiers, i)->pqualid;
        const int nid = OBJ_obj2nid(kind);
        if (nid != NID_id_qt_cps && nid != NID_id_qt_unotice) {
            into.unknown_qualifier = dotted(kind);
        }
    }
}

bool read_policies(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded = decode_whole<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>(
        octets, d2i_CERTIFICATEPOLICIES);
    if (decoded == nullptr || sk_POLICYINFO_num(decoded.get()) == 0) {
        return false;
    }
    std::vector<std::string> policies;
    std::set<std::string> seen;
    for (int i = 0; i < sk_POLICYINFO_num(decoded.get()); ++i) {
        const POLICYINFO* info = sk_POLICYINFO_value(decoded.get(), i);
        std::string policy = dotted(info->policyid);
        note_unknown_qualifiers(info, into);
        // "A certificate policy OID MUST NOT appear more than once."
        if (!seen.insert(policy).second) {
            return false;
        }
        policies.push_back(std::move(policy));
    }
    into.policies = std::move(policies);
    return true;
}

POLICY_MAPPINGS* decode_policy_mappings(POLICY_MAPPINGS**, const unsigned char** at, long size) {
    return reinterpret_cast<POLICY_MAPPINGS*>(
        ASN1_item_d2i(nullptr, at, size, ASN1_ITEM_rptr(POLICY_MAPPINGS)));
}

void free_policy_mappings(POLICY_MAPPINGS* mappings) {
    sk_POLICY_MAPPING_pop_free(mappings, POLICY_MAPPING_free);
}

bool read_policy_mappings(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded =
        decode_whole<POLICY_MAPPINGS, free_policy_mappings>(octets, decode_policy_mappings);
    if (decoded == nullptr || sk_POLICY_MAPPING_num(decoded.get()) == 0) {
        return false;
    }
    for (int i = 0; i < sk_POLICY_MAPPING_num(decoded.get()); ++i) {
        const POLICY_MAPPING* mapping = sk_POLICY_MAPPING_value(decoded.get(), i);
        into.policy_mappings.push_back(
            {dotted(mapping->issuerDomainPolicy), dotted(mapping->subjectDomainPolicy)});
        // RFC 5280 section 6.1.4 (a): any-policy is mapped neither from nor to.
        const PolicyMapping& last = into.policy_mappings.back();
        if (last.issuer_domain == any_policy || last.subject_domain == any_policy) {
            return false;
        }
    }
    return true;
}

POLICY_CONSTRAINTS* decode_policy_constraints(POLICY_CONSTRAINTS**, const unsigned char** at,
                                              long size) {
    return reinterpret_cast<POLICY_CONSTRAINTS*>(
        ASN1_item_d2i(nullptr, at, size, ASN1_ITEM_rptr(POLICY_CONSTRAINTS)));
}

bool read_policy_constraints(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded = decode_whole<POLICY_CONSTRAINTS, POLICY_CONSTRAINTS_free>(
        octets, decode_policy_constraints);
    if (decoded == nullptr ||
        (decoded->requireExplicitPolicy == nullptr && decoded->inhibitPolicyMapping == nullptr)) {
        return false;
    }
    auto& skips = into.policy_skips;
    if (decoded->requireExplicitPolicy != nullptr) {
        skips.require_explicit = count_of(decoded->requireExplicitPolicy);
    }
    if (decoded->inhibitPolicyMapping != nullptr) {
        skips.inhibit_mapping = count_of(decoded->inhibitPolicyMapping);
    }
    return skips.require_explicit.has_value() == (decoded->requireExplicitPolicy != nullptr) &&
           skips.inhibit_mapping.has_value() == (decoded->inhibitPolicyMapping != nullptr);
}

bool read_inhibit_any_policy(const ASN1_OCTET_STRING* octets, Extensions& into) {
    const auto decoded = decode_whole<ASN1_INTEGER, ASN1_INTEGER_free>(octets, d2i_ASN1_INTEGER);
    if (decoded == nullptr) {
        return false;
    }
    into.policy_skips.inhibit_any = count_of(decoded.get());
    return into.policy_skips.inhibit_any.has_value();
}

struct Reader {
    int nid;
    bool (*read)(const ASN1_OCTET_STRING*, Extensions&);
};

constexpr std::array readers{
    Reader{NID_basic_constraints, read_basic_constraints},
    Reader{NID_key_usage, read_key_usage},
    Reader{NID_ext_key_usage, read_extended_key_usage},
    Reader{NID_subject_key_identifier, read_subject_key_id},
    Reader{NID_authority_key_identifier, read_authority_key_id},
    Reader{NID_subject_alt_name, read_subject_alt_names},
    Reader{NID_name_constraints, read_name_constraints},
    Reader{NID_certificate_policies, read_policies},
    Reader{NID_policy_mappings, read_policy_mappings},
    Reader{NID_policy_constraints, read_policy_constraints},
    Reader{NID_inhibit_any_policy, read_inhibit_any_policy},
};

/// Read where CRLs are judged, not here; critical, it is still one that we process.
bool read_elsewhere(int nid) {
    return nid == NID_crl_distribution_points;
}

/// RFC 5280 section 4.2.1.4: critical policies whose qualifier is not understood refuse the
/// certificate.
void check_qualifiers(int nid, bool critical, Extensions& into) {
    if (nid == NID_certificate_policies && critical && !into.unknown_qualifier.empty()) {
        into.flaws.push_back({Fault::unknown_critical_extension,
                              "certificatePolicies is critical and its qualifier " +
                                  into.unknown_qualifier + " not known here"});
    }
}

void read_extension(X509_EXTENSION* extension, Extensions& into) {
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
    const int nid = OBJ_obj2nid(object);
    const bool critical = X509_EXTENSION_get_critical(extension) != 0;
    for (const auto& reader : readers) {
        if (nid != NID_undef && reader.nid == nid) {
            if (!reader.read(X509_EXTENSION_get_data(extension), into)) {
                into.flaws.push_back(
                    {Fault::malformed_extension, object_name(object) + " cannot be read"});
            }
            check_qualifiers(nid, critical, into);
            return;
        }
    }
    if (critical && !read_elsewhere(nid)) {
        into.flaws.push_back({Fault::unknown_critical_extension,
                              object_name(object) + " is critical and not known here"});
    }
}

}  // namespace

Extensions decode_extensions(const X509* certificate) {
    Extensions result;
    const int count = X509_get_ext_count(certificate);
    // RFC 5280 section 4.1.2.9: only version 3 has extensions.
    if (count > 0 && X509_get_version(certificate) != X509_VERSION_3) {
        result.flaws.push_back({Fault::malformed_extension, "extensions need X.509 version 3"});
    }
    std::set<std::string_view> seen;
    for (int i = 0; i < count; ++i) {
        X509_EXTENSION* extension = X509_get_ext(certificate, i);
        const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
        // RFC 5280 section 4.2: a certificate holds at most one instance of each extension.
        const std::string_view type{reinterpret_cast<const char*>(OBJ_get0_data(object)),
                                    OBJ_length(object)};
        const bool repeated = !seen.insert(type).second;
        if (repeated) {
            result.flaws.push_back(
                {Fault::duplicate_extension, object_name(object) + " stands there twice"});
            continue;
        }
        read_extension(extension, result);
    }
    return result;
}

GeneralName general_name(const GENERAL_NAME* name) {
    switch (name->type) {
        case GEN_DNS: return {NameForm::dns, text_of(name->d.dNSName), "DNS"};
        case GEN_EMAIL: return {NameForm::email, text_of(name->d.rfc822Name), "email"};
        case GEN_URI: return {NameForm::uri, text_of(name->d.uniformResourceIdentifier), "URI"};
        case GEN_IPADD: return {NameForm::ip, text_of(name->d.iPAddress), "IP"};
        case GEN_DIRNAME:
            return {NameForm::directory, name_normalised(name->d.directoryName), "directory"};
        case GEN_OTHERNAME:
            return {NameForm::other, {}, "otherName " + dotted(name->d.otherName->type_id)};
        case GEN_RID: return {NameForm::other, {}, "registeredID"};
        case GEN_X400: return {NameForm::other, {}, "x400Address"};
        default: return {NameForm::other, {}, "ediPartyName"};
    }
}

std::string dotted(const ASN1_OBJECT* object) {
    std::array<char, 128> text{};
    const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
    if (size > 0 && static_cast<std::size_t>(size) < text.size()) {
        return {text.data(), static_cast<std::size_t>(size)};
    }
    // Longer than any in use: its octets name it as well.
    return "oid " + to_hex({OBJ_get0_data(object), OBJ_length(object)});
}

std::string object_name(const ASN1_OBJECT* object) {
    const int nid = OBJ_obj2nid(object);
    return nid == NID_undef ? dotted(object) : OBJ_nid2sn(nid);
}

}  // namespace rollcall::x509
