// SPDX-License-Identifier: Apache-2.0
#include "app/twin_file.hpp"

#include "app/print.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace rollcall::app {

Parameter reprovision_option() {
    return option("--reprovision WORD", "what happens to a returning device's data")
        .one_of({"migrate", "reset", "never"});
}

boost::json::value reprovision_policy(const std::string& word) {
    return boost::json::object{{"updateHubAssignment", word != "never"},
                               {"migrateDeviceData", word == "migrate"}};
}

std::string reprovision_word(const boost::json::value& policy) {
    if (shown(policy, "updateHubAssignment") == "no") {
        return "never";
    }
    return shown(policy, "migrateDeviceData") == "yes" ? "migrate" : "reset";
}

Parameter initial_twin_option() {
    return option("--initial-twin FILE",
                  "JSON {\"tags\":{},\"properties\":{\"desired\":{}}}; the word none clears it");
}

Result<boost::json::value> read_twin_file(const std::string& name) {
    if (name == "none") {
        return boost::json::value(nullptr);
    }
    TRY(const std::string text, read_file(name, limits::operator_body_bytes_max));
    boost::system::error_code failed;
    boost::json::value twin = boost::json::parse(text, failed);
    if (failed || !twin.is_object()) {
        return Error{.kind = ErrorKind::malformed, .detail = name + " is not a JSON object"};
    }
    return twin;
}

}  // namespace rollcall::app
