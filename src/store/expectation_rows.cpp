// SPDX-License-Identifier: Apache-2.0
#include "store/expectation_rows.hpp"

#include "store/expectations.hpp"
#include "store/hub_rows.hpp"
#include "store/individual_rows.hpp"
#include "store/job_rows.hpp"
#include "store/rows.hpp"
#include "store/user_rows.hpp"

namespace rollcall::store {
namespace {

using Refusal = std::optional<Error>;

std::string_view etag_sql(domain::RecordKind kind) {
    switch (kind) {
        case domain::RecordKind::ca: return "SELECT etag FROM cas WHERE id=?";
        case domain::RecordKind::group: return "SELECT etag FROM enrollment_groups WHERE id=?";
        case domain::RecordKind::individual: return "SELECT etag FROM individuals WHERE id=?";
        case domain::RecordKind::registration: return "SELECT etag FROM registrations WHERE id=?";
        case domain::RecordKind::device: return "SELECT etag FROM devices WHERE id=?";
        case domain::RecordKind::token: return "SELECT etag FROM tokens WHERE id=?";
        case domain::RecordKind::twin: return "SELECT etag FROM twins WHERE id=?";
        case domain::RecordKind::hub: return "SELECT etag FROM linked_hubs WHERE id=?";
        case domain::RecordKind::policy: return "SELECT etag FROM sas_policies WHERE id=?";
        case domain::RecordKind::device_group: return "SELECT etag FROM device_groups WHERE id=?";
        case domain::RecordKind::job: return "SELECT etag FROM jobs WHERE id=?";
        case domain::RecordKind::user: return "SELECT etag FROM users WHERE key=?";
        case domain::RecordKind::user_name: return "SELECT etag FROM users WHERE name_key=?";
        case domain::RecordKind::session:
            return "SELECT lower(hex(secret_sha256)) FROM sessions WHERE id=?";
    }
    return {};
}

bool is_folded(domain::RecordKind kind) {
    return kind == domain::RecordKind::group || kind == domain::RecordKind::individual ||
           kind == domain::RecordKind::registration || kind == domain::RecordKind::token ||
           kind == domain::RecordKind::hub || kind == domain::RecordKind::policy ||
           kind == domain::RecordKind::user || kind == domain::RecordKind::user_name;
}

class Checker {
public:
    Checker(Database& database, const Receipt& versions)
        : database_(database), versions_(versions) {}

    Result<Refusal> operator()(const domain::ExpectEtag& expected) const {
        TRY(auto* const statement, database_.prepared(etag_sql(expected.kind)));
        const std::string key =
            is_folded(expected.kind) ? to_lower_ascii(expected.id) : expected.id;
        Query row{statement};
        row.bind(key);
        TRY(const bool found, row.step());
        const std::string etag = found ? row.text() : std::string{};
        TRY([[maybe_unused]] const auto sound, row.sound());
        return etag == expected.etag.str() ? Refusal{} : Refusal{etag_moved(expected)};
    }

    Result<Refusal> operator()(const domain::ExpectTrust& expected) const {
        const auto& entry = expected.entry;
        TRY(auto* const statement,
            database_.prepared(
                entry.kind == domain::EntryRef::Kind::group
                    ? "SELECT instance, trust_version FROM enrollment_groups WHERE id=?"
                    : "SELECT instance, trust_version FROM individuals WHERE id=?"));
        const std::string key = to_lower_ascii(entry.id);
        Query row{statement};
        row.bind(key);
        TRY(const bool found, row.step());
        const std::string instance = found ? row.text() : std::string{};
        const std::uint64_t version = found ? row.unsigned_integer() : 0;
        TRY([[maybe_unused]] const auto sound, row.sound());
        const bool holds = instance == entry.instance && version == expected.version;
        return holds ? Refusal{} : Refusal{trust_moved("entry " + entry.id)};
    }

    Result<Refusal> operator()(const domain::ExpectAnchors& expected) const {
        const bool holds = expected.version == versions_.anchors_version;
        return holds ? Refusal{} : Refusal{trust_moved("anchors")};
    }

    Result<Refusal> operator()(const domain::ExpectLeafNotDisabled& expected) const {
        TRY(const bool disabled, leaf_in_disabled_entry(database_, expected.leaf_sha256));
        return disabled ? Refusal{trust_moved("leaf in a disabled entry")} : Refusal{};
    }

    Result<Refusal> operator()(const domain::ExpectConfig& expected) const {
        const bool holds = expected.version == versions_.config_version;
        return holds ? Refusal{} : Refusal{config_moved()};
    }

    Result<Refusal> operator()(const domain::ExpectQueueRoom& expected) const {
        TRY(const std::uint64_t waiting, count_messages(database_, expected.device, expected.now));
        return waiting < expected.max ? Refusal{} : Refusal{queue_full(expected)};
    }

    Result<Refusal> operator()(const domain::ExpectDeviceGroupRoom& expected) const {
        TRY(const std::size_t kept, count_device_groups(database_));
        return kept < expected.max ? Refusal{} : Refusal{too_many_device_groups(expected)};
    }

    Result<Refusal> operator()(const domain::ExpectJobRoom& expected) const {
        TRY(const JobCounts counts, count_jobs(database_));
        return too_many_jobs(expected, counts.under_way, counts.kept);
    }

    Result<Refusal> operator()(const domain::ExpectAdministrator& expected) const {
        TRY(const bool others, has_other_administrator(database_, expected));
        return others ? Refusal{} : Refusal{last_administrator(expected)};
    }

private:
    Database& database_;
    const Receipt& versions_;
};

}  // namespace

Result<Refusal> find_broken(Database& database,
                            const std::vector<domain::Expectation>& expectations,
                            const Receipt& versions) {
    const Checker checker{database, versions};
    for (const auto& expectation : expectations) {
        TRY(auto refusal, std::visit(checker, expectation));
        if (refusal) {
            return refusal;
        }
    }
    return Refusal{};
}

}  // namespace rollcall::store
