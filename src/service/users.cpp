// SPDX-License-Identifier: Apache-2.0
#include "service/users.hpp"

#include "base/limits.hpp"
#include "service/access.hpp"
#include "service/audit_detail.hpp"

namespace rollcall::service {
namespace {

using domain::User;
using domain::UserKind;

Error no_such_user(const std::string& key) {
    return {ErrorKind::not_found, "there is no user '" + key + "'", "user-not-found"};
}

bool is_of_directory(UserKind kind) {
    return kind == UserKind::service_principal || kind == UserKind::directory_group;
}

Result<Done> check_directory_id(const std::string& text, std::string_view what) {
    if (text.empty() || text.size() > limits::directory_id_chars_max ||
        !domain::parse_user_id(text)) {
        return Error{ErrorKind::malformed,
                     "a user of a directory has its " + std::string{what} +
                         " id: letters, digits and - _ ., at most " +
                         std::to_string(limits::directory_id_chars_max),
                     "malformed-id"};
    }
    return Done{};
}

/// The name of a user to be made, by its kind.
Result<std::string> name_of(const NewUser& asked) {
    if (!is_of_directory(asked.kind)) {
        return asked.kind == UserKind::openid ? domain::parse_email(asked.name)
                                              : domain::parse_user_name(asked.name);
    }
    TRY([[maybe_unused]] const Done tenant, check_directory_id(asked.tenant_id, "tenant"));
    TRY([[maybe_unused]] const Done object, check_directory_id(asked.object_id, "object"));
    return asked.object_id;
}

Result<Done> check_new_password(const NewUser& asked) {
    if (asked.kind != UserKind::local) {
        if (asked.password.empty()) {
            return Done{};
        }
        return Error{ErrorKind::malformed, "only local users have passwords", "no-password-here"};
    }
    if (asked.password.empty()) {
        return Error{ErrorKind::malformed, "a local user needs a password", "password-missing"};
    }
    return check_password(asked.password, asked.name);
}

bool is_administrator(const User& user) {
    return user.role == domain::Role::administrator && user.may_sign_in();
}

/// What must be left where an administrator goes.
void keep_an_administrator(domain::Changes& changes, const Order& order, const User& before,
                           AdministratorLeft left, TimePoint now) {
    const bool by_users = left == AdministratorLeft::users;
    if (is_administrator(before) && (by_users || order.caller != Access::local_administrator())) {
        changes.expects.push_back(domain::ExpectAdministrator{before.id, !by_users, now});
    }
}

}  // namespace

Users::Users(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
             Entropy& entropy, Passwords& passwords)
    : reader_(reader), ledger_(ledger), clock_(clock), entropy_(entropy), passwords_(passwords) {}

Task<Result<User>> Users::create(const Order& order, const NewUser& asked) {
    CO_TRY(const User user, co_await checked(asked));
    AuditDetail detail;
    detail.text("kind", domain::to_string(user.kind)).text("role", domain::to_string(user.role));
    User fresh = user;
    fresh.created_by = order.caller.name;
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, fresh.id, ETag{}});
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::user_name, fresh.name, ETag{}});
    changes.writes.push_back(domain::PutUser{fresh});
    changes.audit.push_back(
        audit_event(order, "user.create", "user/" + fresh.name, detail, fresh.created));
    const auto receipt = co_await ledger_.commit(changes);
    if (!receipt && receipt.error().kind == ErrorKind::stale) {
        co_return Error{ErrorKind::conflict,
                        "there is a user with the name '" + fresh.name + "' or the id '" +
                            fresh.id + "' already",
                        "user-exists"};
    }
    CO_TRY([[maybe_unused]] const auto committed, receipt);
    co_return fresh;
}

Task<Result<User>> Users::checked(const NewUser& asked) {
    User user;
    CO_TRY(user.name, name_of(asked));
    CO_TRY([[maybe_unused]] const Done password, check_new_password(asked));
    user.id = new_guid(entropy_);
    if (!asked.id.empty()) {
        CO_TRY(user.id, domain::parse_user_id(asked.id));
    }
    CO_TRY(const auto all, co_await reader_.users());
    if (all.size() >= limits::users_max) {
        co_return Error{
            ErrorKind::conflict,
            "there are " + std::to_string(limits::users_max) + " users already; delete some first",
            "too-many-users"};
    }
    if (!asked.password.empty()) {
        CO_TRY(user.password_hash, co_await passwords_.hash(asked.password));
    }
    user.kind = asked.kind;
    user.role = asked.role;
    if (is_of_directory(asked.kind)) {
        user.tenant_id = asked.tenant_id;
        user.object_id = asked.object_id;
    }
    user.created = user.updated = clock_.now();
    user.etag = new_etag(entropy_);
    co_return user;
}

Task<Result<User>> Users::named(const std::string& name) {
    CO_TRY(const auto found, co_await reader_.user_named(name));
    if (!found) {
        co_return no_such_user(name);
    }
    co_return *found;
}

Task<Result<User>> Users::with_id(const std::string& id) {
    CO_TRY(const auto found, co_await reader_.user(id));
    if (!found) {
        co_return no_such_user(id);
    }
    co_return *found;
}

Task<Result<std::vector<User>>> Users::list() {
    co_return co_await reader_.users();
}

Task<Result<User>> Users::change(const Order& order, const User& before, const UserChange& asked,
                                 AdministratorLeft left) {
    CO_TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
    User after = before;
    AuditDetail detail;
    if (asked.password) {
        if (before.kind != UserKind::local) {
            co_return Error{ErrorKind::conflict, "only local users have passwords",
                            "no-password-here"};
        }
        CO_TRY([[maybe_unused]] const Done good, check_password(*asked.password, before.name));
        CO_TRY(after.password_hash, co_await passwords_.hash(*asked.password));
        detail.flag("passwordChanged", true);
    }
    after.role = asked.role.value_or(before.role);
    after.role_by_claim = before.role_by_claim && !asked.role;
    after.enabled = asked.enabled.value_or(before.enabled);
    after.updated = clock_.now();
    after.etag = new_etag(entropy_);
    detail.change("role", domain::to_string(before.role), domain::to_string(after.role));
    detail.change("enabled", before.enabled, after.enabled);
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, before.id, before.etag});
    if (!is_administrator(after)) {
        keep_an_administrator(changes, order, before, left, after.updated);
    }
    changes.writes.push_back(domain::PutUser{after});
    if (asked.password || !after.enabled) {
        changes.writes.push_back(domain::DeleteSessionsOf{after.id});
    }
    changes.audit.push_back(
        audit_event(order, "user.update", "user/" + after.name, detail, after.updated));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return after;
}

Task<Result<User>> Users::remove(const Order& order, const User& before, AdministratorLeft left) {
    CO_TRY([[maybe_unused]] const Done same, order.if_match.check(before.etag));
    const TimePoint now = clock_.now();
    AuditDetail detail;
    detail.text("kind", domain::to_string(before.kind));
    detail.text("role", domain::to_string(before.role));
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, before.id, before.etag});
    keep_an_administrator(changes, order, before, left, now);
    changes.writes.push_back(domain::DeleteUser{before.id});
    changes.audit.push_back(audit_event(order, "user.delete", "user/" + before.name, detail, now));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return before;
}

Task<Result<Done>> Users::end_sessions(const Order& order, const User& user) {
    domain::Changes changes;
    changes.writes.push_back(domain::DeleteSessionsOf{user.id});
    changes.audit.push_back(
        audit_event(order, "user.sign-out", "user/" + user.name, {}, clock_.now()));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

}  // namespace rollcall::service
