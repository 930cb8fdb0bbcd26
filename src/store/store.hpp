// SPDX-License-Identifier: Apache-2.0
// The two doors of the store: StoreReader for questions, Ledger for the only write. Implemented by
// sqlite.* (one machine) and memory.* (tests, simulator); PostgreSQL will come behind the same two.
#pragma once

#include "base/task.hpp"
#include "domain/attestation.hpp"
#include "domain/changes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::store {

/// One page of a listing in the order of the key. `after`: the last key of the page before, empty
/// for the first (keyset paging: the last page costs what the first does).
struct PageRequest {
    std::string after{};
    std::size_t count = 100;  ///< 1 to limits::page_max
};
template <class T>
struct Page {
    std::vector<T> items;
    std::string next{};  ///< `after` of the next page; empty: this was the last
};

/// Narrowing of listings; unset members do not narrow.
struct RegistrationFilter {
    std::optional<std::string> group{};  ///< group id, without case
    /// Last proved with this slot certificate. Give `ca` as well where it is known: that is
    /// indexed.
    std::optional<Digest> ca_sha256{};
    std::optional<domain::RegistrationStatus> status{};
    /// Last proved under this authority (Registration::last.ca), whichever certificate of it.
    std::optional<x509::CaKey> ca{};
    /// The slot's CA or the leaf last proved with has this key (last.ca.spki or last.leaf_spki).
    std::optional<Digest> spki{};
    std::optional<std::string> hub{};  ///< assigned to it; without case
};
struct DeviceFilter {
    std::optional<domain::DeviceState> state{};
    std::string id_prefix{};
};

struct JobFilter {
    bool under_way = false;  ///< only those that are pending or running
};
struct JobDeviceFilter {
    std::optional<domain::JobDeviceStatus> status{};
    /// Numbers before this one.
    std::optional<std::uint64_t> before{};
};

struct AuditRecord {
    std::uint64_t sequence = 0;  ///< from 1, without gaps
    domain::AuditEvent event;
    Digest previous{};  ///< hash of the record before; zeros for the first
    Digest hash{};      ///< see store/audit_chain.hpp

    bool operator==(const AuditRecord&) const = default;
};

/// The newest record of the audit log, signed with a key made from the data directory's secret, so
/// that a log that was cut short or written anew is seen. sequence 0: nothing was recorded yet
/// (signed too).
struct AuditHead {
    std::uint64_t sequence = 0;
    Digest hash{};
    Digest signature{};

    bool operator==(const AuditHead&) const = default;
};

/// How many registrations last proved themselves with one CA in one slot of an entry.
struct AdoptionCount {
    Digest ca_sha256{};
    domain::Slot slot = domain::Slot::primary;
    std::uint64_t devices = 0;

    bool operator==(const AdoptionCount&) const = default;
};

/// Questions. Every answer is one consistent snapshot of committed data. Errors: unavailable when
/// the store is away, internal when what it holds cannot be read.
class StoreReader {
public:
    virtual ~StoreReader() = default;

    /// All an attestation needs to know of one id, in one snapshot; the device is that of
    /// domain::device_id_of. `leaf` is what the device sent.
    virtual Task<Result<domain::RegistrationContext>> registration_context(const RegistrationId& id,
                                                                           const Digest& leaf) = 0;
    virtual Task<Result<domain::TrustRecords>> trust_records() = 0;
    /// The newest first, at most limits::adoption_history_max.
    virtual Task<Result<std::vector<domain::Adoption>>> adoptions(const RegistrationId& id) = 0;

    virtual Task<Result<std::optional<domain::CaCertificate>>> ca(const CaId& id) = 0;
    virtual Task<Result<std::optional<domain::EnrollmentGroup>>> group(const GroupId& id) = 0;
    virtual Task<Result<std::optional<domain::IndividualEnrollment>>> individual(
        const RegistrationId& id) = 0;
    virtual Task<Result<std::optional<domain::Registration>>> registration(
        const RegistrationId& id) = 0;
    virtual Task<Result<std::optional<domain::Device>>> device(const DeviceId& id) = 0;
    virtual Task<Result<std::optional<domain::Twin>>> twin(const DeviceId& id) = 0;
    /// What waits for the device, in order of delivery, expired ones too.
    virtual Task<Result<std::vector<domain::DeviceMessage>>> messages(const DeviceId& id) = 0;
    /// None: all of them -1.
    virtual Task<Result<domain::Subscriptions>> subscriptions(const DeviceId& id) = 0;

