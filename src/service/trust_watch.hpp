// SPDX-License-Identifier: Apache-2.0
// TrustWatch: the ledger as operators' use cases are given it. After a commit that can withdraw
// trust it ends the hub sessions that rest on it (PRODUCT section 3.13), before the operator is
// answered; nothing else closes anything.
#pragma once

#include "service/sessions.hpp"
#include "service/trust_book.hpp"

namespace rollcall::service {

class TrustWatch final : public store::Ledger {
public:
    TrustWatch(store::Ledger& ledger, TrustBook& trust_book, Sessions& sessions)
        : ledger_(ledger), trust_book_(trust_book), sessions_(sessions) {}

    /// The ledger's answer. Where the sessions could not be looked through (the store is away),
    /// that is in the log: what was committed is true all the same.
    Task<Result<store::Receipt>> commit(const domain::Changes& changes) override;
    std::uint64_t config_version() const override { return ledger_.config_version(); }

private:
    Task<Result<Done>> end_sessions(const domain::Changes& changes);

    store::Ledger& ledger_;
    TrustBook& trust_book_;
    Sessions& sessions_;
};

}  // namespace rollcall::service
