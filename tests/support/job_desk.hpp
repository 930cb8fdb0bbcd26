// SPDX-License-Identifier: Apache-2.0
// Jobs in memory: a fleet of devices, some of them connected, and a host that tells the time.
#pragma once

#include "base/limits.hpp"
#include "service/device_groups.hpp"
#include "service/jobs.hpp"
#include "store/memory.hpp"
#include "support/job_host.hpp"
#include "support/run_task.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace rollcall::test {

/// A connected device that answers every method with one status.
class Answering final : public service::LiveSession {
public:
    Answering(service::Hub& hub, DeviceId device, int status)
        : hub_(hub), device_(std::move(device)), status_(status) {}

    void deliver(service::Delivery delivery) override {
        told.push_back(delivery);
        if (on_delivery) {
            on_delivery(told.back());
        }
        const auto* const request = std::get_if<service::MethodRequest>(&told.back());
        if (request != nullptr && status_ != 0) {
            hub_.method_answered(device_, request->id, {status_, "null"});
            if (on_answer) {
                on_answer();
            }
        }
    }
    void end(service::SessionEnd) override {}

    std::vector<service::Delivery> told;
    std::function<void(const service::Delivery&)> on_delivery;
    std::function<void()> on_answer;

private:
    service::Hub& hub_;
    const DeviceId device_;
    const int status_;
};

class NoSink final : public store::Sink {
public:
    Task<Result<Done>> append(std::span<const domain::Telemetry>) override { co_return Done{}; }
};

struct JobDesk {
    JobDesk() { put_group("SELECT * FROM devices"); }

    /// "d-007": the order of ids is that of numbers, as far as tests count.
    static DeviceId device_id(std::size_t number, const std::string& prefix = "d-") {
        const std::string digits = std::to_string(number);
        const std::string zeros(digits.size() < 3 ? 3 - digits.size() : 0, '0');
        return DeviceId::trusted(prefix + zeros + digits);
    }
    void add_devices(std::size_t count, const std::string& prefix = "d-") {
        domain::Changes changes;
        for (std::size_t i = 0; i < count; ++i) {
            domain::Device device;
            device.id = device_id(i, prefix);
            device.registration = RegistrationId::trusted(device.id.str());
            device.etag = ETag::trusted("e");
            changes.writes.emplace_back(domain::PutDevice{device});
        }
        EXPECT_TRUE(run(store.commit(changes)));
    }
    void put_group(const std::string& filter) {
        const service::DeviceGroupWish wish{.display_name = "All", .filter = filter};
        const auto put = run(groups.put(order, "all", wish));
        EXPECT_TRUE(put) << put.error().detail;
    }
    /// Never answers by itself.
    std::shared_ptr<Answering> connect(const DeviceId& id, int status = 0) {
        auto session = std::make_shared<Answering>(hub, id, status);
        service::SessionFacts facts;
        facts.device = id;
        sessions.enter(facts, session);
        return session;
    }
    std::shared_ptr<Answering> connect_answering(std::size_t number, int status) {
        return connect(device_id(number), status);
    }

    static domain::Job a_property_job(const std::string& id = "job") {
        domain::Job job;
        job.id = id;
        job.group = "all";
        job.steps = {{domain::JobStep::Kind::property, "", "interval", "5"}};
        return job;
    }
    static domain::Job a_command_job(const std::string& id = "job") {
        domain::Job job = a_property_job(id);
        job.steps = {{domain::JobStep::Kind::command, "", "reboot", ""}};
        return job;
    }
    void create(const domain::Job& job) {
        const auto made = run(jobs.create(order, job));
        EXPECT_TRUE(made) << made.error().detail;
    }
    std::vector<domain::JobDevice> devices_of(const std::string& job) {
        const store::JobDeviceFilter all;
        return run(store.job_devices(job, {.count = limits::page_max}, all)).value().items;
    }
    std::vector<std::string> audit_actions() {
        std::vector<std::string> actions;
        const auto page = run(store.audit({})).value();
        for (const auto& record : page.items) {
            actions.push_back(record.event.action);
        }
        return actions;
    }

    ManualClock clock{parse_iso8601("2026-05-01").value()};
    ScriptedEntropy entropy{7};
    Metrics metrics;
    store::MemoryStore store{Digest{}};
    service::TrustBook trust_book{store, store};
    service::Sessions sessions;
    service::Admission admission{clock, metrics, {}};
    NoSink sink;
    service::Hub hub{store,     store, trust_book, sessions, sink,
                     admission, clock, entropy,    metrics,  "hub.example"};
    DeskHost host{clock};
    const service::JobRun::World world{store, store, hub, host, clock, entropy};
    service::DeviceGroups groups{store, store, clock, entropy};
    service::Jobs jobs{world};
    const service::Order order{};
};

}  // namespace rollcall::test
