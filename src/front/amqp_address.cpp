// SPDX-License-Identifier: Apache-2.0
#include "front/amqp_address.hpp"

#include "base/bytes.hpp"
#include "front/url.hpp"

#include <vector>

namespace rollcall::front {
namespace {

/// The decoded segments behind scheme and host, or of what has neither.
Result<std::vector<std::string>> segments_of(std::string_view address) {
    const auto scheme = address.find("://");
    if (scheme != std::string_view::npos) {
        const auto path = address.find('/', scheme + 3);
        address = path == std::string_view::npos ? std::string_view{} : address.substr(path);
    }
    const std::string path =
        address.substr(0, 1) == "/" ? std::string{address} : "/" + std::string{address};
    return split_path(path);
}

Error bad_address(std::string form) {
    return {ErrorKind::malformed, "the link's address is not " + std::move(form),
            "malformed-address"};
}

}  // namespace

bool names_hub_link(std::string_view address) {
    const auto parts = segments_of(address);
    return parts && !parts->empty() &&
           (equal_ignoring_case(parts->front(), "devices") || parts->front() == "$cbs");
}

Result<DpsLink> parse_dps_link(std::string_view address) {
    const auto parts = segments_of(address);
    if (!parts || parts->size() != 3 || !equal_ignoring_case((*parts)[1], "registrations")) {
        return bad_address("SCOPE/registrations/ID");
    }
    DpsLink link;
    TRY(link.scope, parse_scope_id((*parts)[0]));
    TRY(link.id, parse_registration_id((*parts)[2]));
    return link;
}

Result<HubLink> parse_hub_link(std::string_view address) {
    const auto parts = segments_of(address);
    if (!parts || parts->size() < 3 || !equal_ignoring_case((*parts)[0], "devices")) {
        return bad_address("/devices/ID/...");
    }
    if (equal_ignoring_case((*parts)[2], "modules")) {
        return Error{ErrorKind::unsupported, "modules are not offered", "modules"};
    }
    HubLink link;
    TRY(link.device, parse_device_id((*parts)[1]));
    for (std::size_t i = 2; i < parts->size(); ++i) {
        link.endpoint += (link.endpoint.empty() ? "" : "/") + to_lower_ascii((*parts)[i]);
    }
    return link;
}

}  // namespace rollcall::front
