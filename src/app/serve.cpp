// SPDX-License-Identifier: Apache-2.0
// The composition root: every part of a server, made in order and handed to the next by reference.
#include "app/serve.hpp"

#include "app/core_host.hpp"
#include "app/doctor.hpp"
#include "app/doors.hpp"
#include "app/embedded_console.hpp"
#include "app/instance.hpp"
#include "app/socket_path.hpp"
#include "app/version.hpp"
#include "app/web_client.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "front/amqp_reception.hpp"
#include "front/central_api.hpp"
#include "front/certificate_api.hpp"
#include "front/console.hpp"
#include "front/device_amqp.hpp"
#include "front/device_https.hpp"
#include "front/device_mqtt.hpp"
#include "front/device_reception.hpp"
#include "front/dps_service_api.hpp"
#include "front/health.hpp"
#include "front/host_guard.hpp"
#include "front/hub_amqp.hpp"
#include "front/hub_https.hpp"
#include "front/hub_mqtt.hpp"
#include "front/mqtt_reception.hpp"
#include "front/native_api.hpp"
#include "front/openid_door.hpp"
#include "front/operator_reception.hpp"
#include "front/registry_api.hpp"
#include "net/amqp_door.hpp"
#include "net/http_session.hpp"
#include "net/mqtt_door.hpp"
#include "service/device_groups.hpp"
#include "service/enroller.hpp"
#include "service/hub.hpp"
#include "service/jobs.hpp"
#include "service/registrar.hpp"
#include "service/sign_in.hpp"
#include "service/trust_watch.hpp"
#include "service/users.hpp"
#include "store/telemetry_log.hpp"
#include "x509/legacy_keys.hpp"
#include "x509/openssl_builds.hpp"

#include <algorithm>
#include <atomic>
#include <ostream>
#include <set>
#include <thread>

namespace rollcall::app {

namespace {

/// Time, chance and numbers: what every part is given.
struct World {
    SystemClock clock;
    SystemEntropy entropy;
    Metrics metrics;
};

/// What had to succeed before a server can be put together.
struct Ground {
    std::unique_ptr<Instance> instance;
    std::unique_ptr<store::TelemetryLog> telemetry;
    std::string hub;  ///< what devices get as assignedHub
    service::OpenidSettings openid;
    std::optional<LocalCa> local_ca;
    std::string ca_pem;  ///< the local CA's own certificate; empty: there is none
    net::CredentialFiles credential;
    std::unique_ptr<net::TlsServer> tls;
    bool new_token = false;
};

/// The client's secret: the first line of its file.
Result<service::OpenidSettings> openid_of(const Settings& settings) {
    service::OpenidSettings openid = settings.openid;
    if (!settings.openid_secret_file.empty()) {
        TRY(const std::string text,
            read_file(settings.openid_secret_file, limits::config_bytes_max));
        openid.client_secret = text.substr(0, text.find_first_of("\r\n"));
    }
    return openid;
}

Result<Ground> prepare(const Settings& settings, World& world) {
    TRY(const auto certificate_names, given_certificate_names(settings));
    Ground ground;
    TRY(ground.instance,
        Instance::open(settings.data, std::nullopt, world.metrics, world.clock, world.entropy));
    if (const auto& ca_file = settings.webhooks.ca_file; !ca_file.empty()) {
        TRY([[maybe_unused]] const auto readable, read_file(ca_file, limits::webhook_ca_bytes_max));
    }
    if (const auto& ca_file = settings.openid_ca_file; !ca_file.empty()) {
        TRY([[maybe_unused]] const auto readable, read_file(ca_file, limits::webhook_ca_bytes_max));
    }
    TRY(ground.openid, openid_of(settings));
    store::TelemetryLog::Settings keeping;
    keeping.directory = ground.instance->path() / "telemetry";
    TRY(ground.telemetry, store::TelemetryLog::open(keeping, world.metrics));
    ground.hub = own_hub_name(settings, certificate_names, host_name());
    TRY([[maybe_unused]] const auto kept,
        ground.instance->keep_hub(ground.hub, world.clock.now(), world.entropy));
    if (settings.server_credential) {
        ground.credential = *settings.server_credential;
    } else {
        ground.local_ca.emplace(ground.instance->tls(), local_names(settings, host_name()));
        ground.credential = ground.local_ca->server_files();
        TRY([[maybe_unused]] const bool made,
            ground.local_ca->ensure(world.clock.now(), world.entropy));
        TRY(ground.ca_pem, read_file(ground.local_ca->ca_file(), limits::webhook_ca_bytes_max));
    }
    TRY(const auto credential, net::read_credential(ground.credential));
    TRY(ground.tls, net::TlsServer::make({credential}, world.metrics));
    return ground;
}

std::size_t threads_of(const Settings& settings) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    return settings.threads == 0 ? cores : settings.threads;
}

service::AdmissionRates rates_of(const Settings& settings) {
    service::AdmissionRates rates = settings.admission;
    if (rates.strangers == 0) {
        rates.strangers = limits::strangers_effort_per_second_and_core *
                          static_cast<double>(threads_of(settings));
    }
    return rates;
}

front::DpsMessageSettings message_pace_of(const Settings& settings) {
    return {.poll = settings.assign == Assign::poll};
}

/// PRODUCT section 4: Retry-After of a registration's 202.
front::DeviceHttpsSettings pace_of(const Settings& settings) {
    return {.retry_after = std::chrono::seconds{settings.assign == Assign::poll ? 3 : 1}};
}

net::HandlerChoice always(net::HttpHandler& handler) {
    return [&handler](const net::ConnectionFacts&) -> net::HttpHandler& { return handler; };
}

/// The parts, in the order in which they need each other.
class Server {
public:
    Server(const Settings& settings, World& world, Ground& ground)
        : settings_(settings), world_(world), ground_(ground) {}

