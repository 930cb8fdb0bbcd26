// SPDX-License-Identifier: Apache-2.0
// Fuzz target: lines of `rollcall pki verify --batch`. Each is answered by one line of JSON.
#include "app/pki_verify.hpp"
#include "base/invariant.hpp"
#include "base/world.hpp"

#include <cstdint>

#include <boost/json/parse.hpp>

namespace rollcall {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ManualClock clock{std::chrono::sys_days{std::chrono::year{2030} / 6 / 15}};
    const std::string_view line{reinterpret_cast<const char*>(data), size};
    if (line.find('\n') != line.npos) {
        return 0;
    }
    const auto answer = boost::json::parse(app::judge_line(line, clock));
    INVARIANT(answer.is_object());
    INVARIANT(answer.get_object().contains("valid") != answer.get_object().contains("skip"));
    return 0;
}

}  // namespace rollcall
