// SPDX-License-Identifier: Apache-2.0
#include "x509/description.hpp"

#include "x509/parsed.hpp"

#include <arpa/inet.h>
#include <array>

namespace rollcall::x509 {
namespace {

struct NamedBit {
    std::uint32_t bit;
    const char* name;
};

/// RFC 5280 section 4.2.1.3.
constexpr std::array<NamedBit, 9> key_usages{{{KU_DIGITAL_SIGNATURE, "digitalSignature"},
                                              {KU_NON_REPUDIATION, "nonRepudiation"},
                                              {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
                                              {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
                                              {KU_KEY_AGREEMENT, "keyAgreement"},
                                              {KU_KEY_CERT_SIGN, "keyCertSign"},
                                              {KU_CRL_SIGN, "cRLSign"},
                                              {KU_ENCIPHER_ONLY, "encipherOnly"},
                                              {KU_DECIPHER_ONLY, "decipherOnly"}}};

std::vector<std::string> usage_names(const KeyUsage& usage) {
    std::vector<std::string> names;
    for (const auto& known : key_usages) {
        if (usage.allows(known.bit)) {
            names.emplace_back(known.name);
        }
    }
    return names;
}

/// A stranger's bytes for a terminal: all but visible ASCII as \xNN.
std::string visible(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            result.push_back(c);
        } else {
            result += "\\x" + to_hex(as_bytes({&c, 1}));
        }
    }
    return result;
}

std::string address_text(std::string_view octets) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = octets.size() == 4 ? AF_INET : AF_INET6;
    const bool whole = octets.size() == 4 || octets.size() == 16;
    if (!whole || inet_ntop(family, octets.data(), text.data(), text.size()) == nullptr) {
        return "0x" + to_hex(as_bytes(octets));
    }
    return text.data();
}

/// An address, or in name constraints an address and its mask (RFC 5280 section 4.2.1.10).
std::string addresses_text(std::string_view octets) {
    if (octets.size() == 8 || octets.size() == 32) {
        const auto half = octets.size() / 2;
        return address_text(octets.substr(0, half)) + "/" + address_text(octets.substr(half));
    }
    return address_text(octets);
}

std::string name_words(const GeneralName& name) {
    switch (name.form) {
        case NameForm::ip: return "IP:" + addresses_text(name.value);
        case NameForm::directory: return "directory name";
        case NameForm::other: return name.kind;
        default: return name.kind + ":" + visible(name.value);
    }
}

/// All extensions in the certificate's order; also those nobody here understands.
std::vector<std::string> all_names(const X509* certificate) {
    std::vector<std::string> names;
    for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
        X509_EXTENSION* extension = X509_get_ext(certificate, i);
        const std::string critical = X509_EXTENSION_get_critical(extension) ? " (critical)" : "";
        names.push_back(object_name(X509_EXTENSION_get_object(extension)) + critical);
    }
    return names;
}

}  // namespace

ExtensionWords describe_extensions(const Certificate& certificate) {
    const Extensions& found = certificate.parsed().extensions;
    ExtensionWords words;
    words.ca = certificate.ca_flag();
    if (found.basic_constraints) {
        words.path_length = found.basic_constraints->path_length;
    }
    if (found.key_usage) {
        words.key_usage = usage_names(*found.key_usage);
    }
    if (found.extended_key_usage) {
        words.extended_key_usage = found.extended_key_usage->names;
    }
    for (const auto& name : found.subject_alt_names) {
        words.subject_alt_names.push_back(name_words(name));
    }
    if (found.name_constraints) {
        for (const auto& name : found.name_constraints->permitted) {
            words.name_constraints.push_back("permitted " + name_words(name));
        }
        for (const auto& name : found.name_constraints->excluded) {
            words.name_constraints.push_back("excluded " + name_words(name));
        }
    }
    if (found.subject_key_id) {
        words.subject_key_id = to_hex(*found.subject_key_id);
    }
    if (found.authority_key_id) {
        words.authority_key_id = to_hex(*found.authority_key_id);
    }
    words.all = all_names(certificate.native());
    for (const auto& flaw : found.flaws) {
        words.flaws.push_back(flaw.detail);
    }
    return words;
}

}  // namespace rollcall::x509
