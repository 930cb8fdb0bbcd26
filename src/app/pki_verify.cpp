// SPDX-License-Identifier: Apache-2.0
#include "app/pki_verify.hpp"

#include "app/print.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"
#include "x509/peer_name.hpp"

#include <algorithm>
#include <cmath>
#include <istream>
#include <ostream>

namespace rollcall::app {
namespace {

using x509::Certificate;
using x509::Crl;

/// A day: whoever means more means another --at.
constexpr std::int64_t clock_skew_max = 86'400;

Judgement refused(std::string reason) {
    return {false, std::move(reason)};
}

Judgement refused(const Error& error) {
    return refused((error.reason.empty() ? "unreadable" : error.reason) + ": " + error.detail);
}

/// Was there anything that could have been a certificate?
bool holds_nothing(const Error& error) {
    return error.reason == "no-certificate";
}

Result<std::vector<Certificate>> read_input(const std::string& text, std::size_t count_max) {
    return x509::read_certificates(text, count_max, limits::pki_verify_file_bytes_max);
}

/// What the request's texts turned out to hold. The error is the end entity's, or that of the only
/// anchors there were; what else cannot be read is left out, as strays are.
struct Material {
    std::vector<Certificate> chain;
    x509::AnchorSet anchors;
    std::optional<Error> anchors_error;
    std::vector<Crl> crls;
};

Result<Material> read_material(const VerifyRequest& request) {
    Material material;
    for (const auto& text : request.chain) {
        auto read = read_input(text, limits::pki_verify_certificates_max);
        if (!read && (material.chain.empty() || read.error().kind == ErrorKind::too_large)) {
            return read.error();
        }
        if (read) {
            material.chain.insert(material.chain.end(), read->begin(), read->end());
        }
    }
    for (const auto& text : request.anchors) {
        auto read = read_input(text, limits::pki_verify_anchors_max);
        if (!read) {
            material.anchors_error = read.error();
            continue;
        }
        for (const auto& certificate : *read) {
            material.anchors.add(certificate);
        }
    }
    for (const auto& text : request.crls) {
        // An unreadable list speaks for nobody; judge() asks for lists all the same.
        if (auto read = x509::read_crls(text)) {
            material.crls.insert(material.crls.end(), read->begin(), read->end());
        }
    }
    return material;
}

std::string shown_path(const x509::PathVerdict& verdict) {
    std::string text;
    for (const auto& judged : verdict.path) {
        text += (text.empty() ? "" : " <- ") + judged.certificate.subject();
    }
    return text;
}

Result<std::string> read_named(const std::string& path) {
    return read_file(path, limits::pki_verify_file_bytes_max);
}

Result<VerifyRequest> request_of(const Invocation& call, const Clock& clock) {
    VerifyRequest request;
    request.at = clock.now();
    if (call.has("--at")) {
        TRY(request.at, time_from_unix(static_cast<double>(call.number_or("--at", 0))));
    }
    TRY(request.purpose, parse_purpose(call.text_or("--purpose", "client")));
    const std::int64_t depth = call.number_or("--max-depth", -1);
    if (depth >= 0) {
        request.intermediates_max = static_cast<std::size_t>(depth);
    }
    const std::int64_t skew = call.number_or("--clock-skew", 0);
    if (depth < -1 || skew < 0 || skew > clock_skew_max) {
        return usage_error("--max-depth and --clock-skew are small counts");
    }
    request.clock_skew = std::chrono::seconds{skew};
    request.name = call.maybe("--name");
    for (const auto& [option, target] :
         {std::pair{"--anchors", &request.anchors}, std::pair{"--chain", &request.chain},
          std::pair{"--crls", &request.crls}}) {
        for (const auto& path : call.all(option)) {
            TRY(auto text, read_named(path));
            target->push_back(std::move(text));
        }
    }
    return request;
}

}  // namespace

Result<Judgement> judge(const VerifyRequest& request) {
    auto read = read_material(request);
    if (!read) {
        return holds_nothing(read.error()) ? Result<Judgement>{read.error()}
                                           : refused(read.error());
    }
    const Material& material = *read;
    if (material.chain.empty()) {
        return Error{ErrorKind::malformed, "the chain is empty", "no-certificate"};
    }
    if (material.chain.size() > limits::pki_verify_certificates_max ||
        material.anchors.size() > limits::pki_verify_anchors_max) {
        return refused("too-many-certificates: a chain may have " +
                       std::to_string(limits::pki_verify_certificates_max) + ", anchors may be " +
                       std::to_string(limits::pki_verify_anchors_max));
    }
    if (material.anchors.size() == 0 && material.anchors_error) {
        return refused(*material.anchors_error);
    }
    x509::PathRules rules;
    rules.at = request.at;
    rules.purpose = request.purpose;
    rules.not_before_tolerance = request.clock_skew;
    rules.intermediates_max = request.intermediates_max;
    rules.signatures_max = limits::pki_verify_signatures_max;
    rules.crls = material.crls;
    rules.revocation_required = !request.crls.empty();
    const Certificate& end_entity = material.chain.front();
    const std::span sent = std::span{material.chain}.subspan(1);
    const auto verdict = x509::verify_path({end_entity, sent, nullptr, material.anchors}, rules);
    if (!verdict.valid) {
        return refused(verdict.reason);
    }
    if (request.name && !x509::speaks_for(end_entity, *request.name)) {
        return refused("name-mismatch: " + end_entity.subject() + " does not speak for '" +
                       *request.name + "'");
    }
    return Judgement{true, shown_path(verdict)};
}

Result<x509::Purpose> parse_purpose(std::string_view text) {
    if (text == "client") {
        return x509::Purpose::client;
    }
    if (text == "server") {
        return x509::Purpose::server;
    }
    if (text == "any") {
        return x509::Purpose::any;
    }
    return usage_error("a purpose is client, server or any, not '" + std::string{text} + "'");
}

Result<TimePoint> time_from_unix(double seconds) {
    // Some 28,000 years on either side: what certificates can say, and nothing overflows.
    constexpr double seconds_max = 9.0e11;
    if (!(std::abs(seconds) <= seconds_max)) {
        return usage_error("that is no Unix time");
    }
    return TimePoint{std::chrono::microseconds{std::llround(seconds * 1e6)}};
}

Result<Exit> verify_chain(const Invocation& call, const Clock& clock) {
    if (call.has("--batch")) {
        verify_batch(call.io().in, call.io().out, clock);
        return Exit::done;
    }
    if (!call.has("--anchors") || !call.has("--chain")) {
        return usage_error("give --anchors and --chain, or --batch");
    }
    const auto request = request_of(call, clock);
    if (!request && request.error().reason == "usage") {
        return request.error();
    }
    const auto judgement = request ? judge(*request) : Result<Judgement>{request.error()};
    if (!judgement) {
        call.io().err << "cannot judge: " << judgement.error().detail << '\n';
        return Exit::cannot_judge;
    }
    call.io().out << (judgement->valid ? "valid: " : "invalid: ") << printable(judgement->reason)
                  << '\n';
    return judgement->valid ? Exit::done : Exit::refused;
}

}  // namespace rollcall::app
