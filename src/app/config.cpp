// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"

#include "app/help.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include <toml++/toml.h>

namespace rollcall::app {

namespace {

Error problems_error(const std::string& head, const std::vector<std::string>& problems) {
    return Error{.kind = ErrorKind::malformed, .detail = head + joined(problems, "\n  ")};
}

// --- The file -------------------------------------------------------------------------------

/// Takes one key's value; false when it has another type.
struct Key {
    std::string name;
    const char* type;
    std::function<bool(const toml::node&)> take;
};

Key text_key(std::string name, std::optional<std::string>& into) {
    return {std::move(name), "a text", [&into](const toml::node& node) {
                into = node.value_exact<std::string>();
                return into.has_value();
            }};
}
Key flag_key(std::string name, std::optional<bool>& into) {
    return {std::move(name), "true or false", [&into](const toml::node& node) {
                into = node.value_exact<bool>();
                return into.has_value();
            }};
}
Key number_key(std::string name, std::optional<std::int64_t>& into) {
    return {std::move(name), "a whole number", [&into](const toml::node& node) {
                into = node.value_exact<std::int64_t>();
                return into.has_value();
            }};
}
Key list_key(std::string name, std::optional<std::vector<std::string>>& into) {
    return {std::move(name), "a list of texts", [&into](const toml::node& node) {
                const toml::array* array = node.as_array();
                if (array == nullptr) {
                    return false;
                }
                into.emplace();
                for (const toml::node& item : *array) {
                    const auto text = item.value_exact<std::string>();
                    if (!text) {
                        return false;
                    }
                    into->push_back(*text);
                }
                return true;
            }};
}

/// Every key the file may hold; a dot stands for a table.
std::vector<Key> keys_of(Config& config) {
    return {
        text_key("data", config.data),
        list_key("names", config.names),
        list_key("operator_names", config.operator_names),
        text_key("hub_host", config.hub_host),
        text_key("assign", config.assign),
        number_key("threads", config.threads),
        number_key("drain_seconds", config.drain_seconds),
        text_key("listen.device_https", config.device_https),
        text_key("listen.device_mqtt", config.device_mqtt),
        text_key("listen.device_amqp", config.device_amqp),
        text_key("listen.operator", config.operator_door),
        text_key("listen.metrics", config.metrics),
        text_key("tls.certificate", config.server_certificate),
        text_key("tls.key", config.server_key),
        number_key("admission.source", config.admission_source),
        number_key("admission.proven_source", config.admission_proven_source),
        number_key("admission.strangers", config.admission_strangers),
        text_key("allocation.webhook_ca", config.webhook_ca),
        flag_key("allocation.loopback_http", config.webhook_loopback_http),
        number_key("operators.requests_per_second", config.requests_per_second),
        number_key("operators.session_idle_minutes", config.session_idle_minutes),
        number_key("operators.session_hours", config.session_hours),
        text_key("oidc.issuer", config.openid.issuer),
        text_key("oidc.client_id", config.openid.client_id),
        text_key("oidc.client_secret_file", config.openid.client_secret_file),
        list_key("oidc.scopes", config.openid.scopes),
        text_key("oidc.ca", config.openid.ca_file),
        text_key("oidc.public_url", config.openid.public_url),
        flag_key("oidc.loopback_http", config.openid.loopback_http),
        flag_key("oidc.trust_email", config.openid.trust_email),
        text_key("oidc.role_claim", config.openid.role_claim),
        list_key("oidc.administrators", config.openid.administrators),
        list_key("oidc.builders", config.openid.builders),
        list_key("oidc.operators", config.openid.operators),
        list_key("oidc.viewers", config.openid.viewers),
        number_key("audit.keep_days", config.audit_keep_days),
        number_key("audit.keep_events", config.audit_keep_events),
        text_key("log.level", config.log_level),
        text_key("log.format", config.log_format),
    };
}

class FileReader {
public:
    FileReader(const std::string& name, const std::vector<Key>& keys) : name_(name), keys_(keys) {}

    void read(const toml::table& table, const std::string& prefix) {
        for (const auto& [key, node] : table) {
            const std::string full = prefix + std::string{key.str()};
            const auto known = std::find_if(keys_.begin(), keys_.end(),
                                            [&](const Key& one) { return one.name == full; });
            if (known != keys_.end()) {
                if (!known->take(node)) {
                    problem(node, full + " is " + known->type);
                }
            } else if (node.is_table() && is_table(full)) {
                read(*node.as_table(), full + ".");
            } else {
                problem(node, "unknown key " + full + suggestion(full, names()));
            }
        }
    }
    const std::vector<std::string>& problems() const { return problems_; }

private:
    bool is_table(const std::string& name) const {
        return std::any_of(keys_.begin(), keys_.end(),
                           [&](const Key& key) { return key.name.starts_with(name + "."); });
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const Key& key : keys_) {
            all.push_back(key.name);
        }
        return all;
    }
    void problem(const toml::node& node, const std::string& what) {
        problems_.push_back(name_ + " line " + std::to_string(node.source().begin.line) + ": " +
                            what);
    }

