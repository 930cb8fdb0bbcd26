// SPDX-License-Identifier: Apache-2.0
#include "front/dps_service_reader.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "front/json_reader.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::front {
namespace {

using service::EntryWish;

Error malformed(std::string detail, std::string reason = "malformed-member") {
    return {ErrorKind::malformed, std::move(detail), std::move(reason)};
}

/// A TwinCollection: what SDKs add to it as null goes.
std::optional<json::object> read_collection(Fields& fields, std::string_view name) {
    const auto text = fields.object_text(name, limits::initial_twin_bytes_max,
                                         limits::initial_twin_depth_max - 1);
    if (!text) {
        return std::nullopt;
    }
    boost::system::error_code unread;
    auto value = json::parse(*text, unread);
    if (unread || !value.is_object()) {
        return std::nullopt;
    }
    json::object& collection = value.as_object();
    for (const char* const added : {"version", "count", "metadata"}) {
        const auto* const member = collection.if_contains(added);
        if (member != nullptr && member->is_null()) {
            collection.erase(added);
        }
    }
    return std::move(collection);
}

void read_twin(Fields& fields, EntryWish& wish) {
    fields.object("initialTwin", [&wish](Fields& twin) {
        json::object kept;
        if (auto tags = read_collection(twin, "tags")) {
            kept["tags"] = *std::move(tags);
        }
        twin.object("properties", [&kept](Fields& properties) {
            json::object parts;
            if (auto desired = read_collection(properties, "desired")) {
                parts["desired"] = *std::move(desired);
            }
            kept["properties"] = std::move(parts);
        });
        wish.initial_twin = kept.empty() ? std::string{} : json::serialize(kept);
        if (wish.initial_twin.size() > limits::initial_twin_bytes_max) {
            twin.refuse({ErrorKind::too_large,
                         "'initialTwin' has more than " +
                             std::to_string(limits::initial_twin_bytes_max) + " bytes",
                         "member-too-large"});
        }
    });
}

void read_allocation(Fields& fields, EntryWish& wish) {
    if (const auto word = fields.optional_text("allocationPolicy")) {
        const auto policy = domain::parse_allocation_policy(*word);
        if (policy) {
            wish.policy = *policy;
        } else {
            fields.refuse(
                malformed("'allocationPolicy' is one of: hashed, geoLatency, static, custom"));
        }
    }
    wish.hubs = fields.optional_texts("iotHubs").value_or(std::vector<std::string>{});
    const auto only_hub = fields.optional_text("iotHubHostName").value_or("");
    if (!only_hub.empty() && wish.hubs.empty()) {  // how entries named their hub before iotHubs
        wish.hubs = {only_hub};
        wish.policy = wish.policy.value_or(domain::AllocationPolicy::static_hub);
    }
    fields.object("customAllocationDefinition", [&wish](Fields& custom) {
        wish.custom.emplace();
        wish.custom->webhook_url = custom.optional_text("webhookUrl").value_or("");
        wish.custom->api_version = custom.optional_text("apiVersion").value_or("");
    });
}

service::WishedSlot read_certificate(Fields& certificate) {
    const auto text = certificate.optional_text("certificate").value_or("");
    std::optional<domain::KeptCertificate> kept;
    certificate.object("info", [&kept](Fields& info) {
        kept.emplace();
        kept->sha256 = info.optional_text("sha256Thumbprint").value_or("");
        kept->sha1 = info.optional_text("sha1Thumbprint").value_or("");
    });
    if (!text.empty()) {
        return service::UploadedCertificate{text};
    }
    if (kept && (!kept->sha256.empty() || !kept->sha1.empty())) {
        return *std::move(kept);
    }
    certificate.refuse(
        malformed("a slot holds 'certificate', or 'info' with a thumbprint to keep the one that "
                  "is stored; leave the slot out to remove it"));
    return {};
}

/// {"primary":{…},"secondary":{…}}; true where it is given.
bool read_certificates(Fields& x509, std::string_view name, EntryWish& wish) {
    bool given = false;
    x509.object(name, [&](Fields& slots) {
        given = true;
        for (const auto slot : domain::both_slots) {
            slots.object(domain::to_string(slot), [&wish, slot](Fields& certificate) {
                wish.slots.at(domain::index(slot)) = read_certificate(certificate);
            });
        }
    });
    return given;
}

bool read_references(Fields& x509, EntryWish& wish) {
    bool given = false;
    x509.object("caReferences", [&](Fields& slots) {
        given = true;
        for (const auto slot : domain::both_slots) {
            const auto name = slots.optional_text(domain::to_string(slot)).value_or("");
            if (!name.empty()) {
                wish.slots.at(domain::index(slot)) = domain::CaReference{name};
            }
        }
    });
    return given;
}

void read_x509(DpsCollection collection, Fields& x509, EntryWish& wish) {
    const bool for_group = collection == DpsCollection::groups;
    const std::string_view own = for_group ? "signingCertificates" : "clientCertificates";
    const std::string_view others = for_group ? "clientCertificates" : "signingCertificates";
    EntryWish unwanted;
    const bool strange = read_certificates(x509, others, unwanted);
    const bool certificates = read_certificates(x509, own, wish);
    EntryWish by_name;
    const bool references = read_references(x509, by_name);
    if (strange) {
        x509.refuse(malformed(
            "'" + std::string{others} + "' does not go here; use '" + std::string{own} + "'",
            "attestation"));
    } else if (certificates && references) {
        x509.refuse(malformed("give '" + std::string{own} + "' or 'caReferences', not both",
                              "attestation"));
    } else if (references) {
        wish.slots = std::move(by_name.slots);
    }
    wish.notes.inline_certificates = for_group && certificates;
}

void read_keys(Fields& keys, EntryWish& wish) {
    constexpr std::array<std::string_view, 2> names{"primaryKey", "secondaryKey"};
    for (const auto slot : domain::both_slots) {
        auto key = keys.optional_text(names.at(domain::index(slot)));
        if (key && !key->empty()) {
            wish.keys->slots.at(domain::index(slot)) = *std::move(key);
        }
    }
}

void read_attestation(DpsCollection collection, Fields& attestation, EntryWish& wish) {
    const std::string type = attestation.text("type");
    if (equal_ignoring_case(type, "x509")) {
        attestation.object("x509", [&](Fields& x509) { read_x509(collection, x509, wish); });
    } else if (equal_ignoring_case(type, "symmetricKey")) {
        wish.keys.emplace();
        attestation.object("symmetricKey", [&](Fields& keys) { read_keys(keys, wish); });
    } else if (equal_ignoring_case(type, "tpm")) {
        attestation.refuse({ErrorKind::unsupported,
                            "TPM attestation is not offered here; use x509 or symmetricKey",
                            "not-offered"});
    } else {
        attestation.refuse(
            malformed("'attestation.type' is one of: x509, symmetricKey", "attestation"));
    }
}

void check_id(Fields& fields, DpsCollection collection, const std::string& id) {
    const auto said = fields.optional_text(id_name_of(collection));
    if (said && !equal_ignoring_case(*said, id)) {
        fields.refuse(malformed("'" + std::string{id_name_of(collection)} +
                                    "' of the body is not the one of the address",
                                "other-id"));
    }
}

Result<BulkMode> read_mode(const std::string& word) {
    constexpr std::array modes{
        std::pair{std::string_view{"create"}, BulkMode::create},
        std::pair{std::string_view{"update"}, BulkMode::update},
        std::pair{std::string_view{"updateIfMatchETag"}, BulkMode::update_if_match},
        std::pair{std::string_view{"delete"}, BulkMode::remove}};
    for (const auto& [name, mode] : modes) {
        if (equal_ignoring_case(word, name)) {
            return mode;
        }
    }
    return malformed("'mode' is one of: create, update, updateIfMatchETag, delete");
}

Result<BulkEntry> read_bulk_entry(DpsCollection collection, const json::value& value) {
    const auto* const object = value.if_object();
    if (object == nullptr) {
        return malformed("each entry of a bulk operation is an object");
    }
    Fields fields{*object, {}, Unknown::ignored};
    BulkEntry entry{fields.text(id_name_of(collection)), std::nullopt, object};
    if (const auto etag = fields.optional_text("etag"); etag && !etag->empty()) {
        entry.etag = plain_etag(*etag);
    }
    TRY([[maybe_unused]] const Done good, fields.check());
    return entry;
}

/// "{'additional_properties': {}, 'query': 'SELECT *'}" -> "SELECT *"
std::string_view unprinted(std::string_view text) {
    constexpr std::string_view before = "'query': '";
    const auto begin = text.find(before);
    if (!text.starts_with('{') || begin == std::string_view::npos) {
        return text;
    }
    text.remove_prefix(begin + before.size());
    return text.substr(0, text.find('\''));
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    const auto end_word = [&] {
        if (!word.empty()) {
            words.push_back(std::exchange(word, {}));
        }
    };
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            end_word();
        } else if (c == '*' || c == ';') {
            end_word();
            words.emplace_back(1, c);
        } else {
            word.push_back(c);
        }
    }
    end_word();
    return words;
}

