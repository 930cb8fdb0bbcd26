// SPDX-License-Identifier: Apache-2.0
#include "service/trust_book.hpp"

#include <functional>
#include <optional>

namespace rollcall::service {

/// Coroutines of any core that wait for one load to end. Guarded by the book's mutex.
class TrustBook::Waiters {
public:
    template <class Handler>
    void add(Handler handler) {
        auto held = std::make_shared<Handler>(std::move(handler));
        auto home = asio::prefer(asio::get_associated_executor(*held),
                                 asio::execution::outstanding_work.tracked);
        wake_.push_back([home, held] { asio::post(home, [held] { (*held)(); }); });
    }
    std::vector<std::function<void()>> take() { return std::exchange(wake_, {}); }

private:
    std::vector<std::function<void()>> wake_;
};

TrustBook::TrustBook(store::StoreReader& reader, const store::Ledger& ledger)
    : reader_(reader), ledger_(ledger), waiters_(std::make_unique<Waiters>()) {}

TrustBook::~TrustBook() = default;

std::shared_ptr<const domain::TrustView> TrustBook::fresh_view() const {
    const auto newest = ledger_.config_version();
    const std::lock_guard lock(mutex_);
    return view_ && view_->config_version() >= newest ? view_ : nullptr;
}

Task<Result<std::shared_ptr<const domain::TrustView>>> TrustBook::current() {
    for (;;) {
        if (auto view = fresh_view()) {
            co_return view;
        }
        std::unique_lock lock(mutex_);
        if (!loading_) {
            loading_ = true;
            break;
        }
        auto join = [this, &lock](auto handler) {
            waiters_->add(std::move(handler));
            lock.unlock();
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(join,
                                                                             asio::use_awaitable);
    }
    auto records = co_await reader_.trust_records();
    std::shared_ptr<const domain::TrustView> view;
    if (records) {
        view = std::make_shared<const domain::TrustView>(*std::move(records));
    }
    std::vector<std::function<void()>> wake;
    {
        const std::lock_guard lock(mutex_);
        loading_ = false;
        if (view) {
            view_ = view;
        }
        wake = waiters_->take();
    }
    for (const auto& each : wake) {
        each();
    }
    if (!records) {
        co_return std::move(records).error();
    }
    co_return view;
}

}  // namespace rollcall::service
