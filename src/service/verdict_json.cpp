// SPDX-License-Identifier: Apache-2.0
#include "service/verdict_json.hpp"

#include "base/bytes.hpp"

#include <boost/json.hpp>

namespace rollcall::service {
namespace {

namespace json = boost::json;

std::string_view role_word(x509::Role role) {
    switch (role) {
        case x509::Role::end_entity: return "end-entity";
        case x509::Role::intermediate: return "intermediate";
        case x509::Role::anchor: return "anchor";
    }
    return "intermediate";
}

std::string_view gravity_word(x509::Gravity gravity) {
    switch (gravity) {
        case x509::Gravity::note: return "note";
        case x509::Gravity::warning: return "warning";
        case x509::Gravity::fatal: return "fatal";
    }
    return "fatal";
}

json::array findings_json(const std::vector<x509::Finding>& findings) {
    json::array list;
    for (const auto& finding : findings) {
        list.push_back(json::object{{"fault", x509::to_string(finding.fault)},
                                    {"gravity", gravity_word(finding.gravity)},
                                    {"detail", finding.detail},
                                    {"fix", finding.fix}});
    }
    return list;
}

}  // namespace

std::string verdict_json(const x509::PathVerdict& verdict) {
    json::array path;
    for (const auto& judged : verdict.path) {
        path.push_back(json::object{{"role", role_word(judged.role)},
                                    {"sent", judged.sent},
                                    {"der", to_base64(judged.certificate.der())},
                                    {"findings", findings_json(judged.findings)}});
    }
    const json::object body{{"valid", verdict.valid},
                            {"reason", verdict.reason},
                            {"path", std::move(path)},
                            {"findings", findings_json(verdict.findings)}};
    return json::serialize(body);
}

store::RefusalRecord refusal_record(const domain::Refusal& refusal,
                                    const domain::RegistrationRequest& request, bool known,
                                    TimePoint now) {
    store::RefusalRecord record;
    record.id = request.id;
    record.known = known;
    record.at = now;
    record.cause = refusal.cause;
    record.told = refusal.for_device();
    record.explanation = refusal.explanation;
    record.fix = refusal.fix;
    record.entry = refusal.entry;
    record.verdict_json = verdict_json(refusal.verdict);
    for (const auto& certificate : request.peer.certificates) {
        const ByteView der = certificate.der();
        record.sent.emplace_back(der.begin(), der.end());
    }
    record.protocol = request.protocol;
    record.api_version = request.api_version;
    record.user_agent = request.user_agent;
    record.tls_version = request.tls_version;
    record.tls_cipher = request.tls_cipher;
    record.peer_address = request.peer_address;
    return record;
}

}  // namespace rollcall::service
