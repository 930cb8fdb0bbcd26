// SPDX-License-Identifier: Apache-2.0
// Instance: what lies in a data directory, locked and opened: the store, the refusal log, the
// scope. Opened by `serve`, `init` and `scope set`; one process at a time.
#pragma once

#include "base/ids.hpp"
#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "service/access.hpp"
#include "store/data_directory.hpp"
#include "store/refusal_file.hpp"
#include "store/sqlite.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace rollcall::app {

class Instance {
public:
    /// Makes the directory at the first start. `wanted_scope`: for a new one, else generated;
    /// conflict where there is another scope already. `in-use` where another process has it.
    static Result<std::unique_ptr<Instance>> open(const std::filesystem::path& directory,
                                                  const std::optional<ScopeId>& wanted_scope,
                                                  Metrics& metrics, const Clock& clock,
                                                  Entropy& entropy);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    store::SqliteStore& store() { return *store_; }
    store::RefusalLog& refusals() { return *refusals_; }
    /// Carries out what waits and ends the store's threads; before the io_contexts of callers die.
    void close();
    const ScopeId& scope() const { return scope_; }
    Digest audit_key() const;
    /// Seals what a browser keeps while it is at the OpenID provider.
    Digest openid_key() const;

    std::filesystem::path path() const;
    std::filesystem::path tls() const { return path() / "tls"; }
    std::filesystem::path admin_token() const { return path() / "admin-token"; }
    std::filesystem::path operator_socket() const { return path() / "operator.sock"; }

    /// From the next start on devices have to name this scope. Audited.
    Result<Done> set_scope(const ScopeId& scope, const std::string& reason, TimePoint now);
    /// Keeps the own hub's name as a linked hub; audited where it was another before. That one
    /// stays linked, without new devices, while some are assigned to it.
    Result<Done> keep_hub(const std::string& hub, TimePoint now, Entropy& entropy);
    /// Writes admin_token() where no token was made before (true: it did), and makes the shared
    /// access policy that every server begins with.
    Result<bool> keep_admin_token(service::Access& access);

private:
    Result<bool> has_devices(const std::string& hub);
    Instance(store::DataDirectory directory, std::unique_ptr<store::SqliteStore> store,
             std::unique_ptr<store::RefusalFile> refusals);
    Result<Done> keep_scope(const std::optional<ScopeId>& wanted, Entropy& entropy);
    Result<std::optional<std::string>> setting(const std::string& key);
    Result<Done> put_setting(const std::string& key, const std::string& value,
                             const std::optional<domain::AuditEvent>& audit);

    store::DataDirectory directory_;
    std::unique_ptr<store::SqliteStore> store_;
    std::unique_ptr<store::RefusalFile> refusals_;
    ScopeId scope_;
};

}  // namespace rollcall::app
