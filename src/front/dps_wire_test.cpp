// SPDX-License-Identifier: Apache-2.0
#include "front/dps_wire.hpp"

#include "base/limits.hpp"
#include "front/url.hpp"

#include <gtest/gtest.h>

namespace rollcall::front {
namespace {

const TimePoint at = *parse_iso8601("2026-11-23T18:27:30.123456Z");

service::DeviceAnswer an_answer(domain::RegistrationStatus status) {
    service::DeviceAnswer answer{OperationId::trusted("5.op"), {}};
    auto& registration = answer.registration;
    registration.id = RegistrationId::trusted("Dev-1");
    registration.device_id = DeviceId::trusted("Dev-1");
    registration.assigned_hub = "hub.example";
    registration.status = status;
    registration.substatus = domain::Substatus::reprovisioned_to_initial_assignment;
    registration.etag = ETag::trusted("e1");
    registration.created = at;
    registration.updated = at;
    registration.adoptions = 1;
    registration.last.entry = {domain::EntryRef::Kind::group, "fleet", "i"};
    return answer;
}

TEST(DpsWire, WritesTheBodiesAsRecorded) {
    auto answer = an_answer(domain::RegistrationStatus::assigned);
    EXPECT_EQ(assigning_body(answer),
              R"({"operationId":"5.op","status":"assigning",)"
              R"("registrationState":{"registrationId":"Dev-1","status":"assigning"}})");
    EXPECT_EQ(operation_body(answer, "2021-10-01"),
              R"({"operationId":"5.op","status":"assigned","registrationState":{)"
              R"("x509":{"enrollmentGroupId":"fleet"},"registrationId":"Dev-1",)"
              R"("createdDateTimeUtc":"2026-11-23T18:27:30.1234560Z","assignedHub":"hub.example",)"
              R"("deviceId":"Dev-1","status":"assigned",)"
              R"("substatus":"reprovisionedToInitialAssignment",)"
              R"("lastUpdatedDateTimeUtc":"2026-11-23T18:27:30.1234560Z","etag":"ImUxIg=="}})");
    answer.registration.last.entry.kind = domain::EntryRef::Kind::individual;
    EXPECT_EQ(registration_body(answer.registration, "2019-03-31").find(R"({"x509":{},)"), 0U);
    EXPECT_NE(registration_body(answer.registration, "2019-03-31").find("\"initialAssignment\""),
              std::string::npos);
}

TEST(DpsWire, FailedAndDisabledHaveNoHub) {
    auto failed = an_answer(domain::RegistrationStatus::failed);
    failed.registration.failure = {400209, "The device is blocked."};
    const auto body = operation_body(failed, "2021-06-01");
    EXPECT_NE(body.find(R"("errorCode":400209,"errorMessage":"The device is blocked.")"),
              std::string::npos);
    EXPECT_EQ(body.find("assignedHub"), std::string::npos);
    EXPECT_EQ(body.find("deviceId"), std::string::npos);

    service::DeviceAnswer disabled{OperationId::trusted("5.op"), {}};
    disabled.registration.id = RegistrationId::trusted("dev-1");
    disabled.registration.status = domain::RegistrationStatus::disabled;
    EXPECT_EQ(operation_body(disabled, "2021-06-01"),
              R"({"operationId":"5.op","status":"disabled",)"
              R"("registrationState":{"registrationId":"dev-1","status":"disabled"}})");
}

TEST(DpsWire, ErrorsHaveTheirNumbers) {
    const std::pair<Error, DpsError> rows[] = {
        {{ErrorKind::attestation_failed, "Invalid certificate."},
         {401, 401002, "Invalid certificate."}},
        {{ErrorKind::conflict, "Precondition failed.", "registration-raced"},
         {409, 409203, "Precondition failed."}},
        {{ErrorKind::not_found, "Operation not found.", "operation-not-found"},
         {404, 404203, "Operation not found."}},
        {{ErrorKind::not_found, "x", "registration-not-found"}, {404, 404202, "x"}},
        {{ErrorKind::not_found, "x", "unknown-scope"}, {404, 404001, "x"}},
        {{ErrorKind::malformed, "x", "wrong-method"}, {405, 405001, "x"}},
        {{ErrorKind::malformed, "x"}, {400, 400001, "x"}},
        {{ErrorKind::unsupported, "x", "media-type"}, {415, 415001, "x"}},
        {{ErrorKind::internal, "secret"}, {500, 500001, "Internal error."}},
    };
    for (const auto& [error, told] : rows) {
        EXPECT_EQ(to_dps_error(error), told) << error.reason;
    }
    EXPECT_EQ(error_body({401, 401002, "Invalid certificate."}, "guid", at),
              R"({"errorCode":401002,"trackingId":"guid","message":"Invalid certificate.",)"
              R"("timestampUtc":"2026-11-23T18:27:30.1234560Z"})");
}

TEST(DpsWire, TakesEveryBodyThatClientsSend) {
    const auto id = *parse_registration_id("Dev-1");
    for (const auto* body : {"", " ", "{}", R"({"registrationId":"dev-1"})",
                             R"({"payload": null, "registrationId": "DEV-1"})",
                             R"({"registrationId":"Dev-1","payload":null,"tpm":null})"}) {
        const auto said = parse_device_registration(body, id);
        ASSERT_TRUE(said) << body;
        EXPECT_TRUE(said->payload.empty()) << body;
    }
    EXPECT_EQ(parse_device_registration(R"({"payload":{"a":[1]}})", id)->payload, R"({"a":[1]})");
    EXPECT_EQ(parse_device_registration(R"({"payload":"text"})", id)->payload, R"("text")");
    EXPECT_FALSE(parse_device_registration(R"({"payload":[1e400]})", id)) << "more than a double";
    // What a payload holds is the device's own affair.
    EXPECT_EQ(parse_device_registration(R"({"payload":{"a":1,"a":2}})", id)->payload, R"({"a":2})");
}

TEST(DpsWire, RefusesBodiesThatLieOrBreak) {
    const auto id = *parse_registration_id("dev-1");
    const std::string deep(limits::json_depth_max + 1, '[');
    for (const auto& body :
         {std::string{"x"}, std::string{"[]"}, std::string{"\"a\""}, std::string{"{"},
          std::string{R"({"registrationId":"dev-2"})"}, std::string{R"({"registrationId":7})"},
          R"({"payload":)" + deep + std::string(deep.size(), ']') + "}",
          std::string{R"({"registrationId":"x","registrationId":"dev-1"})"},
          std::string{R"({"":1,"":1,"registrationId":"x","registrationId":"dev-1"})"},
          std::string{R"({"tpm":{"endorsementKey":"a"}})"}, std::string{R"({"csr":"MII"})"}}) {
        EXPECT_FALSE(parse_device_registration(body, id)) << body;
    }
}

TEST(DpsWire, ApiVersionsOfAnyYearAreTaken) {
    for (const auto* good : {"2019-03-31", "2021-11-01-preview", "2099-12-31"}) {
        EXPECT_TRUE(check_api_version(good)) << good;
    }
    for (const auto* bad : {"", "2019", "2019-03-31x", "2019/03/31", "latest", "2019-03-31-beta"}) {
        EXPECT_FALSE(check_api_version(bad)) << bad;
    }
}

TEST(Url, SplitsAndDecodes) {
    using Parts = std::vector<std::string>;
    EXPECT_EQ(*split_path("/a/b%2Fc/"), (Parts{"a", "b/c"}));
    EXPECT_EQ(*split_path("/"), Parts{});
    EXPECT_EQ(*split_path("/a//b"), (Parts{"a", "", "b"}));
    for (const auto* bad : {"/%", "/%4", "/%zz", "/%00"}) {
        EXPECT_FALSE(split_path(bad)) << bad;
    }
    const auto query = *parse_query("api-version=2019-03-31&&b=%41+c&flag");
    ASSERT_EQ(query.size(), 3U);
    EXPECT_EQ(query[1], (std::pair<std::string, std::string>{"b", "A+c"}));
    EXPECT_EQ(query[2].second, "");
}

}  // namespace
}  // namespace rollcall::front
