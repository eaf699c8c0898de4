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
    make_bitmaps();
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
        x_made.x_ascii_classes[byte] = x_made.x_classes[found->second];
    }
    for (Word& word : x_words)
        for (const char32_t symbol : word.symbols) word.numbers.push_back(numbers[symbol]);
    return {};
}

void WordMatcher::Builder::make_trie() {
    // x_labels, x_children and x_output grow together; ranges and depths beside them.
    std::vector<Range> ranges;
    std::vector<std::uint32_t> depths;
    x_made.x_outputs.push_back({0, 0, 0});
    x_made.x_levels.fill(std::numeric_limits<State>::max());
    add_state({0, x_words.size()}, 0, 0, ranges, depths);
    for (State state = 0; state < ranges.size(); ++state) {
        x_made.x_children[state] = static_cast<State>(ranges.size());
        const std::uint32_t depth = depths[state];
        std::size_t i = ranges[state].begin;
        const std::size_t end = ranges[state].end;
        // Sorted by symbols, which are not sorted by number: children are put in order below.
        while (i < end && x_words[i].numbers.size() == depth) ++i;
        std::vector<std::pair<std::uint16_t, Range>> groups;
        while (i < end) {
            const std::uint16_t label = x_words[i].numbers[depth];
            const std::size_t from = i;
            while (i < end && x_words[i].numbers[depth] == label) ++i;
            groups.push_back({label, {from, i}});
        }
        std::sort(groups.begin(), groups.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [label, range] : groups)
            add_state(range, label, depth + 1, ranges, depths);
    }
    x_made.x_children.push_back(static_cast<State>(ranges.size()));
    x_made.x_root.assign(x_made.x_classes.size(), 0);
    for (State s = x_made.x_children[0]; s < x_made.x_children[1]; ++s)
        x_made.x_root[x_made.x_labels[s]] = s;
}

void WordMatcher::Builder::add_state(Range range, std::uint16_t label, std::uint32_t depth,
                                     std::vector<Range>& ranges,
                                     std::vector<std::uint32_t>& depths) {
    const auto state = static_cast<State>(ranges.size());
    if (depth <= kNear && state < x_made.x_levels[depth]) x_made.x_levels[depth] = state;
    ranges.push_back(range);
    depths.push_back(depth);
    x_made.x_labels.push_back(label);
    x_made.x_children.push_back(0);
    std::uint32_t count = 0;
    while (depth > 0 && range.begin + count < range.end &&
           x_words[range.begin + count].numbers.size() == depth)
        ++count;
    x_made.x_output.push_back(count ? static_cast<std::uint32_t>(x_made.x_outputs.size()) : 0);
    if (count) x_made.x_outputs.push_back({static_cast<std::uint32_t>(range.begin), count, 0});
}

void WordMatcher::Builder::make_failures() {
    x_made.x_fail.assign(x_made.x_labels.size(), 0);
    for (State parent = 0; parent < x_made.x_labels.size(); ++parent) {
        for (State s = x_made.x_children[parent]; s < x_made.x_children[parent + 1]; ++s) {
            const State fail = parent ? x_made.step(x_made.x_fail[parent], x_made.x_labels[s]) : 0;
            x_made.x_fail[s] = fail;
            const std::uint32_t inherited = x_made.x_output[fail];
            if (x_made.x_output[s])
                x_made.x_outputs[x_made.x_output[s]].next = inherited;
            else
                x_made.x_output[s] = inherited;
        }
    }
}

void WordMatcher::Builder::make_bitmaps() {
    // Enough bits that few of them are set, and no more: the fewer, the nearer to the core.
    const std::size_t words = std::max<std::size_t>(x_words.size(), 1);
    const auto bits = [](std::size_t wanted, unsigned low, unsigned high) {
        return std::clamp(static_cast<unsigned>(std::bit_width(wanted)), low, high);
    };
    const unsigned near_bits = bits(words * 16, 12, 20), far_bits = bits(words * 16, 12, 21);
    x_made.x_near_shift = 32 - near_bits;
    x_made.x_far_shift = 32 - far_bits;
    x_made.x_near.assign(std::size_t{1} << near_bits >> 5, 0);
    x_made.x_short.assign(x_made.x_near.size(), 0);
    x_made.x_far.assign(std::size_t{1} << far_bits >> 5, 0);
    const auto set = [](std::vector<std::uint32_t>& map, std::uint32_t index) {
        map[index >> 5] |= 1u << (index & 31);
    };
    for (const Word& word : x_words) {
        const std::size_t length = word.numbers.size();
        std::uint8_t classes[kFar + 2] = {};
        for (std::size_t i = 0; i < std::min(length, kFar); ++i)
            classes[i] = x_made.x_classes[word.numbers[i]];
        if (length >= kFar) {
            set(x_made.x_near, near_hash(classes) >> x_made.x_near_shift);
            set(x_made.x_far, far_hash(classes) >> x_made.x_far_shift);
            continue;
        }
        // Whatever may follow a word that is shorter than the block.
        const std::size_t open = length < kNear ? kNear - length : 0;
        for (std::uint32_t tail = 0; tail < 1u << 5 * open; ++tail) {
            for (std::size_t i = 0; i < open; ++i)
                classes[length + i] = static_cast<std::uint8_t>(tail >> 5 * i & 31);
            const std::uint32_t index = near_hash(classes) >> x_made.x_near_shift;
            set(x_made.x_near, index);
            set(x_made.x_short, index);
        }
    }
}

} // namespace parley::chat
