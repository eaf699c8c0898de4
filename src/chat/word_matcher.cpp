#include "chat/word_matcher.hpp"

#include "base/assert.hpp"
#include "chat/word_matcher_builder.hpp"

#include <algorithm>
#include <bit>

namespace parley::chat {

// --- the text

void ScanText::set(const TextFolding& folding, std::string_view text) {
    x_folding = &folding;
    x_text = text;
    x_detailed = false;
    x_simple = TextFolding::is_simple(text);
    if (!x_simple) folding.fold(text, x_folded);
}

std::pair<std::size_t, std::size_t> ScanText::bytes(std::size_t begin, std::size_t end) const {
    if (x_simple) return {begin, end};
    return {x_folded.begins[begin], x_folded.ends[end - 1]};
}

void ScanText::need_details() {
    if (std::exchange(x_detailed, true)) return;
    const std::size_t before = x_folded.symbols.size();
    x_folding->fold_with_details(x_text, x_folded);
    PARLEY_ASSERT(x_folded.symbols.size() == before);
}

char32_t ScanText::plain(std::size_t symbol) {
    if (x_simple) {
        const auto byte = static_cast<unsigned char>(x_text[symbol]);
        return byte < 0x20 ? U' ' : byte >= 'A' && byte <= 'Z' ? byte | 0x20u : byte;
    }
    need_details();
    return x_folded.plain[symbol];
}

const std::u32string& ScanText::marks(std::size_t symbol) {
    static const std::u32string kNone;
    if (x_simple) return kNone;
    need_details();
    return x_folded.marks[symbol];
}

bool ScanText::is_word_part(std::size_t symbol) const {
    if (x_simple) return TextFolding::is_word_part(static_cast<unsigned char>(x_text[symbol]));
    std::size_t size = 0;
    return TextFolding::is_word_part(decode_utf8(x_text.substr(x_folded.begins[symbol]), size));
}

bool ScanText::is_inside(std::size_t symbol) const {
    return !x_simple && x_folded.begins[symbol - 1] == x_folded.begins[symbol];
}

// What lies outside decides: the hit's own end may be a sign that looks like a letter.
bool ScanText::may_begin(std::size_t symbol) const {
    return symbol == 0 || (!is_word_part(symbol - 1) && !is_inside(symbol));
}

bool ScanText::may_end(std::size_t symbol) const {
    return symbol == size() || (!is_word_part(symbol) && !is_inside(symbol));
}

// Or what looks like one, such as a letter in a circle; digits do not.
bool ScanText::is_letter(std::size_t symbol) const {
    const std::size_t at = x_simple ? symbol : x_folded.begins[symbol];
    const auto byte = static_cast<unsigned char>(x_text[at]);
    if (byte < 0x80) return TextFolding::is_letter(byte);
    std::size_t size = 0;
    const char32_t c = decode_utf8(x_text.substr(at), size);
    return !TextFolding::is_leet(c) && !TextFolding::is_number(c);
}

// --- the automaton

WordMatcher::State WordMatcher::child(State state, std::uint16_t symbol) const {
    State low = x_nodes[state].children;
    State high = low + x_nodes[state].count;
    while (high - low > 4) {
        const State middle = low + (high - low) / 2;
        if (x_nodes[middle].label <= symbol)
            low = middle;
        else
            high = middle;
    }
    for (; low < high; ++low)
        if (x_nodes[low].label == symbol) return low;
    return 0;
}

WordMatcher::State WordMatcher::step(State state, std::uint16_t symbol) const {
    for (; state; state = x_nodes[state].fail)
        if (const State next = child(state, symbol)) return next;
    return x_root[symbol];
}

std::uint16_t WordMatcher::number_of(char32_t symbol) const {
    std::size_t slot = slot_of(symbol, x_slots.size());
    for (; x_slots[slot].second; slot = (slot + 1) & (x_slots.size() - 1))
        if (x_slots[slot].first == symbol) return x_slots[slot].second;
    return 0;
}

// From where a word may begin; answers where to look on.
template <class Symbol>
std::size_t WordMatcher::run(std::span<const Symbol> symbols, std::size_t start, ScanText& text,
                             std::vector<WordHit>& hits) const {
    State state = 0;
    for (std::size_t i = start; i < symbols.size();) {
        const Symbol symbol = symbols[i++];
        if constexpr (sizeof(Symbol) == 1)
            state = step(state, x_ascii_numbers[symbol]);
        else
            state = step(state, symbol);
        const Node& node = x_nodes[state];
        if (node.output) tell(state, i, text, hits);
        if (node.depth == kDeep) continue;
        const std::size_t begin = i - node.depth;
        if (begin > start) return begin;
    }
    return symbols.size();
}

// Places of the block where a word may begin. No branch on what the text is: every one is written,
// few are kept.
std::size_t WordMatcher::find_candidates(std::span<const std::uint16_t> symbols, std::size_t at,
                                         std::size_t here, std::uint16_t* candidates) const {
    std::uint8_t classes[kBlock + 16];
    const std::uint8_t* const class_of = x_classes.data();
    const std::size_t known = std::min(here + 8, symbols.size() - at);
    for (std::size_t i = 0; i < known; ++i) classes[i] = class_of[symbols[at + i]];
    std::fill(classes + known, classes + here + 16, std::uint8_t{0});
    std::size_t count = 0;
    for (std::size_t i = 0; i < here; ++i) {
        candidates[count] = static_cast<std::uint16_t>(i);
        count += x_prefixes.may_be_near(load_eight(classes + i));
    }
    std::size_t likely = 0;
    for (std::size_t c = 0; c < count; ++c) {
        const std::uint16_t i = candidates[c];
        candidates[likely] = i;
        likely += x_prefixes.may_be(load_eight(classes + i));
    }
    return likely;
}

void WordMatcher::scan_simple(ScanText& text, std::vector<WordHit>& hits) const {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.x_text.data());
    const std::span symbols(bytes, text.x_text.size());
    WordSieve::Found found;
    std::size_t resume = 0;
    for (std::size_t at = 0; at < symbols.size(); at += WordSieve::kBlock) {
        if (resume >= at + WordSieve::kBlock) continue;
        const std::size_t words = x_sieve.find(text.x_text, at, found);
        for (std::size_t word = 0; word < words; ++word) {
            for (std::uint64_t places = found[word]; places; places &= places - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(places));
                const std::size_t place = at + 64 * word + bit;
                if (place >= resume) resume = run(symbols, place, text, hits);
            }
        }
    }
}

