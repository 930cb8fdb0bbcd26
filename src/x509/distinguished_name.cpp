// SPDX-License-Identifier: Apache-2.0
#include "x509/distinguished_name.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace rollcall::x509 {
namespace {

std::optional<std::string> as_utf8(const ASN1_STRING* value) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, value);
    if (size < 0) {
        forget_openssl_errors();
        return std::nullopt;
    }
    std::string result{reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
    OPENSSL_free(text);
    return result;
}

/// The types that are one text in different clothes; what is not among them compares raw.
bool is_text(int type) {
    switch (type) {
        case V_ASN1_UTF8STRING:
        case V_ASN1_BMPSTRING:
        case V_ASN1_UNIVERSALSTRING:
        case V_ASN1_PRINTABLESTRING:
        case V_ASN1_T61STRING:
        case V_ASN1_IA5STRING:
        case V_ASN1_VISIBLESTRING: return true;
        default: return false;
    }
}

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string folded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    bool space_due = false;
    for (const char c : text) {
        if (is_space(c)) {
            space_due = !result.empty();
            continue;
        }
        if (space_due) {
            result.push_back(' ');
            space_due = false;
        }
        result.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return result;
}

void append_counted(std::string& target, std::string_view part) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (int shift = 24; shift >= 0; shift -= 8) {
        target.push_back(static_cast<char>((size >> shift) & 0xffU));
    }
    target += part;
}

std::string attribute_normalised(const X509_NAME_ENTRY* entry) {
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
    std::string result;
    append_counted(result, {reinterpret_cast<const char*>(OBJ_get0_data(type)), OBJ_length(type)});
    const int value_type = ASN1_STRING_type(value);
    if (is_text(value_type)) {
        if (const auto text = as_utf8(value)) {
            result.push_back('t');
            append_counted(result, folded(*text));
            return result;
        }
    }
    result.push_back('r');
    result.push_back(static_cast<char>(value_type & 0xff));
    append_counted(result, {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value))});
    return result;
}

}  // namespace

std::string name_as_text(const X509_NAME* name) {
    const BioHandle out{BIO_new(BIO_s_mem())};
    INVARIANT(out != nullptr);
    // RFC 2253's escapes without those for bytes above 127: UTF-8 is read by people.
    constexpr unsigned long style =
        XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN | (ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    if (X509_NAME_print_ex(out.get(), name, 0, style) < 0) {
        forget_openssl_errors();
        return "(unreadable name)";
    }
    return written(out.get());
}

std::string name_normalised(const X509_NAME* name) {
    std::string result;
    std::vector<std::string> attributes;
    const auto close_rdn = [&] {
        std::sort(attributes.begin(), attributes.end());
        std::string rdn;
        for (const auto& attribute : attributes) {
            rdn += attribute;
        }
        append_counted(result, rdn);
        attributes.clear();
    };
    int rdn_number = 0;
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        if (!attributes.empty() && X509_NAME_ENTRY_set(entry) != rdn_number) {
            close_rdn();
        }
        rdn_number = X509_NAME_ENTRY_set(entry);
        attributes.push_back(attribute_normalised(entry));
    }
    if (!attributes.empty()) {
        close_rdn();
    }
    return result;
}

std::optional<std::string> last_common_name(const X509_NAME* name) {
    int last = -1;
    for (int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) {
        last = at;
    }
    if (last < 0) {
        return std::nullopt;
    }
    auto text = as_utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
    // A NUL would let programs that end strings there read another name than we do.
    if (text && text->find('\0') != std::string::npos) {
        return std::nullopt;
    }
    return text;
}

std::vector<std::string> email_addresses(const X509_NAME* name) {
    std::vector<std::string> result;
    for (int at = X509_NAME_get_index_by_NID(name, NID_pkcs9_emailAddress, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, NID_pkcs9_emailAddress, at)) {
        const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        result.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                            static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
    return result;
}

}  // namespace rollcall::x509
