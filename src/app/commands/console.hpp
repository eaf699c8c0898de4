// Console: where a command writes. Results go to standard output: text for people, or with --json
// one document for machines. Progress and prompts go to the terminal or standard error.
//
// Threading: main thread. Owner: run_command_line().
#pragma once

#include <boost/json/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::app {

class Console {
public:
    Console(bool json, bool progress);

    bool json() const { return x_json; }
    // A line for a person; nothing with --json.
    void print(std::string_view line);
    // The document; nothing without --json.
    void result(const boost::json::value& document);
    // A remark beside the result, on standard error.
    void note(std::string_view line);

    // How far long work is, at most four times a second, only on a terminal or with --progress.
    void progress(std::string_view what, std::uint64_t done, std::uint64_t total);
    void end_progress();

    // From the terminal. Throws std::runtime_error where there is none.
    std::string ask(std::string_view prompt);
    // Without echo, from the terminal. Throws std::runtime_error where there is none.
    std::string ask_secret(std::string_view prompt);
    // The first line of standard input.
    std::string read_secret_line();

private:
    const bool x_json, x_progress, x_terminal;
    bool x_progress_shown = false;
    std::chrono::steady_clock::time_point x_progress_at;
};

} // namespace parley::app
