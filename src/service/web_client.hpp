// SPDX-License-Identifier: Apache-2.0
// WebClient: a few questions over HTTPS to a server that the configuration names; the seam behind
// which libcurl stays in the app floor.
#pragma once

#include "base/result.hpp"
#include "base/task.hpp"

#include <string>
#include <utility>
#include <vector>

namespace rollcall::service {

struct WebQuestion {
    std::string url{};
    /// Sent as application/x-www-form-urlencoded by POST; a GET without.
    std::vector<std::pair<std::string, std::string>> form{};
    std::string basic_user{};  ///< HTTP Basic (RFC 7617), as it shall be sent; empty: none
    std::string basic_password{};
    std::string bearer{};  ///< empty: none
};

struct WebReply {
    unsigned status = 0;
    std::string body{};
};

class WebClient {
public:
    virtual ~WebClient() = default;

    /// unavailable "provider-away" (no answer, not in time, not trusted, too long: the note says
    /// which), "provider-busy" where too many questions wait. Redirects are not followed.
    /// `question` outlives the await.
    virtual Task<Result<WebReply>> ask(const WebQuestion& question) = 0;
};

}  // namespace rollcall::service
