// SPDX-License-Identifier: Apache-2.0
// Structured log events, counters and histograms. The libraries behind it (spdlog,
// prometheus-cpp) stay in telemetry.cpp. Never hand it a private key, token or code.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rollcall {

enum class Severity { debug, info, warning, error };

/// One log event: a stable word and its fields, written as `word key=value ...` to stderr
/// (or JSON lines, see start_log). Values are escaped: a stranger's bytes cannot forge lines.
using LogField = std::pair<std::string_view, std::string>;
void log_event(Severity severity, std::string_view event, std::initializer_list<LogField> fields);

/// Called once at start. `json` chooses JSON lines.
void start_log(Severity least, bool json);

/// A number that only grows. Cheap and safe from any thread.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(double amount = 1) = 0;
};

/// A number that goes up and down.
class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
};

/// Observed durations in seconds, in buckets from 100 us to 10 s.
class Histogram {
public:
    virtual ~Histogram() = default;
    virtual void observe(double seconds) = 0;
};

using Labels = std::initializer_list<std::pair<const std::string, std::string>>;

/// Owner of all metrics of one process; passed by reference, no globals. Each call with the same
/// name and labels gives the same metric; references live as long as the Metrics.
class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(const std::string& name, const std::string& help, Labels labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, Labels labels = {});
    Histogram& histogram(const std::string& name, const std::string& help, Labels labels = {});

    /// Prometheus text exposition format 0.0.4.
    std::string text() const;

private:
    struct Held;
    std::unique_ptr<Held> held_;
};

}  // namespace rollcall
