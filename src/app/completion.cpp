// SPDX-License-Identifier: Apache-2.0
#include "app/completion.hpp"

#include "app/help.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace rollcall::app {

namespace {

using Kind = Parameter::Kind;

bool takes_file(const Parameter& parameter) {
    const std::string& what = parameter.kind == Kind::positional ? parameter.name : parameter.value;
    return what == "FILE" || what.ends_with("_FILE") || what == "DIR";
}

/// The global options as parameters, to be treated as those of a command.
std::vector<Parameter> global_parameters() {
    std::vector<Parameter> all;
    for (const auto& [spelling, help] : global_options()) {
        const std::string text = spelling.substr(0, spelling.find(','));
        all.push_back(text.find(' ') == std::string::npos ? flag(text, help) : option(text, help));
    }
    return all;
}

/// What may stand behind the words of a command so far.
struct Place {
    std::vector<std::string> next{};  ///< words
    const Command* command = nullptr;
};

/// By the words so far; "" is the beginning.
std::map<std::string, Place> places_of(const CommandTable& table) {
    std::map<std::string, Place> places;
    for (const Command& command : table.commands) {
        places[command.words].command = &command;
        for (std::size_t end = 0; end != std::string::npos;
             end = command.words.find(' ', end + 1)) {
            const std::string before = command.words.substr(0, end);
            places[before].next = next_words(table, before);
        }
    }
    return places;
}

std::vector<Parameter> all_parameters(const CommandTable& table) {
    std::vector<Parameter> all = global_parameters();
    for (const Command& command : table.commands) {
        all.insert(all.end(), command.parameters.begin(), command.parameters.end());
    }
    return all;
}

/// Names of the options that `fits`, each once.
template <class Fits>
std::vector<std::string> names_of(const std::vector<Parameter>& parameters, const Fits& fits) {
    std::set<std::string> names;
    for (const Parameter& parameter : parameters) {
        if (fits(parameter)) {
            names.insert(parameter.name);
        }
    }
    return {names.begin(), names.end()};
}

bool is_option(const Parameter& parameter) {
    return parameter.kind == Kind::option;
}
bool is_file_option(const Parameter& parameter) {
    return is_option(parameter) && takes_file(parameter);
}
bool is_no_positional(const Parameter& parameter) {
    return parameter.kind != Kind::positional;
}

/// Names that take a value wherever they stand.
std::vector<std::string> names_with_value(const CommandTable& table) {
    const auto all = all_parameters(table);
    const auto flags = names_of(all, [](const Parameter& each) { return each.kind == Kind::flag; });
    auto names = names_of(all, is_option);
    std::erase_if(names, [&flags](const auto& name) {
        return std::find(flags.begin(), flags.end(), name) != flags.end();
    });
    return names;
}

/// "pki verify/--chain": options whose names are flags of other commands.
std::vector<std::string> places_with_value(const CommandTable& table) {
    const auto everywhere = names_with_value(table);
    std::vector<std::string> places;
    for (const Command& command : table.commands) {
        for (const Parameter& parameter : command.parameters) {
            const bool known =
                std::find(everywhere.begin(), everywhere.end(), parameter.name) != everywhere.end();
            if (is_option(parameter) && !known) {
                places.push_back(command.words + "/" + parameter.name);
            }
        }
    }
    return places;
}

/// As one word of any shell.
std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    }
    return out + "'";
}

/// For fish, where a backslash inside of quotes escapes.
std::string fish_quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

/// Patterns of a case: 'a'|'b'. Never empty.
std::string patterns(const std::vector<std::string>& words) {
    std::vector<std::string> each;
    each.reserve(words.size());
    for (const auto& word : words) {
        each.push_back(quoted(word));
    }
    return joined(each, "|");
}

/// What a word of a command is for: its summary, or that of all commands that begin so.
std::string about(const CommandTable& table, const std::string& words) {
    for (const Command& command : table.commands) {
        if (command.words == words) {
            return command.summary;
        }
    }
    for (const Noun& noun : table.nouns) {
        if (noun.word == words) {
            return noun.summary;
        }
    }
    return joined(next_words(table, words), ", ");
}

std::string below(const std::string& words, const std::string& next) {
    return words.empty() ? next : words + " " + next;
}

/// The part that bash and zsh have in common: finds `at`, the command's words before the cursor,
/// and `position`, how many more there are that are no options. `first` is the index of the first
/// word behind the program's name, `$current` that of the cursor's.
void find_place(std::ostream& out, const CommandTable& table, const std::string& array, int first) {
    std::vector<std::string> known;
    for (const auto& [words, place] : places_of(table)) {
        if (!words.empty()) {
            known.push_back(words);
        }
    }
    out << "    for ((i = " << first << "; i < current; i++)); do\n"
        << "        word=\"${" << array << "[i]}\"\n"
        << "        if [[ -n $skip ]]; then\n"
        << "            [[ $word == '=' ]] || skip=\n"
        << "            continue\n"
        << "        fi\n"
        << "        case \"$word\" in\n"
        << "            " << patterns(names_with_value(table)) << ") skip=1 ;;\n"
        << "            '=') ;;\n"
        << "            -*)\n"
        << "                case \"$at/$word\" in\n"
        << "                    " << patterns(places_with_value(table)) << ") skip=1 ;;\n"
        << "                esac ;;\n"
        << "            *)\n"
        << "                case \"$at${at:+ }$word\" in\n"
        << "                    " << patterns(known) << ") at=\"$at${at:+ }$word\" ;;\n"
        << "                    *) position=$((position + 1)) ;;\n"
        << "                esac ;;\n"
        << "        esac\n"
        << "    done\n";
}

