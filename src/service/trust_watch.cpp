// SPDX-License-Identifier: Apache-2.0
#include "service/trust_watch.hpp"

#include "base/telemetry.hpp"

#include <variant>

namespace rollcall::service {

Task<Result<store::Receipt>> TrustWatch::commit(const domain::Changes& changes) {
    auto receipt = co_await ledger_.commit(changes);
    if (receipt) {
        const auto ended = co_await end_sessions(changes);
        if (!ended) {
            log_event(Severity::error, "sessions-not-reviewed",
                      {{"detail", ended.error().detail}, {"note", ended.error().note}});
        }
    }
    co_return receipt;
}

Task<Result<Done>> TrustWatch::end_sessions(const domain::Changes& changes) {
    for (const auto& write : changes.writes) {
        if (const auto* const put = std::get_if<domain::PutDevice>(&write)) {
            if (put->device.blocked || !put->device.approved) {
                sessions_.end(put->device.id, SessionEnd::device_gone);
            }
        } else if (const auto* const gone = std::get_if<domain::DeleteDevice>(&write)) {
            sessions_.end(gone->id, SessionEnd::device_gone);
        }
    }
    CO_TRY(const auto trust, co_await trust_book_.current());
    for (const auto& write : changes.writes) {
        if (const auto* const put = std::get_if<domain::PutIndividual>(&write)) {
            sessions_.end_withdrawn(*trust, put->enrollment.id, put->enrollment);
        } else if (const auto* const gone = std::get_if<domain::DeleteIndividual>(&write)) {
            sessions_.end_withdrawn(*trust, gone->id, std::nullopt);
        }
    }
    if (changes.moves_config || changes.moves_anchors) {
        sessions_.end_withdrawn(*trust);
    }
    co_return Done{};
}

}  // namespace rollcall::service