bool asks_for_all(std::string_view query) {
    auto words = words_of(unprinted(query));
    if (!words.empty() && words.back() == ";") {
        words.pop_back();
    }
    const bool all =
        words.size() >= 2 && equal_ignoring_case(words[0], "select") && words[1] == "*";
    const bool from = words.size() == 4 && equal_ignoring_case(words[2], "from") &&
                      std::all_of(words[3].begin(), words[3].end(),
                                  [](unsigned char c) { return std::isalpha(c) != 0; });
    return all && (words.size() == 2 || from);
}

}  // namespace

Result<EntryWish> read_entry(DpsCollection collection, const json::object& body,
                             const std::string& id) {
    Fields fields{body, {}, Unknown::ignored};
    EntryWish wish;
    check_id(fields, collection, id);
    using Words = std::vector<std::pair<std::string_view, bool>>;
    const Words states{{"enabled", true}, {"disabled", false}};
    wish.enabled = fields.word("provisioningStatus", states).value_or(true);
    wish.notes.null_status = fields.is_null("provisioningStatus");
    wish.notes.no_reprovision_policy = true;
    fields.object("reprovisionPolicy", [&wish](Fields& policy) {
        wish.notes.no_reprovision_policy = false;
        wish.reprovision = {policy.flag("updateHubAssignment", true),
                            policy.flag("migrateDeviceData", true)};
    });
    fields.object("capabilities", [&wish](Fields& capabilities) {
        wish.notes.iot_edge = capabilities.flag("iotEdge", false);
    });
    read_twin(fields, wish);
    read_allocation(fields, wish);
    if (collection == DpsCollection::enrollments) {
        wish.device_id = fields.optional_text("deviceId").value_or("");
        if (const auto told = read_collection(fields, "optionalDeviceInformation")) {
            wish.notes.device_information = json::serialize(*told);
        }
    }
    if (!fields.has("attestation") || fields.is_null("attestation")) {
        fields.refuse(malformed("'attestation' is missing", "missing-member"));
    }
    fields.object("attestation",
                  [&](Fields& attestation) { read_attestation(collection, attestation, wish); });
    TRY([[maybe_unused]] const Done good, fields.check());
    return wish;
}

