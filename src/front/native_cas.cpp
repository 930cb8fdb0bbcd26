// SPDX-License-Identifier: Apache-2.0
// Native API: CA certificates.
#include "front/native_routes.hpp"

namespace rollcall::front {
namespace {

using service::Permission;

Answer ca_answer(const service::Outcome<service::CaView>& outcome, Pem pem) {
    if (!outcome.record) {
        return changed(outcome, "caCertificate", nullptr, ETag{}, pem);
    }
    return changed(outcome, "caCertificate", to_json(*outcome.record, pem), outcome.record->ca.etag,
                   pem);
}

Task<Result<Answer>> list_cas(const NativeServices& services, const Call& call) {
    CO_TRY(const auto page, call.page());
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    Answer answer;
    answer.body = page_of(
        service::cas_page(*trust, page, services.clock.now(), call.in_query("search").value_or("")),
        pem);
    co_return answer;
}

Task<Result<Answer>> add_ca(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    service::NewCa request;
    request.name = fields.optional_text("name").value_or("");
    request.certificate = fields.text("certificate");
    request.vouch = fields.flag("vouch", false);
    request.force = fields.flag("force", false);
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome, co_await services.enroller.add_ca(order, request));
    Answer answer = ca_answer(outcome, pem);
    answer.status = 201;
    answer.location = location_of("/ca-certificates", outcome.record->ca.id.str());
    co_return answer;
}

Task<Result<Answer>> get_ca(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    CO_TRY(const auto trust, co_await services.trust_book.current());
    CO_TRY(const auto* const ca, service::find_ca(*trust, call.in_path("ca")));
    Answer answer;
    answer.body = to_json(service::view_of(*trust, *ca, services.clock.now()), pem);
    answer.etag = ca->etag;
    co_return answer;
}

Task<Result<Answer>> delete_ca(const NativeServices& services, const Call& call) {
    CO_TRY(const auto removal, call.removal());
    CO_TRY(const auto order, call.order());
    CO_TRY(const auto outcome,
           co_await services.enroller.delete_ca(order, call.in_path("ca"), removal));
    co_return deleted(outcome);
}

Task<Result<Answer>> ask_code(const NativeServices& services, const Call& call) {
    Fields fields{call.body};
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto code, co_await services.enroller.ask_ca_code(order, call.in_path("ca")));
    co_return code_answer(code);
}

Task<Result<Answer>> verify_ca(const NativeServices& services, const Call& call) {
    CO_TRY(const Pem pem, call.pem());
    Fields fields{call.body};
    service::CaProof proof;
    proof.vouch = fields.flag("vouch", false);
    if (proof.vouch == fields.has("certificate")) {
        fields.refuse({ErrorKind::malformed,
                       "give the verification certificate as 'certificate', or 'vouch': true, "
                       "and not both",
                       "missing-member"});
    }
    proof.certificate = fields.optional_text("certificate").value_or("");
    CO_TRY(const auto order, call.order(fields));
    CO_TRY([[maybe_unused]] const Done checked, fields.check());
    CO_TRY(const auto outcome,
           co_await services.enroller.verify_ca(order, call.in_path("ca"), proof));
    co_return ca_answer(outcome, pem);
}

}  // namespace

void add_ca_routes(std::vector<Route>& routes) {
    const auto read = Permission::ca_read;
    const auto write = Permission::ca_write;
    routes.push_back({"GET",
                      "/ca-certificates",
                      "listCaCertificates",
                      read,
                      {"limit", "after", "pem", "search"},
                      Body::none,
                      list_cas});
    routes.push_back(
        {"POST", "/ca-certificates", "addCaCertificate", write, {"pem"}, Body::required, add_ca});
    routes.push_back(
        {"GET", "/ca-certificates/{ca}", "getCaCertificate", read, {"pem"}, Body::none, get_ca});
    routes.push_back({"DELETE",
                      "/ca-certificates/{ca}",
                      "deleteCaCertificate",
                      write,
                      {"mode", "reason", "dryRun"},
                      Body::none,
                      delete_ca});
    routes.push_back({"POST",
                      "/ca-certificates/{ca}/code",
                      "createCaCertificateCode",
                      write,
                      {},
                      Body::optional,
                      ask_code});
    routes.push_back({"POST",
                      "/ca-certificates/{ca}/verify",
                      "verifyCaCertificate",
                      write,
                      {"pem"},
                      Body::required,
                      verify_ca});
}

}  // namespace rollcall::front
