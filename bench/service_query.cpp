// SPDX-License-Identifier: Apache-2.0
// What a page of a DPS service API query costs over many individual enrollments, from the first to
// the last: all pages are asked for one after the other, each with the continuation of the one
// before. Ends with 1 where the last ones cost much more than the first.
//
//     bench_service_query [--enrollments N] [--page N] [--dir DIR]
#include "front/dps_service_api.hpp"
#include "store/sqlite.hpp"
#include "x509/authority.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace rollcall {
namespace {

namespace asio = boost::asio;

struct Options {
    std::uint64_t enrollments = 1'000'000;
    std::uint64_t page = 1'000;
    std::filesystem::path directory =
        std::filesystem::temp_directory_path() / "rollcall-bench-query";
};

/// More than the store keeps decoded.
constexpr std::size_t certificates = 8'192;
/// What the last pages may cost, in first ones.
constexpr double ratio_max = 1.5;

template <class Work>
void run(const Work& work) {
    asio::io_context context;
    asio::co_spawn(context, work, asio::detached);
    context.run();
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

std::vector<x509::Certificate> make_certificates(Entropy& entropy, TimePoint now) {
    const auto key = x509::PrivateKey::generate(x509::KeyType::p256).value();
    std::vector<x509::Certificate> made;
    for (std::size_t i = 0; i < certificates; ++i) {
        const x509::IssuanceProfile profile{.common_name = "device " + std::to_string(i),
                                            .not_before = now,
                                            .not_after = now + std::chrono::hours{24 * 365},
                                            .kind = x509::IssuanceProfile::Kind::device};
        made.push_back(x509::issue_self_signed(profile, key, entropy).value().certificate);
    }
    return made;
}

/// Ids scattered over the key space, so that neighbours in time are none on the disk.
domain::IndividualEnrollment enrollment(std::uint64_t number, const x509::Certificate& leaf) {
    domain::IndividualEnrollment made;
    made.id = RegistrationId::trusted("dev-" + std::to_string(number * 0x9e3779b97f4a7c15U));
    made.instance = "instance-" + std::to_string(number);
    made.slots[0] = leaf;
    made.etag = ETag::trusted("etag-" + std::to_string(number));
    return made;
}

void fill(store::Ledger& ledger, const Options& options, Entropy& entropy, TimePoint now) {
    const auto leaves = make_certificates(entropy, now);
    constexpr std::uint64_t together = 1'000;
    const auto work = [&]() -> Task<void> {
        for (std::uint64_t first = 0; first < options.enrollments; first += together) {
            domain::Changes changes;
            const auto end = std::min(first + together, options.enrollments);
            for (auto number = first; number < end; ++number) {
                changes.writes.push_back(
                    domain::PutIndividual{enrollment(number, leaves[number % certificates])});
            }
            const auto receipt = co_await ledger.commit(changes);
            if (!receipt) {
                give_up(receipt.error().detail);
            }
        }
    };
    run(work);
}

/// Microseconds of each page.
std::vector<double> ask_all(front::DpsServiceApi& api, const Options& options) {
    std::vector<double> times;
    const auto work = [&]() -> Task<void> {
        net::ConnectionFacts local;
        local.local = true;
        std::string token;
        do {
            net::HttpRequest request;
            request.method = "POST";
            request.path = "/enrollments/query";
            request.query = "api-version=2021-10-01";
            request.body = R"({"query":"SELECT *"})";
            request.headers = {{"Content-Type", "application/json"},
                               {"x-ms-max-item-count", std::to_string(options.page)},
                               {"x-ms-continuation", token}};
            request.connection = &local;
            const auto begin = std::chrono::steady_clock::now();  // tidy: allow(time) it measures
            const auto response = co_await api.handle(request);
            const std::chrono::duration<double, std::micro> took =
                std::chrono::steady_clock::now() - begin;  // tidy: allow(time) it measures
            if (response.status != 200) {
                give_up(response.body);
            }
            times.push_back(took.count());
            token.clear();
            for (const auto& [name, value] : response.headers) {
                if (name == "x-ms-continuation") {
                    token = value;
                }
            }
        } while (!token.empty());
    };
    run(work);
    return times;
}

/// The middle one of some pages: a page that had to wait for the disk says nothing.
double middle(std::vector<double>::const_iterator begin, std::vector<double>::const_iterator end) {
    std::vector<double> sorted(begin, end);
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
}

int measure(const Options& options) {
    std::filesystem::remove_all(options.directory);
    std::filesystem::create_directories(options.directory);
    SystemClock clock;
    SystemEntropy entropy;
    Metrics metrics;
    store::SqliteStore::Settings settings;
    settings.file = options.directory / "rollcall.db";
    auto opened = store::SqliteStore::open(settings, metrics, clock.now());
    if (!opened) {
        give_up(opened.error().detail);
    }
    store::SqliteStore& sqlite = **opened;
    fill(sqlite, options, entropy, clock.now());
    service::TrustBook trust_book{sqlite, sqlite};
    service::Enroller enroller{sqlite, sqlite, trust_book, clock, entropy};
    service::Access access{sqlite, sqlite, clock, entropy};
    front::DpsServiceApi api{{enroller, access, trust_book, sqlite, clock, entropy}};
    (void)ask_all(api, options);  // what the system keeps of the file is then the same for all
    const auto times = ask_all(api, options);
    const auto some = std::max<std::ptrdiff_t>(1, static_cast<std::ptrdiff_t>(times.size() / 20));
    const double first = middle(times.begin(), times.begin() + some);
    const double last = middle(times.end() - 1 - some, times.end() - 1);
    std::printf("%llu enrollments, %zu pages of %llu: first %.0f us, last %.0f us, ratio %.2f\n",
                static_cast<unsigned long long>(options.enrollments), times.size(),
                static_cast<unsigned long long>(options.page), first, last, last / first);
    sqlite.close();
    std::filesystem::remove_all(options.directory);
    return last / first > ratio_max ? 1 : 0;
}

int run_words(int count, char** words) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view option = words[i];
        if (option == "--enrollments") {
            options.enrollments = std::strtoull(words[i + 1], nullptr, 10);
        } else if (option == "--page") {
            options.page = std::strtoull(words[i + 1], nullptr, 10);
        } else if (option == "--dir") {
            options.directory = words[i + 1];
        } else {
            std::fprintf(stderr,
                         "usage: bench_service_query [--enrollments N] [--page N] [--dir DIR]\n");
            return 2;
        }
    }
    return measure(options);
}

}  // namespace
}  // namespace rollcall

int main(int count, char** words) {
    return rollcall::run_words(count, words);
}
