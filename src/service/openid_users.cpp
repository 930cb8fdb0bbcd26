// SPDX-License-Identifier: Apache-2.0
// Openid: which of our users somebody is whom the provider vouches for.
#include "base/limits.hpp"
#include "service/audit_detail.hpp"
#include "service/openid.hpp"

namespace rollcall::service {
namespace {

using domain::OpenidIdentity;
using domain::User;

std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(json::string_view{name.data(), name.size()});
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

/// The provider changes what it says of a user, not an operator.
Order by_provider(const Browser& browser) {
    Order order;
    order.caller.name = "openid provider";
    order.caller.source = browser.source;
    return order;
}

domain::Changes changed(const User& user, const ETag& before, domain::AuditEvent told) {
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, user.id, before});
    changes.writes.push_back(domain::PutUser{user});
    changes.audit.push_back(std::move(told));
    return changes;
}

}  // namespace

Task<Result<User>> Openid::user_for(const json::object& claims, const Browser& browser) {
    const OpenidIdentity identity{settings_.issuer, text_in(claims, "sub")};
    CO_TRY(const auto known, co_await reader_.user_of(identity));
    if (known) {
        if (!known->may_sign_in()) {
            co_return Error{ErrorKind::forbidden,
                            "the user " + known->name + " is disabled; ask an administrator",
                            "user-disabled"};
        }
        co_return co_await follow_claim(*known, claims, browser);
    }
    const std::string email = believed_email(claims);
    if (!email.empty()) {
        CO_TRY(const auto expected, co_await reader_.user_named(email));
        const bool is_new = expected && expected->kind == domain::UserKind::openid &&
                            expected->enabled && !expected->identity;
        if (is_new) {
            co_return co_await bind(*expected, identity, browser);
        }
        const auto role = role_of(claims);
        if (role && !expected) {
            co_return co_await make(identity, email, *role, browser);
        }
    }
    co_return Error{
        ErrorKind::forbidden,
        email.empty()
            ? std::string{"the OpenID provider vouches for no email of yours, and you are no user "
                          "here yet"}
            : "you are no user here: an administrator can let you in with "
              "rollcall user create " +
                  email + " --role ROLE --oidc",
        "openid-unknown-user", "sub " + identity.subject};
}

/// Where the claim decides the role, it decides at each sign-in.
Task<Result<User>> Openid::follow_claim(const User& user, const json::object& claims,
                                        const Browser& browser) {
    if (!user.role_by_claim) {
        co_return user;
    }
    const auto role = role_of(claims);
    if (!role) {
        co_return Error{ErrorKind::forbidden, "the OpenID provider gives you no role here any more",
                        "openid-no-role"};
    }
    if (*role == user.role) {
        co_return user;
    }
    User after = user;
    after.role = *role;
    after.updated = clock_.now();
    after.etag = new_etag(entropy_);
    AuditDetail detail;
    detail.change("role", domain::to_string(user.role), domain::to_string(after.role));
    const Order order = by_provider(browser);
    const auto changes =
        changed(after, user.etag,
                audit_event(order, "user.update", "user/" + user.name, detail, after.updated));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return after;
}

/// Whoever comes first with the email is the user from then on.
Task<Result<User>> Openid::bind(const User& user, const OpenidIdentity& identity,
                                const Browser& browser) {
    User after = user;
    after.identity = identity;
    after.updated = clock_.now();
    after.etag = new_etag(entropy_);
    AuditDetail detail;
    detail.text("issuer", identity.issuer).text("subject", identity.subject);
    const Order order = by_provider(browser);
    const auto changes =
        changed(after, user.etag,
                audit_event(order, "user.bind", "user/" + user.name, detail, after.updated));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return after;
}

Task<Result<User>> Openid::make(const OpenidIdentity& identity, const std::string& email,
                                domain::Role role, const Browser& browser) {
    CO_TRY(const auto all, co_await reader_.users());
    if (all.size() >= limits::users_max) {
        co_return Error{ErrorKind::conflict, "there are too many users already", "too-many-users"};
    }
    User user;
    user.id = new_guid(entropy_);
    user.name = email;
    user.kind = domain::UserKind::openid;
    user.role = role;
    user.identity = identity;
    user.role_by_claim = true;
    user.created = user.updated = clock_.now();
    user.etag = new_etag(entropy_);
    const Order order = by_provider(browser);
    user.created_by = order.caller.name;
    AuditDetail detail;
    detail.text("kind", domain::to_string(user.kind)).text("role", domain::to_string(role));
    detail.text("issuer", identity.issuer).text("subject", identity.subject);
    auto changes = changed(
        user, ETag{}, audit_event(order, "user.create", "user/" + email, detail, user.created));
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user_name, email, ETag{}});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return user;
}

}  // namespace rollcall::service
