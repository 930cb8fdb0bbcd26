// SPDX-License-Identifier: Apache-2.0
// What `serve`, `init` and `config check` do with checked settings.
#pragma once

#include "app/command.hpp"
#include "app/config.hpp"
#include "app/local_ca.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rollcall::app {

/// Runs a server until it is told to stop. Writes the ready line to `io.out`, words to `io.err`.
Result<Exit> serve(const Settings& settings, const Streams& io);

/// DNS names of the server certificate that the settings name; empty without one. The errors are
/// those of files that cannot be read, are no certificate, or do not fit together.
Result<std::vector<std::string>> given_certificate_names(const Settings& settings);

/// What the local CA's server certificate says: the names that were given, this machine's, the
/// addresses of the doors, and loopback.
ServerNames local_names(const Settings& settings, const std::string& host_name);

/// By which names operators' tools reach the server, the best first: what --operator-name says,
/// then
/// --name, then the own hub's. In lower case, never empty.
std::vector<std::string> operator_hosts(const Settings& settings, const std::string& hub);

/// This machine's name, "localhost" where it has none.
std::string host_name();

}  // namespace rollcall::app
