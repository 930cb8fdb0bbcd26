// SPDX-License-Identifier: Apache-2.0
#include "x509/crl.hpp"

#include "base/limits.hpp"
#include "x509/digest.hpp"
#include "x509/distinguished_name.hpp"
#include "x509/key_description.hpp"
#include "x509/pem.hpp"
#include "x509/time.hpp"

#include <algorithm>

namespace rollcall::x509 {
namespace {

Error malformed(std::string detail) {
    return openssl_error(ErrorKind::malformed, std::move(detail), "malformed-crl");
}

Reasons reasons_of(const ASN1_BIT_STRING* bits) {
    if (bits == nullptr) {
        return all_reasons;
    }
    Reasons reasons = 0;
    for (int bit = 1; bit <= 8; ++bit) {
        if (ASN1_BIT_STRING_get_bit(bits, bit) != 0) {
            reasons |= 1U << static_cast<unsigned>(bit);
        }
    }
    return reasons;
}

/// nullopt when a name relative to the issuer cannot be completed.
std::optional<PointNames> names_of(DIST_POINT_NAME* point, const X509_NAME* issuer) {
    PointNames names;
    if (point == nullptr) {
        return names;
    }
    if (point->type == 1) {
        // OpenSSL completes the relative name in place; its parameter lacks a const.
        if (DIST_POINT_set_dpname(point, const_cast<X509_NAME*>(issuer)) != 1) {
            forget_openssl_errors();
            return std::nullopt;
        }
        names.emplace_back(NameForm::directory, name_normalised(point->dpname));
        return names;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(point->name.fullname); ++i) {
        GeneralName name = general_name(sk_GENERAL_NAME_value(point->name.fullname, i));
        if (name.form != NameForm::other) {
            names.emplace_back(name.form, std::move(name.value));
        }
    }
    return names;
}

bool read_scope(const ASN1_OCTET_STRING* octets, const X509_NAME* issuer, Crl::Parsed& into) {
    const auto decoded =
        decode_whole<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>(octets, d2i_ISSUING_DIST_POINT);
    if (decoded == nullptr) {
        return false;
    }
    auto names = names_of(decoded->distpoint, issuer);
    if (!names || (decoded->distpoint != nullptr && names->empty())) {
        return false;
    }
    into.scope = {.names = *std::move(names),
                  .user_certificates_only = decoded->onlyuser > 0,
                  .ca_certificates_only = decoded->onlyCA > 0,
                  .attribute_certificates_only = decoded->onlyattr > 0,
                  .indirect = decoded->indirectCRL > 0,
                  .reasons = reasons_of(decoded->onlysomereasons)};
    const auto* data = ASN1_STRING_get0_data(octets);
    into.scope_der.assign(data, data + ASN1_STRING_length(octets));
    const int kinds = into.scope.user_certificates_only + into.scope.ca_certificates_only +
                      into.scope.attribute_certificates_only;
    return kinds <= 1;
}

bool read_number(const ASN1_OCTET_STRING* octets, std::optional<Bytes>& into) {
    const auto decoded = decode_whole<ASN1_INTEGER, ASN1_INTEGER_free>(octets, d2i_ASN1_INTEGER);
    if (decoded == nullptr || ASN1_STRING_type(decoded.get()) == V_ASN1_NEG_INTEGER) {
        return false;
    }
    const auto* data = ASN1_STRING_get0_data(decoded.get());
    into = Bytes{data, data + ASN1_STRING_length(decoded.get())};
    return true;
}

/// RFC 5280 section 5.2: only two extensions of a list may be critical.
bool may_be_critical(int nid) {
    return nid == NID_issuing_distribution_point || nid == NID_delta_crl;
}

std::string find_list_flaw(const X509_CRL* native, Crl::Parsed& into) {
    const int count = X509_CRL_get_ext_count(native);
    if (count > 0 && X509_CRL_get_version(native) != 1) {
        return "has extensions but is not of version 2";
    }
    for (int i = 0; i < count; ++i) {
        X509_EXTENSION* extension = X509_CRL_get_ext(native, i);
        const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
        const ASN1_OCTET_STRING* octets = X509_EXTENSION_get_data(extension);
        const int nid = OBJ_obj2nid(object);
        if (X509_CRL_get_ext_by_OBJ(native, object, i) >= 0) {
            return object_name(object) + " stands there twice";
        }
        bool read = true;
        if (nid == NID_issuing_distribution_point) {
            read = read_scope(octets, X509_CRL_get_issuer(native), into);
        } else if (nid == NID_delta_crl) {
            read = read_number(octets, into.delta_base);
        } else if (nid == NID_crl_number) {
            read = read_number(octets, into.number);
        }
        if (!read) {
            return object_name(object) + " cannot be read";
        }
        if (X509_EXTENSION_get_critical(extension) != 0 && !may_be_critical(nid)) {
            return object_name(object) + " is critical and not known here";
        }
    }
    return {};
}

std::string find_entry_flaw(X509_CRL* native, bool indirect) {
    STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(native);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
        const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
        for (int k = 0; k < X509_REVOKED_get_ext_count(entry); ++k) {
            X509_EXTENSION* extension = X509_REVOKED_get_ext(entry, k);
            const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
            const int nid = OBJ_obj2nid(object);
            const bool known = nid == NID_crl_reason || nid == NID_invalidity_date ||
                               (nid == NID_certificate_issuer && indirect);
            if (X509_EXTENSION_get_critical(extension) != 0 && !known) {
                return "an entry's " + object_name(object) + " is critical and not known here";
            }
        }
    }
    return {};
}

}  // namespace

