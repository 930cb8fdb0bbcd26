// SPDX-License-Identifier: Apache-2.0
#include "store/allocation_rows.hpp"

#include "store/bookkeeping_rows.hpp"
#include "store/rows.hpp"

#define HUB_COLUMNS "name, own, weight, allocate, etag, created, updated"

namespace rollcall::store {
namespace {

std::string context_of(const std::string& instance) {
    return "allocation rule of " + instance;
}

}  // namespace

Result<Done> put_hub(Database& database, const domain::LinkedHub& hub) {
    TRY(auto* const statement,
        database.prepared("INSERT OR REPLACE INTO linked_hubs (id, " HUB_COLUMNS
                          ") VALUES (?,?,?,?,?,?,?,?)"));
    const std::string key = to_lower_ascii(hub.name);
    Query query{statement};
    query.bind(key).bind(hub.name).bind(hub.own).bind(std::uint64_t{hub.weight});
    query.bind(hub.allocate).bind(hub.etag.str()).bind(hub.created).bind(hub.updated);
    return query.run();
}

Result<Done> delete_hub(Database& database, const std::string& name) {
    return run_for(database, "DELETE FROM linked_hubs WHERE id=?", to_lower_ascii(name));
}

Result<std::vector<domain::LinkedHub>> list_hubs(Database& database) {
    TRY(auto* const statement, database.prepared("SELECT " HUB_COLUMNS " FROM linked_hubs"));
    Query row{statement};
    TRY(auto hubs, read_all<domain::LinkedHub>(row, [&row]() -> Result<domain::LinkedHub> {
            domain::LinkedHub hub;
            hub.name = row.text();
            hub.own = row.flag();
            hub.weight = static_cast<std::uint32_t>(row.unsigned_integer());
            hub.allocate = row.flag();
            hub.etag = ETag::trusted(row.text());
            hub.created = row.time();
            hub.updated = row.time();
            TRY([[maybe_unused]] const auto sound, row.sound());
            return hub;
        }));
    domain::sort_hubs(hubs);
    return hubs;
}

Bytes sealed_rule(const x509::SecretBox& box, const domain::AllocationRule& rule,
                  const std::string& instance) {
    if (rule == domain::AllocationRule{}) {
        return {};
    }
    const std::string text = domain::to_text(rule);
    return box.seal(as_bytes(text), context_of(instance));
}

Result<domain::AllocationRule> read_rule(Query& row, const x509::SecretBox& box,
                                         const std::string& instance) {
    if (row.is_null()) {
        row.skip();
        return domain::AllocationRule{};
    }
    TRY(const Bytes text, box.open(row.blob(), context_of(instance)));
    auto rule = domain::parse_allocation_rule(as_text(text));
    if (!rule) {
        return unreadable_record("an allocation rule");
    }
    return rule;
}

Result<domain::AllocationRule> get_server_rule(Database& database) {
    TRY(const auto text, get_setting(database, std::string{domain::server_rule_key}));
    auto rule = domain::parse_allocation_rule(text.value_or(""));
    if (!rule) {
        return unreadable_record("the server's allocation rule");
    }
    return rule;
}

}  // namespace rollcall::store