    const std::string& name_;
    const std::vector<Key>& keys_;
    std::vector<std::string> problems_;
};

// --- What it says ---------------------------------------------------------------------------

/// Letters, digits, '-' and '.', as a host's name has them; IPv4 addresses pass too.
bool is_dns_name(const std::string& name) {
    const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    });
    return characters && !name.empty() && name.size() <= 253 && name.front() != '.' &&
           name.front() != '-' && name.find("..") == std::string::npos;
}

bool is_ipv6(const std::string& name) {
    return name.find(':') != std::string::npos &&
           name.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
}

class Checker {
public:
    explicit Checker(const Config& config) : config_(config) {}

    Result<Settings> check() {
        door("device-https", config_.device_https, settings_.device_https);
        door("device-mqtt", config_.device_mqtt, settings_.device_mqtt);
        door("device-amqp", config_.device_amqp, settings_.device_amqp);
        door("operator", config_.operator_door, settings_.operator_door);
        door("metrics", config_.metrics, settings_.metrics);
        doors_apart();
        credential();
        names();
        words();
        numbers();
        sessions();
        openid();
        audit();
        settings_.webhooks.ca_file = config_.webhook_ca.value_or("");
        settings_.webhooks.loopback_http = config_.webhook_loopback_http.value_or(false);
        if (config_.data) {
            settings_.data = *config_.data;
            expect(!config_.data->empty(), "data is empty");
        }
        if (!problems_.empty()) {
            return problems_error("the configuration has problems:\n  ", problems_);
        }
        return settings_;
    }

private:
    void expect(bool holds, const std::string& problem) {
        if (!holds) {
            problems_.push_back(problem);
        }
    }

    std::optional<net::ListenAddress> address(const std::string& name, const std::string& text) {
        const auto parsed = net::parse_listen_address(text);
        expect(parsed.has_value(), name + " is ADDRESS:PORT or off, not \"" + text + "\"");
        return parsed ? std::optional{*parsed} : std::nullopt;
    }

    void door(const std::string& name, const std::optional<std::string>& said,
              std::optional<net::ListenAddress>& into) {
        if (said) {
            into = *said == "off" ? std::nullopt : address(name, *said);
        }
    }

    /// Only devices over HTTPS and operators may share a door; port 0 never collides.
    void doors_apart() {
        const std::vector<std::pair<std::string, std::optional<net::ListenAddress>>> doors{
            {"metrics", settings_.metrics},
            {"device-mqtt", settings_.device_mqtt},
            {"device-amqp", settings_.device_amqp},
            {"device-https", settings_.device_https},
            {"operator", settings_.operator_door}};
        constexpr std::size_t alone = 3;  // the first ones share with none
        for (std::size_t i = 0; i < alone; ++i) {
            for (std::size_t j = i + 1; j < doors.size(); ++j) {
                const auto& [name, address] = doors[i];
                expect(!address || address->port == 0 || address != doors[j].second,
                       name + " and " + doors[j].first + " are one address");
            }
        }
    }

    void credential() {
        if (config_.server_certificate.has_value() != config_.server_key.has_value()) {
            expect(false, config_.server_key ? "the server's key is given without its certificate"
                                             : "the server's certificate is given without its key");
            return;
        }
        if (config_.server_certificate) {
            settings_.server_credential = net::CredentialFiles{.chain = *config_.server_certificate,
                                                               .key = *config_.server_key};
        }
    }

    void names() {
        settings_.names = config_.names.value_or(std::vector<std::string>{});
        settings_.operator_names = config_.operator_names.value_or(std::vector<std::string>{});
        for (const std::string& name : settings_.names) {
            expect(is_dns_name(name) || is_ipv6(name), "\"" + name + "\" is no host name");
        }
        for (std::string& name : settings_.operator_names) {
            expect(is_dns_name(name), "\"" + name + "\" is no host name");
            name = to_lower_ascii(name);
        }
        if (settings_.shares_door()) {
            expect(!settings_.operator_names.empty(),
                   "devices and operators share " + settings_.device_https->str() +
                       ": give the names that are for operators (operator_names, "
                       "--operator-name)");
        }
        if (config_.hub_host) {
            settings_.hub_host = *config_.hub_host;
            expect(is_dns_name(settings_.hub_host),
                   "hub_host \"" + settings_.hub_host + "\" is no host name");
        }
    }

