#include "base/limits.hpp"
#include "chat/word_list.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace parley::chat {
namespace {

using testing::HasSubstr;

std::string wrong(std::string_view file) {
    const auto parsed = parse_word_file("en.txt", file);
    EXPECT_FALSE(parsed) << file;
    return parsed ? "" : parsed.error().detail;
}

TEST(WordList, ALineIsAnEntryACommentOrEmpty) {
    const auto parsed = parse_word_file("en.txt", "\xEF\xBB\xBF# words\r\n\r\n  darn  \n*heck*\n"
                                                  "reject: spam*\nhold:*oh my\nmask:x\n!darning\n"
                                                  "\\#tag\\*\nmask: a\\:b");
    const std::vector<WordEntry> expected{
        {"darn", WordAction::mask, false, false},  {"heck", WordAction::mask, true, true},
        {"spam", WordAction::reject, false, true}, {"oh my", WordAction::hold, true, false},
        {"x", WordAction::mask, false, false},     {"darning", WordAction::allow, false, false},
        {"#tag*", WordAction::mask, false, false}, {"a:b", WordAction::mask, false, false}};
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(*parsed, expected);
    EXPECT_EQ(parse_word_file("again", print_words(expected)).value(), expected);
}

TEST(WordList, WhiteSpaceAtTheEndsIsNoPartOfAWord) {
    const auto parsed = parse_word_file("en.txt", "\\\u202F darn *\n*\\ heck").value();
    const std::vector<WordEntry> expected{{"darn", WordAction::mask, false, true},
                                          {"heck", WordAction::mask, true, false}};
    EXPECT_EQ(parsed, expected);
    EXPECT_EQ(parse_word_file("again", print_words(parsed)).value(), parsed);
    EXPECT_THAT(wrong("good\n*\\ *"), HasSubstr("no word"));
}

TEST(WordList, ABadLineIsNamedWithItsFile) {
    EXPECT_THAT(wrong("good\n\nba*d"), HasSubstr("en.txt, line 3: "));
    EXPECT_THAT(wrong("ban: word"), HasSubstr("none of mask, reject, hold"));
    EXPECT_THAT(wrong("reject:"), HasSubstr("no word"));
    EXPECT_THAT(wrong("**"), HasSubstr("no word"));
    EXPECT_THAT(wrong("word\\"), HasSubstr("nothing after"));
    EXPECT_THAT(wrong("\xFF"), HasSubstr("UTF-8"));
    EXPECT_THAT(wrong("a\x01"), HasSubstr("control"));
    EXPECT_THAT(wrong(std::string(limits::kFilterWordBytes + 1, 'a')), HasSubstr("too long"));
}

TEST(WordList, AFileHasABound) {
    std::string file;
    for (std::size_t i = 0; i < limits::kFilterWordsPerFile; ++i) file += "a\n";
    EXPECT_TRUE(parse_word_file("en.txt", file));
    EXPECT_THAT(wrong(file + "a\n"), HasSubstr("too many words"));
}

TEST(WordList, TheBuiltInListsAreShortAndParse) {
    for (const DefaultWords& words : default_words()) {
        const auto parsed = parse_word_file(words.language, words.file);
        ASSERT_TRUE(parsed) << parsed.error().detail;
        EXPECT_GT(parsed->size(), 0u);
        EXPECT_LT(parsed->size(), 40u);
    }
}

} // namespace
} // namespace parley::chat
