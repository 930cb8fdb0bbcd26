// SPDX-License-Identifier: Apache-2.0
// Fuzz target: shared access signatures. Whatever is read has the parts that were sent and is
// signed with no key that we chose after it; the members in another order read the same.
#include "domain/sas.hpp"

#include "base/invariant.hpp"
#include "base/limits.hpp"

#include <cstdint>
#include <string>

namespace rollcall {
namespace {

void judge(std::string_view text) {
    const auto sas = domain::parse_sas(text);
    if (!sas) {
        INVARIANT(sas.error().reason == "malformed-sas");
        return;
    }
    INVARIANT(domain::looks_like_sas(text) && text.size() <= limits::sas_bytes_max);
    INVARIANT(text.find("sr=" + sas->signed_resource) != std::string_view::npos);
    INVARIANT(text.find("se=" + sas->expiry) != std::string_view::npos);
    static const auto key = domain::symmetric_key_of(Bytes(64, 1)).value();
    INVARIANT(!domain::is_signed_with(*sas, key));
    static_cast<void>(domain::names_registration(*sas, ScopeId::trusted("0neTEST"),
                                                 RegistrationId::trusted("dev-1")));
    static_cast<void>(domain::names_device(*sas, "hub.example", DeviceId::trusted("dev-1")));
    const std::string again = "SharedAccessSignature skn=&se=" + sas->expiry +
                              "&sig=" + to_base64(sas->signature.bytes) +
                              "&sr=" + sas->signed_resource;
    if (again.size() <= limits::sas_bytes_max) {
        const auto second = domain::parse_sas(again);
        INVARIANT(second && second->signature == sas->signature &&
                  second->resource == sas->resource && second->expires == sas->expires);
    }
}

}  // namespace
}  // namespace rollcall

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    rollcall::judge({reinterpret_cast<const char*>(data), size});
    return 0;
}
