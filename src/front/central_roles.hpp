// SPDX-License-Identifier: Apache-2.0
// The roles in the words of IoT Central, whose ids are fixed (spec/iot-central-api.md 3.4). The
// viewer, which it has not, has one of our own.
#pragma once

#include "domain/role.hpp"
#include "front/json_reader.hpp"
#include "net/http.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace rollcall::front {

/// "ca310b8d-2f4a-44e0-a36e-957c202cd8d4"
const char* role_id(domain::Role role);
std::optional<domain::Role> role_of_id(std::string_view id);
/// {"id","displayName"}
boost::json::object role_json(domain::Role role);

/// The one of `roles: [{"role": id}]`: whoever has it has it everywhere. Refuses none, several,
/// unknown ones and those within an organization. `body`: what `fields` reads.
domain::Role read_only_role(Fields& fields, const boost::json::object& body);

/// The application's name that a request is for: the first label of its host.
std::string application_of(const net::HttpRequest& request);

}  // namespace rollcall::front
