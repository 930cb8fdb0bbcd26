// SPDX-License-Identifier: Apache-2.0
// `rollcall pki verify`, single and batch (PRODUCT section 7): judges chains against anchors by the
// code that judges devices. Requests here are text as scripts write it; x509/path.hpp does the
// rest.
#pragma once

#include "app/command.hpp"
#include "base/world.hpp"
#include "x509/path.hpp"

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::app {

/// One chain to be judged. Files may hold several certificates each, as PEM, DER or base64.
struct VerifyRequest {
    TimePoint at;
    std::vector<std::string> anchors;
    /// The first certificate of the first file is the end entity; the rest in any order.
    std::vector<std::string> chain;
    /// With any (also unreadable) CRL, every certificate below the anchor needs one that speaks
    /// for it.
    std::vector<std::string> crls{};
    x509::Purpose purpose = x509::Purpose::client;
    std::optional<std::size_t> intermediates_max{};
    std::chrono::seconds clock_skew{0};
    /// A DNS name, IP address or e-mail address that the end entity's subjectAltName must hold.
    std::optional<std::string> name{};
};

struct Judgement {
    bool valid = false;
    /// One line; why not, or the path.
    std::string reason;
};

/// An unreadable end entity or anchor set is a judgement (invalid); Error where there is nothing to
/// judge: no certificate at all in the chain.
Result<Judgement> judge(const VerifyRequest& request);

/// "client", "server", "any".
Result<x509::Purpose> parse_purpose(std::string_view text);

/// Unix seconds, perhaps with a fraction.
Result<TimePoint> time_from_unix(double seconds);

/// Reads a JSON object a line, writes one a line and flushes it. Never fails for a line's sake: a
/// line that cannot be judged is answered with "skip" and its id, where one can be read. "at"
/// defaults to `clock`.
void verify_batch(std::istream& in, std::ostream& out, const Clock& clock);

/// The answer to one line of a batch, without the newline.
std::string judge_line(std::string_view line, const Clock& clock);

/// The handler: exit 0 valid, 1 invalid, 77 cannot judge; --batch always ends with 0.
Result<Exit> verify_chain(const Invocation& call, const Clock& clock);

}  // namespace rollcall::app
