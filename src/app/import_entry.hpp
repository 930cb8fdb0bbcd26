// SPDX-License-Identifier: Apache-2.0
// What becomes of one entry that `az iot dps` or `az iot central` exported: what is sent to the
// server, what cannot be carried over, and what the operator has to supply first. Pure: talks to
// nobody. The shapes: spec/dps-service-api.md 2.3 and 2.4, spec/iot-central-api.md 3.2 and 3.3.
#pragma once

#include "app/certificate_shelf.hpp"
#include "base/result.hpp"
#include "base/world.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace rollcall::app {

namespace json = boost::json;

enum class ImportKind : std::uint8_t {
    dps_enrollment,  ///< az iot dps enrollment list
    dps_group,       ///< az iot dps enrollment-group list
    central_device,  ///< az iot central device list
    central_group,   ///< az iot central enrollment-group list
};

/// "az iot dps enrollment list"
std::string_view command_of(ImportKind kind);
/// "individual enrollment"
std::string_view noun_of(ImportKind kind);
/// What its entries are here, in the words of the native API: "groups", "enrollments", "devices".
std::string_view makes(ImportKind kind);

/// Which of the four an entry comes from. malformed "another-export": what it seems to be, and what
/// to export instead.
Result<ImportKind> kind_of(const json::object& exported);

/// "dev-1"; malformed "no-id".
Result<std::string> id_of(ImportKind kind, const json::object& exported);

struct ImportPolicy {
    TimePoint now{};
    /// Take what has one of its certificates though the other is not there.
    bool allow_missing = false;
};

struct ImportPlan {
    std::string id{};
    /// For POST /import/ and what it makes; none: nothing is sent.
    std::optional<json::object> body{};
    /// Why nothing is sent though there is something: a stable word, and what to supply.
    std::string missing{};
    std::string supply{};
    /// Members that say something here has no place for: "displayName".
    std::set<std::string> not_carried{};
    /// What is made otherwise than it was.
    std::vector<std::string> notes{};
};

/// `exported` is of that kind and has its id.
ImportPlan plan_import(ImportKind kind, const json::object& exported,
                       const CertificateShelf& certificates, const ImportPolicy& policy);

}  // namespace rollcall::app
