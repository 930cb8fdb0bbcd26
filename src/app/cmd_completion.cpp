// SPDX-License-Identifier: Apache-2.0
// rollcall completion, man: what the command table is for shells and for man.
#include "app/command.hpp"
#include "app/completion.hpp"
#include "app/manual.hpp"

#include <ostream>

namespace rollcall::app {

namespace {

Result<Exit> completion(const Invocation& call) {
    const std::string& shell = call.text("SHELL");
    const CommandTable table = command_table();
    call.io().out << (shell == "bash"  ? bash_completion(table)
                      : shell == "zsh" ? zsh_completion(table)
                                       : fish_completion(table));
    return Exit::done;
}

Result<Exit> manual(const Invocation& call) {
    call.io().out << manual_page(command_table());
    return Exit::done;
}

}  // namespace

std::vector<Command> completion_commands() {
    return {
        {"completion",
         "print a script by which a shell completes rollcall's commands",
         {positional("SHELL", "which one").one_of({"bash", "zsh", "fish"})},
         {{"rollcall completion bash > /etc/bash_completion.d/rollcall", "for everybody"},
          {"rollcall completion bash > ~/.local/share/bash-completion/completions/rollcall", ""},
          {"rollcall completion zsh > ~/.zsh/completions/_rollcall",
           "where that directory is in fpath"},
          {"rollcall completion fish > ~/.config/fish/completions/rollcall.fish", ""}},
         completion},
        {"man",
         "print the manual page",
         {},
         {{"rollcall man > /usr/local/share/man/man1/rollcall.1", ""}},
         manual},
    };
}

}  // namespace rollcall::app
