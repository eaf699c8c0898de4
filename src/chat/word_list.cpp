#include "chat/word_list.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <optional>

namespace parley::chat {

namespace {

struct Named {
    std::string_view name;
    WordAction action;
};
constexpr Named kActions[] = {
    {"mask", WordAction::mask}, {"reject", WordAction::reject}, {"hold", WordAction::hold}};

// Takes "name :" off the line.
std::optional<WordAction> take_action(std::string_view& line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim(line.substr(0, colon));
    for (const Named& known : kActions) {
        if (name != known.name) continue;
        line = trim(line.substr(colon + 1));
        return known.action;
    }
    return std::nullopt;
}

// Null: what is wrong with it.
const char* take_word(std::string_view line, WordEntry& entry) {
    if (line.starts_with('*')) {
        entry.open_left = true;
        line.remove_prefix(1);
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
        char c = line[i];
        if (c == '*') {
            if (i + 1 != line.size()) return "a * in the middle of a word (write \\* for one)";
            entry.open_right = true;
            break;
        }
        if (c == '\\') {
            if (++i == line.size()) return "nothing after the \\";
            c = line[i];
        }
        entry.text += c;
    }
    // White space at the ends is no part of a word, also where a "\" stands before it.
    entry.text = std::string(trim(entry.text));
    if (entry.text.empty()) return "there is no word in it";
    if (entry.text.size() > limits::kFilterWordBytes) return "the word is too long";
    return nullptr;
}

const char* parse_line(std::string_view line, WordEntry& entry) {
    if (!is_valid_utf8(line)) return "it is not UTF-8";
    if (has_control(line)) return "it has a control character";
    if (line.starts_with('!')) {
        entry.action = WordAction::allow;
        line = trim(line.substr(1));
    } else if (const auto action = take_action(line)) {
        entry.action = *action;
    } else if (const std::size_t colon = line.find(':');
               colon != std::string_view::npos && (colon == 0 || line[colon - 1] != '\\')) {
        return "before the : stands none of mask, reject, hold (write \\: for a colon)";
    }
    return take_word(line, entry);
}

} // namespace

Result<std::vector<WordEntry>> parse_word_file(std::string_view name, std::string_view bytes) {
    std::vector<WordEntry> entries;
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    for (std::size_t number = 1; !bytes.empty(); ++number) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        const std::string_view line = trim(bytes.substr(0, end));
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (line.empty() || line.starts_with('#')) continue;
        WordEntry entry;
        const char* wrong = parse_line(line, entry);
        if (!wrong && entries.size() == limits::kFilterWordsPerFile) wrong = "too many words";
        if (wrong)
            return Error(Errc::invalid_field,
                         std::string(name) + ", line " + std::to_string(number) + ": " + wrong);
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::string print_words(const std::vector<WordEntry>& entries) {
    std::string out;
    for (const WordEntry& entry : entries) {
        if (entry.action == WordAction::allow)
            out += '!';
        else
            out += std::string(name_of(entry.action)) + ": ";
        if (entry.open_left) out += '*';
        for (const char c : entry.text) {
            if (c == '*' || c == '\\' || c == ':' || c == '#' || c == '!') out += '\\';
            out += c;
        }
        if (entry.open_right) out += '*';
        out += '\n';
    }
    return out;
}

std::string_view name_of(WordAction action) {
    for (const Named& known : kActions)
        if (known.action == action) return known.name;
    return "allow";
}

} // namespace parley::chat
