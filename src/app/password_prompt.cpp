// SPDX-License-Identifier: Apache-2.0
#include "app/password_prompt.hpp"

#include "base/files.hpp"
#include "base/limits.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <termios.h>
#include <unistd.h>

namespace rollcall::app {
namespace {

/// The terminal itself, wherever standard input and output go.
class Terminal {
public:
    Terminal() : file_(std::fopen("/dev/tty", "r+")) {
        if (file_ && ::tcgetattr(::fileno(file_.get()), &before_) == 0) {
            termios quiet = before_;
            quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
            quiet_ = ::tcsetattr(::fileno(file_.get()), TCSAFLUSH, &quiet) == 0;
        }
    }
    ~Terminal() {
        if (quiet_) {
            ::tcsetattr(::fileno(file_.get()), TCSAFLUSH, &before_);
        }
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    bool usable() const { return quiet_; }
    std::string ask(const char* question) {
        std::fputs(question, file_.get());
        std::fflush(file_.get());
        std::array<char, limits::password_bytes_max + 2> line{};
        const bool read = std::fgets(line.data(), line.size(), file_.get()) != nullptr;
        std::fputs("\n", file_.get());
        std::fflush(file_.get());
        std::string text = read ? line.data() : "";
        return text.substr(0, text.find('\n'));
    }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file_;
    termios before_{};
    bool quiet_ = false;
};

}  // namespace

Parameter password_file_option() {
    return option("--password-file FILE",
                  "a file whose first line is the password, - for standard input; else the "
                  "terminal is asked");
}

Result<std::string> read_password(const Invocation& call) {
    if (const auto name = call.maybe("--password-file")) {
        TRY(const std::string text, read_file(*name, 4 * limits::password_bytes_max));
        std::string line = text.substr(0, text.find('\n'));
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        return line;
    }
    Terminal terminal;
    if (!terminal.usable()) {
        return usage_error("there is no terminal to ask for the password: give --password-file");
    }
    std::string password = terminal.ask("Password: ");
    if (terminal.ask("Once more: ") != password) {
        return Error{.kind = ErrorKind::malformed, .detail = "the two are not the same"};
    }
    return password;
}

}  // namespace rollcall::app
