// SPDX-License-Identifier: Apache-2.0
// Records as the native API shows them (docs/api/openapi.json, components.schemas). Private keys,
// token secrets and codes have no way in.
#pragma once

#include "domain/registration.hpp"
#include "service/access.hpp"
#include "service/preview.hpp"
#include "service/views.hpp"
#include "store/refusals.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rollcall::front {

namespace json = boost::json;

/// Shall certificates come as PEM too?
enum class Pem { without, with };

json::object to_json(const x509::Certificate& certificate, Pem pem = Pem::without);
json::value to_json(const std::optional<x509::Certificate>& certificate, Pem pem);
json::object to_json(const service::CaView& view, Pem pem);
json::object to_json(const service::GroupView& view, Pem pem);
json::object slots_json(const service::GroupView& view, Pem pem);
json::object slot_json(const service::GroupView& view, domain::Slot slot, Pem pem);
json::object to_json(const domain::IndividualEnrollment& enrollment, Pem pem);
json::object to_json(const domain::LinkedHub& hub);
/// allocationPolicy, iotHubs and customAllocationDefinition; keys in URLs are hidden.
void put_allocation(json::object& object, const domain::AllocationRule& rule);
json::object to_json(const domain::Device& device);
json::object to_json(const domain::Registration& registration);
json::object to_json(const domain::Adoption& adoption);
json::object to_json(const domain::Distrusted& distrusted);
json::object to_json(const domain::AccessToken& token);
/// Without its keys.
json::object to_json(const domain::SasPolicy& policy);
/// Without its password's hash.
json::object to_json(const domain::User& user);
json::object to_json(const store::AuditRecord& record);
json::object to_json(const store::RefusalRecord& refusal);
json::object to_json(const service::Preview& preview, const std::vector<x509::Finding>& findings,
                     const std::vector<std::string>& warnings, Pem pem);
json::array to_json(const std::vector<x509::Finding>& findings);
json::array to_json(const std::vector<std::string>& texts);

/// "current", "pending", "gone".
std::string_view word_of(service::CertificateAdoption::Standing standing);
/// {"items": …, "next": … or null}
json::object page_json(json::array items, const std::string& next);

template <class Item, class... More>
json::object page_of(const store::Page<Item>& page, More... more) {
    json::array items;
    for (const auto& item : page.items) {
        items.push_back(to_json(item, more...));
    }
    return page_json(std::move(items), page.next);
}

}  // namespace rollcall::front
