// SPDX-License-Identifier: Apache-2.0
// Builders of certificates for unit tests: a_root("Factory").leaf("dev-1"). Keys are made once for
// each name, so that tests stay quick and "the same name with another key" is written as such.
#pragma once

#include "base/world.hpp"
#include "x509/authority.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

using namespace std::chrono_literals;

/// The day on which tests play.
inline const TimePoint today = std::chrono::sys_days{std::chrono::year{2030} / 6 / 15};

inline Entropy& test_entropy() {
    static ScriptedEntropy entropy{42};
    return entropy;
}

inline const x509::PrivateKey& key_named(const std::string& name) {
    static std::map<std::string, x509::PrivateKey> keys;
    const auto found = keys.find(name);
    if (found != keys.end()) {
        return found->second;
    }
    auto made = x509::PrivateKey::generate(x509::KeyType::p256);
    return keys.emplace(name, *std::move(made)).first->second;
}

struct Validity {
    TimePoint not_before = today - 24h * 365;
    TimePoint not_after = today + 24h * 365;
};

/// A CA of a test, and what it can sign.
class Authority {
public:
    Authority(x509::Certificate certificate, x509::PrivateKey key)
        : certificate_(std::move(certificate)), key_(std::move(key)) {}

    const x509::Certificate& certificate() const { return certificate_; }
    const x509::PrivateKey& key() const { return key_; }

    Authority intermediate(const std::string& name, Validity validity = {},
                           const std::string& key_name = {}) const {
        const auto& key = key_named(key_name.empty() ? name : key_name);
        const auto profile = profile_of(name, validity, x509::IssuanceProfile::Kind::intermediate);
        auto made = x509::issue(profile, key, certificate_, key_, test_entropy());
        return {*std::move(made), key};
    }

    x509::Certificate leaf(const std::string& name, Validity validity = {},
                           const std::string& key_name = {},
                           std::vector<std::string> extended_key_usage = {}) const {
        const auto& key = key_named(key_name.empty() ? "leaf of " + name : key_name);
        auto profile = profile_of(name, validity, x509::IssuanceProfile::Kind::device);
        profile.extended_key_usage = std::move(extended_key_usage);
        auto made = x509::issue(profile, key, certificate_, key_, test_entropy());
        return *std::move(made);
    }

    x509::Certificate proof(const std::string& code, Validity validity = {}) const {
        const auto profile = profile_of(code, validity, x509::IssuanceProfile::Kind::verification);
        auto made = x509::issue(profile, key_named("proof"), certificate_, key_, test_entropy());
        return *std::move(made);
    }

    /// This authority's name and key, signed by another.
    x509::Certificate cross_signed_by(const Authority& other, Validity validity = {}) const {
        auto made = x509::reissue(certificate_, validity.not_before, validity.not_after,
                                  other.certificate_, other.key_, test_entropy());
        return *std::move(made);
    }

    static x509::IssuanceProfile profile_of(const std::string& name, Validity validity,
                                            x509::IssuanceProfile::Kind kind) {
        x509::IssuanceProfile profile;
        profile.common_name = name;
        profile.not_before = validity.not_before;
        profile.not_after = validity.not_after;
        profile.kind = kind;
        return profile;
    }

private:
    x509::Certificate certificate_;
    x509::PrivateKey key_;
};

inline Authority a_root(const std::string& name, Validity validity = {},
                        const std::string& key_name = {}) {
    const auto& key = key_named(key_name.empty() ? name : key_name);
    const auto profile = Authority::profile_of(name, validity, x509::IssuanceProfile::Kind::root);
    auto made = x509::issue_self_signed(profile, key, test_entropy());
    return {(*made).certificate, key};
}

/// A device's own, self-signed certificate.
inline x509::Certificate self_signed(const std::string& name, Validity validity = {},
                                     const std::string& key_name = {}) {
    const auto& key = key_named(key_name.empty() ? "leaf of " + name : key_name);
    const auto profile = Authority::profile_of(name, validity, x509::IssuanceProfile::Kind::device);
    auto made = x509::issue_self_signed(profile, key, test_entropy());
    return (*made).certificate;
}

}  // namespace rollcall::test
