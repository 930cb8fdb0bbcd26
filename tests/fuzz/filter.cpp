// SPDX-License-Identifier: Apache-2.0
// Fuzz target: filters of device groups. What is wrong is said with a place in the text; what is
// read chooses or does not, and no device is chosen by a filter and by its opposite.
#include "base/invariant.hpp"
#include "base/limits.hpp"
#include "domain/device_query.hpp"

#include <cstdint>
#include <string>

namespace rollcall {
namespace {

domain::QueryValue look_up(const domain::QueryField& field) {
    using Kind = domain::QueryField::Kind;
    INVARIANT((field.kind == Kind::property) == !field.path.empty());
    INVARIANT(field.path.size() <= limits::device_query_path_max);
    switch (field.kind) {
        case Kind::id: return "dev-1";
        case Kind::provisioned: return true;
        case Kind::simulated: return false;
        case Kind::property: break;
        default: return {};
    }
    const auto& name = field.path.back();
    INVARIANT(!name.empty());
    switch (name.size() % 4) {
        case 0: return {};
        case 1: return static_cast<double>(name.size());
        case 2: return name;
        default: return true;
    }
}

void judge(std::string_view text) {
    const auto query = domain::parse_device_query(text);
    if (!query) {
        const auto& error = query.error();
        INVARIANT(error.reason == "query-too-large" || error.reason == "malformed-query");
        return;
    }
    INVARIANT(text.size() <= limits::device_query_bytes_max);
    const bool chosen = query->matches(look_up);
    const domain::DeviceQuery copy = *query;
    INVARIANT(copy == *query && copy.matches(look_up) == chosen);
    // The first WHERE: nothing before it can hold one.
    const std::size_t where = text.find_first_of("wW");
    if (where == std::string_view::npos) {
        INVARIANT(chosen);
        return;
    }
    const std::string opposite = std::string{text.substr(0, where + 5)} + " NOT (" +
                                 std::string{text.substr(where + 5)} + ")";
    const auto other = domain::parse_device_query(opposite);
    if (!other) {
        INVARIANT(other.error().reason == "query-too-large");
        return;
    }
    INVARIANT(!(chosen && other->matches(look_up)));
}

}  // namespace
}  // namespace rollcall

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    rollcall::judge({reinterpret_cast<const char*>(data), size});
    return 0;
}
