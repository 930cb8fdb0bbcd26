// SPDX-License-Identifier: Apache-2.0
// Access: shared access policies and the signatures that are made with their keys.
#include "base/limits.hpp"
#include "service/access.hpp"
#include "service/audit_detail.hpp"

namespace rollcall::service {
namespace {

using domain::SasPolicy;

constexpr const char* first_policy_setting = "access.first-policy";

Error unauthenticated(std::string detail, std::string reason, std::string note) {
    return {ErrorKind::unauthenticated, std::move(detail), std::move(reason), std::move(note)};
}

/// One answer for all of these, so that nobody learns which policies there are.
Error refused(std::string note) {
    return unauthenticated(
        "this shared access signature is by no key of a policy here, or for another address",
        "sas-refused", std::move(note));
}

Error no_such_policy(const std::string& name) {
    return {ErrorKind::not_found, "there is no policy '" + name + "'", "policy-not-found"};
}

/// Both keys are tried, whichever fits.
bool is_by(const domain::Sas& sas, const SasPolicy& policy) {
    const bool primary = domain::is_signed_with(sas, policy.keys.front());
    const bool secondary = domain::is_signed_with(sas, policy.keys.back());
    return primary || secondary;
}

/// Tried where the signature names no policy of ours, so that this takes as long.
SasPolicy nobodys_policy() {
    const Bytes zeros(limits::symmetric_key_bytes_max);
    SasPolicy policy;
    policy.keys.fill(*domain::symmetric_key_of(zeros));
    return policy;
}

domain::Changes changed(const SasPolicy& policy, const ETag& before, domain::AuditEvent told) {
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::policy, policy.name, before});
    changes.writes.push_back(domain::PutPolicy{policy});
    changes.audit.push_back(std::move(told));
    return changes;
}

}  // namespace

Task<Result<Caller>> Access::authenticate_sas(const Presented& presented) {
    const auto sas = domain::parse_sas(*presented.authorization);
    if (!sas) {
        co_return unauthenticated(sas.error().detail, "malformed-sas", "");
    }
    CO_TRY(const auto found, co_await reader_.policy(sas->key_name));
    const SasPolicy policy = found.value_or(nobodys_policy());
    const bool signed_by_it = is_by(*sas, policy);
    if (!found) {
        CO_TRY(auto caller,
               co_await authenticate_token(domain::token_digest(*sas), domain::TokenForm::central,
                                           presented.source));
        if (!caller) {
            co_return refused("there is no such policy or token");
        }
        co_return *std::move(caller);
    }
    if (!signed_by_it) {
        co_return refused("signed with no key of the policy " + policy.name);
    }
    if (!domain::reaches(*sas, presented.target, names_)) {
        co_return refused("signed for " + sas->resource);
    }
    if (domain::is_expired(*sas, clock_.now())) {
        co_return unauthenticated(
            "this shared access signature ended on " + to_iso8601_seconds(sas->expires),
            "sas-expired", "of the policy " + policy.name);
    }
    co_return Caller{"policy:" + policy.name, presented.source, policy.rights};
}

Task<Result<SasPolicy>> Access::policy_named(const std::string& name) {
    CO_TRY(const auto found, co_await reader_.policy(name));
    if (!found) {
        co_return no_such_policy(name);
    }
    co_return *found;
}

SasPolicy Access::draw_policy(const Order& order, const std::string& name,
                              const domain::SasRights& rights) {
    SasPolicy policy;
    policy.name = name;
    for (auto& key : policy.keys) {
        key = domain::new_symmetric_key(entropy_);
    }
    policy.rights = rights;
    policy.created_by = order.caller.name;
    policy.created = policy.updated = clock_.now();
    policy.etag = new_etag(entropy_);
    return policy;
}

