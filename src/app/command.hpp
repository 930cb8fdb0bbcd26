// SPDX-License-Identifier: Apache-2.0
// A command as data: its words, parameters and examples, and the function that carries it out.
// Each noun's file (cmd_*.cpp) gives its commands as a list; command_table.cpp puts the lists
// together; arguments.* reads a command line against the table and prints help from it.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::app {

/// Exit codes that scripts rely on (PRODUCT sections 6 and 7).
enum class Exit : int { done = 0, refused = 1, usage = 2, unreachable = 3, cannot_judge = 77 };

/// Options that every command takes, before or after its words. `data`, `url`, `token` and `ca`
/// fall back to ROLLCALL_DATA, ROLLCALL_URL, ROLLCALL_TOKEN and ROLLCALL_CA.
struct Globals {
    std::optional<std::string> data{};
    std::optional<std::string> url{};
    std::optional<std::string> token{};
    std::optional<std::string> ca{};
    bool json = false;
    bool yes = false;
};

/// Where a command reads and writes: lists and records go to `out`, words to people to `err`.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

/// One parameter of a command. Make them with positional(), option() and flag() below.
struct Parameter {
    enum class Kind : std::uint8_t { positional, option, flag } kind = Kind::flag;
    std::string name;   ///< "GROUP" or "--primary"
    std::string value;  ///< what an option's value is called: "FILE"
    std::string help;
    bool required = false;
    bool repeated = false;  ///< may be given several times; a positional takes all that is left
    bool number = false;    ///< a whole number, perhaps negative
    std::vector<std::string> choices{};  ///< empty: anything

    Parameter& may_repeat();
    Parameter& must_be_given();
    Parameter& may_be_left_out();
    Parameter& is_number();
    Parameter& one_of(std::vector<std::string> words);
};
/// Required unless may_be_left_out().
Parameter positional(std::string name, std::string help);
/// `spelling`: "--primary FILE".
Parameter option(std::string_view spelling, std::string help);
Parameter flag(std::string name, std::string help);

struct Example {
    std::string line;  ///< as typed: "rollcall group create plant-a"
    std::string says;  ///< what it does; may be empty
};

/// A command line that was read: every parameter's value, checked against its command.
class Invocation {
public:
    Invocation(Globals globals, Streams streams) : globals_(std::move(globals)), io_(streams) {}

    const Globals& globals() const { return globals_; }
    const Streams& io() const { return io_; }

    bool has(std::string_view name) const;
    /// The only or last value; the parameter must have been given (required, or has() asked).
    const std::string& text(std::string_view name) const;
    std::string text_or(std::string_view name, std::string otherwise) const;
    std::optional<std::string> maybe(std::string_view name) const;
    /// Of a parameter that is_number(); `otherwise` when it was not given.
    std::int64_t number_or(std::string_view name, std::int64_t otherwise) const;
    const std::vector<std::string>& all(std::string_view name) const;

    /// For arguments.cpp and tests.
    void add(const std::string& name, std::string value);

private:
    Globals globals_;
    Streams io_;
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// Carries a command out. An Error becomes words on stderr and an exit code: reason "usage" 2,
/// reason "unreachable" 3, all others 1.
using Handler = Result<Exit> (*)(const Invocation&);

struct Command {
    std::string words;    ///< "group cert set"
    std::string summary;  ///< one line, no full stop
    std::vector<Parameter> parameters;
    std::vector<Example> examples;  ///< at least one
    Handler run;
    std::string notes{};  ///< paragraphs below the parameters; may be empty
};

/// A noun and what it is, for the first page of help.
struct Noun {
    std::string word;
    std::string summary;
};

struct CommandTable {
    std::vector<Noun> nouns;
    std::vector<Command> commands;
};

/// For handlers: the command line itself was wrong (exit 2).
Error usage_error(std::string detail);

// One list for each noun's file.
std::vector<Command> serve_commands();  // serve, init, config
std::vector<Command> scope_commands();
std::vector<Command> group_commands();
std::vector<Command> hub_commands();
std::vector<Command> ca_commands();
std::vector<Command> enrollment_commands();
std::vector<Command> device_commands();
std::vector<Command> registration_commands();
std::vector<Command> pki_commands();
std::vector<Command> distrust_commands();
std::vector<Command> token_commands();
std::vector<Command> user_commands();
std::vector<Command> audit_commands();
std::vector<Command> backup_commands();  // backup, restore
std::vector<Command> doctor_commands();
std::vector<Command> completion_commands();  // completion, man
std::vector<Command> import_commands();

/// All of them in the order of the help page (command_table.cpp).
CommandTable command_table();

}  // namespace rollcall::app
