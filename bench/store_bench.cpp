// SPDX-License-Identifier: Apache-2.0
// What the store costs: registrations through the ledger with few and many callers at once, and
// the look-up that every request makes. CPU is of the whole process: both threads count.
//
//     bench_store [--devices N] [--commits N] [--dir DIR]
//     bench_store --fill FILE --devices N     puts devices into a server's store that is at rest
#include "base/world.hpp"
#include "domain/changes.hpp"
#include "store/sqlite.hpp"
#include "x509/digest.hpp"

#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace rollcall::store {
namespace {

using domain::Adoption;
using domain::Changes;
using domain::Device;
using domain::EnrollmentGroup;
using domain::EntryRef;
using domain::ExpectAnchors;
using domain::ExpectEtag;
using domain::ExpectLeafNotDisabled;
using domain::ExpectTrust;
using domain::PutDevice;
using domain::PutGroup;
using domain::PutRegistration;
using domain::RecordKind;
using domain::Registration;
using domain::RegistrationStatus;

struct Options {
    std::uint64_t devices = 1'000;
    std::uint64_t commits = 50'000;
    std::filesystem::path directory = std::filesystem::temp_directory_path() / "rollcall-bench";
    std::filesystem::path fill{};
};

Digest digest_of(const std::string& text) {
    return x509::sha256(as_bytes(text));
}

/// As decide() makes them: six expectations, a registration, a device.
struct Fleet {
    std::vector<std::uint64_t> rounds;  ///< how often each device registered
    EntryRef entry{EntryRef::Kind::group, "fleet", "instance"};

    explicit Fleet(std::uint64_t devices) : rounds(devices) {}

    /// Ids scattered over the key space, so that neighbours in time are none on the disk.
    static std::string id_of(std::uint64_t number) {
        return "dev-" + std::to_string(number * 0x9e3779b97f4a7c15U);
    }
    Changes next_registration(std::uint64_t number) {
        const std::uint64_t round = rounds[number]++;
        const std::string id = id_of(number);
        const auto etag = [&](const char* kind, std::uint64_t n) {
            return n == 0 ? ETag{} : ETag::trusted(kind + id + std::to_string(n));
        };
        Registration registration;
        registration.id = RegistrationId::trusted(id);
        registration.device_id = DeviceId::trusted(id);
        registration.assigned_hub = "hub.example.com";
        registration.status = RegistrationStatus::assigned;
        registration.etag = etag("r", round + 1);
        registration.adoptions = round + 1;
        Adoption& last = registration.last;
        last.operation = OperationId::trusted("5.0123456789abcdef." + id);
        last.entry = entry;
        last.ca_sha256 = digest_of("ca");
        last.ca = {digest_of("subject"), digest_of("spki")};
        last.leaf_sha256 = digest_of(id + std::to_string(round));
        last.leaf_spki = last.leaf_sha256;
        last.serial = "0123456789ABCDEF0123456789ABCDEF";
        last.key = "P-256";
        last.signature_algorithm = "ecdsa-with-SHA256";
        last.chain_length = 2;
        last.path_keys = {last.leaf_spki, digest_of("intermediate"), last.ca.spki};
        last.api_version = "2021-06-01";
        last.user_agent = "azure-iot-provisioning-device/1.9.0 (node 18.19.0; linux; x64)";
        last.tls_version = "TLSv1.3";
        last.tls_cipher = "TLS_AES_128_GCM_SHA256";
        Device device;
        device.id = registration.device_id;
        device.registration = registration.id;
        device.leaf_sha256 = last.leaf_sha256;
        device.entry = entry;
        device.etag = etag("d", round + 1);
        Changes changes;
        changes.expects = {ExpectTrust{entry, 1},
                           ExpectTrust{{EntryRef::Kind::individual, id, ""}, 0},
                           ExpectAnchors{1},
                           ExpectLeafNotDisabled{last.leaf_sha256},
                           ExpectEtag{RecordKind::registration, id, etag("r", round)},
                           ExpectEtag{RecordKind::device, id, etag("d", round)}};
        changes.writes = {PutDevice{device}, PutRegistration{registration}};
        return changes;
    }
};

struct Measured {
    double wall_micros = 0;
    double cpu_micros = 0;
};

template <class Work>
Measured measure(Work work) {
    const auto cpu = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return (static_cast<double>(usage.ru_utime.tv_sec) +
                static_cast<double>(usage.ru_stime.tv_sec)) *
                   1e6 +
               static_cast<double>(usage.ru_utime.tv_usec) +
               static_cast<double>(usage.ru_stime.tv_usec);
    };
    const SystemClock clock;
    const auto wall_before = clock.now();
    const double cpu_before = cpu();
    work();
    return {static_cast<double>((clock.now() - wall_before).count()), cpu() - cpu_before};
}

