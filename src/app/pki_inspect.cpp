// SPDX-License-Identifier: Apache-2.0
#include "app/pki_inspect.hpp"

#include "app/pki_record.hpp"
#include "app/print.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/description.hpp"
#include "x509/key.hpp"
#include "x509/path.hpp"

#include <algorithm>
#include <ostream>

#include <boost/json/array.hpp>

namespace rollcall::app {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using x509::Certificate;
using x509::Finding;

/// What a file turned out to hold.
struct Inspected {
    std::string name;
    std::vector<Certificate> certificates{};
    std::optional<Error> refusal{};
    /// Described only, never shown.
    std::optional<x509::PrivateKey> key{};
};

Inspected inspected(const std::string& name) {
    Inspected found{.name = name};
    const auto content = read_file(name, limits::certificate_file_bytes_max);
    if (!content) {
        found.refusal = content.error();
        return found;
    }
    auto certificates = x509::read_certificates(*content, limits::pki_verify_certificates_max);
    if (certificates) {
        found.certificates = *std::move(certificates);
        return found;
    }
    found.refusal = certificates.error();
    if (auto key = x509::PrivateKey::parse_pem(*content)) {
        found.key = *std::move(key);
    }
    return found;
}

/// What a slot would say of it: as a CA where it may be one, as a device's leaf otherwise.
std::vector<Finding> findings_on(const Certificate& certificate, TimePoint now) {
    const bool bare_root = !certificate.ca_flag() && certificate.self_issued();
    if (certificate.ca_flag() == std::optional{true} || bare_root) {
        return x509::examine_ca(certificate, now);
    }
    return x509::examine_leaf(certificate, certificate.common_name().value_or(""), now);
}

std::string_view gravity_word(x509::Gravity gravity) {
    switch (gravity) {
        case x509::Gravity::note: return "note";
        case x509::Gravity::warning: return "warning";
        case x509::Gravity::fatal: return "fatal";
    }
    return "";
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

void add(Fields& fields, const char* name, const std::string& value) {
    if (!value.empty()) {
        fields.emplace_back(name, value);
    }
}

std::string constraints_words(const x509::ExtensionWords& words) {
    if (!words.ca) {
        return "";
    }
    const std::string ca = *words.ca ? "CA:TRUE" : "CA:FALSE";
    return words.path_length ? ca + ", path length " + std::to_string(*words.path_length) : ca;
}

Fields fields_of(const Certificate& certificate, TimePoint now) {
    Fields fields = certificate_fields(certificate, now);
    const auto words = x509::describe_extensions(certificate);
    add(fields, "Version", std::to_string(certificate.version()));
    add(fields, "Basic constraints", constraints_words(words));
    add(fields, "Key usage", listed(words.key_usage));
    add(fields, "Extended key usage", listed(words.extended_key_usage));
    add(fields, "Alternative names", listed(words.subject_alt_names));
    add(fields, "Name constraints", listed(words.name_constraints));
    add(fields, "Subject key id", words.subject_key_id);
    add(fields, "Authority key id", words.authority_key_id);
    add(fields, "Extensions", words.all.empty() ? "none" : listed(words.all));
    for (const auto& finding : findings_on(certificate, now)) {
        const std::string fix = finding.fix.empty() ? "" : " (" + finding.fix + ")";
        const std::string word{gravity_word(finding.gravity)};
        add(fields, "Odd", word + ": " + finding.detail + fix);
    }
    for (auto& [name, value] : fields) {
        value = printable(value);  // whoever made the certificate chose much of it
    }
    return fields;
}

json::array strings(const std::vector<std::string>& words) {
    return json::array(words.begin(), words.end());
}

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object record_of(const Certificate& certificate, TimePoint now) {
    json::object record = certificate_record(certificate);
    const auto words = x509::describe_extensions(certificate);
    record["pathLength"] = nullptr;
    if (words.path_length) {
        record["pathLength"] = *words.path_length;
    }
    record["keyUsage"] = strings(words.key_usage);
    record["extendedKeyUsage"] = strings(words.extended_key_usage);
    record["subjectAltNames"] = strings(words.subject_alt_names);
    record["nameConstraints"] = strings(words.name_constraints);
    record["subjectKeyId"] = text_or_null(words.subject_key_id);
    record["authorityKeyId"] = text_or_null(words.authority_key_id);
    record["extensions"] = strings(words.all);
    json::array findings;
    for (const auto& finding : findings_on(certificate, now)) {
        findings.push_back(json::object{{"fault", x509::to_string(finding.fault)},
                                        {"gravity", gravity_word(finding.gravity)},
                                        {"detail", finding.detail},
                                        {"fix", finding.fix}});
    }
    record["findings"] = std::move(findings);
    return record;
}

json::object record_of(const Inspected& file, TimePoint now) {
    json::object record{{"file", file.name}};
    json::array certificates;
    for (const auto& certificate : file.certificates) {
        certificates.push_back(record_of(certificate, now));
    }
    record["certificates"] = std::move(certificates);
    record["refusal"] = nullptr;
    if (file.refusal) {
        record["refusal"] =
            json::object{{"reason", file.refusal->reason}, {"detail", file.refusal->detail}};
    }
    record["privateKey"] = nullptr;
    if (file.key) {
        record["privateKey"] =
            json::object{{"key", file.key->description().name},
                         {"spkiSha256", to_upper_hex(file.key->spki_sha256().bytes)}};
    }
    return record;
}

void print(std::ostream& out, const Inspected& file, TimePoint now) {
    for (std::size_t i = 0; i < file.certificates.size(); ++i) {
        out << file.name;
        if (file.certificates.size() > 1) {
            out << " (" << i + 1 << " of " << file.certificates.size() << ")";
        }
        out << "\n";
        print_fields(out, fields_of(file.certificates[i], now));
        out << "\n";
    }
    if (!file.refusal) {
        return;
    }
    out << file.name << "\n";
    Fields fields;
    if (file.key) {
        add(fields, "Private key", file.key->description().name);
        add(fields, "SPKI SHA-256", to_upper_hex(file.key->spki_sha256().bytes));
    } else {
        add(fields, "No certificate", file.refusal->detail);
    }
    print_fields(out, fields);
    out << "\n";
}

}  // namespace

Result<Exit> inspect_files(const Invocation& call, const Clock& clock) {
    const TimePoint now = clock.now();
    bool all_certificates = true;
    json::array records;
    for (const auto& name : call.all("FILE")) {
        const Inspected file = inspected(name);
        all_certificates = all_certificates && !file.refusal;
        if (call.globals().json) {
            records.push_back(record_of(file, now));
        } else {
            print(call.io().out, file, now);
        }
    }
    if (call.globals().json) {
        print_json(call.io().out, records);
    }
    return all_certificates ? Exit::done : Exit::refused;
}

}  // namespace rollcall::app
