// SPDX-License-Identifier: Apache-2.0
// What `rollcall doctor` looks at: pure judgements over what the server told, each with its fix.
#pragma once

#include "base/world.hpp"
#include "x509/openssl_builds.hpp"

#include <string>
#include <vector>

#include <boost/json/value.hpp>

namespace rollcall::app {

struct Check {
    enum class Verdict : std::uint8_t { good, warning, bad } verdict = Verdict::good;
    std::string what;      ///< "group plant-a"
    std::string detail;    ///< what was found, with the values
    std::string fix = "";  ///< empty for good ones
};

/// "ok", "warning", "BAD".
std::string word_of(Check::Verdict verdict);

/// Days before the end of a certificate at which a roll should be under way.
inline constexpr auto roll_notice = std::chrono::hours{24 * 30};

/// `server`: Server of the API; `client_version`: this program's.
std::vector<Check> check_server(const boost::json::value& server, TimePoint now,
                                const std::string& client_version);
/// `group`: Group of the API.
std::vector<Check> check_group(const boost::json::value& group, TimePoint now);
/// `enrollment`: Enrollment of the API; only what is wrong.
std::vector<Check> check_enrollment(const boost::json::value& enrollment, TimePoint now);
/// `verification`: AuditVerification of the API.
Check check_audit(const boost::json::value& verification);
/// Whether this program runs with the OpenSSL that this machine has installed.
Check check_openssl(const x509::OpensslBuilds& builds);
/// Modes, free space and the local CA in a data directory on this machine.
std::vector<Check> check_directory(const std::string& directory, TimePoint now);

}  // namespace rollcall::app
