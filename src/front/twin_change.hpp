// SPDX-License-Identifier: Apache-2.0
// An operator's change of a twin, as the native API and IoT Hub's registry both write it:
// {"tags":{},"properties":{"desired":{}}}, every part optional.
#pragma once

#include "front/json_reader.hpp"
#include "service/hub.hpp"

namespace rollcall::front {

/// Mistakes stand in `fields`.
service::TwinChange read_twin_change(Fields& fields);

}  // namespace rollcall::front
