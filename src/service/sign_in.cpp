// SPDX-License-Identifier: Apache-2.0
#include "service/sign_in.hpp"

#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "service/audit_detail.hpp"
#include "x509/digest.hpp"

#include <array>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace rollcall::service {
namespace {

using domain::Session;
using domain::SignedIn;
using domain::User;

constexpr std::string_view secret_prefix = "rcs_";
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t csrf_bytes = 16;

Error unauthenticated(std::string detail, std::string reason, std::string note = {}) {
    return {ErrorKind::unauthenticated, std::move(detail), std::move(reason), std::move(note)};
}

Error ended() {
    return unauthenticated("this session has ended; sign in again", "session-ended");
}

domain::ExpectEtag still(const Session& session) {
    return {domain::RecordKind::session, session.id, ETag::trusted(session.secret_sha256.hex())};
}

std::string bounded(const std::string& user_agent) {
    return repaired_utf8(user_agent.substr(0, limits::user_agent_chars_max));
}

Task<void> pause(std::chrono::milliseconds time) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    timer.expires_after(time);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Sign-ins that wait hold a connection each.
class Waiting {
public:
    explicit Waiting(std::atomic<std::size_t>& waiting)
        : waiting_(waiting), has_room(++waiting_ <= limits::password_checks_max) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { --waiting_; }

private:
    std::atomic<std::size_t>& waiting_;

public:
    const bool has_room;
};

}  // namespace

SignIn::SignIn(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock,
               Entropy& entropy, Passwords& passwords, OperatorGuard& guard, Metrics& metrics,
               const SessionTimes& times)
    : reader_(reader),
      ledger_(ledger),
      clock_(clock),
      entropy_(entropy),
      passwords_(passwords),
      guard_(guard),
      times_(times),
      signed_in_(metrics.counter("rollcall_sign_ins_total", "Sessions begun at the operator door")),
      refused_(metrics.counter("rollcall_sign_ins_refused_total",
                               "Sign-ins with a wrong name or password")),
      stolen_(metrics.counter("rollcall_sessions_ended_for_reuse_total",
                              "Sessions ended since an old secret of theirs came again")) {}

// --- Signing in -----------------------------------------------------------------------------

Task<Result<OpenedSession>> SignIn::by_password(const std::string& name,
                                                const std::string& password,
                                                const Browser& browser) {
    CO_TRY(const auto found, co_await reader_.user_named(name));
    const bool has_password =
        found && found->kind == domain::UserKind::local && found->may_sign_in();
    const std::string hash = has_password ? found->password_hash : std::string{};
    CO_TRY(const bool right, co_await is_right(name, password, hash, browser));
    if (!right) {
        refused_.add();
        co_return unauthenticated("the name or the password is wrong", "sign-in-refused",
                                  found ? "the user " + found->name : "no such user");
    }
    co_return co_await open(*found, browser);
}

Task<Result<bool>> SignIn::is_right(const std::string& name, const std::string& password,
                                    const std::string& hash, const Browser& browser) {
    // What is too long is no password of ours, and must not cost more than one.
    const std::string tried =
        password.size() > limits::password_bytes_max ? std::string{} : password;
    CO_TRY(const auto wait, guard_.enter(name, browser.source));
    if (wait.count() > 0) {
        const Waiting waiting{slowed_};
        if (!waiting.has_room) {
            co_return Error{ErrorKind::throttled, "too many people sign in at once; try again",
                            "sign-in-busy", "", 2};
        }
        co_await pause(wait);
    }
    CO_TRY(const bool right, co_await passwords_.fits(tried, hash));
    if (right) {
        guard_.right_password(name, browser.source);
    } else {
        guard_.wrong_password(name);
    }
    co_return right;
}

Task<Result<OpenedSession>> SignIn::open(const User& user, const Browser& browser) {
    const domain::Changes none;
    co_return co_await commit_new(user, browser, none);
}

