// The one thing that is kept of a picture's Exif: which way up it is. Everything else in it (place,
// camera, time, a thumbnail of what was cropped) is nobody's business. Source: TIFF 6.0, Exif 2.32.
//
// Threading: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::protocol::media {

// 1 (upright) to 8, of a TIFF block, with or without "Exif\0\0" before it; 1 if it says nothing.
std::uint8_t read_orientation(std::string_view exif);
// A TIFF block that says only this.
std::string make_orientation(std::uint8_t orientation);

} // namespace parley::protocol::media
