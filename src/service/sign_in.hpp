// SPDX-License-Identifier: Apache-2.0
// SignIn: a user signs in, works with a cookie, signs out.
//
// The cookie holds a secret of 256 random bits, kept as SHA-256. It is replaced every
// limits::session_secret_life; the one before goes on working until the browser has shown the new
// one and limits::session_grace longer. Whoever uses it after that is not the browser that was
// given the new one: the session ends for both. Who the user is and may is read anew for every
// request, so that a role taken away is gone at once.
#pragma once

#include "base/limits.hpp"
#include "base/task.hpp"
#include "base/telemetry.hpp"
#include "base/world.hpp"
#include "domain/user.hpp"
#include "service/caller.hpp"
#include "service/operator_guard.hpp"
#include "service/passwords.hpp"
#include "store/store.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace rollcall::service {

struct SessionTimes {
    std::chrono::seconds idle = limits::session_idle_time;
    std::chrono::seconds life = limits::session_life;

    bool operator==(const SessionTimes&) const = default;
};

/// Where somebody signs in.
struct Browser {
    std::string source{};      ///< the peer's address
    std::string user_agent{};  ///< as it says
};

struct OpenedSession {
    domain::SignedIn signed_in;
    std::string secret;  ///< for the cookie; shown once, never kept
};

struct RecognisedSession {
    domain::SignedIn signed_in;
    std::string fresh_secret;  ///< the cookie's from now on; empty: it stays
};

class SignIn {
public:
    SignIn(store::StoreReader& reader, store::Ledger& ledger, const Clock& clock, Entropy& entropy,
           Passwords& passwords, OperatorGuard& guard, Metrics& metrics,
           const SessionTimes& times = {});

    /// unauthenticated "sign-in-refused" for an unknown user as for a wrong password, after the
    /// same time; throttled (OperatorGuard::enter, Passwords).
    Task<Result<OpenedSession>> by_password(const std::string& name, const std::string& password,
                                            const Browser& browser);
    /// For a user whom somebody else has vouched for (service/openid).
    Task<Result<OpenedSession>> open(const domain::User& user, const Browser& browser);

    /// The session behind a cookie. unauthenticated "session-unknown" (also when it was signed
    /// out), "session-ended" (too old, unused for too long, the user may not sign in, or its
    /// secret was used twice); throttled "too-many-requests".
    Task<Result<RecognisedSession>> recognise(const std::string& secret, const std::string& source);
    static Caller caller_of(const domain::SignedIn& signed_in, const std::string& source);

    Task<Result<std::vector<domain::Session>>> sessions_of(const domain::User& user);
    Task<Result<Done>> sign_out(const domain::SignedIn& signed_in);
    /// In every browser.
    Task<Result<Done>> sign_out_everywhere(const domain::SignedIn& signed_in);
    /// A user's own password: ends all its sessions and opens one here. forbidden
    /// "wrong-password"; conflict "no-password-here"; malformed for a bad one; throttled; stale.
    Task<Result<OpenedSession>> change_password(const domain::SignedIn& signed_in,
                                                const std::string& current,
                                                const std::string& fresh, const Browser& browser);

private:
    Task<Result<bool>> is_right(const std::string& name, const std::string& password,
                                const std::string& hash, const Browser& browser);
    OpenedSession draw(const domain::User& user, const Browser& browser);
    Task<Result<OpenedSession>> commit_new(const domain::User& user, const Browser& browser,
                                           const domain::Changes& before);
    std::string draw_secret();
    Task<void> end(const domain::Session& session, std::string_view why);
    Task<bool> keep(const domain::Session& before, const domain::Session& after);
    Task<Result<std::string>> carry_on(domain::Session session, const Digest& shown);
    bool has_ended(const domain::Session& session, TimePoint now) const;

    store::StoreReader& reader_;
    store::Ledger& ledger_;
    const Clock& clock_;
    Entropy& entropy_;
    Passwords& passwords_;
    OperatorGuard& guard_;
    const SessionTimes times_;
    Counter& signed_in_;
    Counter& refused_;
    Counter& stolen_;
    std::atomic<std::size_t> slowed_{0};
};

}  // namespace rollcall::service
