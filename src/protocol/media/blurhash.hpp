// BlurHash: a picture in 20 to 30 characters, to be shown while the picture is on its way. After
// the published algorithm (https://blurha.sh, "Algorithm.md" of woltapp/blurhash): the cosine
// transform of the linear colours, a few components of it, quantised, in base 83.
//
//   size(1) = (columns-1) + (rows-1)*9   maximum(1)   average(4): RGB of 24 bits   component(2)...
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parley::protocol::media {

// `pixels`: width * height times R, G, B in sRGB, row by row; best a thumbnail of some 32 pixels,
// since each component looks at each of them. 1..9 columns and rows.
std::string make_blurhash(std::span<const std::uint8_t> pixels, std::uint32_t width,
                          std::uint32_t height, std::uint32_t columns = 4, std::uint32_t rows = 3);
// Whether a text can be one: its characters, and its length for its size.
bool is_blurhash(std::string_view text);

} // namespace parley::protocol::media
