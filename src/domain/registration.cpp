// SPDX-License-Identifier: Apache-2.0
#include "domain/registration.hpp"

#include <array>
#include <utility>

namespace rollcall::domain {
namespace {

constexpr std::array statuses{
    std::pair{RegistrationStatus::unassigned, std::string_view{"unassigned"}},
    std::pair{RegistrationStatus::assigning, std::string_view{"assigning"}},
    std::pair{RegistrationStatus::assigned, std::string_view{"assigned"}},
    std::pair{RegistrationStatus::failed, std::string_view{"failed"}},
    std::pair{RegistrationStatus::disabled, std::string_view{"disabled"}}};

constexpr std::array substatuses{
    std::pair{Substatus::none, std::string_view{""}},
    std::pair{Substatus::initial_assignment, std::string_view{"initialAssignment"}},
    std::pair{Substatus::device_data_migrated, std::string_view{"deviceDataMigrated"}},
    std::pair{Substatus::device_data_reset, std::string_view{"deviceDataReset"}},
    std::pair{Substatus::reprovisioned_to_initial_assignment,
              std::string_view{"reprovisionedToInitialAssignment"}}};

constexpr std::array protocols{std::pair{Protocol::https, std::string_view{"https"}},
                               std::pair{Protocol::mqtt, std::string_view{"mqtt"}},
                               std::pair{Protocol::mqtt_ws, std::string_view{"mqtt-ws"}},
                               std::pair{Protocol::amqp, std::string_view{"amqp"}},
                               std::pair{Protocol::amqp_ws, std::string_view{"amqp-ws"}}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
    for (const auto& [each, word] : table) {
        if (each == value) {
            return word;
        }
    }
    return "";
}

template <class Value, class Table>
Result<Value> value_of(const Table& table, std::string_view text, std::string_view what) {
    for (const auto& [each, word] : table) {
        if (word == text) {
            return each;
        }
    }
    return Error{ErrorKind::malformed,
                 "unknown " + std::string{what} + " '" + std::string{text} + "'"};
}

}  // namespace

std::string_view to_string(Protocol protocol) {
    return word_of(protocols, protocol);
}
std::string_view to_string(RegistrationStatus status) {
    return word_of(statuses, status);
}
std::string_view to_string(Substatus substatus) {
    return word_of(substatuses, substatus);
}

Result<RegistrationStatus> parse_registration_status(std::string_view text) {
    return value_of<RegistrationStatus>(statuses, text, "registration status");
}

Result<Substatus> parse_substatus(std::string_view text) {
    return value_of<Substatus>(substatuses, text, "substatus");
}

DeviceState state_of(const Device& device) {
    if (device.blocked) {
        return DeviceState::blocked;
    }
    if (!device.approved) {
        return DeviceState::waiting_for_approval;
    }
    return device.leaf_sha256 ? DeviceState::provisioned : DeviceState::registered;
}

std::string_view to_string(DeviceState state) {
    switch (state) {
        case DeviceState::registered: return "registered";
        case DeviceState::provisioned: return "provisioned";
        case DeviceState::waiting_for_approval: return "waiting-for-approval";
        case DeviceState::blocked: return "blocked";
    }
    return "registered";
}

}  // namespace rollcall::domain
