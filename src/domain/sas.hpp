// SPDX-License-Identifier: Apache-2.0
// Shared access signatures, the tokens of devices that have a symmetric key: read, and judged
// against a key (spec/dps-device-api.md 1.11). Pure. Fronts hand the text on as it came: an
// Authorization header, an MQTT password, a SASL PLAIN password.
#pragma once

#include "domain/symmetric_key.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rollcall::domain {

/// Is this a token at all, however broken? Else it is some other scheme's password.
bool looks_like_sas(std::string_view text);

struct Sas {
    std::string resource{};         ///< `sr`, decoded
    std::string signed_resource{};  ///< `sr` as it came: what most clients sign
    std::string expiry{};           ///< `se` as it came
    TimePoint expires{};
    Digest signature{};
    std::string key_name{};  ///< `skn`, decoded; empty where it was empty or missing
};

/// `SharedAccessSignature sr=…&sig=…&se=…[&skn=…]`, members in any order. malformed "malformed-sas"
/// (the detail says what is wrong, and repeats no part of it): more than limits::sas_bytes_max,
/// a member missing, twice or unknown, a broken escape, a signature that is not 32 bytes in base64.
Result<Sas> parse_sas(std::string_view text);

/// What tools of IoT Central's make are given to send: `sig` is the secret itself, `se` counts
/// milliseconds (spec/iot-central-api.md 3.1). `secret` has 32 bytes.
std::string central_token(std::string_view application, std::string_view name, ByteView secret,
                          TimePoint expires);
/// SHA-256 of all members, as read: what a server keeps of a token that is itself the secret.
Digest token_digest(const Sas& sas);

/// Made with this key? In constant time as far as the key goes. Java signs `sr` without escapes.
bool is_signed_with(const Sas& sas, const SymmetricKey& key);

/// limits::clock_skew after its end a token is still taken: devices' clocks go slow.
bool is_expired(const Sas& sas, TimePoint now);
/// When a session that came in with the token has to end.
TimePoint end_of(const Sas& sas);

/// Names it this registration: `{scope}/registrations/{id}`, without case, and `skn=registration`
/// or none (Java)?
bool names_registration(const Sas& sas, const ScopeId& scope, const RegistrationId& id);
/// `{hub}/devices/{id}`; a host's case says nothing, a device id's does.
bool names_device(const Sas& sas, std::string_view hub, const DeviceId& id);

}  // namespace rollcall::domain
