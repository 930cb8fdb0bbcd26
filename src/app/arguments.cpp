// SPDX-License-Identifier: Apache-2.0
#include "app/arguments.hpp"

#include "app/help.hpp"
#include "app/version.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <ostream>

namespace rollcall::app {

namespace {

/// Walks the arguments once, left to right.
class Reader {
public:
    Reader(const CommandTable& table, const std::vector<std::string>& arguments, Streams io)
        : table_(table), arguments_(arguments), io_(io) {}

    Result<Reading> read();

private:
    Result<Done> take(const std::string& argument);
    Result<Done> take_option(const std::string& argument);
    Result<Done> take_word(const std::string& word);
    Result<Done> take_positional(const std::string& value);
    Result<std::string> value_of(const std::string& name, const std::optional<std::string>& glued);
    Result<bool> take_global(const std::string& name, const std::optional<std::string>& glued);
    Result<Done> check_complete() const;
    Error wrong(const std::string& what) const;

    const CommandTable& table_;
    const std::vector<std::string>& arguments_;
    Streams io_;
    std::size_t next_ = 0;
    bool only_positionals_ = false;
    bool help_ = false;
    bool version_ = false;
    std::string words_;
    const Command* command_ = nullptr;
    Globals globals_;
    std::vector<std::pair<std::string, std::string>> values_;
    std::size_t positionals_ = 0;
};

Result<Done> check_value(const Parameter& parameter, const std::string& value) {
    if (parameter.number) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size()) {
            return usage_error(parameter.name + " takes a whole number, not \"" + value + "\"");
        }
    }
    const auto& choices = parameter.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
        return usage_error(parameter.name + " is " + either(choices) + ", not \"" + value + "\"");
    }
    return Done{};
}

/// "--name=value" in two; no value where there is no '='.
std::pair<std::string, std::optional<std::string>> split_option(const std::string& argument) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) {
        return {argument, std::nullopt};
    }
    return {argument.substr(0, equals), argument.substr(equals + 1)};
}

Error Reader::wrong(const std::string& what) const {
    const std::string where = command_ != nullptr ? command_->words : words_;
    return usage_error(what + "\nSee: rollcall " + (where.empty() ? "" : where + " ") + "--help");
}

Result<std::string> Reader::value_of(const std::string& name,
                                     const std::optional<std::string>& glued) {
    if (glued) {
        return *glued;
    }
    if (next_ == arguments_.size()) {
        return wrong(name + " needs a value");
    }
    return arguments_[next_++];
}

Result<bool> Reader::take_global(const std::string& name, const std::optional<std::string>& glued) {
    const std::pair<const char*, std::optional<std::string>*> with_value[] = {
        {"--data", &globals_.data},
        {"--url", &globals_.url},
        {"--token", &globals_.token},
        {"--ca", &globals_.ca},
    };
    for (const auto& [known, place] : with_value) {
        if (name == known) {
            TRY(*place, value_of(name, glued));
            return true;
        }
    }
    const std::pair<const char*, bool*> flags[] = {
        {"--json", &globals_.json}, {"--yes", &globals_.yes}, {"--help", &help_}, {"-h", &help_},
        {"--version", &version_},
    };
    for (const auto& [known, place] : flags) {
        if (name == known) {
            if (glued) {
                return wrong(name + " takes no value");
            }
            *place = true;
            return true;
        }
    }
    return false;
}

Result<Done> Reader::take_option(const std::string& argument) {
    const auto [name, glued] = split_option(argument);
    if (command_ != nullptr) {
        for (const Parameter& parameter : command_->parameters) {
            if (parameter.name != name) {
                continue;
            }
            if (parameter.kind == Parameter::Kind::flag) {
                if (glued) {
                    return wrong(name + " takes no value");
                }
                values_.emplace_back(name, "");
                return Done{};
            }
            const bool again = std::any_of(values_.begin(), values_.end(),
                                           [&](const auto& had) { return had.first == name; });
            if (again && !parameter.repeated) {
                return wrong(name + " is given twice");
            }
            TRY(std::string value, value_of(name, glued));
            if (const auto checked = check_value(parameter, value); !checked) {
                return wrong(checked.error().detail);
            }
            values_.emplace_back(name, std::move(value));
            return Done{};
        }
    }
    TRY(const bool global, take_global(name, glued));
    if (global) {
        return Done{};
    }
    if (command_ == nullptr) {
        return wrong("unknown option " + name + " before the command");
    }
    return wrong("rollcall " + command_->words + " has no option " + name +
                 suggestion(name, option_names(*command_)));
}

