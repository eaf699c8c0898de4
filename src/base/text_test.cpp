#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley {
namespace {

TEST(Utf8, AcceptsWhatIsWellFormedAndNothingElse) {
    for (const char* good :
         {"", "a", "plain ascii text", "\xC2\xA2", "\xE2\x82\xAC", "\xF0\x90\x8D\x88",
          "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_valid_utf8(good)) << good;
    for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
                            "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
                            "\xC2", "\xE2\x82", "long enough text \xE2\x28\xA1"})
        EXPECT_FALSE(is_valid_utf8(bad)) << bad;
}

TEST(Utf8, EverySplitOfAWellFormedTextGivesTheSameAnswer) {
    const std::string text = "a\xC2\xA2 \xE2\x82\xAC z \xF0\x90\x8D\x88 end of it";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Utf8Validator v;
        EXPECT_TRUE(v.feed(std::string_view(text).substr(0, cut)));
        EXPECT_TRUE(v.feed(std::string_view(text).substr(cut)));
        EXPECT_TRUE(v.complete());
    }
}

TEST(Utf8, ATwoByteSequenceIsWellFormedExactlyWhenUnicodeSaysSo) {
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const std::string s{static_cast<char>(a), static_cast<char>(b)};
            const bool ascii = a < 0x80 && b < 0x80;
            const bool two = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
            ASSERT_EQ(is_valid_utf8(s), ascii || two) << a << " " << b;
        }
}

TEST(Text, TrimsUnicodeWhiteSpaceAtBothEnds) {
    EXPECT_EQ(trim("  a b\t\n"), "a b");
    EXPECT_EQ(trim("\xC2\xA0\xE3\x80\x80x\xE2\x80\x83"), "x");
    EXPECT_EQ(trim(" \xE2\x80\xA8 "), "");
    EXPECT_EQ(trim("\xE2\x82\xAC"), "\xE2\x82\xAC");
}

TEST(Text, CountsCodePoints) {
    EXPECT_EQ(count_code_points("a long ascii sentence"), 21u);
    EXPECT_EQ(count_code_points("\xF0\x9F\x98\x80\xE2\x82\xAC!"), 3u);
}

TEST(Text, FindsControls) {
    EXPECT_FALSE(has_control("two\nlines\tand a tab"));
    EXPECT_TRUE(has_control(std::string_view("a\0b", 3)));
    EXPECT_TRUE(has_control("\x1B]0;"));
    EXPECT_TRUE(has_control("\xC2\x85"));
}

} // namespace
} // namespace parley
