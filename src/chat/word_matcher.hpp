// WordMatcher: finds the words of a list in a text, in one pass, in time that grows with the text
// and not with the list.
//
// Sources: Aho and Corasick, "Efficient string matching" (1975), over folded symbols. A state is 16
// bytes, its children lie side by side, and a word's last letters lie in a row: as compact as a
// double array, and built in linear time. In front of it stands what knows where a word may begin:
// for ASCII a WordSieve, for other texts WordPrefixes, asked at every place. Only where that says
// yes is the automaton entered, and it is left once it holds less than four symbols; so each symbol
// is read a bounded number of times (at most five), whatever the text. A text without hits is read
// at the speed of what stands in front.
//
// A hit of symbols counts where the entry says so:
//   - Without "*", a word begins and ends there: no part of a word lies beside it, signs that
//     look like letters being signs here ("ass!" has the word "ass").
//   - Of the entry, a decorated letter must be decorated so in the text; a plain one may be
//     decorated ("ano" is in "año", "año" is not in "ano").
//   - Of the entry, a digit or sign must be written so in the text; and not all of a hit may be
//     digits and signs that stand for letters ("455" is a number).
//   - An entry in letters that are not ASCII needs one of them in the text (the Russian "сор" is
//     not in "cop").
//   - An allowed word is written exactly so, but for case.
// Of the hits of one action that end at the same place the longest is told; shorter ones may be.
//
// Threading: immutable; scan() from any thread. Owner: the ContentFilter's snapshot.
#pragma once

#include "base/result.hpp"
#include "chat/text_folding.hpp"
#include "chat/word_list.hpp"
#include "chat/word_prefixes.hpp"
#include "chat/word_sieve.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace parley::chat {

// A text made ready once for several matchers, and room to work in. Reused, so that a text costs no
// allocation.
class ScanText {
public:
    void set(const TextFolding& folding, std::string_view text);
    std::string_view text() const { return x_text; }
    bool simple() const { return x_simple; }
    std::size_t size() const { return x_simple ? x_text.size() : x_folded.symbols.size(); }
    // Bytes of the text, as far as the symbols [begin, end) come from them.
    std::pair<std::size_t, std::size_t> bytes(std::size_t begin, std::size_t end) const;

private:
    friend class WordMatcher;
    // What stands in the text at a symbol: before look-alikes, and its marks.
    char32_t plain(std::size_t symbol);
    const std::u32string& marks(std::size_t symbol);
    void need_details();
    bool is_word_part(std::size_t symbol) const;
    // Whether a word may begin at the symbol, and end before it.
    bool may_begin(std::size_t symbol) const;
    bool may_end(std::size_t symbol) const;
    // Inside of what one code point has become.
    bool is_inside(std::size_t symbol) const;
    bool is_letter(std::size_t symbol) const;

    const TextFolding* x_folding = nullptr;
    std::string_view x_text;
    bool x_simple = true, x_detailed = false;
    FoldedText x_folded;
    std::vector<std::uint16_t> x_numbers; // of symbols, as one matcher numbers them
};

struct WordHit {
    std::uint32_t begin, end; // symbols
    const WordEntry* entry;
};

class WordMatcher {
public:
    // invalid_field: an entry of which nothing is left when it is folded (the detail names it).
    static Result<std::shared_ptr<const WordMatcher>> make(const TextFolding& folding,
                                                           std::vector<WordEntry> entries);
    WordMatcher(const WordMatcher&) = delete;
    WordMatcher& operator=(const WordMatcher&) = delete;

    // Appends the hits, by where they end; the same one may come twice.
    void scan(ScanText& text, std::vector<WordHit>& hits) const;
    std::size_t words() const { return x_entries.size(); }
    std::size_t memory_bytes() const;

private:
    using State = std::uint32_t;
    static constexpr std::size_t kBlock = 512; // places that are asked about at a time
    static constexpr std::size_t kDeep = 4;    // a state of so many symbols is not left

    struct Node {
        State children = 0; // the first one
        State fail = 0;
        std::uint32_t output : 29 = 0; // index into x_outputs, 0: none
        std::uint32_t depth : 3 = 0;   // at most kDeep is told
        std::uint16_t label = 0;       // the symbol that leads here
        std::uint16_t count = 0;       // of the children
    };
    static_assert(sizeof(Node) == 16);

    struct Letter {
        char32_t plain;
        std::u32string marks;
        bool leet, foreign;
    };
    struct Rules {
        std::uint32_t length = 0;
        bool left = false, right = false;                   // a boundary is needed there
        bool lettered = false;                              // the entry has a letter
        std::unique_ptr<const std::vector<Letter>> letters; // where they must be compared
    };
    // The entries that end at a state, and the next state by failure that has any.
    struct Output {
        std::uint32_t first, count, next;
    };
    struct Builder;

    WordMatcher() = default;
    void scan_simple(ScanText& text, std::vector<WordHit>& hits) const;
    void scan_folded(ScanText& text, std::vector<WordHit>& hits) const;
    template <class Symbol>
    std::size_t run(std::span<const Symbol> symbols, std::size_t start, ScanText& text,
                    std::vector<WordHit>& hits) const;
    void tell(State state, std::size_t end, ScanText& text, std::vector<WordHit>& hits) const;
    bool counts(const Rules& rules, const WordEntry& entry, std::size_t begin, std::size_t end,
                ScanText& text) const;
    static bool is_written_so(const std::vector<Letter>& letters, bool exactly, std::size_t begin,
                              ScanText& text);
    State child(State state, std::uint16_t symbol) const;
    State step(State state, std::uint16_t symbol) const;
    std::size_t find_candidates(std::span<const std::uint16_t> symbols, std::size_t at,
                                std::size_t here, std::uint16_t* candidates) const;
    std::uint16_t number_of(char32_t symbol) const;

    std::vector<WordEntry> x_entries; // sorted by their symbols
    std::vector<Rules> x_rules;       // beside them
    unsigned x_actions = 0;           // bits of the actions that occur

    // Symbols that occur are numbered from 1; 0 is any other.
    std::array<std::uint16_t, 256> x_ascii_numbers{};
    std::vector<std::uint8_t> x_classes;                     // by number: 0..31
    std::vector<std::pair<char32_t, std::uint16_t>> x_slots; // hash table of those above ASCII

    std::vector<Node> x_nodes; // the root first
    std::vector<State> x_root; // its children by number
    std::vector<Output> x_outputs;

    // Where the automaton is entered: in ASCII, and in the numbers of other texts.
    WordSieve x_sieve;
    WordPrefixes x_prefixes;
};

} // namespace parley::chat