    Result<Done> open_doors();
    /// Until told to stop.
    void run(const Streams& io);

private:
    net::DoorSettings for_everybody();
    Task<void> tell_readiness(net::Core& core);
    Task<void> keep_audit(net::Core& core);
    void tell_start(const Streams& io) const;

    const Settings& settings_;
    World& world_;
    Ground& ground_;
    const Clock& clock_ = world_.clock;
    Entropy& entropy_ = world_.entropy;
    Metrics& metrics_ = world_.metrics;
    store::SqliteStore& store_ = ground_.instance->store();
    store::RefusalLog& refusals_ = ground_.instance->refusals();
    const ScopeId& scope_ = ground_.instance->scope();

    // Use cases.
    Lane deep_searches_{1};
    service::TrustBook trust_book_{store_, store_};
    service::Admission admission_{clock_, metrics_, rates_of(settings_)};
    service::Sessions sessions_;
    service::RegistrationRate rate_;
    WebhookCaller webhooks_{settings_.webhooks};
    service::Registrar registrar_{store_,
                                  store_,
                                  trust_book_,
                                  refusals_,
                                  admission_,
                                  clock_,
                                  entropy_,
                                  deep_searches_,
                                  metrics_,
                                  {.scope = scope_},
                                  {.webhooks = &webhooks_, .sessions = &sessions_, .rate = &rate_}};
    service::Overview overview_{store_, refusals_, trust_book_, sessions_, rate_, clock_};
    service::TrustWatch trust_watch_{store_, trust_book_, sessions_};
    service::Enroller enroller_{store_, trust_watch_, trust_book_, clock_, entropy_};
    service::Hub hub_{store_,     store_, trust_book_, sessions_, *ground_.telemetry,
                      admission_, clock_, entropy_,    metrics_,  ground_.hub};
    service::DeviceGroups device_groups_{store_, store_, clock_, entropy_};
    CoreHost job_host_{runtime_};
    service::Jobs jobs_{{store_, store_, hub_, job_host_, clock_, entropy_}};
    service::OperatorGuard guard_{clock_, metrics_, settings_.guard};
    service::Access access_{
        store_, store_, clock_, entropy_, operator_hosts(settings_, ground_.hub), &guard_};
    service::Passwords passwords_{entropy_};
    service::Users users_{store_, store_, clock_, entropy_, passwords_};
    service::SignIn sign_in_{store_,     store_, clock_,   entropy_,
                             passwords_, guard_, metrics_, settings_.sessions};

    CurlClient web_client_{
        {.ca_file = settings_.openid_ca_file, .loopback_http = settings_.openid.loopback_http}};
    service::Openid openid_{ground_.openid, web_client_, store_,   store_,
                            sign_in_,       clock_,      entropy_, ground_.instance->openid_key()};
    service::Auditor auditor_{store_, store_, clock_, ground_.instance->audit_key(), scope_.str()};

