// SPDX-License-Identifier: Apache-2.0
// Fuzz target: bodies as devices and operators send them, and addresses with their queries.
#include "base/invariant.hpp"
#include "front/dps_wire.hpp"
#include "front/json_reader.hpp"
#include "front/url.hpp"

#include <cstdint>

namespace rollcall {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto id = RegistrationId::trusted("dev-1");
    const auto said = front::parse_device_registration(text, id);
    if (said && !said->payload.empty()) {
        const auto again =
            front::parse_device_registration("{\"payload\":" + said->payload + "}", id);
        INVARIANT(again.has_value());
    }
    if (const auto object = front::parse_json_object(text)) {
        front::Fields fields{*object};
        (void)fields.optional_text("certificate");
        (void)fields.object_text("initialTwin", 1'024, 10);
        (void)fields.flag("force", false);
        (void)fields.check();
    }
    (void)front::split_path(std::string{text});
    (void)front::parse_query(std::string{text});
    return 0;
}

}  // namespace rollcall