std::string SignIn::draw_secret() {
    std::array<std::uint8_t, secret_bytes> random{};
    entropy_.fill(random);
    return std::string{secret_prefix} + to_hex(random);
}

OpenedSession SignIn::draw(const User& user, const Browser& browser) {
    OpenedSession opened;
    opened.secret = draw_secret();
    opened.signed_in.user = user;
    Session& session = opened.signed_in.session;
    session.id = new_guid(entropy_);
    session.user_id = to_lower_ascii(user.id);
    session.secret_sha256 = x509::sha256(as_bytes(opened.secret));
    session.csrf = to_lower_ascii(random_upper_hex(entropy_, csrf_bytes));
    session.source = browser.source;
    session.user_agent = bounded(browser.user_agent);
    session.created = session.used = session.rotated = clock_.now();
    return opened;
}

/// The user must be as it was read: a password that was changed meanwhile lets nobody in.
Task<Result<OpenedSession>> SignIn::commit_new(const User& user, const Browser& browser,
                                               const domain::Changes& before) {
    domain::Changes changes = before;
    const OpenedSession opened = draw(user, browser);
    const Session& session = opened.signed_in.session;
    if (changes.writes.empty()) {
        changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, user.id, user.etag});
    }
    CO_TRY(const auto others, co_await reader_.sessions(user.id));
    for (std::size_t i = limits::sessions_per_user_max - 1; i < others.size(); ++i) {
        changes.writes.push_back(domain::DeleteSession{others[i].id});  // the oldest
    }
    changes.writes.push_back(
        domain::PutSession{session, session.created - times_.idle, session.created - times_.life});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    signed_in_.add();
    log_event(Severity::info, "signed-in",
              {{"user", user.name}, {"source", browser.source}, {"session", session.id}});
    co_return opened;
}

// --- Working with a cookie ------------------------------------------------------------------

bool SignIn::has_ended(const Session& session, TimePoint now) const {
    return now - session.used >= times_.idle || now - session.created >= times_.life;
}

Caller SignIn::caller_of(const SignedIn& signed_in, const std::string& source) {
    return {"user:" + signed_in.user.name, source, signed_in.user.role};
}

Task<Result<RecognisedSession>> SignIn::recognise(const std::string& secret,
                                                  const std::string& source) {
    const Digest shown = x509::sha256(as_bytes(secret));
    CO_TRY(const auto found, co_await reader_.session(shown));
    if (!found) {
        co_return unauthenticated("this session is unknown, or it was signed out; sign in again",
                                  "session-unknown");
    }
    const Session& session = found->session;
    const TimePoint now = clock_.now();
    if (has_ended(session, now)) {
        co_await end(session, "time");
        co_return ended();
    }
    if (!found->user.may_sign_in()) {
        co_return ended();
    }
    const bool is_old = !equal_in_constant_time(shown.bytes, session.secret_sha256.bytes);
    if (is_old && session.confirmed && now - session.rotated >= limits::session_grace) {
        stolen_.add();
        log_event(Severity::warning, "session-secret-reused",
                  {{"user", found->user.name}, {"source", source}, {"session", session.id}});
        co_await end(session, "reuse");
        co_return ended();
    }
    const std::string caller = "user:" + found->user.name;
    CO_TRY([[maybe_unused]] const Done paced, guard_.pace(caller, source));
    CO_TRY(const auto fresh, co_await carry_on(session, shown));
    co_return RecognisedSession{*found, fresh};
}