Result<Done> Reader::take_word(const std::string& word) {
    const std::string longer = words_.empty() ? word : words_ + " " + word;
    bool known = false;
    for (const Command& command : table_.commands) {
        if (command.words == longer) {
            command_ = &command;
            known = true;
        } else if (command.words.starts_with(longer + " ")) {
            known = true;
        }
    }
    if (!known) {
        const std::string after = words_.empty() ? "" : " after \"" + words_ + "\"";
        return wrong("unknown command \"" + word + "\"" + after +
                     suggestion(word, next_words(table_, words_)));
    }
    words_ = longer;
    return Done{};
}

Result<Done> Reader::take_positional(const std::string& value) {
    std::size_t place = 0;
    for (const Parameter& parameter : command_->parameters) {
        if (parameter.kind != Parameter::Kind::positional) {
            continue;
        }
        if (place == positionals_) {
            if (const auto checked = check_value(parameter, value); !checked) {
                return wrong(checked.error().detail);
            }
            values_.emplace_back(parameter.name, value);
            positionals_ += parameter.repeated ? 0 : 1;
            return Done{};
        }
        ++place;
    }
    return wrong("unexpected \"" + value + "\" after \"rollcall " + command_->words + "\"");
}

Result<Done> Reader::take(const std::string& argument) {
    if (!only_positionals_ && argument == "--") {
        only_positionals_ = true;
        return Done{};
    }
    const bool option = argument.size() > 1 && argument.front() == '-';
    if (!only_positionals_ && option) {
        return take_option(argument);
    }
    return command_ == nullptr ? take_word(argument) : take_positional(argument);
}

Result<Done> Reader::check_complete() const {
    if (command_ == nullptr) {
        return wrong(words_.empty() ? "which command?"
                                    : "\"rollcall " + words_ + "\" needs one of: " +
                                          joined(next_words(table_, words_), ", "));
    }
    for (const Parameter& parameter : command_->parameters) {
        const bool given = std::any_of(values_.begin(), values_.end(), [&](const auto& value) {
            return value.first == parameter.name;
        });
        if (parameter.required && !given) {
            return wrong(parameter.name + " is missing");
        }
    }
    return Done{};
}

Result<Reading> Reader::read() {
    if (arguments_.empty() || arguments_.front() == "help") {
        const std::vector<std::string> words(arguments_.begin() + (arguments_.empty() ? 0 : 1),
                                             arguments_.end());
        const std::string text = help_text(table_, joined(words, " "));
        if (text.empty()) {
            return wrong("no help on \"" + joined(words, " ") + "\"");
        }
        return Reading{Reading::What::help, nullptr, text, Invocation{globals_, io_}};
    }
    while (next_ < arguments_.size()) {
        const std::string& argument = arguments_[next_++];
        const auto taken = take(argument);
        if (!taken && !(help_ && command_ != nullptr)) {
            return taken.error();
        }
    }
    if (help_) {
        return Reading{Reading::What::help, nullptr, help_text(table_, words_),
                       Invocation{globals_, io_}};
    }
    if (version_) {
        return Reading{Reading::What::version, nullptr, "", Invocation{globals_, io_}};
    }
    if (const auto complete = check_complete(); !complete) {
        return complete.error();
    }
    Reading reading{Reading::What::run, command_, "", Invocation{globals_, io_}};
    for (auto& [name, value] : values_) {
        reading.invocation.add(name, std::move(value));
    }
    return reading;
}

Exit report(const Error& error, std::ostream& err) {
    err << "rollcall: "
        << (error.detail.empty() ? std::string{to_string(error.kind)} : error.detail) << '\n';
    if (error.reason == "usage") {
        return Exit::usage;
    }
    return error.reason == "unreachable" ? Exit::unreachable : Exit::refused;
}

}  // namespace

Result<Reading> read_arguments(const CommandTable& table, const std::vector<std::string>& arguments,
                               Streams io) {
    return Reader{table, arguments, io}.read();
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
