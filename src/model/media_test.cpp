#include "model/media.hpp"

#include <gtest/gtest.h>

namespace parley::model {
namespace {

TEST(MediaFacts, ComeBackFromTheirText) {
    MediaFacts facts{.filename = "Grüße \"1\"\n.png",
                     .content_type = "image/png",
                     .size = std::uint64_t{5} << 40,
                     .width = 4000,
                     .height = 3000,
                     .duration_ms = 1,
                     .blurhash = "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                     .small = PictureSize{320, 240},
                     .large = PictureSize{1280, 960},
                     .poster = true,
                     .stripped = false};
    const MediaFactsRef back = media_facts_of(to_json(facts));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, facts);
    EXPECT_EQ(to_json(facts).find('\n'), std::string::npos);
}

TEST(MediaFacts, WhatIsNotKnownIsLeftOut) {
    const MediaFacts facts{.filename = "a", .content_type = "text/plain", .size = 3};
    EXPECT_EQ(to_json(facts), R"({"filename":"a","content_type":"text/plain","size":3})");
}

TEST(MediaFacts, WhatIsNotTheirTextIsNothing) {
    for (const char* text :
         {"", "null", "[]", "{}", "{", R"({"content_type":"a/b"})",
          R"({"content_type":"a/b","size":-1})", R"({"content_type":1,"size":1})"})
        EXPECT_FALSE(media_facts_of(text)) << text;
    const auto odd = media_facts_of(
        R"({"content_type":"a/b","size":1,"width":"x","thumbnails":[1,{"size":"small"}]})");
    ASSERT_TRUE(odd);
    EXPECT_FALSE(odd->width || odd->small);
}

} // namespace
} // namespace parley::model
