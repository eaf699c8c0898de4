#include "chat/word_sieve.hpp"

#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/word_matcher.hpp"
#include "tests/support/naive_filter.hpp"

#include <gtest/gtest.h>

#include <random>

namespace parley::chat {
namespace {

// Lists and texts of ASCII, the texts longer than a block and with words of the list in them.
class AsciiCase {
public:
    explicit AsciiCase(std::uint32_t seed) : x_random(seed) {
        x_letters = 2 + x_random() % 12;
        x_signs = x_random() % 3 ? 40 : 4; // one in so many
    }
    std::vector<WordEntry> entries() {
        std::vector<WordEntry> entries(1 + x_random() % 12);
        const std::size_t shortest = 1 + x_random() % 7, spread = x_random() % 8 ? 6 : 30;
        for (WordEntry& entry : entries) {
            do entry.text = written(shortest + x_random() % spread, 10);
            while (entry.text.front() == ' ' || entry.text.back() == ' ');
            entry.action = x_random() % 8 ? WordAction::mask : WordAction::allow;
            entry.open_left = x_random() % 3 == 0;
            entry.open_right = x_random() % 3 == 0;
        }
        return entries;
    }
    std::string text(const std::vector<WordEntry>& entries) {
        std::string text = "x";
        const std::size_t size = x_random() % 2'300;
        while (text.size() < size) {
            if (x_random() % 3)
                text += written(1 + x_random() % 12, x_signs);
            else
                text += disguised(entries[x_random() % entries.size()].text);
            if (x_random() % 2) text += " .,\n-"[x_random() % 5];
        }
        return text + "x";
    }

private:
    std::string written(std::size_t length, std::uint32_t signs) {
        static constexpr std::string_view kLetters = "abeSiotzBXqn", kSigns = " @$!|+0123-_.&456";
        std::string text;
        while (text.size() < length)
            text += x_random() % signs ? kLetters[x_random() % x_letters % kLetters.size()]
                                       : kSigns[x_random() % kSigns.size()];
        return text;
    }
    std::string disguised(std::string word) {
        static constexpr std::string_view kFrom = "aesiotb", kTo = "@3$!078";
        for (char& c : word) {
            if (x_random() % 8 == 0) c = static_cast<char>(std::toupper(c));
            const std::size_t at = kFrom.find(c);
            if (at != std::string_view::npos && x_random() % 12 == 0) c = kTo[at];
        }
        return word;
    }
    std::mt19937 x_random;
    std::size_t x_letters;
    std::uint32_t x_signs;
};

std::string shown(ContentFilter& filter, const std::vector<WordEntry>& entries,
                  const std::string& text) {
    auto snapshot = std::make_shared<ContentFilter::Snapshot>();
    snapshot->everywhere = WordMatcher::make(filter.folding(), entries).value();
    filter.publish(std::move(snapshot));
    const auto verdict = filter.apply(Composer::edit({1}, {2}, {3}, text).value());
    const auto& body = std::get<model::Filtered>(verdict).draft().body();
    return std::get<model::EditDraft>(body).content;
}

TEST(WordSieve, NoWordOfAnAsciiTextIsMissed) {
    ContentFilter filter;
    std::size_t found = 0;
    for (std::uint32_t seed = 0; seed < 1'500; ++seed) {
        AsciiCase random(seed);
        const auto entries = random.entries();
        const std::string text = random.text(entries);
        ASSERT_TRUE(TextFolding::is_simple(text));
        const std::string wanted =
            support::NaiveFilter(filter.folding(), entries).look(text).masked;
        ASSERT_EQ(shown(filter, entries, text), wanted) << "seed " << seed << "\n"
                                                        << print_words(entries);
        found += wanted != text;
    }
    EXPECT_GT(found, 900u);
}

TEST(WordSieve, WhatEveryCoreCanSaysTheSame) {
    if (!WordSieve::kFast) GTEST_SKIP() << "no AVX2 here: the portable path is the only one";
    const TextFolding folding;
    std::size_t places = 0;
    for (std::uint32_t seed = 0; seed < 500; ++seed) {
        AsciiCase random(seed);
        const auto entries = random.entries();
        std::vector<std::u32string> symbols;
        for (const WordEntry& entry : entries) {
            FoldedText folded;
            folding.fold(entry.text, folded);
            symbols.emplace_back(folded.symbols.begin(), folded.symbols.end());
        }
        std::vector<WordSieve::Entry> of_sieve;
        for (std::size_t i = 0; i < entries.size(); ++i)
            of_sieve.push_back({symbols[i], !entries[i].open_left, !entries[i].open_right});
        WordSieve sieve;
        sieve.make(folding, of_sieve);
        const std::string text = random.text(entries);
        for (std::size_t at = 0; at < text.size(); at += WordSieve::kBlock) {
            WordSieve::Found fast{}, slow{};
            ASSERT_EQ(sieve.find(text, at, fast, true), sieve.find(text, at, slow, false));
            ASSERT_EQ(fast, slow) << "seed " << seed << ", from " << at;
            for (const std::uint64_t word : fast) places += word != 0;
        }
    }
    EXPECT_GT(places, 1'000u);
}

TEST(WordSieve, AWordMayStandAcrossTheEndsOfWordsAndBlocks) {
    ContentFilter filter;
    for (const std::string word : {"go", "oh darn", "abcdefghijklmnopqrstuvwxyz", "d@rn", "a-b"}) {
        for (const std::size_t end : {std::size_t{64}, WordSieve::kBlock, 2 * WordSieve::kBlock}) {
            for (std::size_t back = 0; back <= word.size(); ++back) {
                const std::string before(end - back - 1, '.'), behind(80, '.');
                const std::string text = before + " " + word + " " + behind;
                const std::string wanted =
                    before + " " + std::string(word.size(), '*') + " " + behind;
                EXPECT_EQ(shown(filter, {{word, WordAction::mask, false, false}}, text), wanted);
                EXPECT_EQ(shown(filter, {{word, WordAction::mask, true, true}}, text), wanted);
                EXPECT_EQ(shown(filter, {{word, WordAction::mask, false, false}},
                                before + "x" + word + " " + behind),
                          before + "x" + word + " " + behind);
            }
        }
    }
}

} // namespace
} // namespace parley::chat
