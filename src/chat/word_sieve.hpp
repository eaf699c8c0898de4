// WordSieve: where in an ASCII text a word of a list may begin. It may say so of a place where none
// does, never the other way; the automaton (word_matcher.hpp) is entered only where it says so.
//
// Sources: Wu and Manber (1994) for the blocks of symbols; Putze, Sanders and Singler (2007) for
// bitmaps whose every answer comes from one word of memory. The text is read in blocks. Of 16 bytes
// at a time the class of each symbol is told (a letter's is its number in the alphabet, whatever
// its case; 0 is no symbol of the list) and masks of one bit a byte are made: parts of words,
// classes of the list, signs that are read as letters. From the masks come the places that are
// asked about at all:
//   - Where a word must begin: after no part of a word. The run of letters and digits there is the
//     word, up to its own first sign or space, so the whole run is looked up (`x_runs`), and one
//     question is all that most words of a text cost. Two exceptions: an entry that may go on
//     ("darn*") is looked up by its first symbols (`x_open`); and where a sign that is read as a
//     letter stands in the run's place or behind it, every entry is (`x_begins`).
//   - Where an entry may begin anywhere ("*darn"): as many symbols of the list must stand there as
//     the shortest such entry has; then its first symbols are looked up (`x_inside`).
// So what a text costs grows with the bits that are left, and the bitmaps of 100,000 words fit into
// a core's second cache.
//
// Threading: immutable once made. Owner: the WordMatcher. Shutdown: nothing.
#pragma once

#include "chat/text_folding.hpp"
#include "chat/word_prefixes.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace parley::chat {

class WordSieve {
public:
    static const bool kFast;
    static constexpr std::size_t kWords = 16, kBlock = 64 * kWords; // places asked about at a time
    using Found = std::array<std::uint64_t, kWords>;                // a bit for each place

    // An entry: its symbols; whether its begin and its end need a boundary.
    struct Entry {
        std::u32string_view symbols;
        bool left, right;
    };

    void make(const TextFolding& folding, const std::vector<Entry>& entries);
    // Of a text that is_simple(), from `at` on: the places of one block. Answers the words of it.
    // `fast`: with the instructions that this core has, else with those that every core has.
    std::size_t find(std::string_view text, std::size_t at, Found& found, bool fast = kFast) const;
    std::size_t memory_bytes() const;

private:
    static constexpr std::size_t kRun = kKeySymbols; // symbols of a run that are compared

    // Of a block and of the 64 bytes after it.
    using Classes = std::uint8_t[kBlock + 64];
    struct Masks { // a bit for each byte
        std::uint64_t parts[kWords + 1], known[kWords + 1], leet[kWords + 1];
    };

    // The bytes of `words` words from `text` on, of which `size` are there.
    void read(const char* text, std::size_t size, std::size_t words, Classes& classes,
              Masks& masks) const;
    void read_by_avx2(const char* text, std::size_t size, std::size_t words, Classes& classes,
                      Masks& masks) const;
    void find_places(bool inside_word, std::size_t words, const Classes& classes,
                     const Masks& masks, Found& found) const;
    void find_places_by_bmi(bool inside_word, std::size_t words, const Classes& classes,
                            const Masks& masks, Found& found) const;
    struct Places; // what both of them do

    // For each byte the class of its symbol, and kLeet or kPart.
    alignas(16) std::array<std::uint8_t, 128> x_bytes{};
    std::size_t x_shortest_begin = 0; // symbols, at most 8; 0: there is none
    HashSet x_runs;
    WordPrefixes x_open, x_begins, x_inside;
};

} // namespace parley::chat
