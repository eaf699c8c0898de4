// The only home of the parser of command lines, which is slow to compile.
#include "app/commands/command.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>

#include <iostream>
#include <memory>

namespace parley::app {
namespace {

// Where the parser puts what was given for one command.
struct Given {
    const Command* command = nullptr;
    std::string group; // set in place of the command for a word like "user"
    CLI::App* app = nullptr;
    bool help = false, version = false;
    std::string config;
    std::map<std::string, std::string> texts;
    std::map<std::string, bool> flags;
    std::map<std::string, std::string> settings;
};

void add_settings(CLI::App& app, Given& given, Takes takes) {
    if (takes == Takes::nothing) return;
    app.add_option("--config", given.config);
    for (const SettingInfo& setting : list_settings())
        if (takes == Takes::settings || setting.name == "data")
            app.add_option("--" + setting.name, given.settings[setting.name])->take_last();
}

void add_command(CLI::App& app, Given& given, const Command& command) {
    given.command = &command;
    given.app = &app;
    add_settings(app, given, command.takes);
    app.add_flag("-h,--help", given.help);
    for (const Argument& argument : command.arguments) {
        auto* option = app.add_option(argument.name, given.texts[argument.name]);
        if (!argument.choices.empty()) option->check(CLI::IsMember(argument.choices));
    }
    for (const Option& option : command.options) {
        if (option.value.empty()) {
            app.add_flag(option.name, given.flags[option.name]);
            continue;
        }
        auto* added = app.add_option(option.name, given.texts[option.name]);
        if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
    }
    for (const Option& option : common_options(command))
        if (option.value.empty() && option.name != "--help")
            app.add_flag(option.name, given.flags[option.name]);
}

class Parser {
public:
    Parser() : x_app("", "parley") {
        x_app.set_help_flag();
        x_top.app = &x_app;
        x_app.add_flag("-h,--help", x_top.help);
        x_app.add_flag("--version", x_top.version);
        add_settings(x_app, x_top, Takes::settings);
        x_app.require_subcommand(0, 1);
        for (const Command& command : commands()) {
            // A word that is a command by itself and has others below it.
            if (!group_summary(command.name).empty()) {
                CLI::App& app = *group(command.name, false);
                add_command(app, *x_given.back(), command);
                continue;
            }
            CLI::App* parent = &x_app;
            std::string word = command.name;
            if (const auto space = word.find(' '); space != std::string::npos) {
                parent = group(word.substr(0, space));
                word = word.substr(space + 1);
            }
            auto& given = *x_given.emplace_back(std::make_unique<Given>());
            CLI::App* app = parent->add_subcommand(word);
            app->set_help_flag();
            add_command(*app, given, command);
        }
    }

    void parse(int argc, char** argv) { x_app.parse(argc, argv); }

    // The last command that was named, then its group, then none.
    const Given& chosen() const {
        const Given* chosen = &x_top;
        for (const auto& given : x_given)
            if (given->app->parsed() && (given->command || chosen == &x_top)) chosen = given.get();
        return *chosen;
    }
    const Given& top() const { return x_top; }

private:
    CLI::App* group(const std::string& word, bool alone = true) {
        for (const auto& given : x_given)
            if (given->group == word) return given->app;
        auto& given = *x_given.emplace_back(std::make_unique<Given>());
        given.group = word;
        given.app = x_app.add_subcommand(word);
        given.app->set_help_flag();
        if (alone) given.app->add_flag("-h,--help", given.help);
        given.app->require_subcommand(0, 1);
        return given.app;
    }

    CLI::App x_app;
    Given x_top;
    std::vector<std::unique_ptr<Given>> x_given;
};

const Command& command_named(std::string_view name) {
    for (const Command& command : commands())
        if (command.name == name) return command;
    throw std::logic_error("no command " + std::string(name));
}

void collect_settings(const Given& given, std::string& config, std::vector<GivenSetting>& flags) {
    if (!given.config.empty()) config = given.config;
    for (const auto& [name, value] : given.settings)
        if (given.app->get_option("--" + name)->count() > 0) flags.push_back({name, value});
}

Invocation invocation_of(const Given& top, const Given& given) {
    Invocation invocation;
    invocation.command = given.command ? given.command : &command_named("serve");
    const std::string& name = invocation.command->name;
    for (const Argument& argument : invocation.command->arguments)
        if (given.app->get_option(argument.name)->count() == 0)
            throw UsageError(argument.name + " is missing; see parley " + name + " --help");
    for (const auto& [option, value] : given.texts)
        if (given.app->get_option(option)->count() > 0) invocation.values[option] = value;
    for (const auto& [option, set] : given.flags)
        if (set) invocation.values[option] = "true";
    if (invocation.command->takes == Takes::nothing) return invocation;
    std::string config;
    std::vector<GivenSetting> flags;
    collect_settings(top, config, flags);
    if (&given != &top) collect_settings(given, config, flags);
    invocation.settings = load_settings(config, flags);
    return invocation;
}

// A machine that asked for JSON gets its error as JSON too, beside the text for the person.
int fail(bool json, const std::string& cause, int status) {
    std::cerr << "parley: " << cause << std::endl;
    if (json) Console(true, false).result({{"error", {{"status", status}, {"message", cause}}}});
    return status;
}

int run(const Parser& parser) {
    const Given& given = parser.chosen();
    if (given.help || parser.top().help) {
        std::cout << (!given.group.empty() ? help_of_group(given.group)
                      : given.command      ? help_of(*given.command)
                                           : help_of_program());
        return kDone;
    }
    Invocation invocation = invocation_of(parser.top(), given);
    if (!given.group.empty() && invocation.settings.cluster.directory_db.empty())
        throw UsageError("a command of \"" + given.group + "\" is missing; see parley " +
                         given.group + " --help");
    if (parser.top().version) invocation.command = &command_named("version");
    Console console(invocation.has("--json"), invocation.has("--progress"));
    const int status = invocation.command->run(invocation, console);
    console.end_progress();
    std::cout.flush();
    if (!std::cout) throw std::runtime_error("the result could not be written");
    return status;
}

} // namespace

int run_command_line(int argc, char** argv) {
    bool json = false;
    for (int i = 1; i < argc; ++i) json = json || std::string_view(argv[i]) == "--json";
    try {
        Parser parser;
        parser.parse(argc, argv);
        return run(parser);
    } catch (const CLI::ParseError& e) {
        return fail(json, std::string(e.what()) + "; see parley --help", kWrongUsage);
    } catch (const SettingsError& e) {
        return fail(json, e.what(), kWrongUsage);
    } catch (const UsageError& e) {
        return fail(json, e.what(), kWrongUsage);
    } catch (const std::exception& e) {
        return fail(json, e.what(), kFailed);
    }
}

} // namespace parley::app
