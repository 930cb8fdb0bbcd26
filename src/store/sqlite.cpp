// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.hpp"

#include "base/limits.hpp"
#include "store/allocation_rows.hpp"
#include "store/authority_rows.hpp"
#include "store/bookkeeping_rows.hpp"
#include "store/hub_rows.hpp"
#include "store/individual_rows.hpp"
#include "store/job_rows.hpp"
#include "store/paging.hpp"
#include "store/user_rows.hpp"

#include <atomic>

namespace rollcall::store {
namespace {

/// The connection this thread asked with last, and of which store it was.
struct LastConnection {
    std::uint64_t store = 0;
    Database* database = nullptr;
};
thread_local LastConnection last_connection;

std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> serial{0};
    return ++serial;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Settings settings, Metrics& metrics,
                                                       TimePoint now) {
    SqliteWriter::Settings writing;
    writing.database.file = settings.file;
    writing.database.cache_kib = settings.writer_cache_kib;
    writing.database.vfs = settings.vfs;
    writing.database.sealing_key = settings.sealing_key;
    writing.audit_key = settings.audit_key;
    writing.checkpoint_pages = settings.checkpoint_pages;
    TRY(auto writer, SqliteWriter::open(std::move(writing), metrics, now));
    return std::unique_ptr<SqliteStore>{new SqliteStore(std::move(settings), std::move(writer))};
}

SqliteStore::SqliteStore(Settings settings, std::unique_ptr<SqliteWriter> writer)
    : settings_(std::move(settings)),
      serial_(next_serial()),
      writer_(std::move(writer)),
      leaves_(limits::cached_leaves_max),
      authorities_(limits::cached_authorities_max),
      ledger_(*writer_) {}

SqliteStore::~SqliteStore() {
    close();
}

void SqliteStore::close() {
    ledger_.stop();
    listings_.join();
    fleet_.join();
    trust_.join();
}

Task<Result<Receipt>> SqliteStore::commit(const domain::Changes& changes) {
    co_return co_await ledger_.commit(changes);
}

// --- Connections for reading ----------------------------------------------------------------

Result<Database*> SqliteStore::connection() {
    if (last_connection.store == serial_ && last_connection.database != nullptr) {
        return last_connection.database;
    }
    const std::scoped_lock lock{connections_mutex_};
    auto& place = connections_[std::this_thread::get_id()];
    if (!place) {
        Database::Options options;
        options.file = settings_.file;
        options.cache_kib = settings_.reader_cache_kib;
        options.mmap_bytes = settings_.reader_mmap_bytes;
        options.query_only = true;
        options.vfs = settings_.vfs;
        options.sealing_key = settings_.sealing_key;
        TRY(auto opened, Database::open(options));
        place = std::make_unique<Database>(std::move(opened));
    }
    last_connection = {serial_, place.get()};
    return place.get();
}

/// After a failure: the thread's next question opens the file anew.
void SqliteStore::forget_connection() {
    const std::scoped_lock lock{connections_mutex_};
    connections_.erase(std::this_thread::get_id());
    last_connection = {};
}

/// Runs one question on this thread's connection.
template <class Ask>
std::invoke_result_t<Ask&, Database&> SqliteStore::ask(Ask question) {
    TRY(auto* const database, connection());
    auto answer = question(*database);
    if (!answer && answer.error().kind == ErrorKind::unavailable) {
        log_event(Severity::error, "store_read_failed", {{"note", answer.error().note}});
        forget_connection();
    }
    return answer;
}

/// The same on a lane's thread, for questions about many records.
template <class Ask>
Task<std::invoke_result_t<Ask&, Database&>> SqliteStore::ask_on(Lane& lane, Ask question) {
    const auto there = [this, &question] { return ask(question); };
    co_return co_await on_lane(lane, there);
}

// --- Questions on the asking thread ---------------------------------------------------------

namespace {

/// Of what a registration is judged by, what there is at all: of a newcomer, nothing.
struct Presence {
    bool individual = false;
    bool registration = false;
    bool device_of_that_name = false;
    bool leaf_in_disabled_entry = false;
};

Result<Presence> get_presence(Database& database, const RegistrationId& id, const Digest& leaf) {
    TRY(auto* const statement,
        database.prepared("SELECT EXISTS (SELECT 1 FROM individuals WHERE id=?1),"
                          " EXISTS (SELECT 1 FROM registrations WHERE id=?1),"
                          " EXISTS (SELECT 1 FROM devices WHERE id=?2),"
                          " EXISTS (SELECT 1 FROM individuals"
                          " WHERE enabled=0 AND primary_sha256=?3)"
                          " OR EXISTS (SELECT 1 FROM individuals"
                          " WHERE enabled=0 AND secondary_sha256=?3)"));
    Query row{statement};
    row.bind(id.str()).bind(id.original()).bind(leaf);
    TRY([[maybe_unused]] const bool found, row.step());
    Presence presence;
    presence.individual = row.flag();
    presence.registration = row.flag();
    presence.device_of_that_name = row.flag();
    presence.leaf_in_disabled_entry = row.flag();
    TRY([[maybe_unused]] const auto sound, row.sound());
    return presence;
}

}  // namespace

Task<Result<domain::RegistrationContext>> SqliteStore::registration_context(
    const RegistrationId& id, const Digest& leaf) {
    using Answer = Result<domain::RegistrationContext>;
    co_return ask([&](Database& database) -> Answer {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        domain::RegistrationContext context;
        TRY(const Presence presence, get_presence(database, id, leaf));
        context.leaf_in_disabled_entry = presence.leaf_in_disabled_entry;
        if (presence.individual) {
            TRY(context.individual, get_individual(database, leaves_, id));
        }
        if (presence.registration) {
            TRY(context.registration, get_registration(database, id));
        }
        // Only those two can give the device another name than its registration's.
        if (presence.individual || presence.registration || presence.device_of_that_name) {
            TRY(context.device, get_device(database, domain::device_id_of(context, id)));
        }
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return context;
    });
}

Task<Result<std::vector<domain::Adoption>>> SqliteStore::adoptions(const RegistrationId& id) {
    co_return ask([&](Database& database) { return list_adoptions(database, id); });
}

Task<Result<std::optional<domain::CaCertificate>>> SqliteStore::ca(const CaId& id) {
    co_return ask([&](Database& database) { return get_ca(database, authorities_, id); });
}

Task<Result<std::optional<domain::EnrollmentGroup>>> SqliteStore::group(const GroupId& id) {
    co_return ask([&](Database& database) { return get_group(database, id); });
}

Task<Result<std::optional<domain::IndividualEnrollment>>> SqliteStore::individual(
    const RegistrationId& id) {
    using Answer = Result<std::optional<domain::IndividualEnrollment>>;
    co_return ask([&](Database& database) -> Answer {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        TRY(auto enrollment, get_individual(database, leaves_, id));
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return enrollment;
    });
}

Task<Result<std::optional<domain::Registration>>> SqliteStore::registration(
    const RegistrationId& id) {
    co_return ask([&](Database& database) { return get_registration(database, id); });
}

Task<Result<std::optional<domain::Device>>> SqliteStore::device(const DeviceId& id) {
    co_return ask([&](Database& database) { return get_device(database, id); });
}

Task<Result<std::optional<domain::Twin>>> SqliteStore::twin(const DeviceId& id) {
    co_return ask([&](Database& database) { return get_twin(database, id); });
}

Task<Result<std::vector<domain::DeviceMessage>>> SqliteStore::messages(const DeviceId& id) {
    co_return ask([&](Database& database) { return list_messages(database, id); });
}

Task<Result<domain::DeviceNotes>> SqliteStore::device_notes(const DeviceId& id) {
    co_return ask([&](Database& database) { return get_device_notes(database, id); });
}

Task<Result<domain::Subscriptions>> SqliteStore::subscriptions(const DeviceId& id) {
    co_return ask([&](Database& database) { return get_subscriptions(database, id); });
}

Task<Result<std::vector<AdoptionCount>>> SqliteStore::adoption_counts(
    const domain::EntryRef& entry) {
    co_return ask([&](Database& database) { return list_adoption_counts(database, entry); });
}

Task<Result<AuditHead>> SqliteStore::audit_head() {
    co_return ask([](Database& database) -> Result<AuditHead> {
        TRY(const auto head, get_audit_head(database));
        return head ? Result<AuditHead>{*head} : unreadable_record("audit head");
    });
}

Task<Result<std::optional<std::string>>> SqliteStore::setting(const std::string& key) {
    co_return ask([&](Database& database) { return get_setting(database, key); });
}

Task<Result<std::optional<domain::DeviceGroup>>> SqliteStore::device_group(const std::string& id) {
    co_return ask([&](Database& database) { return get_device_group(database, id); });
}

Task<Result<std::optional<domain::Job>>> SqliteStore::job(const std::string& id) {
    co_return ask([&](Database& database) { return get_job(database, id); });
}

Task<Result<std::optional<domain::SasPolicy>>> SqliteStore::policy(const std::string& name) {
    co_return ask([&](Database& database) { return get_policy(database, name); });
}

Task<Result<std::optional<domain::AccessToken>>> SqliteStore::token(const Digest& secret_sha256) {
    co_return ask([&](Database& database) { return get_token(database, secret_sha256); });
}

Task<Result<std::optional<domain::User>>> SqliteStore::user(const std::string& id) {
    co_return ask([&](Database& database) { return get_user(database, id); });
}

Task<Result<std::optional<domain::User>>> SqliteStore::user_named(const std::string& name) {
    co_return ask([&](Database& database) { return get_user_named(database, name); });
}

Task<Result<std::optional<domain::User>>> SqliteStore::user_of(
    const domain::OpenidIdentity& identity) {
    co_return ask([&](Database& database) { return get_user_of(database, identity); });
}

Task<Result<std::optional<domain::SignedIn>>> SqliteStore::session(const Digest& secret_sha256) {
    co_return ask([&](Database& database) { return get_session(database, secret_sha256); });
}

Task<Result<std::vector<domain::Session>>> SqliteStore::sessions(const std::string& user_id) {
    co_return ask([&](Database& database) { return list_sessions(database, user_id); });
}

// --- Questions on a lane ------------------------------------------------------------------

Task<Result<domain::TrustRecords>> SqliteStore::trust_records() {
    using Answer = Result<domain::TrustRecords>;
    const auto question = [this](Database& database) -> Answer {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        domain::TrustRecords records;
        TRY(records.cas, list_cas(database, authorities_, {}, SIZE_MAX / 2));
        TRY(records.groups, list_groups(database, {}, SIZE_MAX / 2));
        TRY(records.distrusted, list_distrusted(database, authorities_));
        TRY(records.seen_intermediates, list_seen_intermediates(database, authorities_));
        TRY(records.hubs, list_hubs(database));
        TRY(records.allocation, get_server_rule(database));
        TRY(const Receipt versions, get_versions(database));
        records.config_version = versions.config_version;
        records.anchors_version = versions.anchors_version;
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return records;
    };
    co_return co_await ask_on(trust_, question);
}

Task<Result<Page<domain::CaCertificate>>> SqliteStore::cas(const PageRequest& page) {
    const auto question = [&](Database& database) {
        return list_cas(database, authorities_, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::EnrollmentGroup>>> SqliteStore::groups(const PageRequest& page) {
    const auto question = [&](Database& database) {
        return list_groups(database, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::IndividualEnrollment>>> SqliteStore::individuals(const PageRequest& page) {
    const std::string any;
    co_return co_await individuals_containing(page, any);
}

Task<Result<Page<domain::Registration>>> SqliteStore::registrations(
    const PageRequest& page, const RegistrationFilter& filter) {
    const auto question = [&](Database& database) {
        return list_registrations(database, filter, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<std::uint64_t>> SqliteStore::registration_count(const RegistrationFilter& filter) {
    const auto question = [&](Database& database) { return count_registrations(database, filter); };
    co_return co_await ask_on(listings_, question);
}

Task<Result<std::vector<domain::SasPolicy>>> SqliteStore::policies() {
    const auto question = [](Database& database) { return list_policies(database); };
    co_return co_await ask_on(listings_, question);
}

Task<Result<std::vector<domain::User>>> SqliteStore::users() {
    const auto question = [](Database& database) { return list_users(database); };
    co_return co_await ask_on(listings_, question);
}

Task<Result<std::vector<domain::AccessToken>>> SqliteStore::tokens() {
    const auto question = [](Database& database) { return list_tokens(database); };
    co_return co_await ask_on(listings_, question);
}

Task<Result<Page<domain::Device>>> SqliteStore::devices(const PageRequest& page,
                                                        const DeviceFilter& filter) {
    const auto question = [&](Database& database) {
        return list_devices(database, filter, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::NotedDevice>>> SqliteStore::noted_devices(const PageRequest& page,
                                                                   const DeviceFilter& filter) {
    const auto question = [&](Database& database) {
        return list_noted_devices(database, filter, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::DeviceGroup>>> SqliteStore::device_groups(const PageRequest& page) {
    const auto question = [&](Database& database) {
        return list_device_groups(database, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::Job>>> SqliteStore::jobs(const PageRequest& page,
                                                  const JobFilter& filter) {
    const auto question = [&](Database& database) {
        return list_jobs(database, filter, page.after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<domain::JobDevice>>> SqliteStore::job_devices(const std::string& job,
                                                               const PageRequest& page,
                                                               const JobDeviceFilter& filter) {
    CO_TRY(const std::uint64_t after, parse_sequence(page.after));
    const std::uint64_t from = page.after.empty() ? 0 : after + 1;
    const auto question = [&](Database& database) {
        return list_job_devices(database, job, filter, from, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<domain::JobProgress>> SqliteStore::job_progress(const std::string& job,
                                                            std::uint64_t from, std::uint64_t to) {
    const auto question = [&](Database& database) {
        return count_job_devices(database, job, from, to);
    };
    co_return co_await ask_on(listings_, question);
}

Task<Result<std::vector<domain::Distrusted>>> SqliteStore::distrusted() {
    const auto question = [this](Database& database) {
        return list_distrusted(database, authorities_);
    };
    co_return co_await ask_on(listings_, question);
}

Task<Result<Page<AuditRecord>>> SqliteStore::audit(const PageRequest& page) {
    CO_TRY(const std::uint64_t after, parse_sequence(page.after));
    const auto question = [&](Database& database) {
        return list_audit(database, after, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

// --- Questions about the whole fleet --------------------------------------------------------

Task<Result<Page<FleetDevice>>> SqliteStore::fleet(const PageRequest& page,
                                                   const FleetFilter& filter) {
    using Answer = Result<std::vector<FleetDevice>>;
    const auto question = [&](Database& database) -> Answer {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        TRY(auto devices, list_fleet(database, filter, page.after, page_size(page) + 1));
        std::vector<FleetDevice> items;
        items.reserve(devices.size());
        for (auto& noted : devices) {
            TRY(auto registration, get_registration(database, noted.device.registration));
            items.push_back({std::move(noted), std::move(registration)});
        }
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return items;
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<std::uint64_t>> SqliteStore::fleet_count(const FleetFilter& filter) {
    const auto question = [&](Database& database) { return count_fleet(database, filter); };
    co_return co_await ask_on(fleet_, question);
}

Task<Result<FleetCounts>> SqliteStore::fleet_counts() {
    const auto question = [](Database& database) -> Result<FleetCounts> {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        TRY(auto counts, count_all(database));
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return counts;
    };
    co_return co_await ask_on(fleet_, question);
}

Task<Result<Page<domain::IndividualEnrollment>>> SqliteStore::individuals_containing(
    const PageRequest& page, const std::string& part) {
    using Answer = Result<std::vector<domain::IndividualEnrollment>>;
    const auto question = [&](Database& database) -> Answer {
        TRY(auto snapshot, Transaction::begin(database, Transaction::Kind::reading));
        TRY(auto items, list_individuals(database, leaves_, part, page.after, page_size(page) + 1));
        TRY([[maybe_unused]] const auto ended, snapshot.commit());
        return items;
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

Task<Result<Page<AuditRecord>>> SqliteStore::audit_backwards(const PageRequest& page,
                                                             const AuditFilter& filter) {
    CO_TRY(const std::uint64_t before, parse_sequence(page.after));
    const auto question = [&](Database& database) {
        return list_audit_backwards(database, before, filter, page_size(page) + 1);
    };
    CO_TRY(auto items, co_await ask_on(listings_, question));
    co_return cut_page(std::move(items), page);
}

}  // namespace rollcall::store
