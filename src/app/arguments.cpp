// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include "app/help.hpp"
#include "app/print.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>
#include <ostream>
#include <sstream>

#include <CLI/CLI.hpp>

namespace rollcall::app {

namespace {

/// The command table as CLI11 reads it: an App for each word, the last with its command's
/// parameters. What a word does not know goes to the word before it, down to the global options.
class Reader {
public:
    Reader(const CommandTable& table, Streams io);

    Result<Reading> read(std::vector<std::string> arguments);

private:
    void add(const Command& command);
    std::pair<const CLI::App*, std::string> last_word() const;
    Result<Reading> what_was_asked() const;
    Error unexpected(const std::string& argument) const;
    Error wrong(const std::string& what) const;

    const CommandTable& table_;
    CLI::App root_{"", "rollcall"};
    Invocation invocation_;
    Globals globals_;
    CLI::Option* help_ = nullptr;
    CLI::Option* version_ = nullptr;
    std::map<const CLI::App*, const Command*> commands_;
};

void read_words_as_we_do(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras()->fallthrough()->require_subcommand(0, 1);
}

/// What is wrong with a parameter's value; "" when nothing is.
std::string fault_of(const Parameter& parameter, const std::string& value) {
    if (parameter.number) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size()) {
            return "takes a whole number, not \"" + value + "\"";
        }
    }
    const auto& choices = parameter.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
        return "is " + either(choices) + ", not \"" + value + "\"";
    }
    return {};
}

Reader::Reader(const CommandTable& table, Streams io) : table_(table), invocation_({}, io) {
    read_words_as_we_do(root_);
    root_.add_option("--data", globals_.data)->take_last();
    root_.add_option("--url", globals_.url)->take_last();
    root_.add_option("--token", globals_.token)->take_last();
    root_.add_option("--ca", globals_.ca)->take_last();
    root_.add_flag("--json", globals_.json);
    root_.add_flag("--yes", globals_.yes);
    help_ = root_.add_flag("--help,-h");
    version_ = root_.add_flag("--version");
    for (const Command& command : table.commands) {
        add(command);
    }
}

void Reader::add(const Command& command) {
    CLI::App* app = &root_;
    std::istringstream words{command.words};
    for (std::string word; words >> word;) {
        const auto subcommands =
            app->get_subcommands([&](const auto* each) { return each->get_name() == word; });
        app = subcommands.empty() ? app->add_subcommand(word) : subcommands.front();
        read_words_as_we_do(*app);
    }
    commands_[app] = &command;
    for (const Parameter& parameter : command.parameters) {
        if (parameter.kind == Parameter::Kind::flag) {
            app->add_flag(parameter.name);
            continue;
        }
        auto* const option = app->add_option(parameter.name)->take_all();
        const bool takes_the_rest =
            parameter.kind == Parameter::Kind::positional && parameter.repeated;
        option->expected(takes_the_rest ? -1 : 1)->allow_extra_args(takes_the_rest);
        option->check(
            [&parameter](const std::string& value) { return fault_of(parameter, value); });
    }
}

/// The App of the last word that was read, and all words up to it.
std::pair<const CLI::App*, std::string> Reader::last_word() const {
    const CLI::App* app = &root_;
    std::string words;
    while (!app->get_subcommands().empty()) {
        app = app->get_subcommands().front();
        words += (words.empty() ? "" : " ") + app->get_name();
    }
    return {app, words};
}

Error Reader::wrong(const std::string& what) const {
    const std::string words = last_word().second;
    return usage_error(what + "\nSee: rollcall " + (words.empty() ? "" : words + " ") + "--help");
}

Error Reader::unexpected(const std::string& argument) const {
    const auto [app, words] = last_word();
    const auto command = commands_.find(app);
    const bool is_option = argument.size() > 1 && argument.front() == '-';
    if (command == commands_.end()) {
        const std::string after = words.empty() ? "" : " after \"" + words + "\"";
        return wrong(std::string{"unknown "} + (is_option ? "option" : "command") + " \"" +
                     argument + "\"" + after + suggestion(argument, next_words(table_, words)));
    }
    if (is_option) {
        const std::string name = argument.substr(0, argument.find('='));
        return wrong("rollcall " + words + " has no option " + name +
                     suggestion(name, option_names(*command->second)));
    }
    return wrong("unexpected \"" + argument + "\" after \"rollcall " + words + "\"");
}

