// SPDX-License-Identifier: Apache-2.0
// A desk for tests of an operator's use cases: everything service/enroller works with, in memory,
// on a clock that stands still.
#pragma once

#include "service/access.hpp"
#include "service/enroller.hpp"
#include "service/sign_in.hpp"
#include "service/users.hpp"
#include "store/memory.hpp"
#include "support/pki.hpp"
#include "support/run_task.hpp"
#include "x509/digest.hpp"

#include <string>

namespace rollcall::test {

struct OperatorDesk {
    ManualClock clock{today};
    ScriptedEntropy entropy{7};
    Digest audit_key = x509::sha256(as_bytes("audit key of a test"));
    store::MemoryStore store{audit_key};
    service::TrustBook trust_book{store, store};
    service::Enroller enroller{store, store, trust_book, clock, entropy};
    service::Access access{store, store, clock, entropy};
    service::Passwords passwords{entropy, {.memory_kib = 64, .passes = 1}};
    service::Users users{store, store, clock, entropy, passwords};
    Metrics desk_metrics;
    service::OperatorGuard guard{clock, desk_metrics};
    service::SignIn sign_in{store, store, clock, entropy, passwords, guard, desk_metrics};

    static service::Order order(std::string reason = "a test") {
        service::Order order;
        order.caller = service::Access::local_administrator();
        order.reason = std::move(reason);
        return order;
    }
    static service::Order dry() {
        auto order = OperatorDesk::order();
        order.dry_run = true;
        return order;
    }

    static service::SlotUpload upload(const x509::Certificate& certificate,
                                      domain::Replacement replacement = domain::Replacement::staged,
                                      bool vouch = true) {
        return {certificate.pem(), replacement, vouch, false};
    }

    /// A group with a vouched CA in its primary slot.
    void group_with(const std::string& id, const x509::Certificate& primary) {
        const auto asked = order();
        const service::GroupSettings defaults;
        (void)run(enroller.create_group(asked, id, defaults)).value();
        const auto uploaded = upload(primary);
        (void)run(enroller.set_group_slot(asked, id, domain::Slot::primary, uploaded)).value();
    }

    domain::EnrollmentGroup group(const std::string& id) {
        return run(store.group(GroupId::trusted(id))).value().value();
    }

    /// As if the device had registered: a device, its registration and what it proved.
    void known_device(const std::string& id, const domain::EntryRef& entry, domain::Slot slot,
                      const x509::Certificate& ca, const x509::Certificate& leaf) {
        domain::Registration registration;
        registration.id = RegistrationId::trusted(id);
        registration.device_id = DeviceId::trusted(id);
        registration.assigned_hub = "hub.example";
        registration.status = domain::RegistrationStatus::assigned;
        registration.substatus = domain::Substatus::initial_assignment;
        registration.etag = new_etag(entropy);
        registration.created = registration.updated = clock.now();
        registration.adoptions = 1;
        auto& last = registration.last;
        last.operation = new_operation_id(entropy);
        last.at = clock.now();
        last.entry = entry;
        last.slot = slot;
        last.ca_sha256 = ca.sha256();
        last.ca = ca.ca_key();
        last.leaf_sha256 = leaf.sha256();
        last.leaf_spki = leaf.spki_sha256();
        last.serial = leaf.serial();
        last.not_before = leaf.not_before();
        last.not_after = leaf.not_after();
        last.path_keys = {leaf.spki_sha256(), ca.spki_sha256()};
        domain::Device device;
        device.id = registration.device_id;
        device.registration = registration.id;
        device.leaf_sha256 = leaf.sha256();
        device.entry = entry;
        device.etag = new_etag(entropy);
        device.created = device.updated = clock.now();
        domain::Changes changes;
        changes.writes.push_back(domain::PutDevice{device});
        changes.writes.push_back(domain::PutRegistration{registration});
        (void)run(store.commit(changes)).value();
    }

    std::vector<store::AuditRecord> audit() {
        const store::PageRequest all{{}, 1000};
        return run(store.audit(all)).value().items;
    }
    domain::AuditEvent last_event() { return audit().back().event; }
};

}  // namespace rollcall::test
