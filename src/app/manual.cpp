// SPDX-License-Identifier: Apache-2.0
#include "app/manual.hpp"

#include "app/help.hpp"
#include "app/version.hpp"

#include <sstream>

namespace rollcall::app {

namespace {

using Kind = Parameter::Kind;

/// As text: nothing of it is a request of roff or an escape, and hyphens stay what one can type.
std::string plain(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    const bool request = out.starts_with('.') || out.starts_with('\'');
    return request ? "\\&" + out : out;
}

/// The argument of a macro.
std::string argument(const std::string& text) {
    std::string out = "\"";
    for (const char c : plain(text)) {
        out += c == '"' ? std::string{"\"\""} : std::string(1, c);
    }
    return out + "\"";
}

std::string sentence(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    }
    return text.ends_with('.') || text.ends_with('?') ? text : text + ".";
}

void entry(std::ostream& out, const std::string& name, const std::string& text) {
    out << ".TP\n.B " << argument(name) << '\n' << plain(text) << '\n';
}

void example(std::ostream& out, const Example& each) {
    if (!each.says.empty()) {
        out << ".PP\n" << plain(sentence(each.says)) << '\n';
    }
    out << ".PP\n.RS 4\n.nf\n" << plain(each.line) << "\n.fi\n.RE\n";
}

void command_section(std::ostream& out, const Command& command) {
    out << ".SS " << argument(usage_line(command)) << '\n'
        << plain(sentence(command.summary)) << '\n';
    for (const bool options : {false, true}) {
        for (const Parameter& parameter : command.parameters) {
            if ((parameter.kind != Kind::positional) == options) {
                entry(out, spelled(parameter), help_of(parameter));
            }
        }
    }
    std::istringstream paragraphs{command.notes};
    for (std::string paragraph; std::getline(paragraphs, paragraph);) {
        out << ".PP\n" << plain(paragraph) << '\n';
    }
    for (const Example& each : command.examples) {
        example(out, each);
    }
}

}  // namespace

std::string manual_page(const CommandTable& table) {
    std::ostringstream out;
    out << ".\\\" Made from the command table by: rollcall man\n"
        << ".TH ROLLCALL 1 \"\" " << argument("rollcall " + std::string{version})
        << " \"Rollcall\"\n"
        << ".SH NAME\nrollcall \\- provisions devices by X.509 certificate and rolls those "
           "certificates\n"
        << ".SH SYNOPSIS\n.B rollcall\n.I NOUN VERB\n[\\fIarguments\\fR] [\\fIoptions\\fR]\n"
        << ".SH DESCRIPTION\n"
        << "A server that devices are provisioned by, and the commands that manage it. A command "
           "is "
           "a noun and a verb; options may stand anywhere. Commands that take something away only "
           "say what they would do until they are given\n.BR \\-\\-yes .\n"
        << "Lists and records go to the standard output, as JSON with\n.BR \\-\\-json ;\n"
           "words to people go to the standard error.\n"
        << ".SH \"GLOBAL OPTIONS\"\n";
    for (const auto& [spelling, help] : global_options()) {
        entry(out, spelling, help);
    }
    out << ".SH COMMANDS\n";
    for (const Command& command : table.commands) {
        command_section(out, command);
    }
    out << ".SH \"EXIT STATUS\"\n";
    entry(out, "0", "Done, or shown what would be done.");
    entry(out, "1", "Refused; why stands on the standard error.");
    entry(out, "2", "The command line was wrong.");
    entry(out, "3", "The server cannot be reached.");
    entry(out, "77", "pki verify cannot judge.");
    out << ".SH ENVIRONMENT\n";
    entry(out, "ROLLCALL_DATA, ROLLCALL_URL, ROLLCALL_TOKEN, ROLLCALL_CA",
          "What --data, --url, --token and --ca are where they are not given.");
    out << ".SH FILES\n";
    entry(out, "DIR/operator.sock", "Where commands with --data talk to the server.");
    entry(out, "DIR/rollcall.toml", "The configuration, where serve is given no other.");
    entry(out, "DIR/secret.key",
          "What the server's secrets are sealed with and its audit log is "
          "signed with.");
    return out.str();
}

}  // namespace rollcall::app