Result<Crl> Crl::parse_der(ByteView der) {
    if (der.size() > limits::crl_bytes_max) {
        return Error{ErrorKind::too_large,
                     "a CRL may have " + std::to_string(limits::crl_bytes_max) + " bytes",
                     "crl-too-large"};
    }
    const unsigned char* at = der.data();
    CrlHandle native{d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size()))};
    if (native == nullptr || at != der.data() + der.size()) {
        return malformed("this is not a CRL in DER");
    }
    auto parsed = std::make_shared<Parsed>();
    const auto this_update = read_time(X509_CRL_get0_lastUpdate(native.get()));
    const ASN1_TIME* next_update = X509_CRL_get0_nextUpdate(native.get());
    if (next_update != nullptr) {
        parsed->next_update = read_time(next_update);
    }
    if (!this_update || parsed->next_update.has_value() != (next_update != nullptr)) {
        return malformed("the CRL's times are not written as RFC 5280 5.1.2.4 says");
    }
    parsed->this_update = *this_update;
    parsed->sha256 = x509::sha256(der);
    const X509_NAME* issuer = X509_CRL_get_issuer(native.get());
    parsed->issuer = name_as_text(issuer);
    parsed->issuer_normalised = name_normalised(issuer);
    const X509_ALGOR* algorithm = nullptr;
    X509_CRL_get0_signature(native.get(), nullptr, &algorithm);
    // OpenSSL does not hand out the algorithm under the signature; the outer one is what counts.
    parsed->signature = signature_form(algorithm, algorithm);
    parsed->flaw = find_list_flaw(native.get(), *parsed);
    if (parsed->flaw.empty()) {
        parsed->flaw = find_entry_flaw(native.get(), parsed->scope.indirect);
    }
    parsed->native = std::move(native);
    return Crl{std::move(parsed)};
}

Result<std::vector<Crl>> read_crls(std::string_view file) {
    std::vector<Crl> crls;
    if (file.find("-----BEGIN ") == file.npos) {
        TRY(auto crl, Crl::parse_der(as_bytes(file)));
        crls.push_back(std::move(crl));
        return crls;
    }
    for (const auto& block : pem_blocks(file)) {
        if (block.label != "X509 CRL") {
            continue;
        }
        if (crls.size() == limits::crls_max) {
            return Error{ErrorKind::too_large,
                         "more than " + std::to_string(limits::crls_max) + " CRLs",
                         "too-many-crls"};
        }
        if (!block.der) {
            return Error{ErrorKind::malformed, "a PEM block is cut short or is not base64",
                         "malformed-crl"};
        }
        TRY(auto crl, Crl::parse_der(*block.der));
        crls.push_back(std::move(crl));
    }
    return crls;
}

std::optional<std::vector<DistributionPoint>> distribution_points(const Certificate& certificate) {
    std::vector<DistributionPoint> points;
    const int at = X509_get_ext_by_NID(certificate.native(), NID_crl_distribution_points, -1);
    if (at < 0) {
        return points;
    }
    const auto decoded = decode_whole<CRL_DIST_POINTS, CRL_DIST_POINTS_free>(
        X509_EXTENSION_get_data(X509_get_ext(certificate.native(), at)), d2i_CRL_DIST_POINTS);
    if (decoded == nullptr) {
        return std::nullopt;
    }
    for (int i = 0; i < sk_DIST_POINT_num(decoded.get()); ++i) {
        const DIST_POINT* native = sk_DIST_POINT_value(decoded.get(), i);
        DistributionPoint point;
        point.reasons = reasons_of(native->reasons);
        const X509_NAME* crl_issuer = X509_get_issuer_name(certificate.native());
        for (int k = 0; k < sk_GENERAL_NAME_num(native->CRLissuer); ++k) {
            const GENERAL_NAME* name = sk_GENERAL_NAME_value(native->CRLissuer, k);
            if (name->type == GEN_DIRNAME) {
                crl_issuer = name->d.directoryName;
                point.crl_issuers.push_back(name_normalised(crl_issuer));
            }
        }
        auto names = names_of(native->distpoint, crl_issuer);
        if (!names) {
            return std::nullopt;
        }
        point.names = *std::move(names);
        points.push_back(std::move(point));
    }
    return points;
}

CrlEntry entry_for(const Crl& crl, const Certificate& certificate) {
    X509_REVOKED* entry = nullptr;
    const int found =
        X509_CRL_get0_by_cert(crl.parsed().native.get(), &entry, certificate.native());
    if (found == 0 || entry == nullptr) {
        return {};
    }
    // 2: OpenSSL's word for an entry whose reason is removeFromCRL.
    return {.kind = found == 2 ? EntryKind::removed : EntryKind::revoked,
            .since = read_time(X509_REVOKED_get0_revocationDate(entry))};
}

}  // namespace rollcall::x509
