#include "chat/word_matcher.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <optional>

namespace parley::chat {
namespace {

std::vector<WordEntry> words(std::string_view file) { return parse_word_file("t", file).value(); }

// The bytes of the text at each hit, once each.
std::vector<std::string> hits(std::string_view file, std::string_view text,
                              LookAlikes look_alikes = {}) {
    static const TextFolding all;
    const bool usual = look_alikes.cyrillic && look_alikes.greek && look_alikes.leet;
    std::optional<TextFolding> other;
    const TextFolding& folding = usual ? all : other.emplace(look_alikes);
    const auto matcher = WordMatcher::make(folding, words(file)).value();
    ScanText scanned;
    scanned.set(folding, text);
    std::vector<WordHit> found;
    matcher->scan(scanned, found);
    std::vector<std::string> out;
    for (const WordHit& hit : found) {
        const auto [begin, end] = scanned.bytes(hit.begin, hit.end);
        const std::string bytes(text.substr(begin, end - begin));
        if (std::find(out.begin(), out.end(), bytes) == out.end()) out.push_back(bytes);
    }
    return out;
}

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(WordMatcher, FindsAWordOfItsOwnOrAnywhereAsTheEntrySays) {
    EXPECT_THAT(hits("darn", "Oh DARN, that"), ElementsAre("DARN"));
    EXPECT_THAT(hits("darn", "darn"), ElementsAre("darn"));
    EXPECT_THAT(hits("darn", "darned undarn darn1 1darn"), IsEmpty());
    EXPECT_THAT(hits("darn", "un_darn_ed"), ElementsAre("darn"));
    EXPECT_THAT(hits("*darn*", "undarned"), ElementsAre("darn"));
    EXPECT_THAT(hits("darn*", "undarn darned"), ElementsAre("darn"));
    EXPECT_THAT(hits("*darn", "undarn"), ElementsAre("darn"));
    EXPECT_THAT(hits("*darn", "darned"), IsEmpty());
    EXPECT_THAT(hits("oh darn", "oh darn oh\ndarn"), ElementsAre("oh darn", "oh\ndarn"));
}

TEST(WordMatcher, FindsWordsOfEveryLengthAlsoAtTheEndsOfBlocks) {
    const std::string alphabet = "abcdefghijklmnop";
    for (std::size_t length = 1; length <= 9; ++length) {
        const std::string word = alphabet.substr(0, length);
        for (std::size_t at = 500; at < 516; ++at) {
            std::string text(at, 'z');
            text += word;
            EXPECT_THAT(hits("*" + word + "*", text), ElementsAre(word)) << at;
            text += std::string(600, 'z');
            EXPECT_THAT(hits("*" + word + "*", text), ElementsAre(word)) << at;
        }
    }
}

TEST(WordMatcher, FindsWordsThatOverlapAndWordsInsideOthers) {
    EXPECT_THAT(hits("*he*\n*she*\nreject: *hers*\nhold: *his*", "ushers"),
                testing::IsSupersetOf({"she", "hers"}));
    EXPECT_THAT(hits("*abcdef*\n*cdefgh*\n*bcd*", "xabcdefghx"),
                testing::IsSupersetOf({"abcdef", "cdefgh"}));
    EXPECT_THAT(hits("*aab*", "aaab"), ElementsAre("aab"));
    EXPECT_THAT(hits("*abcabd*", "abcabcabd"), ElementsAre("abcabd"));
}

TEST(WordMatcher, CaseWidthAndDecorationDoNotHide) {
    EXPECT_THAT(hits("straße", "STRASSE Straße"), ElementsAre("STRASSE", "Straße"));
    EXPECT_THAT(hits("darn", "ｄａｒｎ"), ElementsAre("ｄａｒｎ"));
    EXPECT_THAT(hits("darn", "𝐝𝐚𝐫𝐧 ⓓⓐⓡⓝ"), SizeIs(2));
    EXPECT_THAT(hits("darn", "dàrñ"), ElementsAre("dàrñ"));
    EXPECT_THAT(hits("darn", "d\u0336a\u0336r\u0336n\u0336"), SizeIs(1));
    EXPECT_THAT(hits("*ffi*", "oﬃce"), ElementsAre("ﬃ"));
}

TEST(WordMatcher, WhatCannotBeSeenDoesNotSplit) {
    EXPECT_THAT(hits("darn", "d\u200Ba\u200Dr\u00ADn"), ElementsAre("d\u200Ba\u200Dr\u00ADn"));
    EXPECT_THAT(hits("darn", "\u202Edarn\u202C"), ElementsAre("darn"));
    EXPECT_THAT(hits("darn", "da\x01rn"), SizeIs(1));
    EXPECT_THAT(hits("darn", "da\uFE0Frn"), SizeIs(1));
    EXPECT_THAT(hits("darn", "da rn"), IsEmpty());
}

TEST(WordMatcher, LookAlikesAreASetting) {
    const LookAlikes none{false, false, false};
    const auto only = [](bool c, bool g, bool l) { return LookAlikes{c, g, l}; };
    EXPECT_THAT(hits("darn", "dаrn"), SizeIs(1)); // Cyrillic a
    EXPECT_THAT(hits("darn", "DАRN"), SizeIs(1));
    EXPECT_THAT(hits("darn", "dаrn", only(false, true, true)), IsEmpty());
    EXPECT_THAT(hits("darn", "dαrn"), SizeIs(1)); // Greek alpha
    EXPECT_THAT(hits("darn", "dαrn", only(true, false, true)), IsEmpty());
    EXPECT_THAT(hits("shit", "5h17 $h!t"), ElementsAre("5h17", "$h!t"));
    EXPECT_THAT(hits("shit", "5h17 $h!t", only(true, true, false)), IsEmpty());
    EXPECT_THAT(hits("darn", "darn", none), SizeIs(1));
    EXPECT_THAT(hits("pop", "рор"), SizeIs(1)); // all three Cyrillic
}

TEST(WordMatcher, SignsAndNumbersAreNotTakenForWordsWhereTheyAreNone) {
    EXPECT_THAT(hits("ass", "ass! (ass) ass"), ElementsAre("ass"));
    EXPECT_THAT(hits("ass", "Room 455, ass4, a$$hole"), IsEmpty());
    EXPECT_THAT(hits("ass", "a55 4ss"), ElementsAre("a55", "4ss"));
    EXPECT_THAT(hits("*1488*", "it is 1488 not iabb"), ElementsAre("1488"));
    EXPECT_THAT(hits("*h8*", "h8 hb"), ElementsAre("h8"));
}

TEST(WordMatcher, AnEntrysOwnLettersMustBeThere) {
    EXPECT_THAT(hits("ano", "año ano"), ElementsAre("año", "ano"));
    EXPECT_THAT(hits("año", "año AN\u0303O ano"), ElementsAre("año", "AN\u0303O"));
    EXPECT_THAT(hits("хуй", "хуй ХУЙ хyй"), ElementsAre("хуй", "ХУЙ", "хyй"));
    EXPECT_THAT(hits("сор", "сор cop coр"), ElementsAre("сор", "coр"));
    EXPECT_THAT(hits("*ΟΔΟΣ*", "οδος ΟΔΟΣ οδοσ"), ElementsAre("οδος", "ΟΔΟΣ", "οδοσ"));
}

TEST(WordMatcher, MarksThatAreLettersStay) {
    EXPECT_THAT(hits("*की*", "का की"), ElementsAre("की")); // vowel signs differ
    EXPECT_THAT(hits("चूतिया", "वह चूतिया है"), ElementsAre("चूतिया"));
    EXPECT_THAT(hits("चूतिया", "चतया"), IsEmpty());
    EXPECT_THAT(hits("ไม่", "ไม ไม่ดี"), ElementsAre("ไม่")); // a tone mark; no space after it
    EXPECT_THAT(hits("*كتب*", "كَتَبَ كـتـب"), SizeIs(2));   // vowels, tatweel
    EXPECT_THAT(hits("*か*", "が か"), ElementsAre("か"));
    EXPECT_THAT(hits("*が*", "か\u3099"), SizeIs(1));
    EXPECT_THAT(hits("*바*", "박 바"), ElementsAre("바"));
    EXPECT_THAT(hits("*박*", "\u1107\u1161\u11A8"), SizeIs(1));
}

TEST(WordMatcher, InScriptsWithoutSpacesAWordStandsAnywhere) {
    EXPECT_THAT(hits("笨蛋", "你是笨蛋吗"), ElementsAre("笨蛋"));
    EXPECT_THAT(hits("darn", "你darn吧"), ElementsAre("darn"));
}

TEST(WordMatcher, AnEntryOfSignsIsFoundWhateverInvisibleStandsInIt) {
    EXPECT_THAT(hits("&", "a && b"), ElementsAre("&"));
    EXPECT_THAT(hits("&\u206F", "a && b"), ElementsAre("&"));
    EXPECT_THAT(hits("\uFF41\uFF53\uFF53", "4$5 ass"), ElementsAre("ass"))
        << "full width is letters, and a number is none";
}

TEST(WordMatcher, AnAllowedWordIsOneThatIsWrittenExactlySo) {
    EXPECT_THAT(hits("!Scunthorpe", "SCUNTHORPE"), SizeIs(1));
    EXPECT_THAT(hits("!año", "ano"), IsEmpty());
    EXPECT_THAT(hits("!ano", "año"), IsEmpty());
    EXPECT_THAT(hits("!сор", "cop"), IsEmpty());
    EXPECT_THAT(hits("!hello", "he11o"), IsEmpty());
}

TEST(WordMatcher, AnyBytesAreSafe) {
    std::string every;
    for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
    EXPECT_THAT(hits("*darn*", every + "darn" + every), ElementsAre("darn"));
    EXPECT_THAT(hits("*a*", std::string("\xF0\x9F", 2) + "a\xED\xA0\x80"), ElementsAre("a"));
    EXPECT_THAT(hits("*a*", ""), IsEmpty());
    EXPECT_THAT(hits("", "text"), IsEmpty());
}

TEST(WordMatcher, AnEntryOfNothingIsRefused) {
    const TextFolding folding;
    const auto made = WordMatcher::make(folding, {{"\u200B\u200D", WordAction::mask, true, true}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::invalid_field);
}

TEST(WordMatcher, HostileTextsAreReadInOneGo) {
    // 16 KB of `a` under a list of a, aa, aaa, ...; what is told stays one hit for each place.
    std::string file, word;
    for (int i = 0; i < 100; ++i) file += "*" + (word += 'a') + "*\n";
    file += "reject: *" + word + "b*\n";
    const TextFolding folding;
    const auto matcher = WordMatcher::make(folding, words(file)).value();
    const std::string text(16'000, 'a');
    ScanText scanned;
    scanned.set(folding, text);
    std::vector<WordHit> found;
    matcher->scan(scanned, found);
    EXPECT_EQ(found.size(), text.size());
    EXPECT_EQ(found.back().end - found.back().begin, 100u);
}

} // namespace
} // namespace parley::chat
