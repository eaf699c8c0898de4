#include "chat/word_matcher_builder.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>

namespace parley::chat {

Result<std::shared_ptr<const WordMatcher>> WordMatcher::make(const TextFolding& folding,
                                                             std::vector<WordEntry> entries) {
    std::shared_ptr<WordMatcher> made(new WordMatcher);
    Builder builder(folding, *made);
    PARLEY_CHECK(builder.build(std::move(entries)));
    return std::shared_ptr<const WordMatcher>(std::move(made));
}

Result<void> WordMatcher::Builder::build(std::vector<WordEntry> entries) {
    x_words.reserve(entries.size());
    for (WordEntry& entry : entries) PARLEY_CHECK(add(std::move(entry)));
    std::stable_sort(x_words.begin(), x_words.end(),
                     [](const Word& a, const Word& b) { return a.symbols < b.symbols; });
    PARLEY_CHECK(number_symbols());
    for (Word& word : x_words) {
        x_made.x_actions |= 1u << static_cast<unsigned>(word.entry.action);
        word.rules.length = static_cast<std::uint32_t>(word.numbers.size());
        x_made.x_entries.push_back(std::move(word.entry));
        x_made.x_rules.push_back(std::move(word.rules));
    }
    make_trie();
    make_failures();
    make_sieves();
    return {};
}

Result<void> WordMatcher::Builder::add(WordEntry entry) {
    FoldedText folded;
    x_folding.fold_with_details(entry.text, folded);
    Word word;
    word.symbols.assign(folded.symbols.begin(), folded.symbols.end());
    if (word.symbols.find_first_not_of(U' ') == std::u32string::npos)
        return Error(Errc::invalid_field, "nothing of the word \"" + entry.text + "\" can be seen");
    bool compare = entry.action == WordAction::allow, foreign = false, foreign_symbol = false;
    std::vector<Letter> letters;
    for (std::size_t i = 0; i < folded.symbols.size(); ++i) {
        const char32_t plain = folded.plain[i];
        const bool letter = TextFolding::is_letter(plain);
        Letter& last = letters.emplace_back(Letter{plain, folded.marks[i],
                                                   !letter && TextFolding::is_leet(plain),
                                                   letter && plain >= 0x80});
        compare = compare || last.leet || !last.marks.empty();
        word.rules.lettered = word.rules.lettered || letter;
        foreign = foreign || last.foreign;
        foreign_symbol = foreign_symbol || (last.foreign && folded.symbols[i] == plain);
    }
    // One foreign letter that is its own symbol is in each text that has the entry's symbols.
    compare = compare || (foreign && !foreign_symbol);
    word.rules.left = !entry.open_left && TextFolding::is_word_part(letters.front().plain);
    word.rules.right = !entry.open_right && TextFolding::is_word_part(letters.back().plain);
    if (compare)
        word.rules.letters = std::make_unique<const std::vector<Letter>>(std::move(letters));
    word.entry = std::move(entry);
    x_words.push_back(std::move(word));
    return {};
}

// The thirty most frequent symbols have a class of their own, the others share one.
Result<void> WordMatcher::Builder::number_symbols() {
    std::map<char32_t, std::size_t> counts;
    for (const Word& word : x_words)
        for (const char32_t symbol : word.symbols) ++counts[symbol];
    if (counts.size() >= std::numeric_limits<std::uint16_t>::max())
        return Error(Errc::invalid_field, "the lists have too many different characters");
    std::vector<std::pair<char32_t, std::size_t>> by_count(counts.begin(), counts.end());
    std::stable_sort(by_count.begin(), by_count.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    x_made.x_slots.assign(std::bit_ceil(2 * by_count.size() + 1), {0, 0});
    x_made.x_classes.assign(1, 0);
    std::map<char32_t, std::uint16_t> numbers;
    for (const auto& [symbol, count] : by_count) {
        const auto number = static_cast<std::uint16_t>(x_made.x_classes.size());
        x_made.x_classes.push_back(static_cast<std::uint8_t>(std::min<int>(number, 31)));
        numbers[symbol] = number;
        std::size_t slot = slot_of(symbol, x_made.x_slots.size());
        while (x_made.x_slots[slot].second != 0) slot = (slot + 1) & (x_made.x_slots.size() - 1);
        x_made.x_slots[slot] = {symbol, number};
    }
    for (int byte = 0; byte < 0x80; ++byte) {
        const auto symbol =
            static_cast<unsigned char>(x_folding.fold_simple(static_cast<char>(byte)));
        const auto found = numbers.find(symbol);
        if (found == numbers.end()) continue;
        x_made.x_ascii_numbers[byte] = found->second;
    }
    for (Word& word : x_words)
        for (const char32_t symbol : word.symbols) word.numbers.push_back(numbers[symbol]);
    return {};
}

// A state's children are put in a row, then each child's own: what hangs on one branch, above all
// the last letters of a word, lies together.
void WordMatcher::Builder::make_trie() {
    struct Open {
        State state;
        Range range;
        std::size_t depth;
    };
    std::vector<Node>& nodes = x_made.x_nodes;
    x_made.x_outputs.push_back({0, 0, 0});
    nodes.emplace_back();
    std::vector<Open> open{{0, {0, x_words.size()}, 0}};
    std::vector<Open> children;
    while (!open.empty()) {
        const Open parent = open.back();
        open.pop_back();
        std::size_t i = parent.range.begin;
        while (i < parent.range.end && x_words[i].numbers.size() == parent.depth) ++i;
        children.clear();
        while (i < parent.range.end) {
            const std::uint16_t label = x_words[i].numbers[parent.depth];
            const std::size_t from = i;
            while (i < parent.range.end && x_words[i].numbers[parent.depth] == label) ++i;
            children.push_back({label, {from, i}, parent.depth + 1});
        }
        // Words are sorted by their symbols, children by the symbols' numbers.
        std::sort(children.begin(), children.end(),
                  [](const Open& a, const Open& b) { return a.state < b.state; });
        nodes[parent.state].children = static_cast<State>(nodes.size());
        nodes[parent.state].count = static_cast<std::uint16_t>(children.size());
        for (Open& child : children) {
            Node& node = nodes.emplace_back();
            node.label = static_cast<std::uint16_t>(child.state);
            node.depth = static_cast<std::uint32_t>(std::min(child.depth, kDeep)) & 7;
            node.output = output_of(child.range, child.depth) & 0x1FFFFFFF;
            child.state = static_cast<State>(nodes.size() - 1);
        }
        open.insert(open.end(), children.rbegin(), children.rend());
    }
    x_made.x_root.assign(x_made.x_classes.size(), 0);
    for (State s = nodes[0].children; s < nodes[0].children + nodes[0].count; ++s)
        x_made.x_root[nodes[s].label] = s;
}

std::uint32_t WordMatcher::Builder::output_of(Range range, std::size_t depth) {
    std::uint32_t count = 0;
    while (range.begin + count < range.end && x_words[range.begin + count].numbers.size() == depth)
        ++count;
    if (!count) return 0;
    x_made.x_outputs.push_back({static_cast<std::uint32_t>(range.begin), count, 0});
    return static_cast<std::uint32_t>(x_made.x_outputs.size() - 1);
}

// Level by level: a failure leads to a shorter state.
void WordMatcher::Builder::make_failures() {
    std::vector<Node>& nodes = x_made.x_nodes;
    std::vector<State> order{0};
    order.reserve(nodes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const State parent = order[i];
        const State end = nodes[parent].children + nodes[parent].count;
        for (State s = nodes[parent].children; s < end; ++s) {
            order.push_back(s);
            if (parent) nodes[s].fail = x_made.step(nodes[parent].fail, nodes[s].label);
            const std::uint32_t inherited = nodes[nodes[s].fail].output;
            if (nodes[s].output)
                x_made.x_outputs[nodes[s].output].next = inherited;
            else
                nodes[s].output = inherited & 0x1FFFFFFF;
        }
    }
}

void WordMatcher::Builder::make_sieves() {
    std::vector<WordSieve::Entry> entries;
    std::vector<WordKey> keys;
    for (std::size_t w = 0; w < x_words.size(); ++w) {
        const Rules& rules = x_made.x_rules[w];
        entries.push_back({x_words[w].symbols, rules.left, rules.right});
        WordKey& key = keys.emplace_back();
        const auto& numbers = x_words[w].numbers;
        for (std::size_t i = 0; i < std::min(numbers.size(), key.size()); ++i)
            key[i] = x_made.x_classes[numbers[i]];
    }
    x_made.x_sieve.make(x_folding, entries);
    x_made.x_prefixes.make(keys);
}

} // namespace parley::chat
