// SPDX-License-Identifier: Apache-2.0
// The one list of commands (PRODUCT section 6), in the order of the help page.
#include "app/command.hpp"

namespace rollcall::app {

namespace {

/// One noun's file: what it is called on the first page, and its commands.
struct Entry {
    std::vector<Noun> nouns;
    std::vector<Command> (*commands)();
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> all{
        {{{"serve", "run a server"},
          {"init", "make a data directory without starting a server"},
          {"config", "check what serve would be started with"}},
         serve_commands},
        {{{"scope", "the tenant that devices name (idScope)"}}, scope_commands},
        {{{"group", "enrollment groups: every device whose chain ends under a CA of yours"}},
         group_commands},
        {{{"hub", "hubs that devices may be assigned to"}}, hub_commands},
        {{{"ca", "CA certificates, and proofs that their keys are yours"}}, ca_commands},
        {{{"enrollment", "individual enrollments: one device by its own certificates"}},
         enrollment_commands},
        {{{"device", "devices as their hub knows them"}}, device_commands},
        {{{"registration", "what devices were answered, and why they were refused"}},
         registration_commands},
        {{{"pki", "make, read and verify certificates; needs no server"}}, pki_commands},
        {{{"distrust", "keys that nobody may use again"}}, distrust_commands},
        {{{"token", "bearer tokens for the operator door"}}, token_commands},
        {{{"user", "who may sign in at the operator door"}}, user_commands},
        {{{"audit", "what operators changed, in a chain of hashes"}}, audit_commands},
        {{{"backup", "all that a server needs to live elsewhere, in one file, while it serves"},
          {"restore", "make a data directory from a backup"}},
         backup_commands},
        {{{"import", "take over what Azure's tools exported"}}, import_commands},
        {{{"doctor", "what is wrong, or soon will be"}}, doctor_commands},
        {{{"completion", "scripts by which shells complete these commands"},
          {"man", "the manual page"}},
         completion_commands},
    };
    return all;
}

}  // namespace

CommandTable command_table() {
    CommandTable table;
    for (const Entry& entry : entries()) {
        table.nouns.insert(table.nouns.end(), entry.nouns.begin(), entry.nouns.end());
        for (Command& command : entry.commands()) {
            table.commands.push_back(std::move(command));
        }
    }
    return table;
}

}  // namespace rollcall::app
