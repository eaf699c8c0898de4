#include "protocol/media/exif.hpp"

#include "protocol/media/bytes.hpp"

namespace parley::protocol::media {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112, kShort = 3;
constexpr std::size_t kEntrySize = 12;

} // namespace

std::uint8_t read_orientation(std::string_view exif) {
    using namespace std::string_view_literals;
    if (exif.starts_with("Exif\0\0"sv)) exif.remove_prefix(6);
    const bool little = exif.starts_with("II*\0"sv);
    if (!little && !exif.starts_with("MM\0*"sv)) return 1;
    const auto u16 = [&](std::size_t at) { return little ? le16(exif, at) : be16(exif, at); };
    const std::size_t directory = little ? le32(exif, 4) : be32(exif, 4);
    const std::size_t entries = u16(directory);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + i * kEntrySize;
        if (entry + kEntrySize > exif.size()) return 1;
        if (u16(entry) != kOrientationTag || u16(entry + 2) != kShort) continue;
        const std::uint16_t value = u16(entry + 8);
        return value >= 1 && value <= 8 ? static_cast<std::uint8_t>(value) : 1;
    }
    return 1;
}

std::string make_orientation(std::uint8_t orientation) {
    std::string tiff("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0", 26);
    tiff[19] = static_cast<char>(orientation);
    return tiff;
}

} // namespace parley::protocol::media