    // Tongues.
    front::ServerFacts facts_{.scope = scope_,
                              .hub = ground_.hub,
                              .version = std::string{version},
                              .tools_host = operator_hosts(settings_, ground_.hub).front(),
                              .started = clock_.now(),
                              .doors = {},
                              .names = settings_.names,
                              .ca_pem = ground_.ca_pem,
                              .openid = ground_.openid.on()};
    std::atomic<bool> ready_{false};
    front::DeviceHttps provisioning_{registrar_, clock_, entropy_, pace_of(settings_)};
    front::DpsMessages messages_{registrar_, clock_, entropy_, message_pace_of(settings_)};
    front::DeviceMqtt mqtt_provisioning_{messages_};
    front::HubHttps hub_https_{hub_, clock_, entropy_};
    front::HubMqtt hub_mqtt_{hub_, clock_, entropy_};
    front::MqttReception mqtt_{mqtt_provisioning_, hub_mqtt_};
    net::MqttDoor mqtt_door_{*ground_.tls, mqtt_, metrics_};
    front::DeviceAmqp amqp_provisioning_{messages_};
    front::HubAmqp hub_amqp_{hub_, clock_, entropy_};
    front::AmqpReception amqp_{amqp_provisioning_, hub_amqp_};
    net::AmqpDoor amqp_door_{*ground_.tls, amqp_, metrics_};
    front::DeviceReception devices_{provisioning_, hub_https_, mqtt_door_, amqp_door_};
    front::NativeApi native_api_{{enroller_, access_, trust_book_, store_, refusals_, hub_,
                                  *ground_.telemetry, clock_, entropy_, facts_, auditor_, users_,
                                  sign_in_, store_, overview_}};
    const front::ArmService resource_{
        .scope = scope_.str(),
        .operators_host = facts_.tools_host,
        .devices_host = settings_.names.empty() ? ground_.hub : settings_.names.front()};
    front::CertificateApi certificate_api_{{enroller_, access_, trust_book_, entropy_, resource_}};
    front::DpsServiceApi dps_service_{{enroller_, access_, trust_book_, store_, clock_, entropy_}};
    front::RegistryApi registry_{{enroller_, access_, hub_, store_, clock_, entropy_}};
    front::CentralApi central_{{enroller_, access_, hub_, trust_book_, store_, *ground_.telemetry,
                                clock_, entropy_, scope_, device_groups_, jobs_, users_}};
    front::OpenidDoor openid_door_{openid_, entropy_};
    front::Console console_{embedded_console()};
    front::OperatorReception operators_{{{"enrollments", dps_service_},
                                         {"enrollmentGroups", dps_service_},
                                         {"registrations", dps_service_},
                                         {"subscriptions", certificate_api_},
                                         {"devices", registry_},
                                         {"twins", registry_},
                                         {"api/v1", native_api_},
                                         {"api", central_},
                                         {"auth", openid_door_},
                                         {"", console_},
                                         {"ui", console_},
                                         {"assets", console_}},
                                        native_api_};
    front::Health health_{metrics_, [this] { return ready_.load(); }};

    // Where devices and operators share an address: who is meant is decided by name.
    const std::set<std::string> operator_names_{settings_.operator_names.begin(),
                                                settings_.operator_names.end()};
    front::HostGuard shared_devices_{devices_, operator_names_, false};
    front::HostGuard shared_operators_{operators_, operator_names_, true};

