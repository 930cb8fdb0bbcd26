// SPDX-License-Identifier: Apache-2.0
#include "net/amqp_sasl.hpp"

#include "net/amqp_fields.hpp"

namespace rollcall::net::amqp {
namespace {

enum Descriptor : std::uint8_t { mechanisms_list = 0x40, init_list = 0x41, outcome_list = 0x44 };

}  // namespace

Result<SaslInit> parse_sasl_init(std::string_view frame_body) {
    ItemReader reader{as_bytes(frame_body)};
    TRY(const Item list, performative_of(reader));
    if (list.descriptor != init_list) {
        return refusal(condition::decode_error, "not the SASL frame that was due");
    }
    Fields fields{list};
    SaslInit init;
    TRY(const auto mechanism, fields.text("mechanism"));
    if (!mechanism) {
        return missing("mechanism");
    }
    init.mechanism = *mechanism;
    TRY(const Item response, fields.item());
    if (response.type == Type::binary) {
        init.response = as_text(response.body);
    } else if (!response.is_null()) {
        return wrong_type("initial-response");
    }
    return init;
}

/// An array of symbols: size, count, constructor, then each without a constructor of its own.
std::string offer_mechanisms(const std::vector<std::string_view>& names) {
    std::string members;
    for (const auto name : names) {
        members.push_back(static_cast<char>(name.size()));
        members.append(name);
    }
    std::string array{"\xe0"};
    array.push_back(static_cast<char>(members.size() + 2));
    array.push_back(static_cast<char>(names.size()));
    array.push_back('\xa3');
    array.append(members);
    return List{mechanisms_list}.encoded(array).done();
}

std::string sasl_outcome(SaslCode code) {
    return List{outcome_list}.ubyte(static_cast<std::uint8_t>(code)).done();
}

Result<PlainCredential> parse_plain(std::string_view response) {
    const auto malformed = refusal(condition::decode_error, "not a response of SASL PLAIN");
    const auto first = response.find('\0');
    const auto second = first == std::string_view::npos ? first : response.find('\0', first + 1);
    if (second == std::string_view::npos ||
        response.find('\0', second + 1) != std::string_view::npos || !is_utf8(response)) {
        return malformed;
    }
    PlainCredential credential;
    credential.user = response.substr(first + 1, second - first - 1);
    credential.password = response.substr(second + 1);
    const auto authorization = response.substr(0, first);
    if (credential.user.empty() || (!authorization.empty() && authorization != credential.user)) {
        return malformed;
    }
    return credential;
}

}  // namespace rollcall::net::amqp