/// Notes the use; replaces the secret when it is time. Gives the new one.
Task<Result<std::string>> SignIn::carry_on(Session session, const Digest& shown) {
    const TimePoint now = clock_.now();
    const Session before = session;
    const bool is_current = shown == session.secret_sha256;
    std::string fresh;
    if (is_current && !session.confirmed) {
        session.confirmed = true;
        session.rotated = now;
    } else if (is_current ? now - session.rotated >= limits::session_secret_life
                          // It never got the one it was given: another, once that is sure.
                          : !session.confirmed && now - session.rotated >= limits::session_grace) {
        fresh = draw_secret();
        session.previous_sha256 = shown;
        session.secret_sha256 = x509::sha256(as_bytes(fresh));
        session.confirmed = false;
        session.rotated = now;
    } else if (now - session.used < limits::session_note_interval) {
        co_return fresh;
    }
    session.used = now;
    const bool kept = co_await keep(before, session);
    if (!kept) {
        fresh.clear();
    }
    co_return fresh;
}

/// false: another request was first, or the disk is full; the session goes on as it was.
Task<bool> SignIn::keep(const Session& before, const Session& after) {
    domain::Changes changes;
    changes.expects.push_back(still(before));
    changes.writes.push_back(domain::PutSession{after});
    const auto receipt = co_await ledger_.commit(changes);
    if (!receipt && receipt.error().kind != ErrorKind::stale) {
        log_event(Severity::warning, "session-not-kept",
                  {{"session", after.id}, {"detail", receipt.error().detail}});
    }
    co_return receipt.has_value();
}

Task<void> SignIn::end(const Session& session, std::string_view why) {
    domain::Changes changes;
    changes.writes.push_back(domain::DeleteSession{session.id});
    const auto receipt = co_await ledger_.commit(changes);
    log_event(Severity::info, "session-ended",
              {{"session", session.id},
               {"why", std::string{why}},
               {"kept", receipt ? "yes" : receipt.error().detail}});
}

// --- Signing out ----------------------------------------------------------------------------

Task<Result<std::vector<Session>>> SignIn::sessions_of(const User& user) {
    CO_TRY(auto sessions, co_await reader_.sessions(user.id));
    const TimePoint now = clock_.now();
    std::erase_if(sessions, [this, now](const auto& session) { return has_ended(session, now); });
    co_return sessions;
}

Task<Result<Done>> SignIn::sign_out(const SignedIn& signed_in) {
    domain::Changes changes;
    changes.writes.push_back(domain::DeleteSession{signed_in.session.id});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

Task<Result<Done>> SignIn::sign_out_everywhere(const SignedIn& signed_in) {
    domain::Changes changes;
    changes.writes.push_back(domain::DeleteSessionsOf{signed_in.user.id});
    CO_TRY([[maybe_unused]] const auto receipt, co_await ledger_.commit(changes));
    co_return Done{};
}

Task<Result<OpenedSession>> SignIn::change_password(const SignedIn& signed_in,
                                                    const std::string& current,
                                                    const std::string& fresh,
                                                    const Browser& browser) {
    User user = signed_in.user;
    if (user.kind != domain::UserKind::local) {
        co_return Error{ErrorKind::conflict,
                        "you sign in at the OpenID provider; change your password there",
                        "no-password-here"};
    }
    CO_TRY([[maybe_unused]] const Done good, check_password(fresh, user.name));
    CO_TRY(const bool right, co_await is_right(user.name, current, user.password_hash, browser));
    if (!right) {
        co_return Error{ErrorKind::forbidden, "the current password is wrong", "wrong-password"};
    }
    const ETag before = user.etag;
    CO_TRY(user.password_hash, co_await passwords_.hash(fresh));
    user.updated = clock_.now();
    user.etag = new_etag(entropy_);
    Order order;
    order.caller = caller_of(signed_in, browser.source);
    AuditDetail detail;
    detail.flag("passwordChanged", true);
    domain::Changes changes;
    changes.expects.push_back(domain::ExpectEtag{domain::RecordKind::user, user.id, before});
    changes.writes.push_back(domain::PutUser{user});
    changes.writes.push_back(domain::DeleteSessionsOf{user.id});
    changes.audit.push_back(
        audit_event(order, "user.update", "user/" + user.name, detail, user.updated));
    co_return co_await commit_new(user, browser, changes);
}

}  // namespace rollcall::service