    void words() {
        const std::string assign = config_.assign.value_or("now");
        expect(assign == "now" || assign == "poll",
               "assign is \"now\" or \"poll\", not \"" + assign + "\"");
        settings_.assign = assign == "poll" ? Assign::poll : Assign::now;
        const std::string format = config_.log_format.value_or("text");
        expect(format == "text" || format == "json",
               "log.format is \"text\" or \"json\", not \"" + format + "\"");
        settings_.log_json = format == "json";
        const std::pair<const char*, Severity> levels[] = {{"debug", Severity::debug},
                                                           {"info", Severity::info},
                                                           {"warning", Severity::warning},
                                                           {"error", Severity::error}};
        const std::string level = config_.log_level.value_or("info");
        bool known = false;
        for (const auto& [word, severity] : levels) {
            if (level == word) {
                settings_.log_level = severity;
                known = true;
            }
        }
        expect(known, "log.level is debug, info, warning or error, not \"" + level + "\"");
    }

    void numbers() {
        constexpr auto threads_max = static_cast<std::int64_t>(limits::threads_max);
        constexpr std::int64_t drain_seconds_max = limits::drain_time_max.count();
        const std::int64_t threads = config_.threads.value_or(0);
        expect(threads >= 0 && threads <= threads_max,
               "threads is 0 (one a core) to " + std::to_string(threads_max));
        settings_.threads = static_cast<std::size_t>(std::max<std::int64_t>(threads, 0));
        const std::int64_t drain = config_.drain_seconds.value_or(settings_.drain_time.count());
        expect(drain >= 0 && drain <= drain_seconds_max,
               "drain_seconds is 0 to " + std::to_string(drain_seconds_max));
        settings_.drain_time = std::chrono::seconds{drain};
        rate("admission.source", config_.admission_source, 1, settings_.admission.source);
        rate("admission.proven_source", config_.admission_proven_source, 1,
             settings_.admission.proven_source);
        rate("admission.strangers", config_.admission_strangers, 0, settings_.admission.strangers);
    }

    void sessions() {
        using std::chrono::duration_cast;
        constexpr std::int64_t rate_max = limits::caller_requests_per_second_max;
        constexpr std::int64_t hours_max =
            duration_cast<std::chrono::hours>(limits::session_time_max).count();
        constexpr std::int64_t minutes_min =
            duration_cast<std::chrono::minutes>(limits::session_secret_life).count() + 1;
        settings_.guard.requests_per_second =
            config_.requests_per_second.value_or(limits::caller_requests_per_second);
        expect(settings_.guard.requests_per_second >= 0 &&
                   settings_.guard.requests_per_second <= rate_max,
               "operators.requests_per_second is 0 (no bound) to " + std::to_string(rate_max));
        const std::int64_t hours = config_.session_hours.value_or(limits::session_life.count());
        expect(hours >= 1 && hours <= hours_max,
               "operators.session_hours is 1 to " + std::to_string(hours_max));
        const std::int64_t idle =
            config_.session_idle_minutes.value_or(limits::session_idle_time.count());
        expect(idle >= minutes_min && idle <= hours_max * 60,
               "operators.session_idle_minutes is " + std::to_string(minutes_min) + " to " +
                   std::to_string(hours_max * 60));
        settings_.sessions = {std::chrono::minutes{idle}, std::chrono::hours{hours}};
    }

    void openid() {
        const OpenidConfig& said = config_.openid;
        service::OpenidSettings& openid = settings_.openid;
        const auto text = [](const std::optional<std::string>& value) {
            return value.value_or("");
        };
        openid.issuer = text(said.issuer);
        openid.client_id = text(said.client_id);
        openid.public_url = text(said.public_url);
        openid.role_claim = text(said.role_claim);
        openid.scopes = said.scopes.value_or(openid.scopes);
        openid.loopback_http = said.loopback_http.value_or(false);
        openid.trust_email = said.trust_email.value_or(false);
        settings_.openid_secret_file = text(said.client_secret_file);
        settings_.openid_ca_file = text(said.ca_file);
        const std::pair<domain::Role, const std::optional<std::vector<std::string>>&> roles[] = {
            {domain::Role::administrator, said.administrators},
            {domain::Role::builder, said.builders},
            {domain::Role::operator_, said.operators},
            {domain::Role::viewer, said.viewers}};
        for (const auto& [role, values] : roles) {
            if (values) {
                openid.roles[role] = *values;
            }
        }
        expect(openid.on() == !openid.client_id.empty(),
               "oidc.issuer and oidc.client_id are given together");
        expect(openid.role_claim.empty() == openid.roles.empty(),
               "oidc.role_claim needs values for a role: oidc.administrators, .builders, "
               ".operators or .viewers; and these need it");
        const auto is_address = [&openid](const std::string& url) {
            return url.starts_with("https://") ||
                   (openid.loopback_http && domain::is_loopback_http(url));
        };
        expect(!openid.on() || is_address(openid.issuer),
               "oidc.issuer is an https address (http to this machine with oidc.loopback_http)");
        expect(openid.public_url.empty() || (openid.public_url.starts_with("https://") &&
                                             openid.public_url.find('/', 8) == std::string::npos),
               "oidc.public_url is https://HOST or https://HOST:PORT");
        expect(
            std::find(openid.scopes.begin(), openid.scopes.end(), "openid") != openid.scopes.end(),
            "oidc.scopes has openid among them");
    }

