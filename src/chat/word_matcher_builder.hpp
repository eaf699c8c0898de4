// How a WordMatcher is made; only for its own files. Time: that of sorting the entries.
#pragma once

#include "chat/word_matcher.hpp"

namespace parley::chat {

struct WordMatcher::Builder {
    struct Word {
        std::u32string symbols;
        std::vector<std::uint16_t> numbers;
        WordEntry entry;
        Rules rules;
    };
    struct Range { // of words that share the state's symbols
        std::size_t begin, end;
    };

    Builder(const TextFolding& folding, WordMatcher& matcher)
        : x_folding(folding), x_made(matcher) {}
    Result<void> build(std::vector<WordEntry> entries);

private:
    Result<void> add(WordEntry entry);
    Result<void> number_symbols();
    void make_trie();
    std::uint32_t output_of(Range range, std::size_t depth);
    void make_failures();
    void make_sieves();

    const TextFolding& x_folding;
    WordMatcher& x_made;
    std::vector<Word> x_words;
};

inline std::size_t slot_of(char32_t symbol, std::size_t slots) {
    return symbol * 0x9E3779B1u >> 7 & (slots - 1);
}

} // namespace parley::chat
