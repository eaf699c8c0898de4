#include "app/commands/command.hpp"

#include <algorithm>
#include <set>

namespace parley::app {
namespace {

constexpr std::size_t kColumns = 96, kTextColumn = 30;

// `left`, and `right` folded beside it.
std::string row(std::string_view left, std::string_view right) {
    std::string out = "  " + std::string(left);
    std::size_t column = out.size();
    bool fresh = true;
    if (column + 2 > kTextColumn) {
        out += "\n" + std::string(kTextColumn, ' ');
        column = kTextColumn;
    } else {
        out.append(kTextColumn - column, ' ');
        column = kTextColumn;
    }
    while (!right.empty()) {
        const std::string_view word = right.substr(0, right.find(' '));
        right.remove_prefix(std::min(right.size(), word.size() + 1));
        if (!fresh && column + 1 + word.size() > kColumns) {
            out += "\n" + std::string(kTextColumn, ' ');
            column = kTextColumn;
            fresh = true;
        }
        if (!fresh) out += ' ';
        column += word.size() + (fresh ? 0 : 1);
        out += word;
        fresh = false;
    }
    return out + "\n";
}

std::string folded(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (column > 0 && column + 1 + word.size() > kColumns) {
            out += '\n';
            column = 0;
        }
        if (column > 0) out += ' ';
        column += word.size() + (column > 0 ? 1 : 0);
        out += word;
    }
    return out + "\n";
}

std::string left_of(const Option& option) {
    return option.name + (option.value.empty() ? "" : " " + option.value);
}

std::string settings_rows(Takes takes) {
    if (takes == Takes::nothing) return {};
    std::string out =
        "\nSettings:\n" + row("--config FILE", "TOML file with settings (PARLEY_CONFIG)");
    for (const SettingInfo& setting : list_settings())
        if (takes == Takes::settings || setting.name == "data")
            out +=
                row("--" + setting.name + " VALUE", setting.help + " (" + setting.variable + ")");
    return out;
}

std::string command_rows(std::string_view group) {
    std::string out;
    std::set<std::string> seen;
    for (const Command& command : commands()) {
        const std::string word = command.name.substr(0, command.name.find(' '));
        if (!group.empty() && word == group) out += row(command.name, command.summary);
        if (!group.empty() || !seen.insert(word).second) continue;
        out += group_summary(word).empty() ? row(word, command.summary)
                                           : row(word + " ...", group_summary(word));
    }
    return out;
}

} // namespace

std::string help_of_program() {
    return "Parley: durable, ordered real-time chat in one program\n\n"
           "Usage: parley [COMMAND] [options]\n\nCommands:\n" +
           command_rows("") + settings_rows(Takes::settings) + "\nOptions:\n" +
           row("--version", "Print the version") + row("--help", "Print this") +
           "\nparley COMMAND --help tells more of one command, with an example.\n"
           "\nExample:\n  parley --listen 127.0.0.1:8080 --data /var/lib/parley\n";
}

std::string help_of_group(std::string_view word) {
    const std::string name(word);
    return "parley " + name + ": " + std::string(group_summary(word)) + "\n\nUsage: parley " +
           name + " COMMAND [options]\n\nCommands:\n" + command_rows(word) +
           "\nExample:\n  parley " + name + " list\n";
}

std::string help_of(const Command& command) {
    std::string out =
        "parley " + command.name + ": " + command.summary + "\n\nUsage: parley " + command.name;
    for (const Argument& argument : command.arguments) out += " " + argument.name;
    out += " [options]\n";
    if (!command.details.empty()) out += "\n" + folded(command.details);
    if (!command.arguments.empty()) out += "\nArguments:\n";
    for (const Argument& argument : command.arguments) out += row(argument.name, argument.help);
    out += "\nOptions:\n";
    for (const Option& option : command.options) out += row(left_of(option), option.help);
    for (const Option& option : common_options(command)) out += row(left_of(option), option.help);
    out += settings_rows(command.takes);
    out += "\nExample:\n";
    for (const std::string& example : command.examples) out += "  " + example + "\n";
    return out + "\nExit status: 0 done, 1 failed, 2 wrong usage.\n";
}

} // namespace parley::app