    void rate(const std::string& name, std::optional<std::int64_t> said, std::int64_t least,
              double& into) {
        if (said) {
            expect(*said >= least && *said <= limits::admission_rate_max,
                   name + " is " + std::to_string(least) + " to " +
                       std::to_string(limits::admission_rate_max) + " handshakes a second");
            into = static_cast<double>(*said);
        }
    }

    void audit() {
        if (const auto days = config_.audit_keep_days) {
            expect(*days >= 1 && *days <= limits::audit_keep_days_max,
                   "audit.keep_days is 1 to " + std::to_string(limits::audit_keep_days_max));
            settings_.audit_keep.age = std::chrono::days{*days};
        }
        if (const auto events = config_.audit_keep_events) {
            expect(*events >= limits::audit_keep_events_min &&
                       *events <= limits::audit_keep_events_max,
                   "audit.keep_events is " + std::to_string(limits::audit_keep_events_min) +
                       " to " + std::to_string(limits::audit_keep_events_max));
            settings_.audit_keep.events = static_cast<std::uint64_t>(*events);
        }
    }

    const Config& config_;
    Settings settings_;
    std::vector<std::string> problems_;
};

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& name) {
    Config config;
    const std::vector<Key> keys = keys_of(config);
    FileReader reader{name, keys};
    try {
        reader.read(toml::parse(text), "");
    } catch (const toml::parse_error& error) {
        return Error{.kind = ErrorKind::malformed,
                     .detail = name + " line " + std::to_string(error.source().begin.line) + ": " +
                               std::string{error.description()}};
    }
    if (!reader.problems().empty()) {
        return problems_error("", reader.problems());
    }
    return config;
}

Config overlay(const Config& under, const Config& over) {
    Config result = under;
    const auto lay = [](auto& below, const auto& above) {
        if (above) {
            below = above;
        }
    };
    lay(result.data, over.data);
    lay(result.device_https, over.device_https);
    lay(result.device_mqtt, over.device_mqtt);
    lay(result.device_amqp, over.device_amqp);
    lay(result.operator_door, over.operator_door);
    lay(result.metrics, over.metrics);
    lay(result.server_certificate, over.server_certificate);
    lay(result.server_key, over.server_key);
    lay(result.names, over.names);
    lay(result.operator_names, over.operator_names);
    lay(result.hub_host, over.hub_host);
    lay(result.assign, over.assign);
    lay(result.threads, over.threads);
    lay(result.drain_seconds, over.drain_seconds);
    lay(result.admission_source, over.admission_source);
    lay(result.admission_proven_source, over.admission_proven_source);
    lay(result.admission_strangers, over.admission_strangers);
    lay(result.webhook_ca, over.webhook_ca);
    lay(result.webhook_loopback_http, over.webhook_loopback_http);
    lay(result.requests_per_second, over.requests_per_second);
    lay(result.session_idle_minutes, over.session_idle_minutes);
    lay(result.session_hours, over.session_hours);
    lay(result.openid.issuer, over.openid.issuer);
    lay(result.openid.client_id, over.openid.client_id);
    lay(result.openid.client_secret_file, over.openid.client_secret_file);
    lay(result.openid.scopes, over.openid.scopes);
    lay(result.openid.ca_file, over.openid.ca_file);
    lay(result.openid.public_url, over.openid.public_url);
    lay(result.openid.loopback_http, over.openid.loopback_http);
    lay(result.openid.trust_email, over.openid.trust_email);
    lay(result.openid.role_claim, over.openid.role_claim);
    lay(result.openid.administrators, over.openid.administrators);
    lay(result.openid.builders, over.openid.builders);
    lay(result.openid.operators, over.openid.operators);
    lay(result.openid.viewers, over.openid.viewers);
    lay(result.audit_keep_days, over.audit_keep_days);
    lay(result.audit_keep_events, over.audit_keep_events);
    lay(result.log_level, over.log_level);
    lay(result.log_format, over.log_format);
    return result;
}

Result<Settings> check_config(const Config& config) {
    return Checker{config}.check();
}

std::string own_hub_name(const Settings& settings,
                         const std::vector<std::string>& certificate_names,
                         const std::string& host_name) {
    if (!settings.hub_host.empty()) {
        return settings.hub_host;
    }
    if (!settings.names.empty()) {
        return settings.names.front();
    }
    return certificate_names.empty() ? host_name : certificate_names.front();
}

}  // namespace rollcall::app
