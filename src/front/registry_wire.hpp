// SPDX-License-Identifier: Apache-2.0
// The words of IoT Hub's device registry: identities, twins and errors as JSON.
#pragma once

#include "domain/registration.hpp"
#include "domain/twin.hpp"
#include "service/sessions.hpp"

#include <optional>
#include <string>

#include <boost/json/object.hpp>

namespace rollcall::front {

/// What is known of a device. Its credential is the registration's: no key is shown, and a
/// certificate only as what it is, "selfSigned" without thumbprints, which here are SHA-256.
struct RegistryDevice {
    domain::Device device;
    std::optional<service::SessionFacts> session{};
    bool by_key = false;
};
/// Members and order as the cloud's (azure-iothub Device).
boost::json::object identity_json(const RegistryDevice& device);
/// The twin with its identity's members, as the registry shows it.
boost::json::object registry_twin_json(const RegistryDevice& device, const domain::Twin& twin);

struct RegistryError {
    unsigned status = 500;
    std::string word{};  ///< "DeviceNotFound"
    std::string message{};
};
RegistryError to_registry_error(const Error& error, unsigned status = 0);

}  // namespace rollcall::front
