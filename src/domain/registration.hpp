// SPDX-License-Identifier: Apache-2.0
// What a device asks, what we answered it, and what it proved itself with
// (spec/dps-device-api.md 1.4, 1.5; PRODUCT sections 3.13-3.16 and 5).
#pragma once

#include "domain/enrollment.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::domain {

enum class Protocol : std::uint8_t { https, mqtt, mqtt_ws, amqp, amqp_ws };
std::string_view to_string(Protocol protocol);

/// A device's request, whatever tongue it came in.
struct RegistrationRequest {
    ScopeId scope;
    RegistrationId id;
    x509::PeerChain peer{};
    /// Set where the handshake brought a chain that cannot even be read or is over a limit.
    std::optional<Error> peer_error{};
    /// The shared access signature it brought (domain/sas.hpp), as it came; empty: none.
    std::string sas{};
    std::string payload{};  ///< JSON text of `payload`; empty: none
    bool force = false;
    Protocol protocol = Protocol::https;
    std::string api_version{};
    std::string user_agent{};
    std::string tls_version{};
    std::string tls_cipher{};
    std::string peer_address{};
};

enum class RegistrationStatus : std::uint8_t { unassigned, assigning, assigned, failed, disabled };
enum class Substatus : std::uint8_t {
    none,
    initial_assignment,
    device_data_migrated,
    device_data_reset,
    reprovisioned_to_initial_assignment,
};
/// DPS' own words: "assigned", "initialAssignment".
std::string_view to_string(RegistrationStatus status);
std::string_view to_string(Substatus substatus);
Result<RegistrationStatus> parse_registration_status(std::string_view text);
Result<Substatus> parse_substatus(std::string_view text);

/// Why a registration failed, in DPS' numbers. code 0: it did not.
struct Failure {
    int code = 0;
    std::string message{};

    bool operator==(const Failure&) const = default;
};

/// The adoption record: one successful proof and its outcome. The last
/// limits::adoption_history_max of each device are kept.
struct Adoption {
    OperationId operation;
    TimePoint at{};
    EntryRef entry{};
    Slot slot = Slot::primary;
    /// By key: there is no certificate, and what stands for one in the digests below is the id of
    /// the device's key; in `ca_sha256` and `ca` that of the slot's key.
    AttestationKind attestation = AttestationKind::x509;
    Digest ca_sha256{};  ///< the slot's certificate; the leaf itself for an individual entry
    x509::CaKey ca{};    ///< the same as an authority
    Digest leaf_sha256{};
    Digest leaf_spki{};
    std::string serial{};
    TimePoint not_before{};
    TimePoint not_after{};
    std::string key{};  ///< "P-256", "RSA 2048"
    std::string signature_algorithm{};
    std::uint32_t chain_length = 0;  ///< certificates as sent
    /// SHA-256 of the SPKI of every certificate on the proved path, end entity first: distrusting
    /// any of them withdraws the trust this rests on.
    std::vector<Digest> path_keys{};
    bool completed = false;  ///< relied on a stored certificate
    bool went_back = false;  ///< to an older leaf than its last
    Protocol protocol = Protocol::https;
    std::string api_version{};
    std::string user_agent{};
    std::string tls_version{};
    std::string tls_cipher{};
    RegistrationStatus status = RegistrationStatus::assigned;
    Substatus substatus = Substatus::none;
    Failure failure{};

    bool operator==(const Adoption&) const = default;
};

/// What we answered a device, and may answer again.
struct Registration {
    RegistrationId id;
    DeviceId device_id;
    std::string assigned_hub{};
    std::string payload{};  ///< JSON text a webhook gave for the device; empty: none
    RegistrationStatus status = RegistrationStatus::unassigned;
    Substatus substatus = Substatus::none;
    Failure failure{};
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};
    /// How many adoptions there have been; the newest is `last`.
    std::uint64_t adoptions = 0;
    Adoption last{};

    bool operator==(const Registration&) const = default;
};

/// A device as its hub knows it.
struct Device {
    DeviceId id;
    RegistrationId registration;
    bool approved = true;
    bool blocked = false;
    /// SHA-256 of the leaf it last registered with, or the id of its key; none before the first.
    std::optional<Digest> leaf_sha256{};
    EntryRef entry{};
    ETag etag{};
    TimePoint created{};
    TimePoint updated{};

    bool operator==(const Device&) const = default;
};

/// spec/iot-central-api.md 3.3.
enum class DeviceState : std::uint8_t { registered, provisioned, waiting_for_approval, blocked };
DeviceState state_of(const Device& device);
std::string_view to_string(DeviceState state);

}  // namespace rollcall::domain
