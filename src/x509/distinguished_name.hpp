// SPDX-License-Identifier: Apache-2.0
// Distinguished names as text for people and in a normal form for comparison. Inside x509 only.
#pragma once

#include "x509/openssl.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rollcall::x509 {

/// "CN=dev-1,O=Example" in the certificate's order, UTF-8, RFC 4514's escapes.
std::string name_as_text(const X509_NAME* name);

/// The normal form of RFC 5280 section 7.1, as OpenSSL compares names: string types unified to
/// UTF-8, outer white space cut, inner runs collapsed to one space, ASCII letters folded; other
/// types byte for byte; the attributes of one RDN in an order of our own. Each RDN is preceded by
/// its length, so that one name lies under another exactly if its normal form begins with the
/// other's. The empty name is the empty string.
std::string name_normalised(const X509_NAME* name);

/// The last commonName as UTF-8; none when there is none, or it holds a NUL or no valid string.
std::optional<std::string> last_common_name(const X509_NAME* name);

/// The emailAddress attributes (PKCS #9), for rfc822Name constraints.
std::vector<std::string> email_addresses(const X509_NAME* name);

}  // namespace rollcall::x509
