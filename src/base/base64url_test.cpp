#include "base/base64url.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(Base64Url, GivesTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF", "-_8"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(to_base64url(bytes), text);
        EXPECT_EQ(from_base64url(text), bytes);
        EXPECT_EQ(base64url_size(std::string_view(bytes).size()), std::string_view(text).size());
    }
}

TEST(Base64Url, RefusesEverySpellingButOne) {
    for (const char* bad :
         {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm8 ", "Zm8\n", "+/8", "Zm.v"})
        EXPECT_EQ(from_base64url(bad), std::nullopt) << bad;
    EXPECT_EQ(from_base64url(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(Base64Url, EveryTwoByteValueComesBackAndIsTheOnlySpelling) {
    int accepted = 0;
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            const std::string bytes{static_cast<char>(a), static_cast<char>(b)};
            ASSERT_EQ(from_base64url(to_base64url(bytes)), bytes);
        }
    for (int a = 0; a < 128; ++a)
        for (int b = 0; b < 128; ++b) {
            const std::string text{static_cast<char>(a), static_cast<char>(b)};
            if (const auto bytes = from_base64url(text)) {
                ++accepted;
                ASSERT_EQ(to_base64url(*bytes), text);
            }
        }
    EXPECT_EQ(accepted, 256);
}

} // namespace
} // namespace parley
