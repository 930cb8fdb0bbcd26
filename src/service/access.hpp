// SPDX-License-Identifier: Apache-2.0
// Access: who calls at the operator door. Tokens of 256 random bits, kept as SHA-256, named, with a
// role and an optional end, revocable at once, in our own form or in IoT Central's; shared access
// policies, with two keys that are kept sealed, for the cloud's tools. Whoever can open the data
// directory's socket is the local administrator. What they may do: service/permission.
#pragma once

#include "base/task.hpp"
#include "base/world.hpp"
#include "domain/access_token.hpp"
#include "domain/enrollment.hpp"
#include "domain/sas_policy.hpp"
#include "service/caller.hpp"
#include "service/operator_guard.hpp"
#include "service/permission.hpp"
#include "store/store.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::service {

/// What a request shows of who sends it.
struct Presented {
    std::optional<std::string> authorization{};  ///< that header's value
    std::string source{};                        ///< the peer's address
    domain::SasTarget target{};
};

/// A token to be made.
struct TokenWish {
    std::string name{};
    domain::Role role = domain::Role::administrator;
    /// None: no end; in IoT Central's form, limits::central_token_life from now.
    std::optional<TimePoint> expires{};
    domain::TokenForm form = domain::TokenForm::bearer;
    /// `sr` of IoT Central's form: the application. Not looked at in ours.
    std::string application{};
};

struct NewToken {
    domain::AccessToken token;
    std::string secret;  ///< shown once, never kept
};

class Access {
public:
    /// `names`: by which this server is reached, in lower case; see domain::reaches(). `guard`:
    /// counts who fails and how fast callers go; none in tests.
    Access(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock, Entropy& entropy,
           std::vector<std::string> names = {}, OperatorGuard* guard = nullptr);

    /// The caller behind a token or a shared access signature. unauthenticated "token-missing",
    /// "token-unknown" (also where revoked), "token-expired", "malformed-sas", "sas-refused" (no
    /// such policy or token, another key, another resource: which, only the log tells),
    /// "sas-expired".
    Task<Result<Caller>> authenticate(const Presented& presented);
    static Caller local_administrator();

    /// conflict "token-exists", "too-many-tokens"; malformed for a name that is none or an end in
    /// the past.
    Task<Result<NewToken>> create(const Order& order, const TokenWish& wish);
    /// not_found "token-not-found".
    Task<Result<domain::AccessToken>> revoke(const Order& order, const std::string& name);
    Task<Result<std::vector<domain::AccessToken>>> list();
    /// not_found "token-not-found".
    Task<Result<domain::AccessToken>> token_named(const std::string& name);

    /// At the first start makes the token "admin": `keep` stores the secret (a file, 0600) before
    /// the token becomes valid, so that none is ever lost. Answers whether one was made; later
    /// starts make none, even after it was revoked.
    Task<Result<bool>> ensure_admin_token(
        const std::function<Result<Done>(const std::string& secret)>& keep);

    // --- Shared access policies (access_policies.cpp) ---

    /// Both keys are made up. conflict "token-exists" (of a token too: they share their names),
    /// "too-many-policies"; malformed for a name that is none or without any right.
    Task<Result<domain::SasPolicy>> create_policy(const Order& order, const std::string& name,
                                                  const domain::SasRights& rights);
    /// Another key in one of the slots. not_found "policy-not-found"; stale.
    Task<Result<domain::SasPolicy>> rotate_policy(const Order& order, const std::string& name,
                                                  domain::Slot slot);
    /// With its keys; that they were shown stands in the audit log before. not_found.
    Task<Result<domain::SasPolicy>> show_policy(const Order& order, const std::string& name);
    Task<Result<domain::SasPolicy>> revoke_policy(const Order& order, const std::string& name);
    Task<Result<std::vector<domain::SasPolicy>>> list_policies();
    /// Once in a data directory's life makes domain::owner_policy_name. Answers whether it did.
    Task<Result<bool>> ensure_owner_policy();

private:
    /// Who makes what every server begins with.
    static Caller first_start();
    Task<Result<Caller>> recognise(const Presented& presented);
    Task<Result<Caller>> authenticate_sas(const Presented& presented);
    /// By the SHA-256 of its secret; nullopt: there is none.
    Task<Result<std::optional<Caller>>> authenticate_token(const Digest& secret_sha256,
                                                           domain::TokenForm form,
                                                           const std::string& source);
    /// That it was used now, unless that was written within limits::token_use_step.
    Task<Result<Done>> note_use(const domain::AccessToken& token);
    Task<Result<domain::SasPolicy>> policy_named(const std::string& name);
    domain::SasPolicy draw_policy(const Order& order, const std::string& name,
                                  const domain::SasRights& rights);
    Task<Result<NewToken>> commit_new(const Order& order, NewToken& fresh, bool first);
    NewToken draw(const Order& order, const TokenWish& wish);

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    Entropy& entropy_;
    const std::vector<std::string> names_;
    std::mutex uses_mutex_;
    std::map<std::string, TimePoint> uses_{};  ///< by a token's etag, what was written last
    OperatorGuard* const guard_;
};

}  // namespace rollcall::service
