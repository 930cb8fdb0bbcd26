// SPDX-License-Identifier: Apache-2.0
#include "front/dps_messages.hpp"

#include "base/limits.hpp"
#include "base/telemetry.hpp"

#include <utility>

namespace rollcall::front {
namespace {

/// Devices wait so long before they ask again; Java takes 2 to 5 only.
constexpr int retry_after_assigning = 3;
constexpr int retry_after_busy = 5;

Error body_too_large() {
    return {ErrorKind::too_large,
            "The body has more than " + std::to_string(limits::device_body_bytes_max) + " bytes.",
            "body-too-large"};
}

}  // namespace

Task<DpsAnswer> DpsMessages::register_device(const domain::RegistrationRequest& asks,
                                             std::string_view body) {
    domain::RegistrationRequest wish = asks;
    if (const auto version = check_api_version(wish.api_version); !version) {
        co_return refusal(version.error());
    }
    if (body.size() > limits::device_body_bytes_max) {
        co_return refusal(body_too_large());
    }
    const auto said = parse_device_registration(body, wish.id);
    if (!said) {
        co_return refusal(said.error());
    }
    wish.payload = said->payload;
    const auto answered = co_await registrar_.register_device(wish);
    if (!answered) {
        co_return refusal(answered.error());
    }
    DpsAnswer answer;
    const bool disabled = answered->registration.status == domain::RegistrationStatus::disabled;
    if (settings_.poll && !disabled) {
        answer.status = 202;
        answer.body = assigning_body(*answered);
        answer.retry_after = retry_after_assigning;
    } else {
        answer.body = operation_body(*answered, wish.api_version);
    }
    co_return answer;
}

Task<DpsAnswer> DpsMessages::operation_status(const domain::RegistrationRequest& wish,
                                              std::string_view operation) {
    if (const auto version = check_api_version(wish.api_version); !version) {
        co_return refusal(version.error());
    }
    if (operation.empty()) {
        co_return refusal(
            {ErrorKind::malformed, "The request names no operationId.", "no-operation"});
    }
    const OperationId asked = OperationId::trusted(std::string{operation});
    const auto answered = co_await registrar_.operation_status(wish, asked);
    if (!answered) {
        co_return refusal(answered.error());
    }
    DpsAnswer answer;
    answer.body = operation_body(*answered, wish.api_version);
    co_return answer;
}

Task<DpsAnswer> DpsMessages::registration(const domain::RegistrationRequest& wish) {
    const auto answered = co_await registrar_.lookup(wish);
    if (!answered) {
        co_return refusal(answered.error());
    }
    DpsAnswer answer;
    answer.body = registration_body(answered->registration, wish.api_version);
    co_return answer;
}

DpsAnswer DpsMessages::refusal(const Error& error) {
    if (error.kind == ErrorKind::internal || error.kind == ErrorKind::unavailable) {
        log_event(Severity::error, "device-request-failed",
                  {{"kind", std::string{to_string(error.kind)}},
                   {"detail", error.detail},
                   {"note", error.note}});
    }
    const DpsError told = to_dps_error(error);
    DpsAnswer answer;
    answer.status = told.status;
    answer.body = error_body(told, new_guid(entropy_), clock_.now());
    answer.retry_after = told.status == 429 || told.status == 503 ? retry_after_busy : 0;
    return answer;
}

}  // namespace rollcall::front
