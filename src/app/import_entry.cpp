// SPDX-License-Identifier: Apache-2.0
#include "app/import_entry.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace rollcall::app {
namespace {

constexpr std::array slots{std::string_view{"primary"}, std::string_view{"secondary"}};

json::string_view key(std::string_view name) {
    return {name.data(), name.size()};
}

/// Null counts as not given.
const json::value* member(const json::object& object, std::string_view name) {
    const auto* const found = object.if_contains(key(name));
    return found != nullptr && !found->is_null() ? found : nullptr;
}
const json::object* object_in(const json::object& object, std::string_view name) {
    const auto* const found = member(object, name);
    return found != nullptr ? found->if_object() : nullptr;
}
std::string text_in(const json::object& object, std::string_view name) {
    const auto* const found = member(object, name);
    return found != nullptr && found->is_string() ? std::string{found->get_string()}
                                                  : std::string{};
}
bool says_false(const json::object& object, std::string_view name) {
    const auto* const found = member(object, name);
    return found != nullptr && found->is_bool() && !found->get_bool();
}
/// Null, "", [], {} and false say nothing that would be lost.
bool says_nothing(const json::value& value) {
    return value.is_null() || (value.is_string() && value.get_string().empty()) ||
           (value.is_array() && value.get_array().empty()) ||
           (value.is_object() && value.get_object().empty()) ||
           (value.is_bool() && !value.get_bool());
}

Error another(const std::string& what) {
    return {ErrorKind::malformed,
            what +
                "; import takes what these wrote: az iot dps enrollment list, az iot dps "
                "enrollment-group list, az iot central device list, az iot central "
                "enrollment-group list",
            "another-export"};
}

/// Members that are taken over, and those that mean nothing elsewhere: versions and times that the
/// source gave.
struct Members {
    std::vector<std::string_view> kept;
    std::vector<std::string_view> meaningless;
};
const Members& members_of(ImportKind kind) {
    static const Members enrollment{
        {"registrationId", "deviceId", "attestation", "optionalDeviceInformation", "capabilities",
         "iotHubHostName", "initialTwin", "provisioningStatus", "reprovisionPolicy",
         "allocationPolicy", "iotHubs", "customAllocationDefinition"},
        {"etag", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"}};
    static const Members group{
        {"enrollmentGroupId", "attestation", "capabilities", "iotHubHostName", "initialTwin",
         "provisioningStatus", "reprovisionPolicy", "allocationPolicy", "iotHubs",
         "customAllocationDefinition"},
        {"etag", "createdDateTimeUtc", "lastUpdatedDateTimeUtc"}};
    static const Members device{
        {"id", "displayName", "enabled", "template", "simulated", "organizations"},
        {"etag", "provisioned", "deviceStatus", "type"}};
    static const Members central_group{{"id", "enabled", "type", "attestation", "x509"}, {"etag"}};
    switch (kind) {
        case ImportKind::dps_enrollment: return enrollment;
        case ImportKind::dps_group: return group;
        case ImportKind::central_device: return device;
        case ImportKind::central_group: break;
    }
    return central_group;
}

void note_lost(ImportPlan& plan, ImportKind kind, const json::object& exported) {
    const Members& members = members_of(kind);
    const auto is_in = [](const std::vector<std::string_view>& names, std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const auto& each : exported) {
        const std::string_view name{each.key().data(), each.key().size()};
        if (!is_in(members.kept, name) && !is_in(members.meaningless, name) &&
            !says_nothing(each.value())) {
            plan.not_carried.emplace(name);
        }
    }
}

void give_up(ImportPlan& plan, std::string missing, std::string supply) {
    plan.body.reset();
    plan.missing = std::move(missing);
    plan.supply = std::move(supply);
}

// --- Certificates -----------------------------------------------------------------------------

/// A slot as it was exported: what is known of its certificate.
struct Known {
    std::string certificate{};  ///< itself, where a tool gave it
    std::string sha256{};
    std::string sha1{};
    std::string subject{};
    std::optional<TimePoint> ends{};

    bool any() const { return !certificate.empty() || !sha256.empty() || !sha1.empty(); }
    bool same_as(const Known& other) const {
        return sha256.empty() ? equal_ignoring_case(sha1, other.sha1)
                              : equal_ignoring_case(sha256, other.sha256);
    }
    /// "SHA-256 AB…, subject 'dev-1'"
    std::string told() const {
        const std::string print = sha256.empty() ? "SHA-1 " + sha1 : "SHA-256 " + sha256;
        return subject.empty() ? print : print + ", subject '" + subject + "'";
    }
};

Known known_in(const json::object& slots_object, std::string_view slot) {
    Known known;
    const auto* const object = object_in(slots_object, slot);
    if (object == nullptr) {
        return known;
    }
    known.certificate = text_in(*object, "certificate");
    if (const auto* const info = object_in(*object, "info")) {
        known.sha256 = text_in(*info, "sha256Thumbprint");
        known.sha1 = text_in(*info, "sha1Thumbprint");
        known.subject = text_in(*info, "subjectName");
        const auto ends = parse_iso8601(text_in(*info, "notAfterUtc"));
        known.ends = ends ? std::optional{*ends} : std::nullopt;
    }
    return known;
}

/// The certificates of an entry's slots, as far as they are there.
class SlotsPlan {
public:
    SlotsPlan(ImportPlan& plan, const CertificateShelf& certificates, const ImportPolicy& policy)
        : plan_(plan), certificates_(certificates), policy_(policy) {}

    void take(const json::object& exported) {
        const Known primary = known_in(exported, slots[0]);
        const Known secondary = known_in(exported, slots[1]);
        take(slots[0], primary);
        // An absent secondary is exported as a mirror of the primary (PRODUCT section 3.17).
        if (secondary.any() && !(primary.any() && secondary.same_as(primary))) {
            take(slots[1], secondary);
        }
    }
    const json::object& found() const { return found_; }
    bool complete() const { return missing_.empty(); }
    /// "the primary certificate (SHA-256 …) is missing"
    std::string missing() const {
        std::string text;
        for (const auto& each : missing_) {
            text += (text.empty() ? "" : "; ") + each;
        }
        return text;
    }

private:
    void take(std::string_view slot, const Known& known) {
        if (!known.any()) {
            return;
        }
        auto pem = known.certificate.empty() ? certificates_.pem_of(known.sha256, known.sha1)
                                             : std::optional{known.certificate};
        if (pem) {
            found_[key(slot)] = json::object{{"certificate", *std::move(pem)}};
            return;
        }
        const std::string what = "the " + std::string{slot} + " certificate (" + known.told() + ")";
        if (known.ends && *known.ends < policy_.now) {
            plan_.notes.push_back(what + " ended on " + to_iso8601_seconds(*known.ends) +
                                  " and is left out");
            return;
        }
        missing_.push_back(what + " is missing");
    }

    ImportPlan& plan_;
    const CertificateShelf& certificates_;
    const ImportPolicy& policy_;
    json::object found_{};
    std::vector<std::string> missing_{};
};

constexpr const char* give_certificates = ": give a directory that holds it with --certificates";

json::object x509_attestation(std::string_view member_name, const json::value& held) {
    json::object x509;
    x509[key(member_name)] = held;
    return {{"type", "x509"}, {"x509", std::move(x509)}};
}

/// An enrollment's own certificates, whose device would be refused without them.
void plan_device_certificates(ImportPlan& plan, const json::object& exported, bool enabled,
                              const CertificateShelf& certificates, const ImportPolicy& policy) {
    SlotsPlan slots_plan{plan, certificates, policy};
    if (const auto* const own = object_in(exported, "clientCertificates")) {
        slots_plan.take(*own);
    }
    const bool enough = slots_plan.complete() || policy.allow_missing;
    const bool some = !slots_plan.found().empty();
    if (!some && !enabled) {
        plan.notes.emplace_back(
            "it is disabled and is made without a certificate: it keeps its device out");
    } else if (!some || !enough) {
        give_up(plan, "certificate-missing",
                (slots_plan.complete() ? std::string{"it has no certificate that is valid"}
                                       : slots_plan.missing()) +
                    give_certificates);
        return;
    } else if (!slots_plan.complete()) {
        plan.notes.push_back(slots_plan.missing() + " and is left out");
    }
    (*plan.body)["attestation"] = x509_attestation("clientCertificates", slots_plan.found());
}

/// A group's CAs: one that is missing can be set later, and lets nobody in until then.
void plan_group_certificates(ImportPlan& plan, const json::object& exported,
                             const CertificateShelf& certificates, const ImportPolicy& policy) {
    if (const auto* const references = object_in(exported, "caReferences")) {
        json::object names;
        for (const auto slot : slots) {
            const std::string name = text_in(*references, slot);
            if (!name.empty() && name != text_in(names, slots[0])) {
                names[key(slot)] = name;
            }
        }
        if (!names.empty()) {
            (*plan.body)["attestation"] = x509_attestation("caReferences", names);
            return;
        }
    }
    SlotsPlan slots_plan{plan, certificates, policy};
    if (const auto* const own = object_in(exported, "signingCertificates")) {
        slots_plan.take(*own);
    }
    if (!slots_plan.complete()) {
        plan.notes.push_back(slots_plan.missing() +
                             ": the slot stays empty until you set it "
                             "(rollcall group cert set " +
                             plan.id + "), or import again with --certificates");
    }
    (*plan.body)["attestation"] = x509_attestation("signingCertificates", slots_plan.found());
}

// --- Attestation ------------------------------------------------------------------------------

void plan_keys(ImportPlan& plan, ImportKind kind, const json::object& attestation) {
    const auto* const keys = object_in(attestation, "symmetricKey");
    const std::string primary = keys != nullptr ? text_in(*keys, "primaryKey") : "";
    const std::string secondary = keys != nullptr ? text_in(*keys, "secondaryKey") : "";
    if (primary.empty() || secondary.empty()) {
        std::string from = "az iot dps enrollment";
        from += kind == ImportKind::dps_enrollment ? " show --enrollment-id " + plan.id
                                                   : "-group show --group-id " + plan.id;
        give_up(plan, "keys-missing",
                kind == ImportKind::central_group
                    ? "its symmetric keys are not in the export: az iot central enrollment-group "
                      "show --group-id " +
                          plan.id + " has them; give that file too"
                    : "its symmetric keys are not in the export: save what " + from +
                          " --show-keys prints, and give that file too");
        return;
    }
    (*plan.body)["attestation"] = json::object{
        {"type", "symmetricKey"},
        {"symmetricKey", json::object{{"primaryKey", primary}, {"secondaryKey", secondary}}}};
}

void plan_attestation(ImportPlan& plan, ImportKind kind, const json::object& exported, bool enabled,
                      const CertificateShelf& certificates, const ImportPolicy& policy) {
    const auto* const attestation = object_in(exported, "attestation");
    const std::string type = attestation != nullptr ? text_in(*attestation, "type") : "";
    if (equal_ignoring_case(type, "symmetricKey")) {
        plan_keys(plan, kind, *attestation);
    } else if (equal_ignoring_case(type, "x509")) {
        static const json::object nothing;
        const auto* const x509 = object_in(*attestation, "x509");
        const json::object& told = x509 != nullptr ? *x509 : nothing;
        if (makes(kind) == "groups") {
            plan_group_certificates(plan, told, certificates, policy);
        } else {
            plan_device_certificates(plan, told, enabled, certificates, policy);
        }
    } else if (equal_ignoring_case(type, "tpm")) {
        give_up(plan, "tpm",
                "it attests by TPM, which is not offered here: give its device a certificate and "
                "enroll that");
    } else {
        give_up(plan, "no-attestation",
                type.empty() ? "it says nothing of how its devices prove themselves"
                             : "it attests by '" + type + "', which is not offered here");
    }
}

// --- The four ---------------------------------------------------------------------------------

void plan_dps(ImportPlan& plan, ImportKind kind, const json::object& exported,
              const CertificateShelf& certificates, const ImportPolicy& policy) {
    plan.body.emplace();
    for (const auto name : members_of(kind).kept) {
        if (const auto* const value = member(exported, name)) {
            (*plan.body)[key(name)] = *value;
        }
    }
    const bool enabled = !equal_ignoring_case(text_in(exported, "provisioningStatus"), "disabled");
    plan_attestation(plan, kind, exported, enabled, certificates, policy);
    if (const auto* const state = object_in(exported, "registrationState")) {
        if (equal_ignoring_case(text_in(*state, "status"), "unassigned")) {
            plan.not_carried.erase("registrationState");
        }
    }
}

void plan_central_group(ImportPlan& plan, const json::object& exported,
                        const CertificateShelf& certificates, const ImportPolicy& policy) {
    plan.body = json::object{{"enrollmentGroupId", plan.id}};
    if (says_false(exported, "enabled")) {
        (*plan.body)["provisioningStatus"] = "disabled";
    }
    if (equal_ignoring_case(text_in(exported, "type"), "iotEdge")) {
        (*plan.body)["capabilities"] = json::object{{"iotEdge", true}};
    }
    json::object told = exported;
    // `enrollment-group show --certificate-entry` tells of one slot beside the rest.
    const auto* const x509 = object_in(exported, "x509");
    const auto* const attestation = object_in(exported, "attestation");
    if (x509 != nullptr && attestation != nullptr &&
        equal_ignoring_case(text_in(*attestation, "type"), "x509")) {
        const auto* const inside = object_in(*attestation, "x509");
        if (inside == nullptr || inside->empty()) {
            told["attestation"] =
                x509_attestation("signingCertificates", json::object{{"primary", *x509}});
        }
    }
    plan_attestation(plan, ImportKind::central_group, told, true, certificates, policy);
}

/// It is known here before it comes, under the name it had, and comes in through its group.
void plan_central_device(ImportPlan& plan, const json::object& exported) {
    plan.body.emplace();
    for (const auto name : members_of(ImportKind::central_device).kept) {
        const auto* const value = member(exported, name);
        if (value != nullptr && !value->is_null()) {
            (*plan.body)[key(name)] = *value;
        }
    }
}

}  // namespace

std::string_view command_of(ImportKind kind) {
    switch (kind) {
        case ImportKind::dps_enrollment: return "az iot dps enrollment list";
        case ImportKind::dps_group: return "az iot dps enrollment-group list";
        case ImportKind::central_device: return "az iot central device list";
        case ImportKind::central_group: break;
    }
    return "az iot central enrollment-group list";
}

std::string_view noun_of(ImportKind kind) {
    switch (kind) {
        case ImportKind::dps_enrollment: return "individual enrollment";
        case ImportKind::dps_group: return "enrollment group";
        case ImportKind::central_device: return "IoT Central device";
        case ImportKind::central_group: break;
    }
    return "IoT Central enrollment group";
}

std::string_view makes(ImportKind kind) {
    switch (kind) {
        case ImportKind::dps_enrollment: return "enrollments";
        case ImportKind::central_device: return "devices";
        case ImportKind::dps_group:
        case ImportKind::central_group: break;
    }
    return "groups";
}

Result<ImportKind> kind_of(const json::object& exported) {
    const auto has = [&exported](const char* name) { return exported.contains(name); };
    if (has("registrationId") && has("attestation")) {
        return ImportKind::dps_enrollment;
    }
    if (has("enrollmentGroupId") && has("attestation")) {
        return ImportKind::dps_group;
    }
    if (has("id") && has("displayName") && has("attestation")) {
        return ImportKind::central_group;
    }
    if (has("id") && (has("simulated") || has("provisioned"))) {
        return ImportKind::central_device;
    }
    if (has("value")) {
        return another("this is a page of a REST API, perhaps one of many");
    }
    if (has("registrationId") && has("status")) {
        return another("this seems to be a list of registrations, which devices make anew here");
    }
    if (has("deviceId") && (has("authentication") || has("authenticationType"))) {
        return another(
            "this seems to be a list of a hub's devices, which become known here when "
            "they register");
    }
    if (has("properties") && has("name")) {
        return another(
            "this seems to be a list of Azure resources (CA certificates are added with "
            "rollcall ca add)");
    }
    return another("nobody here knows these entries");
}

Result<std::string> id_of(ImportKind kind, const json::object& exported) {
    const char* const name = kind == ImportKind::dps_enrollment ? "registrationId"
                             : kind == ImportKind::dps_group    ? "enrollmentGroupId"
                                                                : "id";
    auto id = text_in(exported, name);
    if (id.empty()) {
        return Error{ErrorKind::malformed, "'" + std::string{name} + "' is missing, or is no text",
                     "no-id"};
    }
    return id;
}

ImportPlan plan_import(ImportKind kind, const json::object& exported,
                       const CertificateShelf& certificates, const ImportPolicy& policy) {
    ImportPlan plan;
    plan.id = id_of(kind, exported).value();
    note_lost(plan, kind, exported);
    switch (kind) {
        case ImportKind::central_device: plan_central_device(plan, exported); break;
        case ImportKind::central_group:
            plan_central_group(plan, exported, certificates, policy);
            break;
        case ImportKind::dps_enrollment:
        case ImportKind::dps_group: plan_dps(plan, kind, exported, certificates, policy); break;
    }
    return plan;
}

}  // namespace rollcall::app
