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
    void add_state(Range range, std::uint16_t label, std::uint32_t depth,
                   std::vector<Range>& ranges, std::vector<std::uint32_t>& depths);
    void make_failures();
    void make_bitmaps();

    const TextFolding& x_folding;
    WordMatcher& x_made;
    std::vector<Word> x_words;
};

// Where the bitmaps have the bit of some classes: four, and then six.
inline std::uint32_t near_hash(const std::uint8_t* classes) {
    std::uint32_t four;
    __builtin_memcpy(&four, classes, 4);
    return four * 0x9E3779B1u;
}
inline std::uint32_t far_hash(const std::uint8_t* classes) {
    std::uint32_t four;
    std::uint16_t two;
    __builtin_memcpy(&four, classes, 4);
    __builtin_memcpy(&two, classes + 4, 2);
    const std::uint64_t mixed = (std::uint64_t{four} << 16 | two) * 0x9E3779B97F4A7C15ull;
    return static_cast<std::uint32_t>(mixed >> 32);
}
inline unsigned has_bit(const std::vector<std::uint32_t>& bits, std::uint32_t index) {
    return bits[index >> 5] >> (index & 31) & 1;
}
inline std::size_t slot_of(char32_t symbol, std::size_t slots) {
    return symbol * 0x9E3779B1u >> 7 & (slots - 1);
}

} // namespace parley::chat
