// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rollcall::app {
namespace {

using testing::HasSubstr;

Result<Exit> tell(const Invocation& call) {
    call.io().out << "group=" << call.text("GROUP") << " vouch=" << call.has("--vouch")
                  << " json=" << call.globals().json
                  << " data=" << call.globals().data.value_or("-")
                  << " count=" << call.number_or("--count", 7);
    for (const std::string& name : call.all("--name")) {
        call.io().out << " name=" << name;
    }
    return Exit::done;
}
Result<Exit> refuse(const Invocation&) {
    return Error{.kind = ErrorKind::conflict, .detail = "the slot is empty"};
}
Result<Exit> find_no_server(const Invocation&) {
    return Error{.kind = ErrorKind::unavailable, .detail = "no server", .reason = "unreachable"};
}

CommandTable a_table() {
    CommandTable table;
    table.nouns = {{"group", "enrollment groups"}, {"scope", "the scope"}};
    table.commands = {
        {"group cert set",
         "puts a certificate into a slot",
         {positional("GROUP", "the group"),
          positional("SLOT", "the slot").one_of({"primary", "secondary"}),
          flag("--vouch", "vouch for it"), option("--count N", "how many").is_number(),
          option("--name NAME", "a name").may_repeat()},
         {{"rollcall group cert set g primary", "sets it"}},
         tell},
        {"group list", "lists them", {}, {{"rollcall group list", ""}}, refuse},
        {"scope", "prints it", {}, {{"rollcall scope", ""}}, find_no_server},
    };
    return table;
}

struct Ran {
    Exit exit;
    std::string out;
    std::string err;
};
Ran run(const std::string& line) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    std::vector<std::string> arguments = split_line(line);
    const Exit exit = run_command_line(a_table(), arguments, Streams{in, out, err});
    return {exit, out.str(), err.str()};
}

TEST(Arguments, TakesGlobalOptionsBeforeAndAfter) {
    const std::string expected = "group=g vouch=0 json=1 data=d count=7";
    for (const char* line :
         {"--json --data d group cert set g primary", "group cert set g primary --data=d --json",
          "group --json cert set --data d g primary", "--data=d group cert --json set g primary"}) {
        const Ran ran = run(line);
        EXPECT_EQ(ran.out, expected) << line;
        EXPECT_EQ(ran.exit, Exit::done) << line;
    }
}

TEST(Arguments, ReadsFlagsOptionsAndRepeats) {
    EXPECT_EQ(run("group cert set --vouch g --count -3 primary --name a --name=b").out,
              "group=g vouch=1 json=0 data=- count=-3 name=a name=b");
}

TEST(Arguments, TakesACommandsWordAsAName) {
    EXPECT_THAT(run("group cert set list primary").out, HasSubstr("group=list"));
    EXPECT_THAT(run("group cert set -- --odd primary").out, HasSubstr("group=--odd"));
}

TEST(Arguments, SaysWhatIsWrongAndWhereToLook) {
    const std::pair<const char*, const char*> cases[] = {
        {"grup list", "unknown command \"grup\" (did you mean \"group\"?)"},
        {"group lst", "unknown command \"lst\" after \"group\" (did you mean \"list\"?)"},
        {"group", "\"rollcall group\" needs one of: cert, list"},
        {"group cert set", "GROUP is missing"},
        {"group cert set g", "SLOT is missing"},
        {"group cert set g third", "SLOT: is primary or secondary, not \"third\""},
        {"group cert set g primary more", "unexpected \"more\""},
        {"group cert set g primary --vuoch", "no option --vuoch (did you mean \"--vouch\"?)"},
        {"group cert set g primary --count x", "--count: takes a whole number, not \"x\""},
        {"group cert set g primary --count 5x", "--count: takes a whole number, not \"5x\""},
        {"group cert set g primary --count", "--count needs a value"},
        {"group cert set g primary --count 1 --count 2", "--count is given twice"},
        {"group cert set g primary --count=", "--count= needs a value"},
        {"--token= group list", "--token= needs a value"},
        {"group cert set g primary --vouch=maybe", "--vouch takes no value"},
        {"--json=maybe group list", "--json"},
        {"--count 4 group list", "rollcall group list has no option --count"},
        {"--nothing", "unknown option \"--nothing\""},
    };
    for (const auto& [line, said] : cases) {
        const Ran ran = run(line);
        EXPECT_EQ(ran.exit, Exit::usage) << line;
        EXPECT_THAT(ran.err, HasSubstr(said)) << line;
        EXPECT_THAT(ran.err, HasSubstr("--help")) << line;
        EXPECT_EQ(ran.out, "") << line;
    }
}

