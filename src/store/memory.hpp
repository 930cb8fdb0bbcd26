// SPDX-License-Identifier: Apache-2.0
// All doors in memory, with the meaning of sqlite.* (one contract test runs against both): what
// service tests and the simulator use. Nothing survives the process. Safe from any thread.
#pragma once

#include "store/fleet.hpp"

#include <map>
#include <mutex>
#include <set>

namespace rollcall::store {

class MemoryStore final : public StoreReader, public FleetReader, public Ledger {
public:
    explicit MemoryStore(const Digest& audit_key);

    /// From now on commits fail as on a full disk, until told otherwise.
    void fail_commits(bool fail);
    /// From now on questions fail as where the disk cannot be read.
    void fail_questions(bool fail);

    // --- Ledger ---
    Task<Result<Receipt>> commit(const domain::Changes& changes) override;
    std::uint64_t config_version() const override;

    // --- StoreReader ---
    Task<Result<domain::RegistrationContext>> registration_context(const RegistrationId& id,
                                                                   const Digest& leaf) override;
    Task<Result<domain::TrustRecords>> trust_records() override;
    Task<Result<std::vector<domain::Adoption>>> adoptions(const RegistrationId& id) override;
    Task<Result<std::optional<domain::CaCertificate>>> ca(const CaId& id) override;
    Task<Result<std::optional<domain::EnrollmentGroup>>> group(const GroupId& id) override;
    Task<Result<std::optional<domain::IndividualEnrollment>>> individual(
        const RegistrationId& id) override;
    Task<Result<std::optional<domain::Registration>>> registration(
        const RegistrationId& id) override;
    Task<Result<std::optional<domain::Device>>> device(const DeviceId& id) override;
    Task<Result<std::optional<domain::Twin>>> twin(const DeviceId& id) override;
    Task<Result<std::vector<domain::DeviceMessage>>> messages(const DeviceId& id) override;
    Task<Result<domain::Subscriptions>> subscriptions(const DeviceId& id) override;
    Task<Result<Page<domain::CaCertificate>>> cas(const PageRequest& page) override;
    Task<Result<Page<domain::EnrollmentGroup>>> groups(const PageRequest& page) override;
    Task<Result<Page<domain::IndividualEnrollment>>> individuals(const PageRequest& page) override;
    Task<Result<Page<domain::Registration>>> registrations(
        const PageRequest& page, const RegistrationFilter& filter) override;
    Task<Result<std::uint64_t>> registration_count(const RegistrationFilter& filter) override;
    Task<Result<Page<domain::Device>>> devices(const PageRequest& page,
                                               const DeviceFilter& filter) override;
    Task<Result<std::vector<domain::Distrusted>>> distrusted() override;
    Task<Result<std::vector<AdoptionCount>>> adoption_counts(
        const domain::EntryRef& entry) override;
    Task<Result<Page<AuditRecord>>> audit(const PageRequest& page) override;
    Task<Result<AuditHead>> audit_head() override;
    Task<Result<std::optional<domain::AccessToken>>> token(const Digest& secret_sha256) override;
    Task<Result<std::vector<domain::AccessToken>>> tokens() override;
    Task<Result<std::optional<domain::SasPolicy>>> policy(const std::string& name) override;
    Task<Result<std::vector<domain::SasPolicy>>> policies() override;
    Task<Result<std::optional<std::string>>> setting(const std::string& key) override;
    Task<Result<domain::DeviceNotes>> device_notes(const DeviceId& id) override;
    Task<Result<Page<domain::NotedDevice>>> noted_devices(const PageRequest& page,
                                                          const DeviceFilter& filter) override;
    Task<Result<std::optional<domain::DeviceGroup>>> device_group(const std::string& id) override;
    Task<Result<Page<domain::DeviceGroup>>> device_groups(const PageRequest& page) override;
    Task<Result<std::optional<domain::Job>>> job(const std::string& id) override;
    Task<Result<Page<domain::Job>>> jobs(const PageRequest& page, const JobFilter& filter) override;
    Task<Result<Page<domain::JobDevice>>> job_devices(const std::string& job,
                                                      const PageRequest& page,
                                                      const JobDeviceFilter& filter) override;
    Task<Result<domain::JobProgress>> job_progress(const std::string& job, std::uint64_t from,
                                                   std::uint64_t to) override;
    Task<Result<std::optional<domain::User>>> user(const std::string& id) override;
    Task<Result<std::optional<domain::User>>> user_named(const std::string& name) override;
    Task<Result<std::optional<domain::User>>> user_of(
        const domain::OpenidIdentity& identity) override;
    Task<Result<std::vector<domain::User>>> users() override;
    Task<Result<std::optional<domain::SignedIn>>> session(const Digest& secret_sha256) override;
    Task<Result<std::vector<domain::Session>>> sessions(const std::string& user_id) override;

