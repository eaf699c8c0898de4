// Words for the content filter: entries, and the files that they are read from.
//
//   file    := { line "\n" }                  UTF-8; a BOM and "\r" at a line's end are ignored
//   line    := "" | "#" comment | entry       after white space at both ends is taken away
//   entry   := "!" word                       allowed: cancels a hit that lies within it
//            | [ action ":" ] word
//   action  := "mask" | "reject" | "hold"     without one: mask
//   word    := [ "*" ] text [ "*" ]           "*": goes on there; without: a word begins, ends here
//   text    := characters, a white space between two words; "\" makes the next character plain
//
//   darn             masked as a word of its own
//   *darn*           masked anywhere, also inside a longer word
//   darn*            masked where a word begins with it
//   reject: darn     refused: content_rejected
//   hold: darn it    waits for a moderator: content_held
//   !darning         never a hit, where it is written exactly so
//
// Bounds: limits::kFilterWordBytes, kFilterWordsPerFile. Threading: pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace parley::chat {

enum class WordAction : std::uint8_t { mask, reject, hold, allow };

struct WordEntry {
    std::string text;
    WordAction action = WordAction::mask;
    bool open_left = false, open_right = false; // may go on there: "*"
    friend bool operator==(const WordEntry&, const WordEntry&) = default;
};

// invalid_field; the detail names the file and the line.
Result<std::vector<WordEntry>> parse_word_file(std::string_view name, std::string_view bytes);
// The entries as lines that parse_word_file() gives back.
std::string print_words(const std::vector<WordEntry>& entries);

std::string_view name_of(WordAction action);

// A small list of each of a few languages: (language, file).
struct DefaultWords {
    std::string_view language, file;
};
const std::vector<DefaultWords>& default_words();

} // namespace parley::chat
