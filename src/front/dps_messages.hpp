// SPDX-License-Identifier: Apache-2.0
// DpsMessages: what the fronts do with a device's request that comes as a message, whichever
// tongue brought it: device_mqtt and device_amqp (PRODUCT section 4).
#pragma once

#include "base/world.hpp"
#include "front/dps_wire.hpp"
#include "service/registrar.hpp"

#include <string>
#include <string_view>

namespace rollcall::front {

struct DpsMessageSettings {
    /// A registration is answered 202 and polled for, as the cloud does; else 200 at once.
    bool poll = false;
};

/// An answer; a refusal has its error as well.
struct DpsAnswer {
    unsigned status = 200;
    std::string body{};
    int retry_after = 0;  ///< seconds; 0: not told

    bool refuses() const { return status >= 300; }
};

class DpsMessages {
public:
    DpsMessages(service::Registrar& registrar, const Clock& clock, Entropy& entropy,
                DpsMessageSettings settings)
        : registrar_(registrar), clock_(clock), entropy_(entropy), settings_(settings) {}

    /// `asks` without its payload, which the body brings.
    Task<DpsAnswer> register_device(const domain::RegistrationRequest& asks, std::string_view body);
    Task<DpsAnswer> operation_status(const domain::RegistrationRequest& wish,
                                     std::string_view operation);
    Task<DpsAnswer> registration(const domain::RegistrationRequest& wish);
    DpsAnswer refusal(const Error& error);

private:
    service::Registrar& registrar_;
    const Clock& clock_;
    Entropy& entropy_;
    const DpsMessageSettings settings_;
};

}  // namespace rollcall::front
