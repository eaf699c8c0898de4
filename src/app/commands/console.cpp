#include "app/commands/console.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fcntl.h>
#include <iostream>
#include <stdexcept>
#include <termios.h>
#include <unistd.h>

namespace parley::app {
namespace {

class Terminal {
public:
    explicit Terminal(bool echo) : x_descriptor(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
        if (x_descriptor < 0 || ::tcgetattr(x_descriptor, &x_before) != 0) {
            if (x_descriptor >= 0) ::close(x_descriptor);
            throw std::runtime_error("there is no terminal to ask at; --help names the option "
                                     "that stands for the answer");
        }
        if (echo) return;
        termios silent = x_before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ECHONL;
        ::tcsetattr(x_descriptor, TCSAFLUSH, &silent);
    }
    ~Terminal() {
        ::tcsetattr(x_descriptor, TCSAFLUSH, &x_before);
        ::close(x_descriptor);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    std::string ask(std::string_view prompt) {
        const ssize_t put = ::write(x_descriptor, prompt.data(), prompt.size());
        static_cast<void>(put); // a prompt that is not seen costs nothing
        std::string line;
        char c = 0;
        while (::read(x_descriptor, &c, 1) == 1 && c != '\n') line += c;
        return line;
    }

private:
    const int x_descriptor;
    termios x_before{};
};

} // namespace

Console::Console(bool json, bool progress)
    : x_json(json), x_progress(progress), x_terminal(::isatty(STDERR_FILENO) == 1) {}

void Console::print(std::string_view line) {
    if (!x_json) std::cout << line << "\n";
}

void Console::result(const boost::json::value& document) {
    if (x_json) std::cout << boost::json::serialize(document) << "\n";
}

void Console::note(std::string_view line) {
    end_progress();
    std::cerr << line << "\n";
}

void Console::progress(std::string_view what, std::uint64_t done, std::uint64_t total) {
    if (!x_progress && !x_terminal) return;
    const auto now = std::chrono::steady_clock::now();
    if (done != total && now - x_progress_at < std::chrono::milliseconds(250)) return;
    x_progress_at = now;
    x_progress_shown = true;
    std::string text = std::string(what) + ": " + std::to_string(done);
    if (total > 0)
        text += " of " + std::to_string(total) + " (" + std::to_string(done * 100 / total) + " %)";
    // A terminal keeps one line; a file gets one for each.
    std::cerr << (x_terminal ? "\r\033[K" + text : text + "\n") << std::flush;
}

void Console::end_progress() {
    if (x_progress_shown && x_terminal) std::cerr << "\r\033[K" << std::flush;
    x_progress_shown = false;
}

std::string Console::ask(std::string_view prompt) { return Terminal(true).ask(prompt); }

std::string Console::ask_secret(std::string_view prompt) { return Terminal(false).ask(prompt); }

std::string Console::read_secret_line() {
    std::string line;
    std::getline(std::cin, line);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

} // namespace parley::app
