// SPDX-License-Identifier: Apache-2.0
// JobRun: carries one job out. It chooses the job's devices once, then speaks to some of them at a
// time, batch after batch, until all have had their turn, too many have failed, or it is told to
// stop. All that has happened is in the store: a run may end anywhere, by a crash too, and another
// goes on from there. What a device is sent and the record of it are one change; a command is
// recorded before it is sent, so that nobody gets one twice, and a device whose answer was lost is
// told of as that.
//
// Used by service/jobs. Lives on its host's thread, except for hurry().
#pragma once

#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "service/hub.hpp"
#include "service/job_host.hpp"
#include "store/store.hpp"

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

namespace rollcall::service {

class JobRun {
public:
    struct World {
        store::StoreReader& reader;
        store::Ledger& ledger;
        Hub& hub;
        JobHost& host;
        const Clock& clock;
        Entropy& entropy;
    };
    JobRun(const World& world, std::string id);

    /// Until the job is over or stopped, or the host ends. Not twice at a time.
    Task<void> go();
    /// The job's state was changed: look at it soon. Any thread.
    void hurry() { hurried_ = true; }

private:
    /// What became of one device for now.
    enum class Turn { over, absent };
    /// What is to be done about one device beside others.
    enum class Errand { serve, give_up };

    Task<Result<Done>> attempt();
    Task<Result<Done>> finish(domain::JobStatus how, const std::string& fault);
    Task<Result<Done>> put(domain::Job job);

    // Which devices (job_choice.cpp).
    Task<Result<Done>> choose_devices();
    Task<Result<Done>> add_page(const std::vector<DeviceId>& devices);
    Task<Result<Done>> add_chosen();
    Task<Result<Done>> add_failed();

    // Batches.
    Task<Result<Done>> work();
    Task<Result<Done>> batch(std::uint64_t first, std::uint64_t end);
    Task<Result<Done>> everyone(std::uint64_t first, std::uint64_t end);
    Task<Result<Done>> wait_for_absent();
    /// Several at a time, so that their commits are one.
    Task<void> send_out(domain::JobDevice device, Errand errand);
    Task<void> breathe(std::chrono::milliseconds time);
    Task<void> room_for_one();
    Task<void> all_back();
    bool halted() const;

    // One device (job_device.cpp). `device` is then as it is kept.
    Task<void> run_errand(domain::JobDevice device, Errand errand);
    Task<Result<Turn>> turn(domain::JobDevice& device);
    Task<Result<Turn>> act(domain::JobDevice& device, const domain::JobAct& act);
    Task<Result<Turn>> give_up(domain::JobDevice& device);
    Task<Result<Turn>> call(domain::JobDevice& device, const domain::JobAct& act);
    Task<Result<Turn>> fail(domain::JobDevice& device, const std::string& fault);
    Task<Result<Done>> keep(const domain::JobDevice& device);
    void count_failure();

    const World world_;
    const std::string id_;
    std::atomic<bool> hurried_{false};
    bool ending_ = false;  ///< the host ends
    std::optional<Error> trouble_{};
    bool cancelled_ = false;

    domain::Job job_{};
    std::vector<domain::JobAct> acts_{};
    std::uint64_t numbered_ = 0;
    std::uint64_t failed_ = 0;  ///< of the whole job, or of the batch: as the threshold counts
    std::uint64_t counted_of_ = 0;
    std::size_t out_ = 0;  ///< devices being spoken to
    std::size_t since_breath_ = 0;
    std::deque<domain::JobDevice> absent_{};
    asio::steady_timer* bell_ = nullptr;  ///< rung when a device is back; go()'s own
};

/// Removes a job's device records, some at a time; `host` pauses between. unavailable where the
/// host ends before.
Task<Result<Done>> drop_job_devices(store::StoreReader& reader, store::Ledger& ledger,
                                    JobHost& host, const std::string& job);

}  // namespace rollcall::service
