// SPDX-License-Identifier: Apache-2.0
#include "app/backup_manifest.hpp"

#include "app/version.hpp"
#include "store/data_directory.hpp"
#include "store/schema.hpp"

#include <algorithm>
#include <set>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace rollcall::app {
namespace {

namespace json = boost::json;
using store::DataDirectory;

constexpr std::string_view format = "rollcall backup";
constexpr std::int64_t format_version = 1;
constexpr std::string_view tls_prefix = "tls/";

Error no_backup(const std::string& why) {
    return {ErrorKind::malformed, "this is no backup of rollcall: " + why, "no-backup"};
}

std::optional<std::string> text_of(const json::object& object, std::string_view name) {
    const auto* const found = object.if_contains(name);
    if (found == nullptr || !found->is_string()) {
        return std::nullopt;
    }
    return std::string{found->as_string()};
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view name) {
    const auto* const found = object.if_contains(name);
    if (found == nullptr || !found->is_int64() || found->as_int64() < 0) {
        return std::nullopt;
    }
    return found->as_int64();
}

Result<std::vector<BackupPart>> read_parts(const json::object& manifest) {
    const auto* const list = manifest.if_contains("parts");
    if (list == nullptr || !list->is_array()) {
        return no_backup("its manifest names no parts");
    }
    std::vector<BackupPart> parts;
    std::set<std::string> names;
    for (const auto& each : list->get_array()) {
        const auto* const object = each.if_object();
        if (object == nullptr) {
            return no_backup("its manifest is malformed");
        }
        const auto name = text_of(*object, "name");
        const auto bytes = number_of(*object, "bytes");
        const auto sha256 = parse_digest(text_of(*object, "sha256").value_or(""));
        if (!name || !bytes || !sha256 || !is_part_name(*name) || !names.insert(*name).second) {
            return no_backup("its manifest names a part that cannot be one");
        }
        parts.push_back({*name, static_cast<std::uint64_t>(*bytes), *sha256});
    }
    if (!names.contains(DataDirectory::store_name) || !names.contains(DataDirectory::secret_name)) {
        return no_backup("it holds no store or no secret");
    }
    return parts;
}

}  // namespace

bool is_part_name(const std::string& name) {
    if (name == DataDirectory::store_name || name == DataDirectory::secret_name ||
        name == "admin-token" || name == "rollcall.toml") {
        return true;
    }
    const bool in_tls = name.starts_with(tls_prefix) && name.size() > tls_prefix.size() &&
                        name.size() <= 100 && name[tls_prefix.size()] != '.';
    return in_tls && std::all_of(name.begin() + tls_prefix.size(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.';
           });
}

std::string to_text(const BackupManifest& manifest) {
    json::object counts;
    for (const auto& [name, count] : manifest.store.counts) {
        counts[name] = count;
    }
    json::array parts;
    for (const auto& part : manifest.parts) {
        parts.push_back(json::object{
            {"name", part.name}, {"bytes", part.bytes}, {"sha256", part.sha256.hex()}});
    }
    return json::serialize(json::object{{"format", format},
                                        {"formatVersion", format_version},
                                        {"rollcall", manifest.program},
                                        {"takenAt", to_iso8601_ticks(manifest.taken)},
                                        {"scopeId", manifest.store.scope},
                                        {"schema", manifest.store.schema},
                                        {"counts", std::move(counts)},
                                        {"parts", std::move(parts)}}) +
           "\n";
}

Result<BackupManifest> parse_manifest(const std::string& text) {
    boost::system::error_code failed;
    const json::value parsed = json::parse(text, failed);
    const auto* const object = failed ? nullptr : parsed.if_object();
    if (object == nullptr || text_of(*object, "format") != format) {
        return no_backup("its first part is no manifest");
    }
    const std::string program = text_of(*object, "rollcall").value_or("?");
    if (number_of(*object, "formatVersion").value_or(0) != format_version) {
        return Error{ErrorKind::unsupported,
                     "this backup was made by rollcall " + program +
                         " in a form that this program (" + std::string{version} +
                         ") does not know: restore with that one",
                     "backup-newer"};
    }
    BackupManifest manifest;
    manifest.program = program;
    const auto taken = parse_iso8601(text_of(*object, "takenAt").value_or(""));
    const auto schema = number_of(*object, "schema");
    const auto scope = text_of(*object, "scopeId");
    const auto* const counts = object->if_contains("counts");
    if (!taken || !schema || *schema < 1 || !scope || counts == nullptr || !counts->is_object()) {
        return no_backup("its manifest is malformed");
    }
    if (*schema > store::newest_schema()) {
        return Error{ErrorKind::unsupported,
                     "this backup was made by a newer rollcall (" + program + "; its schema is " +
                         std::to_string(*schema) + ", this program knows " +
                         std::to_string(store::newest_schema()) + "): restore with that one",
                     "schema-newer"};
    }
    manifest.taken = *taken;
    manifest.store.schema = *schema;
    manifest.store.scope = *scope;
    for (const auto& each : counts->get_object()) {
        if (!each.value().is_int64() || each.value().get_int64() < 0) {
            return no_backup("its manifest is malformed");
        }
        manifest.store.counts.emplace_back(each.key(),
                                           static_cast<std::uint64_t>(each.value().get_int64()));
    }
    TRY(manifest.parts, read_parts(*object));
    return manifest;
}

}  // namespace rollcall::app