    // --- FleetReader ---
    Task<Result<Page<FleetDevice>>> fleet(const PageRequest& page,
                                          const FleetFilter& filter) override;
    Task<Result<std::uint64_t>> fleet_count(const FleetFilter& filter) override;
    Task<Result<FleetCounts>> fleet_counts() override;
    Task<Result<Page<domain::IndividualEnrollment>>> individuals_containing(
        const PageRequest& page, const std::string& part) override;
    Task<Result<Page<AuditRecord>>> audit_backwards(const PageRequest& page,
                                                    const AuditFilter& filter) override;

private:
    /// Keys are those of the rows: folded where ids compare without case.
    struct State {
        std::map<std::string, domain::CaCertificate> cas;
        std::map<std::string, domain::EnrollmentGroup> groups;
        std::map<std::string, domain::IndividualEnrollment> individuals;
        std::map<std::string, domain::Registration> registrations;
        /// By number % limits::adoption_history_max.
        std::map<std::string, std::map<std::uint64_t, std::pair<std::uint64_t, domain::Adoption>>>
            adoptions;
        std::map<std::string, domain::Device> devices;
        std::map<std::string, domain::Twin> twins;
        /// Of each device, by number; the numbers are all devices' together, as those of SQLite.
        std::map<std::string, std::map<std::uint64_t, domain::DeviceMessage>> messages;
        std::uint64_t newest_message = 0;
        std::map<std::string, domain::Subscriptions> subscriptions;
        std::map<std::string, domain::DeviceNotes> device_notes;
        std::map<Digest, domain::Distrusted> distrusted;
        std::map<Digest, std::pair<TimePoint, x509::Certificate>> intermediates;
        std::map<std::string, domain::LinkedHub> hubs;
        std::map<std::string, domain::AccessToken> tokens;
        std::map<std::string, domain::SasPolicy> policies;
        std::map<std::string, std::string> settings;
        std::map<std::string, domain::DeviceGroup> device_groups;
        std::map<std::string, domain::Job> jobs;
        std::map<std::string, std::map<std::uint64_t, domain::JobDevice>> job_devices;
        std::map<std::string, domain::User> users;  ///< by id, folded
        std::map<std::string, domain::Session> sessions;
        std::vector<AuditRecord> audit;
        AuditHead audit_head{};
        Receipt versions{1, 1};
    };
    class Checker;
    class Applier;

    Result<Receipt> commit_now(const domain::Changes& changes);
    template <class Map>
    static std::optional<typename Map::mapped_type> found(const Map& records,
                                                          const typename Map::key_type& key) {
        const auto place = records.find(key);
        return place == records.end() ? std::nullopt : std::optional{place->second};
    }
    Result<Done> answering() const;
    FleetDevice fleet_device(const domain::Device& device) const;
    template <class Is>
    Result<std::optional<domain::User>> user_that(Is is) const;
    bool leaf_in_disabled_entry(const Digest& leaf) const;
    template <class T, class Keep>
    Result<Page<T>> page_of(const std::map<std::string, T>& records, const std::string& after,
                            const PageRequest& page, Keep keep) const;

    const Digest audit_key_;
    mutable std::mutex mutex_;
    State state_;
    bool commits_fail_ = false;
    bool questions_fail_ = false;
};

}  // namespace rollcall::store
