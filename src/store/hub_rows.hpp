// SPDX-License-Identifier: Apache-2.0
// Rows and values of what a hub keeps for a device: its twin, the messages that wait for it and
// its subscriptions. See rows.hpp.
#pragma once

#include "domain/twin.hpp"
#include "store/database.hpp"

#include <vector>

namespace rollcall::store {

Result<Done> put_twin(Database& database, const domain::Twin& twin);
Result<Done> reset_twin(Database& database, const domain::ResetTwin& reset);
Result<std::optional<domain::Twin>> get_twin(Database& database, const DeviceId& id);

/// First drops those of the device that expired by `message.enqueued`.
Result<Done> queue_message(Database& database, const domain::DeviceMessage& message);
Result<Done> remove_message(Database& database, const DeviceId& device, std::uint64_t number);
/// How many wait that expire after `now`.
Result<std::uint64_t> count_messages(Database& database, const DeviceId& device, TimePoint now);
Result<std::vector<domain::DeviceMessage>> list_messages(Database& database,
                                                         const DeviceId& device);

Result<Done> put_subscriptions(Database& database, const DeviceId& device,
                               const domain::Subscriptions& subscriptions);
Result<domain::Subscriptions> get_subscriptions(Database& database, const DeviceId& device);

/// All of them, of a device that is deleted.
Result<Done> delete_hub_rows(Database& database, const DeviceId& device);

}  // namespace rollcall::store
