#include "protocol/media/blurhash.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace parley::protocol::media {
namespace {

// A wide picture that goes from dark to light, its lower half red.
std::vector<std::uint8_t> sample(std::uint32_t width, std::uint32_t height) {
    std::vector<std::uint8_t> pixels;
    for (std::uint32_t y = 0; y < height; ++y)
        for (std::uint32_t x = 0; x < width; ++x) {
            const auto light = static_cast<std::uint8_t>(x * 255 / (width - 1));
            pixels.push_back(y >= height / 2 ? 200 : light);
            pixels.push_back(light);
            pixels.push_back(y * 255 / (height - 1));
        }
    return pixels;
}

TEST(BlurHash, IsThatOfTheReferenceEncoder) {
    EXPECT_EQ(make_blurhash(sample(32, 24), 32, 24), "L$Kd0#DFtNjJJ]J7snWnWtWqjta}");
    EXPECT_EQ(make_blurhash(sample(7, 20), 7, 20, 9, 9),
              "|$K,%2HkWD%LMj-.Mj-.MjKCEya|bDS3j;S3j;S3WtWrfQa~a|fSa|fSa|xWr[jtoKn*j@n*j@n*"
              "fOfPfQfPfQfPfQfPfQozR-a|j[WWj[WWj[WWWmWofQa{a|fPa|fPa|xanlfQj[jaj[jaj["
              "jafNfPfQfPfQfPfQfPfQ");
    EXPECT_EQ(make_blurhash(sample(16, 16), 16, 16, 1, 1), "00Kmnh");
}

TEST(BlurHash, TakesTheSmallestPicture) {
    for (const std::uint8_t level : {0, 128, 255}) {
        const std::vector<std::uint8_t> pixel(3, level);
        EXPECT_TRUE(is_blurhash(make_blurhash(pixel, 1, 1)));
    }
}

TEST(BlurHash, IsToldFromOtherText) {
    EXPECT_TRUE(is_blurhash("LEHV6nWB2yk8pyo0adR*.7kCMdnj"));
    for (const auto other :
         {"", "L", "LEHV6nWB2yk8pyo0adR*.7kCMdn", "<script>alert(1)</script>",
          "LEHV6nWB2yk8pyo0adR*.7kCMdnj0", "~~~~~~", "LEHV6nWB2yk8pyo0adR*.7kCMdn\""})
        EXPECT_FALSE(is_blurhash(other)) << other;
}

} // namespace
} // namespace parley::protocol::media