void WordMatcher::scan_folded(ScanText& text, std::vector<WordHit>& hits) const {
    text.x_numbers.clear();
    for (const char32_t symbol : text.x_folded.symbols) text.x_numbers.push_back(number_of(symbol));
    const std::span<const std::uint16_t> symbols(text.x_numbers);
    std::uint16_t candidates[kBlock];
    std::size_t resume = 0;
    for (std::size_t at = 0; at < symbols.size(); at += kBlock) {
        const std::size_t here = std::min(kBlock, symbols.size() - at);
        if (resume >= at + here) continue;
        const std::size_t count = find_candidates(symbols, at, here, candidates);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t place = at + candidates[i];
            if (place >= resume) resume = run(symbols, place, text, hits);
        }
    }
}

void WordMatcher::scan(ScanText& text, std::vector<WordHit>& hits) const {
    if (x_entries.empty()) return;
    if (text.x_simple)
        scan_simple(text, hits);
    else
        scan_folded(text, hits);
}

// --- what counts

void WordMatcher::tell(State state, std::size_t end, ScanText& text,
                       std::vector<WordHit>& hits) const {
    unsigned missing = x_actions;
    for (std::uint32_t o = x_nodes[state].output; o && missing; o = x_outputs[o].next) {
        const Output& output = x_outputs[o];
        for (std::uint32_t e = output.first; e < output.first + output.count; ++e) {
            const unsigned action = 1u << static_cast<unsigned>(x_entries[e].action);
            const std::size_t begin = end - x_rules[e].length;
            if (!(missing & action) || !counts(x_rules[e], x_entries[e], begin, end, text))
                continue;
            missing &= ~action;
            hits.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end),
                            &x_entries[e]});
        }
    }
}

bool WordMatcher::counts(const Rules& rules, const WordEntry& entry, std::size_t begin,
                         std::size_t end, ScanText& text) const {
    if (rules.right && !text.may_end(end)) return false;
    if (rules.left && !text.may_begin(begin)) return false;
    if (rules.letters)
        return is_written_so(*rules.letters, entry.action == WordAction::allow, begin, text);
    if (!rules.lettered) return true; // of signs that are not taken for letters
    for (std::size_t i = begin; i < end; ++i)
        if (text.is_letter(i)) return true;
    return false;
}

bool WordMatcher::is_written_so(const std::vector<Letter>& letters, bool exactly, std::size_t begin,
                                ScanText& text) {
    bool any_letter = false, any_same = false, foreign = false, foreign_same = false;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const Letter& wanted = letters[i];
        const char32_t plain = text.plain(begin + i);
        const std::u32string& marks = text.marks(begin + i);
        const bool same = plain == wanted.plain;
        if ((exactly || wanted.leet) && !same) return false;
        if (exactly ? marks != wanted.marks
                    : !std::includes(marks.begin(), marks.end(), wanted.marks.begin(),
                                     wanted.marks.end()))
            return false;
        any_letter = any_letter || TextFolding::is_letter(plain);
        any_same = any_same || same;
        foreign = foreign || wanted.foreign;
        foreign_same = foreign_same || (wanted.foreign && same);
    }
    return (any_letter || any_same) && (!foreign || foreign_same);
}

std::size_t WordMatcher::memory_bytes() const {
    return x_sieve.memory_bytes() + x_prefixes.memory_bytes() + x_nodes.size() * sizeof(Node) +
           x_outputs.size() * sizeof(Output) +
           x_entries.size() * (sizeof(WordEntry) + sizeof(Rules));
}

} // namespace parley::chat
