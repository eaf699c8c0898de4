// How a WordMatcher is made; only for its own files. Time: that of sorting the entries.
#pragma once

#include "chat/word_matcher.hpp"

#include <cstring>

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
    void make_bitmaps();
    void enter_blocks(const Word& word, std::uint32_t tails, Table& table);

    const TextFolding& x_folding;
    WordMatcher& x_made;
    std::vector<Word> x_words;
};

inline std::uint64_t load_eight(const std::uint8_t* classes) {
    std::uint64_t eight;
    std::memcpy(&eight, classes, sizeof eight);
    return eight;
}
// Where the bitmap has the bit of five classes, and a table that of its `length`.
inline std::uint64_t block_hash(std::uint64_t eight, std::size_t length) {
    return (eight << (64 - 8 * length)) * 0x9E3779B97F4A7C15ull;
}
// A block has its bits in two slots of one line of the cache: by chance both are taken rarely.
inline std::size_t second_slot(std::size_t slot, std::uint64_t hash) {
    return slot ^ (1 + (hash >> 20 & 0x3E));
}
inline std::size_t slot_of(char32_t symbol, std::size_t slots) {
    return symbol * 0x9E3779B1u >> 7 & (slots - 1);
}

} // namespace parley::chat
