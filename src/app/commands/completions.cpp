#include "app/commands/command.hpp"

#include <set>

namespace parley::app {
namespace {

std::vector<std::string> flags_of(const Command& command) {
    std::vector<std::string> flags;
    for (const Option& option : command.options) flags.push_back(option.name);
    for (const Option& option : common_options(command)) flags.push_back(option.name);
    if (command.takes == Takes::nothing) return flags;
    flags.push_back("--config");
    for (const SettingInfo& setting : list_settings())
        if (command.takes == Takes::settings || setting.name == "data")
            flags.push_back("--" + setting.name);
    return flags;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

// First words, and the second ones of a group.
std::vector<std::string> words_below(std::string_view group) {
    std::set<std::string> words;
    for (const Command& command : commands()) {
        const auto space = command.name.find(' ');
        if (group.empty())
            words.insert(command.name.substr(0, space));
        else if (space != std::string::npos && command.name.substr(0, space) == group)
            words.insert(command.name.substr(space + 1));
    }
    return {words.begin(), words.end()};
}

std::set<std::string> groups() {
    std::set<std::string> names;
    for (const Command& command : commands())
        if (const auto space = command.name.find(' '); space != std::string::npos)
            names.insert(command.name.substr(0, space));
    return names;
}

// The words that may follow, for bash and (through bashcompinit) for zsh.
std::string bash() {
    std::string out = "# Completions of parley for bash: parley completions bash\n"
                      "_parley() {\n"
                      "  local word=${COMP_WORDS[COMP_CWORD]} one=${COMP_WORDS[1]} "
                      "two=${COMP_WORDS[2]} words= name\n"
                      "  case $one in\n";
    for (const std::string& group : groups())
        out += "  " + group + ") name=\"$one $two\"; [ $COMP_CWORD -le 2 ] && words=\"" +
               joined(words_below(group)) + "\" ;;\n";
    out += "  *) name=$one ;;\n  esac\n"
           "  [ $COMP_CWORD -eq 1 ] && words=\"" +
           joined(words_below("")) + "\"\n  case $name in\n";
    for (const Command& command : commands()) {
        out += "  \"" + command.name + "\") words=\"$words " + joined(flags_of(command));
        for (const Argument& argument : command.arguments)
            if (!argument.choices.empty()) out += " " + joined(argument.choices);
        out += "\" ;;\n";
    }
    return out + "  esac\n"
                 "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                 "}\n"
                 "complete -o default -F _parley parley\n";
}

std::string zsh() {
    return "#compdef parley\n"
           "# Completions of parley for zsh: parley completions zsh\n"
           "autoload -U +X bashcompinit && bashcompinit\n" +
           bash();
}

std::string fish_quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "'";
}

std::string fish() {
    std::string out = "# Completions of parley for fish: parley completions fish\n";
    for (const std::string& word : words_below(""))
        out += "complete -c parley -n __fish_use_subcommand -a " + word + "\n";
    for (const Command& command : commands()) {
        const auto space = command.name.find(' ');
        const std::string word = command.name.substr(0, space);
        std::string seen = "__fish_seen_subcommand_from " + word;
        if (space != std::string::npos) {
            const std::string second = command.name.substr(space + 1);
            const std::string others = joined(words_below(word));
            out += "complete -c parley -n '" + seen + "; and not __fish_seen_subcommand_from " +
                   others + "' -f -a " + second + " -d " + fish_quoted(command.summary) + "\n";
            seen += "; and __fish_seen_subcommand_from " + second;
        }
        for (const std::string& flag : flags_of(command))
            out += "complete -c parley -n '" + seen + "' -l " + flag.substr(2) + "\n";
        for (const Argument& argument : command.arguments)
            if (!argument.choices.empty())
                out += "complete -c parley -n '" + seen + "' -f -a '" + joined(argument.choices) +
                       "'\n";
    }
    return out;
}

} // namespace

std::string completions(std::string_view shell) {
    return shell == "fish" ? fish() : shell == "zsh" ? zsh() : bash();
}

} // namespace parley::app
