// SPDX-License-Identifier: Apache-2.0
// The RefusalLog on DIR/refusals.db: a file of its own without syncing, written by a lane of its
// own. Losing it in a power cut loses explanations, nothing else: a file that cannot be read is
// started over.
#pragma once

#include "base/telemetry.hpp"
#include "store/database.hpp"
#include "store/refusals.hpp"

#include <filesystem>
#include <memory>

namespace rollcall::store {

/// How fast strangers' refusals may be written: a bucket that fills with the records' own time.
class StrangerPace {
public:
    /// true: this one may pass.
    bool admit(TimePoint at);

private:
    double tokens_ = 0;
    std::optional<TimePoint> filled_{};
};

class RefusalFile final : public RefusalLog {
public:
    /// Opens or makes the file.
    static Result<std::unique_ptr<RefusalFile>> open(std::filesystem::path file, Metrics& metrics);
    ~RefusalFile() override;

    /// Writes what waits and ends the thread. Before the io_contexts of its callers die; also done
    /// by the destructor. Notes after it are dropped.
    void close();

    void note(RefusalRecord record) override;
    Task<Result<std::optional<RefusalRecord>>> last(const RegistrationId& id) override;
    Task<Result<std::vector<RefusalRecord>>> newest(std::size_t count) override;

private:
    /// What the refusals of unknown ids take.
    struct Strangers {
        std::int64_t count = 0;
        std::int64_t bytes = 0;
    };

    RefusalFile(std::filesystem::path file, Metrics& metrics);

    bool enqueue(RefusalRecord record);
    // All below run on the lane.
    void drain();
    Result<Done> connect();
    Result<Done> start_over();
    Result<Done> write(const std::vector<RefusalRecord>& batch);
    Result<Done> put(const RefusalRecord& record, Strangers& strangers);
    Result<Done> bound(Strangers& strangers);

    const std::filesystem::path path_;
    Counter& dropped_;
    Counter& written_;

    std::mutex mutex_;
    std::vector<RefusalRecord> queue_;
    std::size_t queue_bytes_ = 0;
    bool drain_is_due_ = false;
    bool closed_ = false;
    StrangerPace pace_;

    std::optional<Database> database_{};
    Strangers strangers_{};  ///< as committed
    bool failing_ = false;   ///< was said in the log already
    Lane lane_{1};
};

}  // namespace rollcall::store
