// SPDX-License-Identifier: Apache-2.0
// What single steps of a registration cost: reading a certificate, judging a chain against few and
// many anchors. Medians of rounds that are taken in turn; what counts are the ratios.
//
//     bench_micro [--check]     --check: exit 1 when a ratio is above its target
#include "base/world.hpp"
#include "domain/attestation.hpp"
#include "x509/authority.hpp"
#include "x509/legacy_keys.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace rollcall {
namespace {

using x509::IssuanceProfile;
using Kind = IssuanceProfile::Kind;

constexpr int rounds = 15;
/// Of judging under 10,000 anchors to judging under 10.
constexpr double anchors_target = 1.2;

double cpu_micros() {
    rusage spent{};
    ::getrusage(RUSAGE_SELF, &spent);
    const auto micros = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return micros(spent.ru_utime) + micros(spent.ru_stime);
}

struct Subject {
    std::string name;
    int times;
    std::function<void()> work;
    std::vector<double> costs{};

    double median() {
        std::sort(costs.begin(), costs.end());
        return costs[costs.size() / 2];
    }
};

void measure(std::vector<Subject>& subjects) {
    for (int round = 0; round <= rounds; ++round) {
        for (auto& subject : subjects) {
            const double before = cpu_micros();
            for (int i = 0; i < subject.times; ++i) {
                subject.work();
            }
            if (round > 0) {  // the first one warms up
                subject.costs.push_back((cpu_micros() - before) / subject.times);
            }
        }
    }
}

/// One factory: a root, an issuing CA, devices; and other roots beside it.
class Factory {
public:
    Factory() : now_(SystemClock{}.now()) {
        root_ = a_root("Factory Root", root_key_);
        issuing_ = x509::issue(profile(Kind::intermediate, "Factory Issuing"), issuing_key_, *root_,
                               root_key_, entropy_)
                       .value();
        for (int i = 0; i < 64; ++i) {
            leaves_.push_back(x509::issue(profile(Kind::device, "dev-" + std::to_string(i)),
                                          leaf_key_, *issuing_, issuing_key_, entropy_)
                                  .value());
        }
    }

    /// `count` groups with a root each, ours among them.
    std::unique_ptr<domain::TrustView> trust(std::size_t count) {
        domain::TrustRecords records;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = std::to_string(i);
            domain::CaCertificate ca{.id = CaId::trusted("ca-" + name),
                                     .name = {},
                                     .certificate = i == 0 ? *root_ : another_root(i)};
            ca.verified.emplace();
            domain::EnrollmentGroup group;
            group.id = GroupId::trusted("group-" + name);
            group.instance = name;
            group.at(domain::Slot::primary).current = ca.id;
            records.cas.push_back(std::move(ca));
            records.groups.push_back(std::move(group));
        }
        return std::make_unique<domain::TrustView>(std::move(records));
    }

    /// A device that was never seen: its own signature is new work, its intermediate's is not.
    void judge(const domain::TrustView& trust, x509::SignatureMemory& memory) {
        const x509::Certificate& leaf = leaves_[next_++ % leaves_.size()];
        domain::RegistrationRequest request;
        request.id = RegistrationId::trusted(leaf.common_name().value());
        request.peer.certificates = {leaf, *issuing_};
        const auto attestation =
            domain::attest(trust, {}, request, now_, &memory, limits::path_signatures_on_core);
        if (!std::holds_alternative<domain::Attested>(attestation)) {
            std::fprintf(stderr, "refused: %s\n",
                         std::get<domain::Refusal>(attestation).explanation.c_str());
            std::exit(1);
        }
    }
    void parse() { (void)x509::Certificate::parse_der(leaves_.front().der()).value(); }

private:
    IssuanceProfile profile(Kind kind, const std::string& name) const {
        return {.common_name = name,
                .not_before = now_ - std::chrono::hours{24},
                .not_after = now_ + std::chrono::hours{24 * 365},
                .kind = kind};
    }
    x509::Certificate a_root(const std::string& name, const x509::PrivateKey& key) {
        return x509::issue_self_signed(profile(Kind::root, name), key, entropy_)
            .value()
            .certificate;
    }
    const x509::Certificate& another_root(std::size_t number) {
        while (others_.size() <= number) {
            others_.push_back(a_root("Root " + std::to_string(others_.size()), other_key_));
        }
        return others_[number];
    }

    SystemEntropy entropy_;
    const TimePoint now_;
    const x509::PrivateKey root_key_ = x509::PrivateKey::generate(x509::KeyType::p256).value();
    const x509::PrivateKey issuing_key_ = x509::PrivateKey::generate(x509::KeyType::p256).value();
    const x509::PrivateKey leaf_key_ = x509::PrivateKey::generate(x509::KeyType::p256).value();
    const x509::PrivateKey other_key_ = x509::PrivateKey::generate(x509::KeyType::p256).value();
    std::optional<x509::Certificate> root_;
    std::optional<x509::Certificate> issuing_;
    std::vector<x509::Certificate> leaves_;
    std::vector<x509::Certificate> others_;
    std::size_t next_ = 0;
};

int run(bool check) {
    x509::use_legacy_keys();
    Factory factory;
    struct Setting {
        std::unique_ptr<domain::TrustView> trust;
        x509::SignatureMemory memory;
    };
    std::vector<std::unique_ptr<Setting>> settings;
    std::vector<Subject> subjects{{"read a P-256 certificate", 2'000, [&] { factory.parse(); }}};
    for (const std::size_t anchors : {1U, 10U, 100U, 10'000U}) {
        settings.push_back(std::make_unique<Setting>());
        Setting& setting = *settings.back();
        setting.trust = factory.trust(anchors);
        subjects.push_back({"judge leaf + intermediate, " + std::to_string(anchors) + " anchors",
                            500, [&] { factory.judge(*setting.trust, setting.memory); }});
    }
    measure(subjects);
    for (auto& subject : subjects) {
        std::printf("%-44s %8.1f us CPU\n", subject.name.c_str(), subject.median());
    }
    const double ratio = subjects[4].median() / subjects[2].median();
    std::printf("%-44s %8.2f    target %.2f\n", "10,000 anchors to 10", ratio, anchors_target);
    return check && ratio > anchors_target ? 1 : 0;
}

}  // namespace
}  // namespace rollcall

int main(int count, char** words) {
    const bool check = count == 2 && std::strcmp(words[1], "--check") == 0;
    if (count > 2 || (count == 2 && !check)) {
        std::fprintf(stderr, "usage: %s [--check]\n", words[0]);
        return 2;
    }
    return rollcall::run(check);
}
