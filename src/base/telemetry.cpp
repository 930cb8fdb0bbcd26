// SPDX-License-Identifier: Apache-2.0
#include "base/telemetry.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace rollcall {
namespace {

bool& json_lines() {
    static bool chosen = false;
    return chosen;
}

spdlog::logger& logger() {
    static const auto made = [] {
        auto log = std::make_shared<spdlog::logger>(
            "rollcall", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        log->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
        return log;
    }();
    return *made;
}

spdlog::level::level_enum level_of(Severity severity) {
    switch (severity) {
        case Severity::debug: return spdlog::level::debug;
        case Severity::info: return spdlog::level::info;
        case Severity::warning: return spdlog::level::warn;
        case Severity::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

/// Quotes as a JSON string; control characters are escaped, and bytes that are no UTF-8.
std::string quoted(std::string_view value) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "\"";
    while (!value.empty()) {
        const CodePoint point = first_code_point(value);
        const std::size_t bytes = std::max<std::size_t>(point.bytes, 1);
        const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
        if (value[0] == '"' || value[0] == '\\') {
            text.push_back('\\');
            text.push_back(value[0]);
        } else if (point.bytes == 0 || control) {
            const auto code = point.bytes == 0 ? static_cast<unsigned char>(value[0])
                                               : static_cast<unsigned char>(point.value);
            text += "\\u00";
            text.push_back(digits[code >> 4]);
            text.push_back(digits[code & 0x0f]);
        } else {
            text += value.substr(0, bytes);
        }
        value.remove_prefix(bytes);
    }
    text.push_back('"');
    return text;
}

bool plain(std::string_view value) {
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '\\' || c == '=') {
            return false;
        }
    }
    return !value.empty();
}

}  // namespace

void start_log(Severity least, bool json) {
    json_lines() = json;
    logger().set_level(level_of(least));
    if (json) {
        logger().set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%fZ\",\"level\":\"%l\",%v}",
                             spdlog::pattern_time_type::utc);
    }
}

void log_event(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
    if (!logger().should_log(level_of(severity))) {
        return;
    }
    std::string line;
    if (json_lines()) {
        line = "\"event\":" + quoted(event);
        for (const auto& [key, value] : fields) {
            line += "," + quoted(key) + ":" + quoted(value);
        }
    } else {
        line = event;
        for (const auto& [key, value] : fields) {
            line.append(" ").append(key).append("=").append(plain(value) ? value : quoted(value));
        }
    }
    logger().log(level_of(severity), "{}", line);
}

namespace {

class PrometheusCounter final : public Counter {
public:
    explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
    void add(double amount) override { counter_.Increment(amount); }

private:
    prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
public:
    explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
    void set(double value) override { gauge_.Set(value); }

private:
    prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
public:
    explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
    void observe(double seconds) override { histogram_.Observe(seconds); }

private:
    prometheus::Histogram& histogram_;
};

const prometheus::Histogram::BucketBoundaries duration_buckets{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

}  // namespace

struct Metrics::Held {
    prometheus::Registry registry;
    std::mutex mutex;
    std::map<const void*, std::unique_ptr<Counter>> counters;
    std::map<const void*, std::unique_ptr<Gauge>> gauges;
    std::map<const void*, std::unique_ptr<Histogram>> histograms;

    /// One wrapper for each metric of the library, which itself deduplicates by labels.
    template <class Wrapper, class Kept, class Metric>
    static auto& wrapped(Kept& kept, Metric& metric) {
        auto& place = kept[&metric];
        if (!place) {
            place = std::make_unique<Wrapper>(metric);
        }
        return *place;
    }
};

Metrics::Metrics() : held_(std::make_unique<Held>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, Labels labels) {
    const std::lock_guard lock(held_->mutex);
    auto& metric = prometheus::BuildCounter()
                       .Name(name)
                       .Help(help)
                       .Register(held_->registry)
                       .Add(prometheus::Labels{labels});
    return Held::wrapped<PrometheusCounter>(held_->counters, metric);
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, Labels labels) {
    const std::lock_guard lock(held_->mutex);
    auto& metric = prometheus::BuildGauge()
                       .Name(name)
                       .Help(help)
                       .Register(held_->registry)
                       .Add(prometheus::Labels{labels});
    return Held::wrapped<PrometheusGauge>(held_->gauges, metric);
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, Labels labels) {
    const std::lock_guard lock(held_->mutex);
    auto& metric = prometheus::BuildHistogram()
                       .Name(name)
                       .Help(help)
                       .Register(held_->registry)
                       .Add(prometheus::Labels{labels}, duration_buckets);
    return Held::wrapped<PrometheusHistogram>(held_->histograms, metric);
}

std::string Metrics::text() const {
    return prometheus::TextSerializer{}.Serialize(held_->registry.Collect());
}

}  // namespace rollcall
