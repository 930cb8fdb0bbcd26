// SPDX-License-Identifier: Apache-2.0
#include "front/twin_change.hpp"

#include "base/limits.hpp"

namespace rollcall::front {

service::TwinChange read_twin_change(Fields& fields) {
    service::TwinChange change;
    change.tags =
        fields.object_text("tags", 2 * limits::twin_tags_bytes_max, limits::json_depth_max);
    fields.object("properties", [&change](Fields& properties) {
        change.desired = properties.object_text("desired", 2 * limits::twin_properties_bytes_max,
                                                limits::json_depth_max);
    });
    return change;
}

}  // namespace rollcall::front
