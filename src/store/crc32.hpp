// SPDX-License-Identifier: Apache-2.0
// The checksum of telemetry records: CRC-32 as Ethernet and zip files have it. Eight bytes at a
// time: the telemetry log checks a gigabyte when it opens.
#pragma once

#include "base/bytes.hpp"

namespace rollcall::store {

std::uint32_t crc32(ByteView bytes);

}  // namespace rollcall::store
