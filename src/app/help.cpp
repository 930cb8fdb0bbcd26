// SPDX-License-Identifier: Apache-2.0
#include "app/help.hpp"

#include "app/arguments.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

namespace rollcall::app {

namespace {

constexpr std::size_t page_columns = 80;
constexpr std::size_t help_column = 26;

const std::vector<std::pair<std::string, std::string>> all_global_options{
    {"--data DIR",
     "talk to the server that runs on this machine with that data directory, "
     "through DIR/operator.sock; needs no token (default: ./rollcall-data)"},
    {"--url URL", "talk to a server's operator door: https://HOST:9443"},
    {"--token TOKEN", "bearer token for --url; @FILE reads it from a file"},
    {"--ca FILE", "CA certificates to trust for --url (a server's own: DIR/tls/ca.pem)"},
    {"--json", "print records and lists as JSON"},
    {"--yes", "do it: without, commands that take something away only show what they would do"},
    {"--help, -h", "help on the words before it"},
    {"--version", "print the version"},
};

/// Words of `text` from `column` on, wrapped at the page's edge.
void wrap(std::ostream& out, const std::string& text, std::size_t column) {
    std::istringstream words{text};
    std::size_t at = column;
    bool first = true;
    for (std::string word; words >> word;) {
        if (!first && at + 1 + word.size() > page_columns) {
            out << '\n' << std::string(column, ' ');
            at = column;
        } else if (!first) {
            out << ' ';
            ++at;
        }
        out << word;
        at += word.size();
        first = false;
    }
    out << '\n';
}

void entry(std::ostream& out, const std::string& name, const std::string& text) {
    out << "  " << name;
    if (name.size() + 4 > help_column) {
        out << '\n' << std::string(help_column, ' ');
    } else {
        out << std::string(help_column - 2 - name.size(), ' ');
    }
    wrap(out, text, help_column);
}

std::string command_help(const Command& command) {
    std::ostringstream out;
    out << "rollcall " << command.words << " - " << command.summary << "\n\n";
    out << "Usage: " << usage_line(command) << '\n';
    for (const bool options : {false, true}) {
        bool headed = false;
        for (const Parameter& parameter : command.parameters) {
            if ((parameter.kind != Parameter::Kind::positional) != options) {
                continue;
            }
            if (!headed) {
                out << (options ? "\nOptions:\n" : "\n");
                headed = true;
            }
            entry(out, spelled(parameter), help_of(parameter));
        }
    }
    if (!command.notes.empty()) {
        out << '\n';
        std::istringstream paragraphs{command.notes};
        for (std::string paragraph; std::getline(paragraphs, paragraph);) {
            wrap(out, paragraph, 0);
        }
    }
    out << "\nExamples:\n";
    for (const Example& example : command.examples) {
        out << "  " << example.line << '\n';
        if (!example.says.empty()) {
            out << "      ";
            wrap(out, example.says, 6);
        }
    }
    out << "\nGlobal options, before or after: --data --url --token --ca --json --yes "
           "(rollcall help)\n";
    return out.str();
}

void list_commands(std::ostream& out, const CommandTable& table, const std::string& prefix) {
    for (const Command& command : table.commands) {
        if (prefix.empty() || command.words == prefix || command.words.starts_with(prefix + " ")) {
            entry(out, command.words, command.summary);
        }
    }
}

std::string first_page(const CommandTable& table) {
    std::ostringstream out;
    out << "rollcall - provisions devices by X.509 certificate and rolls those certificates\n\n"
           "Usage: rollcall NOUN VERB [arguments] [options]\n\n";
    for (const Noun& noun : table.nouns) {
        entry(out, noun.word, noun.summary);
    }
    out << "\nGlobal options, before or after the command:\n";
    for (const auto& [name, text] : global_options()) {
        entry(out, name, text);
    }
    out << "\nROLLCALL_DATA, ROLLCALL_URL, ROLLCALL_TOKEN and ROLLCALL_CA stand in for options "
           "left out.\nExit: 0 done, 1 refused, 2 wrong usage, 3 server not reached.\n"
           "\nExamples:\n"
           "  rollcall serve --data ./rollcall-data\n"
           "  rollcall group create plant-a\n"
           "  rollcall help group cert\n";
    return out.str();
}

/// Steps of insertion, deletion or exchange from a to b.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& global_options() {
    return all_global_options;
}

std::string spelled(const Parameter& parameter) {
    std::string text = parameter.name;
    if (parameter.kind == Parameter::Kind::option) {
        text += " " + parameter.value;
    }
    return parameter.repeated ? text + "..." : text;
}

std::string usage_line(const Command& command) {
    std::string line = "rollcall " + command.words;
    bool options = false;
    for (const Parameter& parameter : command.parameters) {
        if (parameter.kind == Parameter::Kind::positional || parameter.required) {
            const std::string text = spelled(parameter);
            line += parameter.required ? " " + text : " [" + text + "]";
        } else {
            options = true;
        }
    }
    return options ? line + " [options]" : line;
}

std::string help_of(const Parameter& parameter) {
    return parameter.choices.empty() ? parameter.help
                                     : parameter.help + ": " + either(parameter.choices);
}

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
    std::string text;
    for (const std::string& part : parts) {
        text += text.empty() ? part : between + part;
    }
    return text;
}

std::string either(const std::vector<std::string>& words) {
    if (words.size() < 2) {
        return joined(words, "");
    }
    const std::vector<std::string> head(words.begin(), words.end() - 1);
    return joined(head, ", ") + " or " + words.back();
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    std::string best;
    std::size_t steps = 3;  // more than two slips are another word
    for (const std::string& candidate : known) {
        const std::size_t needed = edit_distance(word, candidate);
        if (needed < steps && needed < candidate.size()) {
            steps = needed;
            best = candidate;
        }
    }
    return best.empty() ? "" : " (did you mean \"" + best + "\"?)";
}

std::vector<std::string> next_words(const CommandTable& table, const std::string& prefix) {
    std::vector<std::string> words;
    const std::string start = prefix.empty() ? "" : prefix + " ";
    for (const Command& command : table.commands) {
        if (!command.words.starts_with(start)) {
            continue;
        }
        const auto end = command.words.find(' ', start.size());
        const std::string word = command.words.substr(start.size(), end - start.size());
        if (std::find(words.begin(), words.end(), word) == words.end()) {
            words.push_back(word);
        }
    }
    return words;
}

std::vector<std::string> option_names(const Command& command) {
    std::vector<std::string> names{"--data", "--url", "--token", "--ca", "--json", "--yes"};
    for (const Parameter& parameter : command.parameters) {
        if (parameter.kind != Parameter::Kind::positional) {
            names.push_back(parameter.name);
        }
    }
    return names;
}

std::string help_text(const CommandTable& table, const std::string& words) {
    if (words.empty()) {
        return first_page(table);
    }
    for (const Command& command : table.commands) {
        if (command.words == words) {
            return command_help(command);
        }
    }
    if (next_words(table, words).empty()) {
        return {};
    }
    std::ostringstream out;
    out << "rollcall " << words;
    for (const Noun& noun : table.nouns) {
        if (noun.word == words) {
            out << " - " << noun.summary;
        }
    }
    out << "\n\n";
    list_commands(out, table, words);
    const std::string example = [&] {
        for (const Command& command : table.commands) {
            if (command.words.starts_with(words + " ") && !command.examples.empty()) {
                return command.examples.front().line;
            }
        }
        return std::string{};
    }();
    out << "\nExamples:\n  " << example << "\n\nMore on one: rollcall " << words
        << " VERB --help\n";
    return out.str();
}

}  // namespace rollcall::app