/// Calls `each` for every option with few values: the words before it, its name, the values.
template <class Each>
void each_choice(const CommandTable& table, const Each& each) {
    for (const Command& command : table.commands) {
        for (const Parameter& parameter : command.parameters) {
            if (is_option(parameter) && !parameter.choices.empty()) {
                each(command.words, parameter.name, parameter.choices);
            }
        }
    }
}

/// Calls `each` for every positional of every command that can be completed: a pattern of
/// "WORDS/POSITION", and the parameter.
template <class Each>
void each_positional(const CommandTable& table, const Each& each) {
    for (const Command& command : table.commands) {
        int position = 0;
        for (const Parameter& parameter : command.parameters) {
            if (parameter.kind != Kind::positional) {
                continue;
            }
            const std::string pattern =
                quoted(command.words + "/") + (parameter.repeated ? "*" : std::to_string(position));
            if (takes_file(parameter) || !parameter.choices.empty()) {
                each(pattern, parameter);
            }
            ++position;
        }
    }
}

}  // namespace

std::string bash_completion(const CommandTable& table) {
    const auto all = all_parameters(table);
    std::ostringstream out;
    out << "# rollcall's completion for bash. Made by: rollcall completion bash\n"
           "_rollcall() {\n"
           "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
           "    local at= position=0 skip= word i current=$COMP_CWORD\n"
           "    COMPREPLY=()\n"
           "    [[ $cur == '=' ]] && cur=\n"
           "    [[ $prev == '=' ]] && prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n";
    find_place(out, table, "COMP_WORDS", 1);
    out << "    case \"$at/$prev\" in\n";
    each_choice(table, [&](const auto& words, const auto& name, const auto& choices) {
        out << "        " << quoted(words + "/" + name) << ")\n"
            << "            COMPREPLY=($(compgen -W " << quoted(joined(choices, " "))
            << " -- \"$cur\")); return ;;\n";
    });
    out << "    esac\n"
           "    case \"$prev\" in\n"
           "        "
        << patterns(names_of(all, is_file_option))
        << ") _rollcall_files; return ;;\n"
           "        "
        << patterns(names_of(all, is_option))
        << ") return ;;\n"
           "    esac\n"
           "    local words=\n"
           "    if [[ $cur == -* ]]; then\n"
           "        words="
        << quoted(joined(names_of(global_parameters(), is_no_positional), " "))
        << "\n        case \"$at\" in\n";
    for (const Command& command : table.commands) {
        const auto names = names_of(command.parameters, is_no_positional);
        if (!names.empty()) {
            out << "            " << quoted(command.words)
                << ") words+=" << quoted(" " + joined(names, " ")) << " ;;\n";
        }
    }
    out << "        esac\n"
           "    else\n"
           "        case \"$at/$position\" in\n";
    for (const auto& [words, place] : places_of(table)) {
        if (!place.next.empty()) {
            out << "            " << quoted(words + "/0")
                << ") words=" << quoted(joined(place.next, " ")) << " ;;\n";
        }
    }
    each_positional(table, [&](const std::string& pattern, const Parameter& parameter) {
        out << "            " << pattern << ") "
            << (takes_file(parameter) ? std::string{"_rollcall_files; return"}
                                      : "words=" + quoted(joined(parameter.choices, " ")))
            << " ;;\n";
    });
    out << "        esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "_rollcall_files() {\n"
           "    local IFS=$'\\n'\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
           "}\n"
           "complete -F _rollcall rollcall\n";
    return out.str();
}

std::string zsh_completion(const CommandTable& table) {
    const auto all = all_parameters(table);
    std::ostringstream out;
    out << "#compdef rollcall\n"
           "# rollcall's completion for zsh. Made by: rollcall completion zsh\n"
           "_rollcall() {\n"
           "    local cur=\"${words[CURRENT]}\" prev=\"${words[CURRENT-1]}\"\n"
           "    local at= skip= word\n"
           "    local -i i position=0 current=CURRENT\n"
           "    local -a found\n";
    find_place(out, table, "words", 2);
    out << "    case \"$at/$prev\" in\n";
    each_choice(table, [&](const auto& words, const auto& name, const auto& choices) {
        out << "        " << quoted(words + "/" + name) << ") compadd -- " << joined(choices, " ")
            << "; return ;;\n";
    });
    out << "    esac\n"
           "    case \"$prev\" in\n"
           "        "
        << patterns(names_of(all, is_file_option))
        << ") _files; return ;;\n"
           "        "
        << patterns(names_of(all, is_option))
        << ") return ;;\n"
           "    esac\n"
           "    if [[ $cur == -* ]]; then\n"
           "        found=("
        << joined(names_of(global_parameters(), is_no_positional), " ")
        << ")\n        case \"$at\" in\n";
    for (const Command& command : table.commands) {
        const auto names = names_of(command.parameters, is_no_positional);
        if (!names.empty()) {
            out << "            " << quoted(command.words) << ") found+=(" << joined(names, " ")
                << ") ;;\n";
        }
    }
    out << "        esac\n"
           "        compadd -- $found\n"
           "        return\n"
           "    fi\n"
           "    case \"$at/$position\" in\n";
    for (const auto& [words, place] : places_of(table)) {
        if (place.next.empty()) {
            continue;
        }
        out << "        " << quoted(words + "/0") << ")\n            found=(";
        for (const std::string& next : place.next) {
            out << "\n                " << quoted(next + ":" + about(table, below(words, next)));
        }
        out << ")\n            _describe command found ;;\n";
    }
    each_positional(table, [&](const std::string& pattern, const Parameter& parameter) {
        out << "        " << pattern << ") "
            << (takes_file(parameter) ? std::string{"_files"}
                                      : "compadd -- " + joined(parameter.choices, " "))
            << " ;;\n";
    });
    out << "    esac\n"
           "}\n"
           "if [[ $funcstack[1] == _rollcall ]]; then\n"
           "    _rollcall \"$@\"\n"
           "else\n"
           "    compdef _rollcall rollcall\n"
           "fi\n";
    return out.str();
}

namespace {

/// One option of fish: by its long name, with what it takes.
std::string fish_option(const std::string& condition, const Parameter& parameter) {
    std::string line = "complete -c rollcall" + condition + " -l " + parameter.name.substr(2);
    if (parameter.kind == Kind::option) {
        line += takes_file(parameter) ? " -r -F" : " -x";
        if (!parameter.choices.empty()) {
            line += " -a " + fish_quoted(joined(parameter.choices, " "));
        }
    }
    return line + " -d " + fish_quoted(parameter.help) + "\n";
}

std::string fish_at(const std::string& words, const std::string& position) {
    return " -n " + fish_quoted("__rollcall_at " + fish_quoted(words) + " " + position);
}

}  // namespace

std::string fish_completion(const CommandTable& table) {
    std::ostringstream out;
    const auto places = places_of(table);
    out << "# rollcall's completion for fish. Made by: rollcall completion fish\n"
           "function __rollcall_at --description 'is this the command, and that its position?'\n"
           "    set -l at ''\n"
           "    set -l position 0\n"
           "    set -l skip 0\n"
           "    set -l tokens (commandline -opc)\n"
           "    for word in $tokens[2..-1]\n"
           "        if test $skip = 1\n"
           "            set skip 0\n"
           "            continue\n"
           "        end\n"
           "        switch $word\n"
           "            case "
        << joined(names_with_value(table), " ")
        << "\n                set skip 1\n"
           "            case '-*'\n"
           "                switch \"$at/$word\"\n"
           "                    case";
    for (const auto& place : places_with_value(table)) {
        out << ' ' << fish_quoted(place);
    }
    out << "\n                        set skip 1\n"
           "                end\n"
           "            case '*'\n"
           "                set -l longer (string trim -- \"$at $word\")\n"
           "                switch $longer\n"
           "                    case";
    for (const auto& [words, place] : places) {
        if (!words.empty()) {
            out << ' ' << fish_quoted(words);
        }
    }
    out << "\n                        set at $longer\n"
           "                    case '*'\n"
           "                        set position (math $position + 1)\n"
           "                end\n"
           "        end\n"
           "    end\n"
           "    test \"$at\" = \"$argv[1]\"; and begin\n"
           "        test \"$argv[2]\" = '*'; or test \"$argv[2]\" = $position\n"
           "    end\n"
           "end\n"
           "complete -c rollcall -f\n";
    for (const Parameter& parameter : global_parameters()) {
        out << fish_option("", parameter);
    }
    for (const auto& [words, place] : places) {
        for (const std::string& next : place.next) {
            out << "complete -c rollcall" << fish_at(words, "0") << " -a " << fish_quoted(next)
                << " -d " << fish_quoted(about(table, below(words, next))) << '\n';
        }
        if (place.command == nullptr) {
            continue;
        }
        int position = 0;
        for (const Parameter& parameter : place.command->parameters) {
            if (parameter.kind != Kind::positional) {
                out << fish_option(fish_at(words, fish_quoted("*")), parameter);
                continue;
            }
            const std::string where =
                fish_at(words, parameter.repeated ? fish_quoted("*") : std::to_string(position));
            ++position;
            if (takes_file(parameter)) {
                out << "complete -c rollcall" << where << " -F\n";
            } else if (!parameter.choices.empty()) {
                out << "complete -c rollcall" << where << " -a "
                    << fish_quoted(joined(parameter.choices, " ")) << " -d "
                    << fish_quoted(parameter.help) << '\n';
            }
        }
    }
    return out.str();
}

}  // namespace rollcall::app
