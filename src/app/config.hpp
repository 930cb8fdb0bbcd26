// SPDX-License-Identifier: Apache-2.0
// Config is what rollcall.toml and the options of `serve` say, as text; Settings is what was
// checked. An empty file is a working one; unknown keys are refused; all problems are told at
// once. Nothing below the app floor sees either.
#pragma once

#include "app/webhook_caller.hpp"
#include "base/result.hpp"
#include "base/telemetry.hpp"
#include "net/listener.hpp"
#include "net/tls.hpp"
#include "service/admission.hpp"
#include "service/auditor.hpp"
#include "service/openid.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::app {

/// The table [oidc].
struct OpenidConfig {
    std::optional<std::string> issuer{};
    std::optional<std::string> client_id{};
    std::optional<std::string> client_secret_file{};
    std::optional<std::vector<std::string>> scopes{};
    std::optional<std::string> ca_file{};
    std::optional<std::string> public_url{};
    std::optional<bool> loopback_http{};
    std::optional<bool> trust_email{};
    std::optional<std::string> role_claim{};
    std::optional<std::vector<std::string>> administrators{};
    std::optional<std::vector<std::string>> builders{};
    std::optional<std::vector<std::string>> operators{};
    std::optional<std::vector<std::string>> viewers{};
};

/// Unset: the default. Later sources overlay earlier ones member by member.
struct Config {
    std::optional<std::string> data{};
    std::optional<std::string> device_https{};
    std::optional<std::string> device_mqtt{};
    std::optional<std::string> device_amqp{};
    std::optional<std::string> operator_door{};
    std::optional<std::string> metrics{};
    std::optional<std::string> server_certificate{};
    std::optional<std::string> server_key{};
    std::optional<std::vector<std::string>> names{};
    std::optional<std::vector<std::string>> operator_names{};
    std::optional<std::string> hub_host{};
    std::optional<std::string> assign{};
    std::optional<std::int64_t> threads{};
    std::optional<std::int64_t> drain_seconds{};
    std::optional<std::int64_t> admission_source{};
    std::optional<std::int64_t> admission_proven_source{};
    std::optional<std::int64_t> admission_strangers{};
    std::optional<std::string> webhook_ca{};
    std::optional<bool> webhook_loopback_http{};
    std::optional<std::int64_t> audit_keep_days{};
    std::optional<std::int64_t> audit_keep_events{};
    std::optional<std::string> log_level{};
    std::optional<std::string> log_format{};
    std::optional<std::int64_t> requests_per_second{};
    std::optional<std::int64_t> session_idle_minutes{};
    std::optional<std::int64_t> session_hours{};
    OpenidConfig openid{};
};

/// Reads TOML text; `name` is for messages. Every problem with its line: bad syntax, unknown keys
/// (with the nearest known one), wrong types.
Result<Config> parse_config(const std::string& text, const std::string& name);

/// What `over` says, and where it is silent what `under` says.
Config overlay(const Config& under, const Config& over);

/// How a registration is answered (PRODUCT section 4).
enum class Assign : std::uint8_t {
    now,   ///< HTTPS: 202, Retry-After 1; MQTT, AMQP: 200
    poll,  ///< as the cloud: 202, Retry-After 3
};

struct Settings {
    std::filesystem::path data = "./rollcall-data";
    /// none: the door is closed.
    std::optional<net::ListenAddress> device_https = net::ListenAddress{"127.0.0.1", 8443};
    std::optional<net::ListenAddress> device_mqtt = net::ListenAddress{"127.0.0.1", 8883};
    std::optional<net::ListenAddress> device_amqp = net::ListenAddress{"127.0.0.1", 5671};
    std::optional<net::ListenAddress> operator_door = net::ListenAddress{"127.0.0.1", 9443};
    std::optional<net::ListenAddress> metrics = net::ListenAddress{"127.0.0.1", 9464};
    /// none: the local CA makes one.
    std::optional<net::CredentialFiles> server_credential{};
    std::vector<std::string> names{};
    /// By these names, when one address serves devices and operators, a client is an operator.
    std::vector<std::string> operator_names{};
    std::string hub_host{};  ///< empty: see own_hub_name()
    Assign assign = Assign::now;
    std::size_t threads = 0;  ///< 0: one for each core of the machine
    std::chrono::seconds drain_time{10};
    service::AdmissionRates admission{.strangers = 0};  ///< strangers 0: by the number of threads
    WebhookSettings webhooks{};
    service::GuardSettings guard{};
    service::SessionTimes sessions{};
    /// Without the client's secret, which stands in a file.
    service::OpenidSettings openid{};
    std::string openid_secret_file{};
    std::string openid_ca_file{};
    service::AuditKeep audit_keep{};
    Severity log_level = Severity::info;
    bool log_json = false;

    bool operator==(const Settings&) const = default;
    /// Devices and operators come in by one address and port (PRODUCT section 2). Two doors on
    /// port 0 are two ports, unless operator_names show that one is meant.
    bool shares_door() const {
        return device_https && device_https == operator_door &&
               (device_https->port != 0 || !operator_names.empty());
    }
};

/// Checks everything that can be checked without the machine; the detail lists every problem.
Result<Settings> check_config(const Config& config);

/// The name devices get as assignedHub (PRODUCT section 7): --hub-host, else the first --name, else
/// the first DNS name of the given server certificate, else the host's name.
std::string own_hub_name(const Settings& settings,
                         const std::vector<std::string>& certificate_names,
                         const std::string& host_name);

}  // namespace rollcall::app
