// SPDX-License-Identifier: Apache-2.0
#include "app/local_ca.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"
#include "base/telemetry.hpp"
#include "x509/authority.hpp"
#include "x509/description.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace rollcall::app {

namespace {

/// Clocks of devices that run behind must not find the certificate in their future.
constexpr auto backdating = std::chrono::hours{24};

bool is_address(const std::string& text) {
    in6_addr buffer{};
    return ::inet_pton(AF_INET, text.c_str(), &buffer) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), &buffer) == 1;
}

bool is_there(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Result<x509::Certificate> read_certificate(const std::filesystem::path& path) {
    TRY(const std::string text, read_file(path, limits::certificate_file_bytes_max));
    auto certificate = x509::read_one_certificate(text);
    if (!certificate) {
        Error error = certificate.error();
        error.detail = path.string() + ": " + error.detail;
        return error;
    }
    return certificate;
}

Result<x509::PrivateKey> read_key(const std::filesystem::path& path) {
    TRY(const std::string text, read_file(path, limits::certificate_file_bytes_max));
    auto key = x509::PrivateKey::parse_pem(text);
    if (!key) {
        Error error = key.error();
        error.detail = path.string() + ": " + error.detail;
        return error;
    }
    return key;
}

/// As describe_extensions() spells them.
std::vector<std::string> spelled(const ServerNames& names) {
    std::vector<std::string> all;
    for (const std::string& name : names.dns) {
        all.push_back("DNS:" + name);
    }
    for (const std::string& address : names.addresses) {
        all.push_back("IP:" + address);
    }
    return all;
}

}  // namespace

struct LocalCa::Authority {
    x509::Certificate certificate;
    x509::PrivateKey key;
};

void ServerNames::add(const std::string& name_or_address) {
    auto& list = is_address(name_or_address) ? addresses : dns;
    const std::string name = to_lower_ascii(name_or_address);
    if (std::find(list.begin(), list.end(), name) == list.end()) {
        list.push_back(name);
    }
}

TimePoint renewal_due(TimePoint not_before, TimePoint not_after) {
    return not_before + (not_after - not_before) / 3 * 2;
}

LocalCa::LocalCa(std::filesystem::path tls, ServerNames names)
    : tls_(std::move(tls)), names_(std::move(names)) {}

net::CredentialFiles LocalCa::server_files() const {
    return {.chain = tls_ / "server.pem", .key = tls_ / "server-key.pem"};
}

Result<LocalCa::Authority> LocalCa::authority(TimePoint now, Entropy& entropy) const {
    const auto key_file = tls_ / "ca-key.pem";
    // A start that died between the two files of a new CA: nobody knows that CA yet.
    const bool half_made =
        is_there(key_file) && !is_there(ca_file()) && !is_there(server_files().chain);
    if (!half_made && (is_there(ca_file()) || is_there(key_file))) {
        TRY(auto certificate, read_certificate(ca_file()));
        TRY(auto key, read_key(key_file));
        if (!key.belongs_to(certificate)) {
            return Error{.kind = ErrorKind::conflict,
                         .detail = key_file.string() + " is not the key of " + ca_file().string()};
        }
        if (certificate.not_after() <= now) {
            return Error{.kind = ErrorKind::conflict,
                         .detail = ca_file().string() + " expired on " +
                                   to_iso8601_seconds(certificate.not_after()) +
                                   "; remove the directory " + tls_.string() +
                                   " to make a new local CA, and give it to your devices"};
        }
        return Authority{std::move(certificate), std::move(key)};
    }
    x509::IssuanceProfile profile;
    profile.common_name = "Rollcall local CA " + random_upper_hex(entropy, 4);
    profile.not_before = now - backdating;
    profile.not_after = now + local_ca_life;
    profile.kind = x509::IssuanceProfile::Kind::root;
    profile.path_length = 0;
    TRY(auto key, x509::PrivateKey::generate(x509::KeyType::p256));
    TRY(auto made, x509::issue_self_signed(profile, key, entropy));
    FileSet files;
    files.add(key_file, key.pem(), Secrecy::secret);
    files.add(ca_file(), made.certificate.pem(), Secrecy::open);
    const auto existing = half_made ? FileSet::Existing::replace : FileSet::Existing::refuse;
    TRY([[maybe_unused]] const auto written, files.write(existing));
    return Authority{std::move(made.certificate), std::move(key)};
}

Result<bool> LocalCa::is_current(const Authority& authority, TimePoint now) const {
    const auto [chain, key_file] = server_files();
    if (!is_there(chain) || !is_there(key_file)) {
        return false;
    }
    TRY(const auto certificate, read_certificate(chain));
    TRY(const auto key, read_key(key_file));
    const auto said = x509::describe_extensions(certificate).subject_alt_names;
    const TimePoint due = std::min(renewal_due(certificate.not_before(), certificate.not_after()),
                                   authority.certificate.not_after());
    // A clock that ran ahead and was set back leaves one that is not valid yet.
    const bool begun =
        certificate.not_before() <= std::max(now, authority.certificate.not_before());
    return key.belongs_to(certificate) && said == spelled(names_) && begun && now < due &&
           certificate.issuer_normalised() == authority.certificate.subject_normalised();
}

Result<Done> LocalCa::issue_server(const Authority& authority, TimePoint now,
                                   Entropy& entropy) const {
    x509::IssuanceProfile profile;
    profile.common_name = names_.dns.empty() ? "rollcall" : names_.dns.front();
    if (profile.common_name.size() > 64) {  // RFC 5280 appendix A.1: ub-common-name
        profile.common_name = "rollcall";
    }
    profile.not_before = std::max(now - backdating, authority.certificate.not_before());
    profile.not_after =
        std::min(TimePoint{now + server_certificate_life}, authority.certificate.not_after());
    profile.kind = x509::IssuanceProfile::Kind::server;
    profile.dns_names = names_.dns;
    profile.ip_addresses = names_.addresses;
    TRY(const auto key, x509::PrivateKey::generate(x509::KeyType::p256));
    TRY(const auto certificate,
        x509::issue(profile, key, authority.certificate, authority.key, entropy));
    const auto [chain, key_file] = server_files();
    FileSet files;
    files.add(key_file, key.pem(), Secrecy::secret);
    files.add(chain, certificate.pem(), Secrecy::open);
    return files.write(FileSet::Existing::replace);
}

Result<bool> LocalCa::ensure(TimePoint now, Entropy& entropy) const {
    TRY(const Authority ca, authority(now, entropy));
    TRY(const bool current, is_current(ca, now));
    if (current) {
        return false;
    }
    TRY([[maybe_unused]] const auto issued, issue_server(ca, now, entropy));
    return true;
}

Task<void> keep_renewed(net::Core& core, const LocalCa& ca, const Clock& clock, Entropy& entropy) {
    // Often: the wall clock of a machine without a battery is set right some time after the start,
    // and until the certificate follows no device comes in. A look costs less than a handshake.
    constexpr std::chrono::milliseconds pause = std::chrono::seconds{5};
    std::string told;
    while (co_await core.sleep(pause)) {
        const auto renewed = ca.ensure(clock.now(), entropy);
        const std::string why = renewed ? "" : renewed.error().detail;
        if (!renewed && why != told) {
            log_event(Severity::error, "server-certificate-not-renewed", {{"why", why}});
        } else if (renewed && *renewed) {
            log_event(Severity::info, "server-certificate-renewed",
                      {{"file", ca.server_files().chain.string()}});
        }
        told = why;
    }
}

}  // namespace rollcall::app
