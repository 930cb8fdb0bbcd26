// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include "base/world.hpp"
#include "x509/authority.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <utility>

namespace rollcall::bench {

using x509::IssuanceProfile;
using Kind = IssuanceProfile::Kind;

namespace {

IssuanceProfile a_profile(Kind kind, const std::string& name, TimePoint now) {
    return IssuanceProfile{.common_name = name,
                           .not_before = now - std::chrono::hours{24},
                           .not_after = now + std::chrono::hours{24 * 365},
                           .kind = kind};
}

void write_file(const std::string& path, const std::string& text) {
    ::umask(0077);
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) {
        give_up("cannot write " + path);
    }
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        give_up("cannot read " + path);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

x509::PrivateKey a_key() {
    return x509::PrivateKey::generate(x509::KeyType::p256).value();
}

void write_pair(const std::string& stem, const x509::Certificate& certificate,
                const x509::PrivateKey& key) {
    write_file(stem + ".pem", certificate.pem());
    write_file(stem + ".key", key.pem());
}

}  // namespace

void give_up(const std::string& why) {
    std::fprintf(stderr, "load: %s\n", why.c_str());
    std::exit(1);
}

void make_pki(const std::string& directory) {
    SystemEntropy entropy;
    const TimePoint now = SystemClock{}.now();
    const auto root_key = a_key();
    const auto root =
        x509::issue_self_signed(a_profile(Kind::root, "Bench Root", now), root_key, entropy)
            .value()
            .certificate;
    write_pair(directory + "/root", root, root_key);
    for (const auto& [file, name] :
         {std::pair{"/issuing", "Bench Issuing"}, std::pair{"/other", "Bench Other"}}) {
        const auto key = a_key();
        const auto issuing =
            x509::issue(a_profile(Kind::intermediate, name, now), key, root, root_key, entropy)
                .value();
        write_pair(directory + file, issuing, key);
    }
    const auto server_key = a_key();
    auto profile = a_profile(Kind::server, "localhost", now);
    profile.dns_names = {"localhost"};
    profile.ip_addresses = {"127.0.0.1"};
    write_pair(directory + "/server",
               x509::issue(profile, server_key, root, root_key, entropy).value(), server_key);
}

x509::Certificate read_certificate(const std::string& path) {
    return x509::read_one_certificate(read_file(path)).value();
}

std::vector<Device> make_devices(const std::string& issuer, const std::string& prefix,
                                 unsigned first, unsigned count) {
    SystemEntropy entropy;
    const TimePoint now = SystemClock{}.now();
    const auto certificate = read_certificate(issuer + ".pem");
    const auto key = x509::PrivateKey::parse_pem(read_file(issuer + ".key")).value();
    std::vector<Device> devices;
    devices.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
        std::string id = prefix + std::to_string(first + i);
        auto own_key = a_key();
        auto own = x509::issue(a_profile(Kind::device, id, now), own_key, certificate, key, entropy)
                       .value();
        devices.push_back({std::move(id), std::move(own), std::move(own_key)});
    }
    return devices;
}

}  // namespace rollcall::bench