    virtual Task<Result<Page<domain::CaCertificate>>> cas(const PageRequest& page) = 0;
    virtual Task<Result<Page<domain::EnrollmentGroup>>> groups(const PageRequest& page) = 0;
    virtual Task<Result<Page<domain::IndividualEnrollment>>> individuals(
        const PageRequest& page) = 0;
    virtual Task<Result<Page<domain::Registration>>> registrations(
        const PageRequest& page, const RegistrationFilter& filter) = 0;
    /// How many registrations() would list in all.
    virtual Task<Result<std::uint64_t>> registration_count(const RegistrationFilter& filter) = 0;
    virtual Task<Result<Page<domain::Device>>> devices(const PageRequest& page,
                                                       const DeviceFilter& filter) = 0;
    virtual Task<Result<std::vector<domain::Distrusted>>> distrusted() = 0;
    /// In the order of (ca_sha256, slot).
    virtual Task<Result<std::vector<AdoptionCount>>> adoption_counts(
        const domain::EntryRef& entry) = 0;
    /// `after`: the sequence as decimal text.
    virtual Task<Result<Page<AuditRecord>>> audit(const PageRequest& page) = 0;
    /// By the secret's hash, for every request with a token; and all of them, in order of name.
    virtual Task<Result<std::optional<domain::AccessToken>>> token(const Digest& secret_sha256) = 0;
    virtual Task<Result<std::vector<domain::AccessToken>>> tokens() = 0;
    /// By its name without case, for every request with a shared access signature; and all of them,
    /// in order of name.
    virtual Task<Result<std::optional<domain::SasPolicy>>> policy(const std::string& name) = 0;
    virtual Task<Result<std::vector<domain::SasPolicy>>> policies() = 0;
    virtual Task<Result<AuditHead>> audit_head() = 0;
    /// Device groups and jobs, by id with case.
    virtual Task<Result<std::optional<domain::DeviceGroup>>> device_group(
        const std::string& id) = 0;
    virtual Task<Result<Page<domain::DeviceGroup>>> device_groups(const PageRequest& page) = 0;
    virtual Task<Result<std::optional<domain::Job>>> job(const std::string& id) = 0;
    virtual Task<Result<Page<domain::Job>>> jobs(const PageRequest& page,
                                                 const JobFilter& filter) = 0;
    /// In the order of their numbers. `after`: a number as decimal text.
    virtual Task<Result<Page<domain::JobDevice>>> job_devices(const std::string& job,
                                                              const PageRequest& page,
                                                              const JobDeviceFilter& filter) = 0;
    /// Counted; numbers from `from` to before `to`.
    virtual Task<Result<domain::JobProgress>> job_progress(const std::string& job,
                                                           std::uint64_t from,
                                                           std::uint64_t to) = 0;
    virtual Task<Result<std::optional<std::string>>> setting(const std::string& key) = 0;
    /// None was said: the default.
    virtual Task<Result<domain::DeviceNotes>> device_notes(const DeviceId& id) = 0;
    /// devices() with what operators say of them.
    virtual Task<Result<Page<domain::NotedDevice>>> noted_devices(const PageRequest& page,
                                                                  const DeviceFilter& filter) = 0;
    /// By id and by name, both without case, and by identity; all of them, in order of name.
    virtual Task<Result<std::optional<domain::User>>> user(const std::string& id) = 0;
    virtual Task<Result<std::optional<domain::User>>> user_named(const std::string& name) = 0;
    virtual Task<Result<std::optional<domain::User>>> user_of(
        const domain::OpenidIdentity& identity) = 0;
    virtual Task<Result<std::vector<domain::User>>> users() = 0;
    /// By the hash of its secret or of the one before, for every request with a cookie; and all of
    /// a user's, the newest first. What has ended by time may still be among them.
    virtual Task<Result<std::optional<domain::SignedIn>>> session(const Digest& secret_sha256) = 0;
    virtual Task<Result<std::vector<domain::Session>>> sessions(const std::string& user_id) = 0;
};

/// Proof that changes are durable.
struct Receipt {
    std::uint64_t config_version = 0;
    std::uint64_t anchors_version = 0;

    bool operator==(const Receipt&) const = default;
};

/// The only write. commit() returns after the changes are on the disk (SQLite: WAL with
/// synchronous=FULL); many callers' changes go into one transaction, and a conflict of one never
/// fails the others. Expectations are checked change by change inside the transaction.
/// Cannot be cancelled. Errors: stale, conflict ("trust-moved"), unavailable (disk full, I/O
/// error, queue full), with nothing written.
class Ledger {
public:
    virtual ~Ledger() = default;
    /// `changes` must outlive the await: pass a name.
    virtual Task<Result<Receipt>> commit(const domain::Changes& changes) = 0;
    /// The newest committed config_version; cheap, from any thread.
    virtual std::uint64_t config_version() const = 0;
};

}  // namespace rollcall::store