Result<BulkRequest> read_bulk(DpsCollection collection, const json::object& body) {
    const std::string_view name =
        collection == DpsCollection::groups ? "enrollmentGroups" : "enrollments";
    Fields fields{body, {}, Unknown::ignored};
    const std::string mode = fields.text("mode");
    TRY([[maybe_unused]] const Done good, fields.check());
    BulkRequest bulk;
    TRY(bulk.mode, read_mode(mode));
    const auto* const list = body.if_contains(json::string_view{name.data(), name.size()});
    const auto* const entries = list != nullptr ? list->if_array() : nullptr;
    if (entries == nullptr) {
        return malformed("'" + std::string{name} + "' must be a list of entries");
    }
    if (entries->empty() || entries->size() > limits::bulk_entries_max) {
        return malformed(
            "a bulk operation has 1 to " + std::to_string(limits::bulk_entries_max) + " entries",
            "too-many-entries");
    }
    for (const auto& value : *entries) {
        TRY(auto entry, read_bulk_entry(collection, value));
        bulk.entries.push_back(std::move(entry));
    }
    return bulk;
}

Result<Done> check_query(const json::object& body, bool optional) {
    Fields fields{body, {}, Unknown::ignored};
    const auto query = fields.optional_text("query");
    TRY([[maybe_unused]] const Done good, fields.check());
    if ((query || !optional) && !asks_for_all(query.value_or(""))) {
        return malformed(
            "only 'SELECT *' is answered here, with or without FROM and a name; "
            "there is no WHERE",
            "malformed-query");
    }
    return Done{};
}

}  // namespace rollcall::front