/// `callers` coroutines on one core, each committing one registration after the other.
void register_many(SqliteStore& sqlite, Fleet& fleet, std::uint64_t commits, std::size_t callers,
                   std::uint64_t& next) {
    asio::io_context context;
    std::uint64_t left = commits;
    const auto caller = [&]() -> Task<void> {
        while (left > 0) {
            --left;
            const Changes changes = fleet.next_registration(next++ % fleet.rounds.size());
            const Result<Receipt> receipt = co_await sqlite.commit(changes);
            if (!receipt) {
                std::fprintf(stderr, "%s %s\n", receipt.error().detail.c_str(),
                             receipt.error().note.c_str());
                std::abort();
            }
        }
    };
    for (std::size_t i = 0; i < callers; ++i) {
        asio::co_spawn(context, caller, asio::detached);
    }
    context.run();
}

void look_up_many(SqliteStore& sqlite, const Fleet& fleet, std::uint64_t count) {
    asio::io_context context;
    const Digest leaf = digest_of("leaf");
    const auto caller = [&]() -> Task<void> {
        std::uint64_t state = 1;
        for (std::uint64_t i = 0; i < count; ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            const auto id =
                RegistrationId::trusted(Fleet::id_of((state >> 20U) % fleet.rounds.size()));
            const auto found = co_await sqlite.registration_context(id, leaf);
            if (!found || !found->registration || !found->device) {
                std::fprintf(stderr, "not found\n");
                std::abort();
            }
        }
    };
    asio::co_spawn(context, caller, asio::detached);
    context.run();
}

void report(const char* what, std::uint64_t count, const Measured& measured) {
    const auto n = static_cast<double>(count);
    std::printf("%-36s %10.0f /s   %7.1f us CPU each\n", what, n / measured.wall_micros * 1e6,
                measured.cpu_micros / n);
    std::fflush(stdout);
}

std::unique_ptr<SqliteStore> opened(const std::filesystem::path& file, Metrics& metrics) {
    SqliteStore::Settings settings;
    settings.file = file;
    auto store = SqliteStore::open(settings, metrics, TimePoint{});
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().detail.c_str());
        std::exit(1);
    }
    return *std::move(store);
}

/// The group that the fleet is of.
void put_group(SqliteStore& sqlite, const Fleet& fleet) {
    EnrollmentGroup group;
    group.id = GroupId::trusted(fleet.entry.id);
    group.instance = fleet.entry.instance;
    group.trust_version = 1;
    const Changes first{.writes = {PutGroup{group}}};
    asio::io_context context;
    const auto put = [&]() -> Task<void> {
        const auto receipt = co_await sqlite.commit(first);
        INVARIANT(receipt.has_value());
    };
    asio::co_spawn(context, put, asio::detached);
    context.run();
}

int fill(const Options& options) {
    Metrics metrics;
    const auto sqlite = opened(options.fill, metrics);
    Fleet fleet{options.devices};
    put_group(*sqlite, fleet);
    std::uint64_t next = 0;
    register_many(*sqlite, fleet, options.devices, 256, next);
    return 0;
}

int run(const Options& options) {
    if (!options.fill.empty()) {
        return fill(options);
    }
    std::filesystem::remove_all(options.directory);
    std::filesystem::create_directories(options.directory);
    Metrics metrics;
    const auto store = opened(options.directory / "rollcall.db", metrics);
    SqliteStore& sqlite = *store;
    Fleet fleet{options.devices};
    put_group(sqlite, fleet);
    std::uint64_t next = 0;
    report("first registrations, 256 callers", options.devices,
           measure([&] { register_many(sqlite, fleet, options.devices, 256, next); }));
    for (const std::size_t callers : {1U, 16U, 256U}) {
        const std::uint64_t commits = callers == 1 ? options.commits / 10 : options.commits;
        const std::string what = "registrations again, " + std::to_string(callers) + " callers";
        report(what.c_str(), commits,
               measure([&] { register_many(sqlite, fleet, commits, callers, next); }));
    }
    const std::uint64_t look_ups = 200'000;
    report("registration_context, one thread", look_ups,
           measure([&] { look_up_many(sqlite, fleet, look_ups); }));
    report("registration_context, two threads", 2 * look_ups, measure([&] {
               std::thread other{[&] { look_up_many(sqlite, fleet, look_ups); }};
               look_up_many(sqlite, fleet, look_ups);
               other.join();
           }));
    std::filesystem::remove_all(options.directory);
    return 0;
}

int run_words(int count, char** words) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view option = words[i];
        if (option == "--devices") {
            options.devices = std::strtoull(words[i + 1], nullptr, 10);
        } else if (option == "--commits") {
            options.commits = std::strtoull(words[i + 1], nullptr, 10);
        } else if (option == "--dir") {
            options.directory = words[i + 1];
        } else if (option == "--fill") {
            options.fill = words[i + 1];
        } else {
            std::fprintf(
                stderr,
                "usage: bench_store [--devices N] [--commits N] [--dir DIR | --fill FILE]\n");
            return 2;
        }
    }
    return run(options);
}

}  // namespace
}  // namespace rollcall::store

int main(int count, char** words) {
    return rollcall::store::run_words(count, words);
}