    // Doors.
    net::Runtime runtime_{threads_of(settings_)};
    net::HttpDoor device_door_{*ground_.tls, [](std::string_view) { return true; },
                               always(devices_), clock_, metrics_};
    net::HttpDoor operator_door_{*ground_.tls, [](std::string_view) { return false; },
                                 always(operators_), clock_, metrics_};
    net::HttpDoor shared_door_{
        *ground_.tls,
        [this](std::string_view name) { return !operator_names_.contains(std::string{name}); },
        [this](const net::ConnectionFacts& connection) -> net::HttpHandler& {
            return connection.certificate_requested ? shared_devices_ : shared_operators_;
        },
        clock_, metrics_};
    net::HttpDoor socket_door_{always(operators_), clock_, metrics_};
    net::HttpDoor metrics_door_{always(health_), clock_, metrics_};
    const SocketPath socket_path_{ground_.instance->operator_socket()};
    Doors doors_{runtime_, metrics_};
};

net::DoorSettings Server::for_everybody() {
    return {.name = {},
            .connections_max = limits::connections_max,
            .may_enter = [this](const net::ConnectionFacts& peer) {
                return admission_.knock(peer.peer_address);
            }};
}

Result<Done> Server::open_doors() {
    const net::DoorSettings for_operators{
        .name = {}, .connections_max = limits::operator_connections_max, .may_enter = {}};
    if (settings_.shares_door()) {
        TRY([[maybe_unused]] const auto shared,
            doors_.open_shared("device-https", "operator", *settings_.device_https, shared_door_,
                               for_everybody()));
    } else {
        TRY([[maybe_unused]] const auto for_devices,
            doors_.open("device-https", settings_.device_https, device_door_, for_everybody()));
        TRY([[maybe_unused]] const auto operators,
            doors_.open("operator", settings_.operator_door, operator_door_, for_operators));
    }
    TRY([[maybe_unused]] const auto for_mqtt,
        doors_.open("device-mqtt", settings_.device_mqtt, mqtt_door_, for_everybody()));
    TRY([[maybe_unused]] const auto for_amqp,
        doors_.open("device-amqp", settings_.device_amqp, amqp_door_, for_everybody()));
    TRY([[maybe_unused]] const auto for_metrics,
        doors_.open("metrics", settings_.metrics, metrics_door_, for_operators));
    TRY([[maybe_unused]] const auto for_this_machine,
        doors_.open_socket(socket_path_.usable(), socket_door_, for_operators));
    for (const auto& [name, address] : doors_.addresses()) {
        if (address != "off") {
            facts_.doors.push_back({.name = name, .address = address});
        }
    }
    TRY(ground_.new_token, ground_.instance->keep_admin_token(access_));
    return Done{};
}

Task<void> Server::tell_readiness(net::Core& core) {
    constexpr std::chrono::milliseconds pause = std::chrono::hours{1};
    ready_ = true;
    while (co_await core.sleep(pause)) {
    }
    ready_ = false;  // the core drains
}

/// Prunes the audit log as the configuration says, a bounded turn at a time.
Task<void> Server::keep_audit(net::Core& core) {
    std::chrono::milliseconds pause{};
    do {
        const auto turn = co_await auditor_.retain(settings_.audit_keep);
        if (!turn) {
            log_event(Severity::error, "audit-not-pruned",
                      {{"why", turn.error().detail}, {"note", turn.error().note}});
        } else if (turn->events > 0) {
            log_event(Severity::info, "audit-pruned", {{"events", std::to_string(turn->events)}});
        }
        pause = limits::audit_retention_pause;
        if (turn && turn->more) {
            pause = limits::audit_retention_breath;
        }
    } while (co_await core.sleep(pause));
}

void Server::tell_start(const Streams& io) const {
    if (ground_.new_token) {
        io.err << "the administrator's bearer token is in "
               << ground_.instance->admin_token().string() << '\n';
    }
    if (ground_.local_ca) {
        io.err << "devices and tools must trust " << ground_.local_ca->ca_file().string() << '\n';
    }
}

void Server::run(const Streams& io) {
    net::Core& first = runtime_.core(0);
    first.spawn("server-certificate-reload",
                net::reload_on_change(first, *ground_.tls, {ground_.credential}));
    if (ground_.local_ca) {
        first.spawn("server-certificate-renewal",
                    keep_renewed(first, *ground_.local_ca, clock_, entropy_));
    }
    job_host_.spawn("jobs", jobs_.keep_house());
    if (!settings_.audit_keep.everything()) {
        first.spawn("audit-retention", keep_audit(first));
    }
    first.spawn("readiness", tell_readiness(first));
    runtime_.stop_on_signals(settings_.drain_time);
    runtime_.start();
    tell_start(io);
    io.out << ready_line(scope_, doors_.addresses()) << std::endl;
    runtime_.wait();
    deep_searches_.join();
    passwords_.join();
    web_client_.join();
    webhooks_.close();
    ground_.telemetry->close();
    ground_.instance->close();
}

/// An OpenSSL that is linked in gets no security updates of the system's.
void tell_of_other_openssl() {
    if (const auto builds = x509::openssl_builds(); builds.differ()) {
        log_event(Severity::warning, "openssl-differs",
                  {{"runs", builds.linked},
                   {"installed", *builds.installed},
                   {"fix", check_openssl(builds).fix}});
    }
}

}  // namespace

Result<Exit> serve(const Settings& settings, const Streams& io) {
    start_log(settings.log_level, settings.log_json);
    x509::use_legacy_keys();
    tell_of_other_openssl();
    net::allow_descriptors();
    World world;
    TRY(Ground ground, prepare(settings, world));
    Server server{settings, world, ground};
    TRY([[maybe_unused]] const auto open, server.open_doors());
    server.run(io);
    return Exit::done;
}

}  // namespace rollcall::app