Result<Reading> Reader::what_was_asked() const {
    const auto [app, words] = last_word();
    for (const std::string& argument : root_.remaining(true)) {
        if (argument != "--") {
            return unexpected(argument);
        }
    }
    if (*help_) {
        return Reading{Reading::What::help, nullptr, help_text(table_, words), invocation_};
    }
    if (*version_) {
        return Reading{Reading::What::version, nullptr, "", invocation_};
    }
    const auto found = commands_.find(app);
    if (found == commands_.end()) {
        return wrong(words.empty() ? "which command?"
                                   : "\"rollcall " + words + "\" needs one of: " +
                                         joined(next_words(table_, words), ", "));
    }
    const Command& command = *found->second;
    Reading reading{Reading::What::run, &command, "", Invocation{globals_, invocation_.io()}};
    for (const Parameter& parameter : command.parameters) {
        const auto values = app->get_option(parameter.name)->results();
        if (parameter.required && values.empty()) {
            return wrong(parameter.name + " is missing");
        }
        if (values.size() > 1 && !parameter.repeated && parameter.kind != Parameter::Kind::flag) {
            return wrong(parameter.name + " is given twice");
        }
        for (const std::string& value : values) {
            if (parameter.kind == Parameter::Kind::flag && value != "true") {
                return wrong(parameter.name + " takes no value");
            }
            reading.invocation.add(parameter.name, value);
        }
    }
    return reading;
}

Result<Reading> Reader::read(std::vector<std::string> arguments) {
    const auto options_end = std::find(arguments.begin(), arguments.end(), "--");
    const auto without_value =
        std::find_if(arguments.begin(), options_end, [](const std::string& argument) {
            return argument.starts_with("--") && argument.find('=') == argument.size() - 1;
        });
    if (without_value != options_end) {  // CLI11 would take the next argument for the value
        return wrong(*without_value + " needs a value");
    }
    std::reverse(arguments.begin(), arguments.end());
    try {
        root_.parse(arguments);
    } catch (const CLI::ArgumentMismatch& mismatch) {
        const std::string what = mismatch.what();
        return wrong(what.substr(0, what.find(':')) + " needs a value");
    } catch (const CLI::ParseError& error) {
        if (!*help_) {
            return wrong(error.what());
        }
    }
    return what_was_asked();
}

Exit report(const Error& error, std::ostream& err) {
    err << "rollcall: "
        << (error.detail.empty() ? std::string{to_string(error.kind)}
                                 : printable_lines(error.detail))
        << '\n';
    if (error.reason == "usage") {
        return Exit::usage;
    }
    return error.reason == "unreachable" ? Exit::unreachable : Exit::refused;
}

}  // namespace

Result<Reading> read_arguments(const CommandTable& table, const std::vector<std::string>& arguments,
                               Streams io) {
    if (arguments.empty() || arguments.front() == "help") {
        const std::vector<std::string> words(arguments.begin() + (arguments.empty() ? 0 : 1),
                                             arguments.end());
        std::string text = help_text(table, joined(words, " "));
        if (text.empty()) {
            return usage_error("no help on \"" + joined(words, " ") + "\"\nSee: rollcall --help");
        }
        return Reading{Reading::What::help, nullptr, std::move(text), Invocation{{}, io}};
    }
    return Reader{table, io}.read(arguments);
}

Exit run_command_line(const CommandTable& table, const std::vector<std::string>& arguments,
                      Streams io) {
    try {
        const auto reading = read_arguments(table, arguments, io);
        if (!reading) {
            return report(reading.error(), io.err);
        }
        switch (reading->what) {
            case Reading::What::help:
                (arguments.empty() ? io.err : io.out) << reading->help;
                return arguments.empty() ? Exit::usage : Exit::done;
            case Reading::What::version:
                io.out << "rollcall " << version << '\n';
                return Exit::done;
            case Reading::What::run: break;
        }
        const auto outcome = reading->command->run(reading->invocation);
        io.out.flush();
        return outcome ? *outcome : report(outcome.error(), io.err);
    } catch (const std::exception& failure) {
        io.err << "rollcall: " << failure.what() << '\n';
        return Exit::refused;
    }
}

std::vector<std::string> split_line(const std::string& line) {
    std::vector<std::string> parts;
    bool in_word = false;
    bool quoted = false;
    for (const char c : line) {
        if (c == '\'') {
            quoted = !quoted;
        }
        if (!quoted && c == ' ') {
            in_word = false;
            continue;
        }
        if (!in_word) {
            parts.emplace_back();
            in_word = true;
        }
        if (c != '\'') {
            parts.back() += c;
        }
    }
    return parts;
}

}  // namespace rollcall::app