TEST(Arguments, MapsErrorsToExitCodes) {
    EXPECT_EQ(run("group list").exit, Exit::refused);
    EXPECT_EQ(run("group list").err, "rollcall: the slot is empty\n");
    EXPECT_EQ(run("scope").exit, Exit::unreachable);
    EXPECT_EQ(run("").exit, Exit::usage);
    EXPECT_EQ(run("--version").exit, Exit::done);
    EXPECT_THAT(run("--version").out, testing::StartsWith("rollcall "));
}

TEST(Help, IsThereForEveryPrefixInEverySpelling) {
    const std::pair<const char*, const char*> cases[] = {
        {"help", "enrollment groups"},
        {"--help", "enrollment groups"},
        {"help group", "lists them"},
        {"group --help", "lists them"},
        {"help group cert", "puts a certificate into a slot"},
        {"help group cert set", "--name NAME..."},
        {"group cert set -h", "Usage: rollcall group cert set GROUP SLOT [options]"},
        {"group cert set g primary --help", "Examples:\n  rollcall group cert set g primary"},
    };
    for (const auto& [line, said] : cases) {
        const Ran ran = run(line);
        EXPECT_EQ(ran.exit, Exit::done) << line;
        EXPECT_THAT(ran.out, HasSubstr(said)) << line;
        EXPECT_THAT(ran.out, HasSubstr("Examples:")) << line;
    }
    EXPECT_EQ(run("help grup").exit, Exit::usage);
}

// Whatever the help shows as an example must be a command line that reads.
TEST(CommandTable, EveryCommandHasExamplesThatRead) {
    std::istringstream in;
    std::ostringstream out;
    const CommandTable table = command_table();
    for (const Command& command : table.commands) {
        EXPECT_FALSE(command.examples.empty()) << command.words;
        EXPECT_FALSE(command.summary.empty()) << command.words;
        EXPECT_NE(command.run, nullptr) << command.words;
        for (const Example& example : command.examples) {
            // A pipe or redirection ends what is ours.
            std::vector<std::string> words = split_line(example.line);
            const auto end = std::find_if(words.begin(), words.end(), [](const std::string& word) {
                return word == "|" || word == ">" || word == "<" || word == "&&";
            });
            words.erase(end, words.end());
            ASSERT_FALSE(words.empty()) << command.words;
            EXPECT_EQ(words.front(), "rollcall") << example.line;
            words.erase(words.begin());
            const auto reading = read_arguments(table, words, Streams{in, out, out});
            ASSERT_TRUE(reading) << example.line << ": " << reading.error().detail;
            ASSERT_NE(reading->command, nullptr) << example.line;
            EXPECT_EQ(reading->command->words, command.words) << example.line;
        }
    }
}

TEST(CommandTable, NamesEveryNounOnce) {
    const CommandTable table = command_table();
    std::vector<std::string> nouns;
    for (const Noun& noun : table.nouns) {
        nouns.push_back(noun.word);
    }
    std::vector<std::string> used;
    for (const Command& command : table.commands) {
        const std::string noun = command.words.substr(0, command.words.find(' '));
        if (std::find(used.begin(), used.end(), noun) == used.end()) {
            used.push_back(noun);
        }
    }
    EXPECT_THAT(nouns, testing::UnorderedElementsAreArray(used));
}

}  // namespace
}  // namespace rollcall::app
