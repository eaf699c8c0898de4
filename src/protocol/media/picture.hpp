// What kind of picture some bytes are, how many pixels it would decode to, and the same picture
// without its metadata. Nothing here decodes a pixel: time and memory grow with the bytes that are
// there, not with what they claim.
//
// Sources: JPEG (ITU T.81), PNG (W3C, third edition), GIF89a, WebP (RFC 9649), AVIF (ISO/IEC
// 23008-12 and 14496-12). Input is hostile: every size is checked, and what does not fit is an
// error.
//
// Threading: pure functions.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol::media {

enum class PictureFormat : std::uint8_t { jpeg, png, gif, webp, avif };

// By its first bytes.
std::optional<PictureFormat> picture_format(std::string_view bytes);
std::string_view content_type_of(PictureFormat format);

struct PictureHeader {
    PictureFormat format = PictureFormat::jpeg;
    std::uint32_t width = 0, height = 0; // as stored, before the orientation; never 0
    std::uint8_t orientation = 1;        // of Exif: 5 to 8 lie on their side

    std::uint64_t pixels() const { return std::uint64_t{width} * height; }
};

// invalid_field when it is not a picture of a known format, or broken before its size is known.
Result<PictureHeader> read_picture_header(std::string_view bytes);

// The same pixels, bit for bit, without Exif, GPS, XMP, IPTC, comments and what stands after the
// end of the file; colour profiles and the orientation are kept. Nothing: there was none of it.
// invalid_field when the file is broken.
Result<std::optional<std::string>> strip_metadata(std::string_view bytes);

// A GIF that shows only the first frame of this one, so that nobody has to look at a million more.
Result<std::string> first_frame_of_gif(std::string_view bytes);

} // namespace parley::protocol::media
