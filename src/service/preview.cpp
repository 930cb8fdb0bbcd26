// SPDX-License-Identifier: Apache-2.0
#include "service/preview.hpp"

#include "service/caller.hpp"

#include <algorithm>

namespace rollcall::service {

std::string_view to_string(ChangeClass change) {
    switch (change) {
        case ChangeClass::none: return "none";
        case ChangeClass::first: return "first";
        case ChangeClass::same_certificate: return "same-certificate";
        case ChangeClass::same_key_renewed: return "same-key-renewed";
        case ChangeClass::cross_signed: return "cross-signed";
        case ChangeClass::new_key: return "new-key";
        case ChangeClass::removal: return "removal";
    }
    return "none";
}

ChangeClass class_of(const std::optional<x509::Certificate>& before,
                     const std::optional<x509::Certificate>& after) {
    if (!after) {
        return before ? ChangeClass::removal : ChangeClass::none;
    }
    if (!before) {
        return ChangeClass::first;
    }
    if (*before == *after) {
        return ChangeClass::same_certificate;
    }
    if (before->ca_key() != after->ca_key()) {
        return ChangeClass::new_key;
    }
    return before->issuer_normalised() == after->issuer_normalised() ? ChangeClass::same_key_renewed
                                                                     : ChangeClass::cross_signed;
}

Result<Done> EtagCondition::check(const ETag& etag) const {
    const auto matches = [&etag](const std::string& each) {
        return each == "*" || each == etag.str();
    };
    if (one_of.empty() || std::any_of(one_of.begin(), one_of.end(), matches)) {
        return Done{};
    }
    return Error{ErrorKind::stale,
                 "the record was changed since it was read: read it again and repeat the change "
                 "with its new ETag",
                 "stale"};
}

Result<Done> want_if_match(const Order& order) {
    if (!order.if_match.one_of.empty()) {
        return Done{};
    }
    return Error{ErrorKind::stale,
                 "there is a record of this name: say with If-Match which version of it is meant, "
                 "or * for any",
                 "if-match-missing"};
}

}  // namespace rollcall::service
