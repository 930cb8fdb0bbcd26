// SPDX-License-Identifier: Apache-2.0
#include "service/access.hpp"

#include "base/invariant.hpp"
#include "base/limits.hpp"
#include "service/audit_detail.hpp"
#include "x509/digest.hpp"

#include <array>

namespace rollcall::service {
namespace {

constexpr const char* first_token_setting = "access.first-token";
constexpr std::string_view secret_prefix = "rct_";
constexpr std::size_t secret_bytes = 32;

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

/// Not where nothing was shown, what can be no secret, or what was right once.
bool is_guess(const Error& error) {
    return error.kind == ErrorKind::unauthenticated && error.reason != "token-missing" &&
           error.reason != "malformed-sas" && !error.reason.ends_with("-expired");
}

}  // namespace

Access::Access(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
               Entropy& entropy, std::vector<std::string> names, OperatorGuard* guard)
    : reader_(reader),
      ledger_(ledger),
      clock_(clock),
      entropy_(entropy),
      names_(std::move(names)),
      guard_(guard) {}

Task<Result<Caller>> Access::authenticate(const Presented& presented) {
    auto caller = co_await recognise(presented);
    if (guard_ == nullptr) {
        co_return caller;
    }
    if (!caller) {
        co_return is_guess(caller.error()) ? guard_->failed(presented.source, caller.error())
                                           : caller.error();
    }
    CO_TRY([[maybe_unused]] const Done paced, guard_->pace(caller->name, presented.source));
    co_return caller;
}

Task<Result<Caller>> Access::recognise(const Presented& presented) {
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
    CO_TRY(auto caller, co_await authenticate_token(x509::sha256(as_bytes(*secret)),
                                                    domain::TokenForm::bearer, presented.source));
    if (!caller) {
        co_return unauthenticated("this API token is unknown, or it was revoked", "token-unknown");
    }
    co_return *std::move(caller);
}

/// The store is asked by the hash: what its look-up tells by its time, it tells of the hash.
Task<Result<std::optional<Caller>>> Access::authenticate_token(const Digest& secret_sha256,
                                                               domain::TokenForm form,
                                                               const std::string& source) {
    CO_TRY(const auto token, co_await reader_.token(secret_sha256));
    if (!token || token->form != form ||
        !equal_in_constant_time(token->secret_sha256.bytes, secret_sha256.bytes)) {
        co_return std::optional<Caller>{};
    }
    if (token->expires && *token->expires <= clock_.now()) {
        co_return unauthenticated("this API token ended on " + to_iso8601_seconds(*token->expires),
                                  "token-expired");
    }
    // Who has a token comes in even while nothing can be written.
    [[maybe_unused]] const auto noted = co_await note_use(*token);
    co_return Caller{"token:" + token->name, source, token->role};
}

Task<Result<Done>> Access::note_use(const domain::AccessToken& token) {
    const TimePoint now = clock_.now();
    {
        const std::lock_guard lock{uses_mutex_};
        const auto [use, first] =
            uses_.try_emplace(token.etag.str(), token.last_used.value_or(TimePoint{}));
        if (now - use->second < limits::token_use_step && now >= use->second) {
            co_return Done{};
        }
        use->second = now;
        if (uses_.size() > 2 * limits::tokens_max) {
            uses_.clear();  // of tokens long revoked; the others are written once more
        }
    }
    domain::Changes changes;
    changes.writes.push_back(domain::TouchToken{token.name, now});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

Caller Access::local_administrator() {
    return {"local administrator", "local", domain::Role::administrator};
}

Task<Result<NewToken>> Access::create(const Order& order, const TokenWish& wish) {
    if (!parse_group_id(wish.name)) {
        co_return Error{ErrorKind::malformed,
                        "a token's name has letters, digits and - . _ :, the last one a letter, "
                        "digit or '-', at most 128",
                        "malformed-name"};
    }
    if (wish.expires && *wish.expires <= clock_.now()) {
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
    NewToken fresh = draw(order, wish);
    co_return co_await commit_new(order, fresh, false);
}

Task<Result<domain::AccessToken>> Access::revoke(const Order& order, const std::string& name) {
    CO_TRY(const auto token, co_await token_named(name));
    domain::Changes changes;
    changes.expects.push_back(
        domain::ExpectEtag{domain::RecordKind::token, token.name, token.etag});
    changes.writes.push_back(domain::DeleteToken{token.name});
    changes.audit.push_back(
        audit_event(order, "token.revoke", "token/" + token.name, detail_of(token), clock_.now()));
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return token;
}

Task<Result<domain::AccessToken>> Access::token_named(const std::string& name) {
    CO_TRY(const auto tokens, co_await reader_.tokens());
    for (const auto& token : tokens) {
        if (equal_ignoring_case(token.name, name)) {
            co_return token;
        }
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
    TokenWish wish;
    wish.name = "admin";
    NewToken fresh = draw(order, wish);
    CO_TRY([[maybe_unused]] const Done kept, keep(fresh.secret));
    CO_TRY([[maybe_unused]] const auto done, co_await commit_new(order, fresh, true));
    co_return true;
}

Caller Access::first_start() {
    return {"first start", "local", domain::Role::administrator};
}

NewToken Access::draw(const Order& order, const TokenWish& wish) {
    std::array<std::uint8_t, secret_bytes> random{};
    entropy_.fill(random);
    NewToken fresh;
    auto& token = fresh.token;
    token.name = wish.name;
    token.role = wish.role;
    token.form = wish.form;
    token.expires = wish.expires;
    token.created_by = order.caller.name;
    token.created = clock_.now();
    token.etag = new_etag(entropy_);
    if (wish.form == domain::TokenForm::bearer) {
        fresh.secret = std::string{secret_prefix} + to_hex(random);
        token.secret_sha256 = x509::sha256(as_bytes(fresh.secret));
        return fresh;
    }
    if (!token.expires) {
        token.expires = token.created + limits::central_token_life;
    }
    token.expires = std::chrono::floor<std::chrono::milliseconds>(*token.expires);
    const auto text = domain::central_token(wish.application, token.name, random, *token.expires);
    fresh.secret = text;
    // Of what is read of it, so that any spelling of the same members is the same token.
    const auto read = domain::parse_sas(text);
    INVARIANT(read.has_value());
    token.secret_sha256 = domain::token_digest(*read);
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
