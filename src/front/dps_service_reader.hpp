// SPDX-License-Identifier: Apache-2.0
// Bodies of the DPS service API, read into what service/enroller takes. As lenient as the cloud:
// members nobody knows are ignored, null is the same as absent (spec/dps-service-api.md 2.3, 2.4).
#pragma once

#include "base/result.hpp"
#include "front/dps_service_wire.hpp"
#include "service/enroller.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::front {

/// An enrollment, or a group, as a client writes it; `id`: of the address, which the body must not
/// contradict. malformed: "malformed-member", "missing-member", "other-id", "attestation";
/// unsupported "not-offered": TPM.
Result<service::EntryWish> read_entry(DpsCollection collection, const json::object& body,
                                      const std::string& id);

enum class BulkMode { create, update, update_if_match, remove };

/// One entry of a bulk operation; its body is read when its turn comes.
struct BulkEntry {
    std::string id;
    std::optional<std::string> etag{};  ///< as plain_etag() has it
    const json::object* body;           ///< in the operation's own
};
struct BulkRequest {
    BulkMode mode = BulkMode::create;
    std::vector<BulkEntry> entries{};
};
/// `body` outlives it. malformed: "malformed-member", "missing-member", "too-many-entries".
Result<BulkRequest> read_bulk(DpsCollection collection, const json::object& body);

/// May this query be answered with all there is? "SELECT *", in any case, with or without FROM and
/// a name, and the same in the printed Python object that `az` sends (spec/real-clients.md 1.20).
/// malformed "malformed-query" otherwise; none given is fine where `optional`.
Result<Done> check_query(const json::object& body, bool optional);

}  // namespace rollcall::front
