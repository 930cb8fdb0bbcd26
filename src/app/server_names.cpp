// SPDX-License-Identifier: Apache-2.0
// By which names a server is reached, and whether the certificate it was given fits its key.
#include "app/serve.hpp"
#include "x509/certificate.hpp"
#include "x509/description.hpp"
#include "x509/key.hpp"

#include <unistd.h>

#include <climits>

namespace rollcall::app {

std::string host_name() {
    char name[HOST_NAME_MAX + 1] = "";
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') {
        return "localhost";
    }
    return name;
}

ServerNames local_names(const Settings& settings, const std::string& host_name) {
    ServerNames names;
    for (const std::string& name : settings.names) {
        names.add(name);
    }
    if (!settings.hub_host.empty()) {
        names.add(settings.hub_host);
    }
    for (const std::string& name : settings.operator_names) {
        names.add(name);
    }
    names.add(host_name);
    for (const auto& door : {settings.device_https, settings.operator_door}) {
        const bool everywhere =
            !door || door->host == "*" || door->host == "0.0.0.0" || door->host == "::";
        if (!everywhere) {
            names.add(door->host);
        }
    }
    for (const char* loopback : {"localhost", "127.0.0.1", "::1"}) {
        names.add(loopback);
    }
    return names;
}

std::vector<std::string> operator_hosts(const Settings& settings, const std::string& hub) {
    std::vector<std::string> hosts;
    for (const auto* const names : {&settings.operator_names, &settings.names}) {
        for (const std::string& name : *names) {
            hosts.push_back(to_lower_ascii(name));
        }
    }
    hosts.push_back(to_lower_ascii(hub));
    return hosts;
}

Result<std::vector<std::string>> given_certificate_names(const Settings& settings) {
    std::vector<std::string> names;
    if (!settings.server_credential) {
        return names;
    }
    const auto& files = *settings.server_credential;
    TRY(const auto credential, net::read_credential(files));
    const auto chain = x509::read_certificates(credential.chain_pem, limits::peer_certificates_max);
    if (!chain) {
        return Error{.kind = chain.error().kind,
                     .detail = files.chain.string() + ": " + chain.error().detail};
    }
    const auto key = x509::PrivateKey::parse_pem(credential.key_pem);
    if (!key) {
        return Error{.kind = key.error().kind,
                     .detail = files.key.string() + ": " + key.error().detail};
    }
    if (!key->belongs_to(chain->front())) {
        return Error{.kind = ErrorKind::conflict,
                     .detail = files.key.string() + " is not the key of the first certificate in " +
                               files.chain.string()};
    }
    for (const std::string& name : x509::describe_extensions(chain->front()).subject_alt_names) {
        if (name.starts_with("DNS:")) {
            names.push_back(name.substr(4));
        }
    }
    return names;
}

}  // namespace rollcall::app
