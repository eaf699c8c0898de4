#include "base/text.hpp"
#include "chat/names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::chat {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    while (times--) out += text;
    return out;
}

TEST(NameKey, MakesOneNameOfWhatLooksLikeOne) {
    const std::string key = name_key("admin");
    for (const char* same : {"Admin", "ADMIN", "\uFF21\uFF24\uFF2D\uFF29\uFF2E", "ad\u200Bmin",
                             "a\u00ADdmin", "adm\u2060in", "\U0001D41Admin"})
        EXPECT_EQ(name_key(same), key) << same;
    EXPECT_EQ(name_key("Stra\u00DFe"), name_key("STRASSE"));
    EXPECT_EQ(name_key("e\u0301"), name_key("\u00C9"));
    EXPECT_NE(name_key("admin"), name_key("adm1n"));
}

TEST(NameKey, IsItsOwnKey) {
    for (const char* name :
         {"Admin", "\u0130stanbul", "\u1E9E", "\u03A3\u03C2", "\uFB03", "\u0345\u03B1"})
        EXPECT_EQ(name_key(name_key(name)), name_key(name)) << name;
}

TEST(Username, TakesLettersAndDigitsOfAnyScript) {
    for (const char* good :
         {"bob", "Bob_1", "a.b-c", "\u0437\u0443\u0431\u0440", "\u5F20\u4F1F\u4E3D",
          "\u0939\u093F\u0928\u094D\u0926\u0940", "12345678901234567890"})
        EXPECT_TRUE(check_username(good)) << good;
}

TEST(Username, AnswersTheComposedForm) {
    EXPECT_EQ(*check_username("zoe\u0301"), "zo\u00E9");
    // Three code points that compose to two are too short.
    EXPECT_FALSE(check_username("ze\u0301"));
}

TEST(Username, RefusesTheRest) {
    const std::string nul("bo\0b", 4);
    for (const std::string& bad :
         {std::string(), std::string("ab"), repeated("a", 21), std::string("bob smith"),
          std::string(" bob"), std::string("bob\n"), nul, std::string("bo\u200Bb"),
          std::string("bob\u202E"), std::string("\u3164\u3164\u3164"), std::string("\u0301bob"),
          std::string("bob\xFF"), std::string("bob!"),
          std::string("\U0001F600\U0001F600\U0001F600"), repeated("a\u0301", 10'000)}) {
        const auto answer = check_username(bad);
        ASSERT_FALSE(answer) << bad;
        EXPECT_EQ(answer.error().code, Errc::invalid_username);
    }
}

TEST(Email, TakesAddressesAndNothingElse) {
    for (const char* good : {"a@b.c", "first.last+tag@mail.example.org", "\u00FC@\u00FC.de"})
        EXPECT_TRUE(check_email(good)) << good;
    for (const std::string& bad :
         {std::string(), std::string("a"), std::string("@b.c"), std::string("a@"),
          std::string("a@b"), std::string("a@@b.c"), std::string("a@b@c.d"), std::string("a b@c.d"),
          std::string("a@b.c\n"), std::string("a@.c"), std::string("a@b."), std::string("a@b..c"),
          std::string("a\u00A0b@c.d"), std::string("a\xFF@b.c"), repeated("a", 251) + "@b.c"}) {
        const auto answer = check_email(bad);
        ASSERT_FALSE(answer) << bad;
        EXPECT_EQ(answer.error().code, Errc::invalid_email);
    }
    EXPECT_TRUE(check_email(repeated("a", 250) + "@b.cc").has_error());
    EXPECT_TRUE(check_email(repeated("a", 250) + "@b.c").has_value());
}

TEST(Password, CountsCharactersNotBytes) {
    EXPECT_TRUE(check_password("12345678"));
    EXPECT_FALSE(check_password("1234567"));
    EXPECT_TRUE(check_password(repeated("\u00FC", 128)));
    EXPECT_FALSE(check_password(repeated("\u00FC", 129)));
    EXPECT_FALSE(check_password(repeated("\u00FC", 7)));
    EXPECT_FALSE(check_password(std::string("1234567\0", 8)));
    EXPECT_FALSE(check_password("12345678\xFF"));
}

TEST(RoomName, IsTrimmedAndVisible) {
    EXPECT_EQ(*check_room_name("  general \n"), "general");
    EXPECT_TRUE(check_room_name("I \u2764\uFE0F tea"));
    EXPECT_TRUE(check_room_name(repeated("\u00FC", 50)));
    for (const std::string& bad :
         {std::string("  ab  "), repeated("a", 51), std::string("a\tbc"), std::string("a\nbc"),
          std::string("abc\u202Edef"), std::string("abc\u200Bdef"), std::string("abc\u2066def"),
          std::string("\uFE0F\uFE0F\uFE0F"), std::string("\u3164\u3164\u3164"),
          std::string("abc\xFF"), std::string("ab\0c", 4), std::string("a\u2028bc")}) {
        const auto answer = check_room_name(bad);
        ASSERT_FALSE(answer) << bad;
        EXPECT_EQ(answer.error().code, Errc::invalid_field);
    }
}

TEST(Topic, MayBeEmptyAndHaveLines) {
    EXPECT_EQ(*check_topic(""), "");
    EXPECT_EQ(*check_topic(" two\nlines "), "two\nlines");
    EXPECT_EQ(check_topic(repeated("a", 251)).error().code, Errc::too_long);
    EXPECT_EQ(check_topic("a\u202Eb").error().code, Errc::invalid_field);
    EXPECT_EQ(check_topic("a\x1B[31mb").error().code, Errc::invalid_field);
}

TEST(DisplayName, HasOneLine) {
    EXPECT_EQ(*check_display_name(" Zo\u00E9 \U0001F600 "), "Zo\u00E9 \U0001F600");
    EXPECT_EQ(check_display_name("a\nb").error().code, Errc::invalid_field);
    EXPECT_EQ(check_display_name(repeated("a", 51)).error().code, Errc::too_long);
}

} // namespace
} // namespace parley::chat
