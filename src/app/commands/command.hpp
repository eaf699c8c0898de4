// The commands of the program: what each is called, takes and does. One table (command_table.cpp)
// is the source of parsing, --help, the completions for shells and the test of the manual page.
//
// A command prints for people, or with --json one JSON document on standard output. It answers the
// exit status: 0 done, 1 failed, 2 wrong usage; an exception is a failure. Threading: main thread.
#pragma once

#include "app/commands/console.hpp"
#include "app/settings.hpp"

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace parley::app {

enum ExitStatus : int { kDone = 0, kFailed = 1, kWrongUsage = 2 };

// What a person asked for cannot be: the text says what was expected. Exit status 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Option {
    std::string name;  // "--email"
    std::string value; // "ADDRESS"; empty: a flag
    std::string help;
    std::vector<std::string> choices = {};
};

struct Argument {
    std::string name; // "NAME"
    std::string help;
    std::vector<std::string> choices = {};
};

struct Invocation;

// Which settings a command takes as flags.
enum class Takes : std::uint8_t { nothing, folder, settings };

struct Command {
    std::string name; // "user add"
    std::string summary;
    std::string details;
    std::vector<Argument> arguments; // all of them are required
    std::vector<Option> options;
    Takes takes = Takes::folder; // folder: --config and --data
    std::vector<std::string> examples;
    int (*run)(const Invocation&, Console&) = nullptr;
};

struct Invocation {
    const Command* command = nullptr;
    std::map<std::string, std::string> values; // by the name of the argument or the option
    Settings settings;

    bool has(const std::string& name) const { return values.contains(name); }
    const std::string& operator[](const std::string& name) const {
        static const std::string none;
        const auto found = values.find(name);
        return found == values.end() ? none : found->second;
    }
};

std::span<const Command> commands();
// A first word that has commands below it, e.g. "user": what they are about; "" for other words.
std::string_view group_summary(std::string_view word);
// Those that every command has besides its own, --help last.
std::vector<Option> common_options(const Command& command);

std::string help_of_program();
std::string help_of_group(std::string_view word);
std::string help_of(const Command& command);
std::string completions(std::string_view shell); // bash, zsh or fish

// The whole of main().
int run_command_line(int argc, char** argv);

// --- what the table points to, each in a file of its noun --------------------------------------
int run_serve(const Invocation&, Console&);
int run_chat(const Invocation&, Console&);
int run_user(const Invocation&, Console&);
int run_ingest(const Invocation&, Console&);
int run_heartbeat(const Invocation&, Console&);
int run_media(const Invocation&, Console&);
int run_migrate(const Invocation&, Console&);
int run_reshard(const Invocation&, Console&);
int run_config(const Invocation&, Console&);
int run_version(const Invocation&, Console&);
int run_completions(const Invocation&, Console&);
int run_user_add(const Invocation&, Console&);
int run_user_list(const Invocation&, Console&);
int run_user_disable(const Invocation&, Console&);
int run_user_enable(const Invocation&, Console&);
int run_user_role(const Invocation&, Console&);
int run_user_erase(const Invocation&, Console&);
int run_user_reset_password(const Invocation&, Console&);
int run_backup(const Invocation&, Console&);
int run_restore(const Invocation&, Console&);
int run_export(const Invocation&, Console&);
int run_import(const Invocation&, Console&);
int run_doctor(const Invocation&, Console&);

} // namespace parley::app
