// SPDX-License-Identifier: Apache-2.0
// Builders of enrollments and requests for unit tests of domain and service.
#pragma once

#include "domain/attestation.hpp"
#include "support/pki.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

/// Builds the TrustRecords of a small world, step by step.
class WorldBuilder {
public:
    /// A CA record; verified unless told otherwise.
    WorldBuilder& ca(const std::string& id, const x509::Certificate& certificate,
                     bool verified = true, std::string name = {}) {
        domain::CaCertificate record{CaId::trusted(id), std::move(name), certificate};
        record.etag = ETag::trusted("etag-of-" + id);
        if (verified) {
            record.verified = domain::CaVerification{};
        }
        records_.cas.push_back(record);
        return *this;
    }
    WorldBuilder& group(const std::string& id, const std::string& primary,
                        const std::string& secondary = {}, bool enabled = true) {
        domain::EnrollmentGroup group;
        group.id = GroupId::trusted(id);
        group.instance = "instance-of-" + id;
        group.etag = ETag::trusted("etag-of-" + id);
        group.enabled = enabled;
        if (!primary.empty()) {
            group.at(domain::Slot::primary).current = CaId::trusted(primary);
        }
        if (!secondary.empty()) {
            group.at(domain::Slot::secondary).current = CaId::trusted(secondary);
        }
        records_.groups.push_back(group);
        return *this;
    }
    /// A group that attests by these symmetric keys.
    WorldBuilder& key_group(const std::string& id, domain::SymmetricKeys keys,
                            bool enabled = true) {
        group(id, {}, {}, enabled);
        last_group().keys = std::move(keys);
        return *this;
    }
    WorldBuilder& distrust(const Digest& key) {
        records_.distrusted.push_back({key, "a key"});
        return *this;
    }
    WorldBuilder& distrust(const x509::Certificate& certificate) {
        domain::Distrusted lost{certificate.spki_sha256(), certificate.subject()};
        lost.certificate = certificate;
        records_.distrusted.push_back(std::move(lost));
        return *this;
    }
    WorldBuilder& hub(const std::string& name, bool own = true, std::uint32_t weight = 1) {
        domain::LinkedHub hub{name, own, weight};
        hub.etag = ETag::trusted("etag-of-" + name);
        records_.hubs.push_back(std::move(hub));
        return *this;
    }
    WorldBuilder& seen(const x509::Certificate& intermediate) {
        records_.seen_intermediates.push_back(intermediate);
        return *this;
    }
    domain::TrustRecords& records() { return records_; }
    domain::EnrollmentGroup& last_group() { return records_.groups.back(); }
    domain::TrustView view() const { return domain::TrustView{records_}; }

private:
    domain::TrustRecords records_;
};

inline domain::RegistrationRequest a_request(const std::string& id,
                                             std::vector<x509::Certificate> chain) {
    domain::RegistrationRequest request;
    request.scope = ScopeId::trusted("0neTEST");
    request.id = RegistrationId::trusted(id);
    request.peer.certificates = std::move(chain);
    request.api_version = "2019-03-31";
    return request;
}

/// One that brings a token and no certificate.
inline domain::RegistrationRequest a_token_request(const std::string& id, std::string sas) {
    domain::RegistrationRequest request = a_request(id, std::vector<x509::Certificate>{});
    request.sas = std::move(sas);
    return request;
}

inline domain::IndividualEnrollment an_enrollment(const std::string& id,
                                                  std::optional<x509::Certificate> primary,
                                                  std::optional<x509::Certificate> secondary = {}) {
    domain::IndividualEnrollment enrollment;
    enrollment.id = RegistrationId::trusted(id);
    enrollment.instance = "instance-of-" + id;
    enrollment.etag = ETag::trusted("etag-of-" + id);
    enrollment.slots = {std::move(primary), std::move(secondary)};
    return enrollment;
}

}  // namespace rollcall::test
