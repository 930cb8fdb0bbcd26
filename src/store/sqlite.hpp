// SPDX-License-Identifier: Apache-2.0
// All doors on SQLite, for one machine: DIR/rollcall.db under WAL with synchronous=FULL. Writes go
// through one connection on the ledger's thread; every thread that asks has a reading connection
// of its own. Short questions run on the asking thread (5 to 20 us), listings on a lane.
#pragma once

#include "base/telemetry.hpp"
#include "store/certificate_cache.hpp"
#include "store/fleet.hpp"
#include "store/sqlite_writer.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace rollcall::store {

class SqliteStore final : public StoreReader, public FleetReader, public Ledger {
public:
    struct Settings {
        std::filesystem::path file{};  ///< its directory exists and is locked (DataDirectory)
        Digest audit_key{};            ///< DataDirectory::derived_key("audit")
        Digest sealing_key{};          ///< DataDirectory::derived_key("device keys")
        /// Of the writing connection. Beyond the hot set of a fleet commits get slower.
        std::int64_t writer_cache_kib = 128 * 1024;
        std::int64_t reader_cache_kib = 8 * 1024;  ///< of each reading connection
        std::int64_t reader_mmap_bytes = std::int64_t{1} << 30;
        int checkpoint_pages = 20'000;
        std::string vfs{};  ///< see Database::Options
    };
    /// Opens or makes the file and brings its schema up to date; see migrate() for refusals.
    /// `now`: see SqliteWriter::open.
    static Result<std::unique_ptr<SqliteStore>> open(Settings settings, Metrics& metrics,
                                                     TimePoint now);
    ~SqliteStore() override;

    /// Carries out what waits in the ledger and ends the store's threads. Before the io_contexts
    /// of its callers die; also done by the destructor.
    void close();

    // --- Ledger ---
    Task<Result<Receipt>> commit(const domain::Changes& changes) override;
    std::uint64_t config_version() const override { return writer_->config_version(); }

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
    SqliteStore(Settings settings, std::unique_ptr<SqliteWriter> writer);

    Result<Database*> connection();
    void forget_connection();
    template <class Ask>
    std::invoke_result_t<Ask&, Database&> ask(Ask question);
    template <class Ask>
    Task<std::invoke_result_t<Ask&, Database&>> ask_on(Lane& lane, Ask question);

    const Settings settings_;
    /// Tells this store from an earlier one at the same address, for each thread's memory of its
    /// connection.
    const std::uint64_t serial_;
    std::unique_ptr<SqliteWriter> writer_;
    CertificateCache leaves_;
    CertificateCache authorities_;
    std::mutex connections_mutex_;
    std::unordered_map<std::thread::id, std::unique_ptr<Database>> connections_;
    Lane listings_{1};
    Lane fleet_{1};  ///< apart: one answer reads every device
    Lane trust_{1};  ///< apart: a long listing must not delay what devices are judged against
    GroupCommit ledger_;
};

}  // namespace rollcall::store
