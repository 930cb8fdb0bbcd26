// SPDX-License-Identifier: Apache-2.0
#include "service/access.hpp"

#include "base/limits.hpp"
#include "service/audit_detail.hpp"
#include "x509/digest.hpp"

#include <array>

namespace rollcall::service {
namespace {

constexpr const char* first_token_setting = "access.first-token";
constexpr std::string_view secret_prefix = "rct_";
constexpr std::size_t secret_bytes = 32;

constexpr std::array permissions{
    std::pair{Permission::none, std::string_view{"none"}},
    std::pair{Permission::server_read, std::string_view{"server.read"}},
    std::pair{Permission::hub_write, std::string_view{"hub.write"}},
    std::pair{Permission::ca_read, std::string_view{"ca.read"}},
    std::pair{Permission::ca_write, std::string_view{"ca.write"}},
    std::pair{Permission::group_read, std::string_view{"group.read"}},
    std::pair{Permission::group_write, std::string_view{"group.write"}},
    std::pair{Permission::enrollment_read, std::string_view{"enrollment.read"}},
    std::pair{Permission::enrollment_write, std::string_view{"enrollment.write"}},
    std::pair{Permission::device_read, std::string_view{"device.read"}},
    std::pair{Permission::device_write, std::string_view{"device.write"}},
    std::pair{Permission::registration_read, std::string_view{"registration.read"}},
    std::pair{Permission::registration_write, std::string_view{"registration.write"}},
    std::pair{Permission::distrust_read, std::string_view{"distrust.read"}},
    std::pair{Permission::distrust_write, std::string_view{"distrust.write"}},
    std::pair{Permission::audit_read, std::string_view{"audit.read"}},
    std::pair{Permission::audit_write, std::string_view{"audit.write"}},
    std::pair{Permission::token_read, std::string_view{"token.read"}},
    std::pair{Permission::token_write, std::string_view{"token.write"}},
    std::pair{Permission::token_show, std::string_view{"token.show"}},
    std::pair{Permission::key_show, std::string_view{"key.show"}}};

Error unauthenticated(std::string detail, std::string reason) {
    return {ErrorKind::unauthenticated, std::move(detail), std::move(reason)};
}

/// The secret of "Bearer SECRET" (RFC 6750 section 2.1); the scheme without case.
std::optional<std::string_view> bearer_of(std::string_view header) {
    constexpr std::string_view scheme = "Bearer ";
    if (header.size() <= scheme.size() ||
        !equal_ignoring_case(header.substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    return header.substr(scheme.size());
}

AuditDetail detail_of(const domain::AccessToken& token) {
    AuditDetail detail;
    detail.text("role", domain::to_string(token.role));
    if (token.expires) {
        detail.text("expires", to_iso8601_seconds(*token.expires));
    }
    return detail;
}

}  // namespace

std::string_view to_string(Permission permission) {
    for (const auto& [each, word] : permissions) {
        if (each == permission) {
            return word;
        }
    }
    return "none";
}

Access::Access(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
               Entropy& entropy, std::vector<std::string> names)
    : reader_(reader),
      ledger_(ledger),
      clock_(clock),
      entropy_(entropy),
      names_(std::move(names)) {}

Task<Result<Caller>> Access::authenticate(const Presented& presented) {
    const auto& authorization = presented.authorization;
    if (authorization && domain::looks_like_sas(*authorization)) {
        co_return co_await authenticate_sas(presented);
    }
    const auto secret = authorization ? bearer_of(*authorization) : std::nullopt;
    if (!secret) {
        co_return unauthenticated(
            "send an API token: Authorization: Bearer TOKEN. The first one is in the file "
            "admin-token of the server's data directory. A shared access signature is taken too.",
            "token-missing");
    }
    // The store is asked by the hash: what its look-up tells by its time, it tells of the hash.
    const Digest hash = x509::sha256(as_bytes(*secret));
    CO_TRY(const auto token, co_await reader_.token(hash));
    if (!token || !equal_in_constant_time(token->secret_sha256.bytes, hash.bytes)) {
        co_return unauthenticated("this API token is unknown, or it was revoked", "token-unknown");
    }
    if (token->expires && *token->expires <= clock_.now()) {
        co_return unauthenticated("this API token ended on " + to_iso8601_seconds(*token->expires),
                                  "token-expired");
    }
    co_return Caller{"token:" + token->name, presented.source, token->role};
}

Caller Access::local_administrator() {
    return {"local administrator", "local", domain::Role::administrator};
}

Task<Result<NewToken>> Access::create(const Order& order, const std::string& name,
                                      domain::Role role, const std::optional<TimePoint>& expires) {
    if (!parse_group_id(name)) {
        co_return Error{ErrorKind::malformed,
                        "a token's name has letters, digits and - . _ :, the last one a letter, "
                        "digit or '-', at most 128",
                        "malformed-name"};
    }
    if (expires && *expires <= clock_.now()) {
        co_return Error{ErrorKind::malformed, "the token would have ended before it began",
                        "expires-in-the-past"};
    }
    CO_TRY(const auto tokens, co_await reader_.tokens());
    if (tokens.size() >= limits::tokens_max) {
        co_return Error{ErrorKind::conflict,
                        "there are " + std::to_string(limits::tokens_max) +
                            " tokens already; revoke some first",
                        "too-many-tokens"};
    }
    NewToken fresh = draw(order, name, role);
    fresh.token.expires = expires;
    co_return co_await commit_new(order, fresh, false);
}

Task<Result<domain::AccessToken>> Access::revoke(const Order& order, const std::string& name) {
    CO_TRY(const auto tokens, co_await reader_.tokens());
    for (const auto& token : tokens) {
        if (!equal_ignoring_case(token.name, name)) {
            continue;
        }
        domain::Changes changes;
        changes.expects.push_back(
            domain::ExpectEtag{domain::RecordKind::token, token.name, token.etag});
        changes.writes.push_back(domain::DeleteToken{token.name});
        changes.audit.push_back(audit_event(order, "token.revoke", "token/" + token.name,
                                            detail_of(token), clock_.now()));
        CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
        co_return token;
    }
    co_return Error{ErrorKind::not_found, "there is no token '" + name + "'", "token-not-found"};
}

Task<Result<std::vector<domain::AccessToken>>> Access::list() {
    co_return co_await reader_.tokens();
}

Task<Result<bool>> Access::ensure_admin_token(
    const std::function<Result<Done>(const std::string& secret)>& keep) {
    CO_TRY(const auto made, co_await reader_.setting(first_token_setting));
    if (made) {
        co_return false;
    }
    Order order;
    order.caller = first_start();
    NewToken fresh = draw(order, "admin", domain::Role::administrator);
    CO_TRY([[maybe_unused]] const Done kept, keep(fresh.secret));
    CO_TRY([[maybe_unused]] const auto done, co_await commit_new(order, fresh, true));
    co_return true;
}

Caller Access::first_start() {
    return {"first start", "local", domain::Role::administrator};
}

NewToken Access::draw(const Order& order, const std::string& name, domain::Role role) {
    std::array<std::uint8_t, secret_bytes> random{};
    entropy_.fill(random);
    NewToken fresh;
    fresh.secret = std::string{secret_prefix} + to_hex(random);
    fresh.token.name = name;
    fresh.token.secret_sha256 = x509::sha256(as_bytes(fresh.secret));
    fresh.token.role = role;
    fresh.token.created_by = order.caller.name;
    fresh.token.created = clock_.now();
    fresh.token.etag = new_etag(entropy_);
    return fresh;
}

Task<Result<NewToken>> Access::commit_new(const Order& order, NewToken& fresh, bool first) {
    domain::Changes changes;
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::token, fresh.token.name, ETag{}});
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::policy, fresh.token.name, ETag{}});
    changes.writes.push_back(domain::PutToken{fresh.token});
    if (first) {
        changes.writes.push_back(domain::PutSetting{first_token_setting, fresh.token.name});
    }
    changes.audit.push_back(audit_event(order, "token.create", "token/" + fresh.token.name,
                                        detail_of(fresh.token), fresh.token.created));
    const auto receipt = co_await ledger_.commit(changes);
    if (!receipt && receipt.error().kind == ErrorKind::stale) {
        co_return Error{
            ErrorKind::conflict,
            "there is a token or a policy '" + fresh.token.name + "' already; revoke it first",
            "token-exists"};
    }
    CO_TRY([[maybe_unused]] const auto committed, receipt);
    co_return fresh;
}

}  // namespace rollcall::service