Task<Result<SasPolicy>> Access::create_policy(const Order& order, const std::string& name,
                                              const domain::SasRights& rights) {
    if (!parse_group_id(name)) {
        co_return Error{ErrorKind::malformed,
                        "a policy's name has letters, digits and - . _ :, the last one a letter, "
                        "digit or '-', at most 128",
                        "malformed-name"};
    }
    if (rights.none()) {
        co_return Error{ErrorKind::malformed, "a policy needs at least one right", "no-right"};
    }
    CO_TRY(const auto policies, co_await reader_.policies());
    if (policies.size() >= limits::sas_policies_max) {
        co_return Error{ErrorKind::conflict,
                        "there are " + std::to_string(limits::sas_policies_max) +
                            " policies already; revoke some first",
                        "too-many-policies"};
    }
    const SasPolicy policy = draw_policy(order, name, rights);
    AuditDetail detail;
    detail.texts("rights", rights.words());
    auto changes = changed(
        policy, ETag{},
        audit_event(order, "policy.create", "policy/" + policy.name, detail, policy.created));
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::token, policy.name, ETag{}});
    const auto receipt = co_await ledger_.commit(changes);
    if (!receipt && receipt.error().kind == ErrorKind::stale) {
        co_return Error{
            ErrorKind::conflict,
            "there is a token or a policy '" + policy.name + "' already; revoke it first",
            "token-exists"};
    }
    CO_TRY([[maybe_unused]] const auto committed, receipt);
    co_return policy;
}

Task<Result<SasPolicy>> Access::rotate_policy(const Order& order, const std::string& name,
                                              domain::Slot slot) {
    CO_TRY(auto policy, co_await policy_named(name));
    CO_TRY([[maybe_unused]] const Done same, order.if_match.check(policy.etag));
    const ETag before = policy.etag;
    auto& key = policy.keys.at(static_cast<std::size_t>(slot));
    AuditDetail detail;
    detail.text("slot", domain::to_string(slot)).text("keyIdBefore", to_upper_hex(key.id().bytes));
    key = domain::new_symmetric_key(entropy_);
    detail.text("keyIdAfter", to_upper_hex(key.id().bytes));
    policy.updated = clock_.now();
    policy.etag = new_etag(entropy_);
    const auto changes = changed(
        policy, before,
        audit_event(order, "policy.rotate", "policy/" + policy.name, detail, policy.updated));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return policy;
}

Task<Result<SasPolicy>> Access::show_policy(const Order& order, const std::string& name) {
    CO_TRY(const auto policy, co_await policy_named(name));
    domain::Changes changes;
    changes.audit.push_back(
        audit_event(order, "policy.show", "policy/" + policy.name, {}, clock_.now()));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return policy;
}

Task<Result<SasPolicy>> Access::revoke_policy(const Order& order, const std::string& name) {
    CO_TRY(const auto policy, co_await policy_named(name));
    CO_TRY([[maybe_unused]] const Done same, order.if_match.check(policy.etag));
    domain::Changes changes;
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::policy, policy.name, policy.etag});
    changes.writes.push_back(domain::DeletePolicy{policy.name});
    AuditDetail detail;
    detail.texts("rights", policy.rights.words());
    changes.audit.push_back(
        audit_event(order, "policy.revoke", "policy/" + policy.name, detail, clock_.now()));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return policy;
}

Task<Result<std::vector<SasPolicy>>> Access::list_policies() {
    co_return co_await reader_.policies();
}

Task<Result<bool>> Access::ensure_owner_policy() {
    CO_TRY(const auto made, co_await reader_.setting(first_policy_setting));
    if (made) {
        co_return false;
    }
    Order order;
    order.caller = first_start();
    const std::string name{domain::owner_policy_name};
    domain::Changes changes;
    CO_TRY(const auto tokens, co_await reader_.tokens());
    bool taken = false;
    for (const auto& token : tokens) {
        taken = taken || equal_ignoring_case(token.name, name);
    }
    if (!taken) {  // else an older server's operator has used the name, and keeps it
        const SasPolicy policy = draw_policy(order, name, domain::SasRights::of_dps());
        AuditDetail detail;
        detail.texts("rights", policy.rights.words());
        changes =
            changed(policy, ETag{},
                    audit_event(order, "policy.create", "policy/" + name, detail, policy.created));
    }
    changes.writes.push_back(domain::PutSetting{first_policy_setting, name});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return !taken;
}

}  // namespace rollcall::service
