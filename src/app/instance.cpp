// SPDX-License-Identifier: Apache-2.0
#include "app/instance.hpp"

#include "app/await_now.hpp"
#include "base/files.hpp"
#include "store/refusal_file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {

namespace {

constexpr const char* scope_key = "scope";

domain::AuditEvent local_event(const std::string& action, const std::string& object,
                               const std::string& before, const std::string& reason,
                               TimePoint now) {
    domain::AuditEvent event;
    event.at = now;
    event.actor = "local administrator";
    event.source = "local";
    event.action = action;
    event.object = object;
    event.detail = boost::json::serialize(boost::json::object{{"before", before}});
    event.reason = reason;
    return event;
}

/// For the words a command ends with: which file it was, what it said, what to do.
Error of_file(const std::filesystem::path& file, Error error) {
    const bool away = error.kind == ErrorKind::unavailable;
    if (!away && error.kind != ErrorKind::internal) {
        return error;
    }
    if (error.detail.find(file.string()) == std::string::npos) {
        error.detail = file.string() + ": " + error.detail;
    }
    if (!error.note.empty()) {
        error.detail += " (" + error.note + ")";
    }
    if (error.reason == "disk-full") {
        error.detail += "; make room and start again, nothing is lost";
    } else if (away) {
        error.detail += "; see that the disk works and is mounted for writing, and start again";
    } else {
        error.detail +=
            "; see that the disk works; where it does, restore the data directory "
            "from a backup";
    }
    return error;
}

template <class Value>
Result<Value> of_file(const std::filesystem::path& file, Result<Value> result) {
    return result ? std::move(result) : of_file(file, result.error());
}

}  // namespace

Instance::Instance(store::DataDirectory directory, std::unique_ptr<store::SqliteStore> store,
                   std::unique_ptr<store::RefusalFile> refusals)
    : directory_(std::move(directory)), store_(std::move(store)), refusals_(std::move(refusals)) {}

Instance::~Instance() = default;

void Instance::close() {
    refusals_->close();
    store_->close();
}

std::filesystem::path Instance::path() const {
    return directory_.path();
}

Digest Instance::audit_key() const {
    return directory_.derived_key("audit");
}

Digest Instance::openid_key() const {
    return directory_.derived_key("openid journeys");
}

Result<std::unique_ptr<Instance>> Instance::open(const std::filesystem::path& directory,
                                                 const std::optional<ScopeId>& wanted_scope,
                                                 Metrics& metrics, const Clock& clock,
                                                 Entropy& entropy) {
    TRY(auto locked, store::DataDirectory::open(directory, entropy));
    store::SqliteStore::Settings settings;
    settings.file = locked.store_file();
    settings.audit_key = locked.derived_key("audit");
    settings.sealing_key = locked.derived_key("device keys");
    TRY(auto store,
        of_file(locked.store_file(), store::SqliteStore::open(settings, metrics, clock.now())));
    TRY(auto refusals,
        of_file(locked.refusals_file(), store::RefusalFile::open(locked.refusals_file(), metrics)));
    std::unique_ptr<Instance> instance{
        new Instance(std::move(locked), std::move(store), std::move(refusals))};
    TRY([[maybe_unused]] const auto kept, instance->keep_scope(wanted_scope, entropy));
    return instance;
}

Result<std::optional<std::string>> Instance::setting(const std::string& key) {
    return of_file(directory_.store_file(), await_now(store_->setting(key)));
}

Result<Done> Instance::put_setting(const std::string& key, const std::string& value,
                                   const std::optional<domain::AuditEvent>& audit) {
    domain::Changes changes;
    changes.writes.emplace_back(domain::PutSetting{key, value});
    if (audit) {
        changes.audit.push_back(*audit);
    }
    TRY([[maybe_unused]] const auto receipt,
        of_file(directory_.store_file(), await_now(store_->commit(changes))));
    return Done{};
}

Result<Done> Instance::keep_scope(const std::optional<ScopeId>& wanted, Entropy& entropy) {
    TRY(const auto kept, setting(scope_key));
    if (kept && wanted && *kept != wanted->str()) {
        return Error{.kind = ErrorKind::conflict,
                     .detail = path().string() + " has the scope " + *kept +
                               " already; to change it: rollcall scope set " + wanted->str()};
    }
    if (kept) {
        scope_ = ScopeId::trusted(*kept);
        return Done{};
    }
    scope_ = wanted ? *wanted : new_scope_id(entropy);
    return put_setting(scope_key, scope_.str(), std::nullopt);
}

Result<Done> Instance::set_scope(const ScopeId& scope, const std::string& reason, TimePoint now) {
    const auto event = local_event("scope.set", "scope/" + scope.str(), scope_.str(), reason, now);
    TRY([[maybe_unused]] const auto put, put_setting(scope_key, scope.str(), event));
    scope_ = scope;
    return Done{};
}

Result<bool> Instance::has_devices(const std::string& hub) {
    store::RegistrationFilter filter;
    filter.hub = hub;
    TRY(const std::uint64_t count,
        of_file(directory_.store_file(), await_now(store_->registration_count(filter))));
    return count > 0;
}

Result<Done> Instance::keep_hub(const std::string& hub, TimePoint now, Entropy& entropy) {
    const std::string key{domain::own_hub_key};
    TRY(const auto before, setting(key));
    TRY(const auto records, of_file(directory_.store_file(), await_now(store_->trust_records())));
    const auto* const known = domain::find_hub(records.hubs, hub);
    if (before == hub && known != nullptr && known->own) {
        return Done{};
    }
    domain::Changes changes;
    changes.moves_config = true;
    domain::LinkedHub ours;
    if (known != nullptr) {
        ours = *known;
    } else {
        ours.created = now;
    }
    if (before && *before != hub) {
        const auto* const old = domain::find_hub(records.hubs, *before);
        domain::LinkedHub kept = old != nullptr ? *old : domain::LinkedHub{};
        ours.weight = known != nullptr ? known->weight : kept.weight;
        TRY(const bool needed, has_devices(*before));
        if (needed) {
            kept.name = *before;
            kept.own = true;
            kept.allocate = false;
            kept.etag = new_etag(entropy);
            kept.created = old != nullptr ? old->created : now;
            kept.updated = now;
            changes.writes.emplace_back(domain::PutHub{kept});
        } else if (old != nullptr) {
            changes.writes.emplace_back(domain::DeleteHub{*before});
        }
        changes.audit.push_back(local_event("hub.set", "hub/" + hub, *before, "", now));
    }
    ours.name = hub;
    ours.own = true;
    ours.etag = new_etag(entropy);
    ours.updated = now;
    // Last: the new name may be the old one in another spelling.
    changes.writes.emplace_back(domain::PutHub{ours});
    changes.writes.emplace_back(domain::PutSetting{key, hub});
    TRY([[maybe_unused]] const auto receipt,
        of_file(directory_.store_file(), await_now(store_->commit(changes))));
    return Done{};
}

Result<bool> Instance::keep_admin_token(service::Access& access) {
    const auto keep = [this](const std::string& secret) {
        return write_file(admin_token(), secret + "\n", Secrecy::secret,
                          FileSet::Existing::replace);
    };
    TRY(const bool made,
        of_file(directory_.store_file(), await_now(access.ensure_admin_token(keep))));
    TRY([[maybe_unused]] const bool owner,
        of_file(directory_.store_file(), await_now(access.ensure_owner_policy())));
    return made;
}

}  // namespace rollcall::app
