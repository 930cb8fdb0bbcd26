// SPDX-License-Identifier: Apache-2.0
// TrustBook: the current TrustView, shared by all cores and swapped whole. Asked for by every
// registration and every operator's change; reads the store only after something moved.
#pragma once

#include "base/task.hpp"
#include "domain/attestation.hpp"
#include "store/store.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace rollcall::service {

class TrustBook {
public:
    TrustBook(store::StoreReader& reader, const store::Ledger& ledger);
    ~TrustBook();

    /// A view at least as new as every change that was committed before the call. However many
    /// ask at once, one of them reads. Errors are the store's.
    Task<Result<std::shared_ptr<const domain::TrustView>>> current();

private:
    class Waiters;

    std::shared_ptr<const domain::TrustView> fresh_view() const;

    store::StoreReader& reader_;
    const store::Ledger& ledger_;
    mutable std::mutex mutex_;
    std::shared_ptr<const domain::TrustView> view_;
    bool loading_ = false;
    std::unique_ptr<Waiters> waiters_;
};

}  // namespace rollcall::service
