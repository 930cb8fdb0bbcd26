// SPDX-License-Identifier: Apache-2.0
// How commands talk to a server: the native API over DIR/operator.sock or over TLS. Knows HTTP,
// problems and pages; knows no record. libcurl stays in admin_client.cpp.
#pragma once

#include "app/command.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::app {

namespace json = boost::json;

/// Where to talk to and as whom.
struct Target {
    std::string socket{};  ///< path of operator.sock; empty: TLS
    std::string url{};     ///< "https://host:9443" without a slash at the end; empty: the socket
    std::string token{};
    std::string ca_file{};  ///< empty: the system's certificates

    bool operator==(const Target&) const = default;
};

/// From the options, then the environment, then ./rollcall-data. With both --url and --data the
/// token and the CA come from the directory where they are not given. Usage errors: a URL that is
/// not https (http is taken for loopback), a token file that cannot be read.
Result<Target> target_of(const Globals& globals);

/// The directory the globals or ROLLCALL_DATA name, else ./rollcall-data.
std::string data_directory_of(const Globals& globals);

struct Request {
    std::string method = "GET";
    std::string path{};  ///< under /api/v1, from path_of()
    std::vector<std::pair<std::string, std::string>> query{};
    std::optional<json::object> body{};
    std::string if_match{};  ///< an ETag without quotes; empty: not asked
};

/// "/groups/plant-a/certificates/primary", each part percent-encoded.
std::string path_of(const std::vector<std::string>& parts);

class AdminClient {
public:
    explicit AdminClient(Target target);
    ~AdminClient();
    AdminClient(AdminClient&&) noexcept;

    /// target_of() and a client for it.
    static Result<AdminClient> of(const Globals& globals);

    /// The answer's body. A problem becomes an Error with the server's detail, its code as reason;
    /// no answer an Error with reason "unreachable" and a hint what to do.
    Result<json::value> send(const Request& request);
    Result<json::value> get(const std::string& path);

    /// Calls `item` for every record of a listing in its order and `page_end` after each page.
    Result<Done> each(Request request, const std::function<void(const json::object&)>& item,
                      const std::function<void()>& page_end = {});

    const Target& target() const { return target_; }

private:
    struct Handle;
    Target target_;
    std::unique_ptr<Handle> handle_;
};

/// The Error that a problem document (or another refusal's body) means; for tests too.
Error error_of(unsigned status, const std::string& body);

}  // namespace rollcall::app
